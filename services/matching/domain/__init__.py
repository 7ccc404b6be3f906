"""The rules of matching, pure: plain data in, (state, events) out. Time and ids are arguments.

`model` the data · `policy` what a choice is made from · `choice` whom to ask · `requests` their course ·
`rounds` asking and answering · `sessions` · `advisors` · `worklist`
"""
