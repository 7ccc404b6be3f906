"""The HTTP door: parse, call a handler, return. One file per subject."""

from fastapi import APIRouter

from services.matching.api import (
    advisors,
    assignments,
    budgets,
    governing,
    handing,
    policies,
    requests,
    sessions,
    trail,
)
from services.matching.api.door import Door


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/api")
    for subject in (advisors, requests, governing, handing, assignments, sessions, policies, budgets, trail):
        made.include_router(subject.router(door))
    return made
