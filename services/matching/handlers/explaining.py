"""Why: from what was kept of the pass, or for a person's choice from how things stand now."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.matching.domain.basis import Basis
from services.matching.domain.explanation import Choice, Explanation, WhyNot
from services.matching.domain.model import Engagement, Round
from services.matching.domain.policy import Policy, seeker
from services.matching.domain.worklist import Rules
from services.matching.handlers import matching
from services.matching.handlers.rounds import of_assignment
from services.matching.store import Store
from shared.errors import NotFound

if TYPE_CHECKING:
    from services.matching.engine.explain import Explainer


async def basis(
    store: Store, known: Engagement, asked: Round, policy: Policy, rules: Rules, now: datetime
) -> tuple[Basis, bool]:
    """What `asked` was decided from, and True; for a person's choice how things stand now, and False."""
    kept = await store.basis(asked.basis) if asked.basis else None
    if kept is not None:
        return kept, True
    today = rules.day(now)
    there = await matching.candidates(store, today, policy)
    wish = replace(seeker(known, matching.waited(known, rules, today)), held=(), pinned=(), refused=frozenset())
    seats = tuple(seat.advisor_id for seat in asked.seats)
    before = tuple(replace(one, open=one.open - 1) if one.id in known.holders else one for one in there)
    return (
        Basis("", now, today, policy, policy.version, before, (wish,), {known.id: seats}, {}, 0, False, 1.0),
        False,
    )


async def lay_out(found: Basis) -> "Explainer":
    """The pass, for all that is asked of it."""
    return await asyncio.to_thread(_explainer, found)


async def explain(explainer: "Explainer", request_id: str, asked: Round) -> Explanation:
    chosen = tuple(seat.advisor_id for seat in asked.seats)
    return await asyncio.to_thread(explainer.explain, request_id, chosen)


async def why_not(explainer: "Explainer", request_id: str, asked: Round, advisor_id: str) -> WhyNot:
    """Raises NotFound when there was no such advisor."""
    chosen = tuple(seat.advisor_id for seat in asked.seats)
    try:
        return await asyncio.to_thread(explainer.why_not, request_id, advisor_id, chosen)
    except KeyError:
        raise NotFound(f"{advisor_id} gab es damals nicht.", f"There was no advisor {advisor_id} then.") from None


async def cases(store: Store, choices: Iterable[Choice]) -> dict[str, str]:
    """Requests where somebody is needed → their case numbers, as far as they are known."""
    found = {need.request_id for one in choices for need in one.needed}
    known = [await store.engagement(one) for one in sorted(found)]
    return {one.id: one.facts.case_number for one in known if one and one.facts}


async def replay(store: Store, assignment_id: str) -> tuple[Basis, dict[str, tuple[str, ...]]]:
    """The pass in which an assignment was made, and what comes of it when it is decided again.

    Raises NotFound when there is no such assignment, or a person has made it.
    """
    known = await of_assignment(store, assignment_id)
    asked = known.round(assignment_id)
    kept = await store.basis(asked.basis) if asked and asked.basis else None
    if kept is None:
        german = "Diese Zuordnung hat eine Person getroffen; es gibt nichts zu wiederholen."
        raise NotFound(german, "A person has made this assignment: there is nothing to decide again.")
    return kept, await asyncio.to_thread(_repeated, kept)


def _explainer(found: Basis) -> "Explainer":
    from services.matching.engine.explain import Explainer  # with numpy and the solver

    return Explainer(found)


def _repeated(kept: Basis) -> dict[str, tuple[str, ...]]:
    from services.matching.engine.explain import repeated

    return repeated(kept)
