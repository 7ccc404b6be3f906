"""A mail server that delivers nothing: each mail becomes a file, shown on a small page.

For trying out refusals: recipients at `refuse.example` are answered 550 (permanent), at `later.example`
451 (temporary); all others 250.
"""
