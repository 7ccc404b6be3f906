"""The HTTP door: parse, call a handler, return. One file per subject."""

from fastapi import APIRouter

from services.matching.api import advisors, assignments, policies, requests, sessions
from services.matching.api.door import Door


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/api")
    for subject in (advisors, requests, assignments, sessions, policies):
        made.include_router(subject.router(door))
    return made
