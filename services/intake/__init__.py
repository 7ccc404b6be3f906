"""Owns requests, their dossiers, the register of municipalities and feedback.

Emits request.created, request.withdrawn, request.dossier and feedback.given; consumes what matching tells
(advisor.assigned, advisor.answered, request.parked, session.scheduled, session.completed,
consultation.closed), to say at any time what happens next and by when.
"""
