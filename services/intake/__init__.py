"""Owns requests, their dossiers, the register of municipalities and feedback.

Emits request.created, request.withdrawn, request.dossier, draft.dossier and feedback.given; consumes what matching
tells (advisor.assigned, advisor.answered, request.parked, session.scheduled, session.completed, consultation.closed,
and of advisor.dossier the name), to say at any time what happens next, by when, and who advises.
"""
