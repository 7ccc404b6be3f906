"""One function per command or event: load, decide, save.

Where nothing is to be saved, what was loaded is confirmed: an answer never rests on what an election may undo.

`events` what other services told · `matching` the matcher's pass · `rounds` answers, override, closing ·
`sessions` · `advisors`
"""
