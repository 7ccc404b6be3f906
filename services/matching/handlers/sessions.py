"""Sessions by the members of the engagement or a coordinator."""

from collections.abc import Callable
from datetime import datetime

from services.matching.domain import sessions
from services.matching.domain.model import Audit, Engagement, HeldMode, Record, Session
from services.matching.domain.rounds import Outcomes
from services.matching.domain.worklist import Rules
from services.matching.handlers.rounds import of_assignment
from services.matching.store import Store
from shared.auth import Caller
from shared.commit import Insert
from shared.errors import Forbidden, NotFound
from shared.events.base import SessionKind
from shared.ids import new_id

Mark = Callable[[Session], Insert | None]


async def schedule(
    store: Store,
    assignment_id: str,
    kind: SessionKind,
    mode: HeldMode,
    starts_at: datetime,
    minutes: int,
    caller: Caller,
    mark: Mark,
    now: datetime,
) -> Session:
    """Arranges a session of the whole tandem."""
    known = await of_assignment(store, assignment_id)
    allowed(known, caller)
    asked = known.round(assignment_id)
    everybody = tuple(seat.advisor_id for seat in asked.held) if asked else ()
    session = Session(new_id(), assignment_id, kind, mode, starts_at, minutes, everybody)
    arranged, events = sessions.schedule(known, session, now)
    arranged = arranged.noted(Audit(now, caller.subject, "session_scheduled", kind))
    await store.save(arranged, events=events, cause=mark(session))
    return session


async def get(store: Store, session_id: str, caller: Caller) -> Session:
    return sessions.find(await _of_session(store, session_id, caller), session_id)


async def reschedule(
    store: Store,
    session_id: str,
    starts_at: datetime,
    minutes: int,
    caller: Caller,
    now: datetime,
    sequence: int | None = None,
) -> Session:
    """`sequence`: of the plan that the caller saw, where that counts."""
    known = await _of_session(store, session_id, caller)
    moved = sessions.reschedule(known, session_id, starts_at, minutes, now, sequence)
    return await _kept(store, session_id, moved, Audit(now, caller.subject, "session_moved", ""))


async def cancel(store: Store, session_id: str, caller: Caller, now: datetime) -> Session:
    known = await _of_session(store, session_id, caller)
    gone = sessions.cancel(known, session_id, now)
    return await _kept(store, session_id, gone, Audit(now, caller.subject, "session_cancelled", ""))


async def complete(store: Store, session_id: str, record: Record, rules: Rules, caller: Caller) -> Session:
    """`record` as told; its minutes count as paid in the choice from now on."""
    known = await _of_session(store, session_id, caller)
    held = sessions.complete(known, session_id, record, rules.day(record.completed_at))
    audit = Audit(record.completed_at, caller.subject, "session_recorded", "")
    return await _kept(store, session_id, held, audit, news=True)


async def correct(store: Store, session_id: str, record: Record, rules: Rules, caller: Caller) -> Session:
    """`record` instead of what was told before; reporting takes back what was claimed by it."""
    known = await _of_session(store, session_id, caller)
    anew = sessions.correct(known, session_id, record, rules.day(record.completed_at))
    audit = Audit(record.completed_at, caller.subject, "session_corrected", "")
    return await _kept(store, session_id, anew, audit, news=True)


async def _kept(store: Store, session_id: str, outcome: Outcomes, audit: Audit, *, news: bool = False) -> Session:
    """The session as it stands then; what changes nothing is not noted either."""
    after, events = outcome
    if events:
        await store.save(after.noted(audit), events=events, news=news)
    else:
        await store.confirm(after)
    return sessions.find(after, session_id)


def allowed(engagement: Engagement, caller: Caller, session: Session | None = None) -> None:
    """Raises Forbidden for an advisor who has no seat in the current round, nor a part in `session`."""
    seat = engagement.current.seat(caller.subject) if engagement.current else None
    seated = seat is not None and seat.answer in ("open", "accepted")
    if caller.role == "advisor" and not seated and not (session and caller.subject in session.advisor_ids):
        raise Forbidden("Das ist nicht Ihre Beratung.", "This is not your engagement.")


async def _of_session(store: Store, session_id: str, caller: Caller) -> Engagement:
    found = await store.of_session(session_id)
    if found is None:
        raise NotFound("Diese Sitzung gibt es nicht.", "There is no such session.")
    allowed(found, caller, sessions.find(found, session_id))
    return found
