"""Matching: who advises whom, when, and how it ends.

Owns advisors, availability, assignments, sessions and closings. Consumes request.created, request.withdrawn,
request.dossier and feedback.given; emits advisor.assigned, advisor.answered, request.parked, advisor.dossier,
session.scheduled, session.completed and consultation.closed.
"""
