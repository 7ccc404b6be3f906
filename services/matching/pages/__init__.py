"""The pages of matching, without JavaScript: GET shows, POST acts.

`answer` by the link in an advisor's mail · `advisor`, `sessions`, `me` the advisors' portal · `worklist`, `request`,
`deciding`, `why`, `pool`, `leaving`, `importing` the coordinators' · `policies`, `simulations`, `hand_overs`,
`budgets`, `decisions` where they govern the matcher · `asked`, `forms`, `showing` what they share
"""

from fastapi import APIRouter

from services.matching import decided, policy_words, words
from services.matching.api.door import Door
from services.matching.finding import Finder
from services.matching.pages import (
    advisor,
    answer,
    budgets,
    deciding,
    decisions,
    hand_overs,
    importing,
    leaving,
    me,
    policies,
    pool,
    request,
    sessions,
    simulations,
    why,
    worklist,
)
from services.matching.pages.showing import Guard, Pages
from services.matching.settings import Settings
from services.matching.simulator import Simulator
from shared.look import Look


def look_of(settings: Settings) -> Look:
    """The look, with the words that matching's pages have for its codes."""
    return Look(settings, "services.matching", **words.SPOKEN, **decided.SPOKEN, **policy_words.SPOKEN)


def router(look: Look, door: Door, guard: Guard, simulator: Simulator) -> APIRouter:
    """`guard`: makes the dependency that lets one of the given roles in."""
    pages, finder = Pages(look), Finder(door.mongo)
    made = APIRouter(include_in_schema=False)
    made.include_router(answer.router(door, pages, finder))
    made.include_router(me.router(door, pages, finder, guard))
    made.include_router(advisor.router(door, pages, finder, guard))
    made.include_router(sessions.router(door, pages, finder, guard, "advisor", "/advisor", "/advisor/engagements/"))
    made.include_router(worklist.router(door, pages, finder, guard))
    made.include_router(importing.router(door, pages, guard))
    made.include_router(pool.router(door, pages, finder, guard))
    made.include_router(leaving.router(door, pages, finder, guard))
    made.include_router(hand_overs.router(door, pages, finder, guard))
    made.include_router(policies.router(door, pages, finder, guard))
    made.include_router(simulations.router(door, pages, finder, guard, simulator))
    made.include_router(budgets.router(door, pages, finder, guard))
    made.include_router(decisions.router(door, pages, finder, guard))
    made.include_router(why.router(door, pages, finder, guard))
    made.include_router(request.router(door, pages, finder, guard))
    made.include_router(deciding.router(door, pages, guard, request.shower(door, pages, finder)))
    office = "/coordination/requests/"
    made.include_router(sessions.router(door, pages, finder, guard, "coordinator", "/coordination", office))
    return made
