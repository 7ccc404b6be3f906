"""Sessions of an engagement: arranged, moved, called off, recorded once. Pure: (engagement, events)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

from services.matching.domain.model import OPEN, Engagement, Record, Session
from shared.errors import Conflict, FieldError, Invalid, NotFound
from shared.events import Event, SessionCompleted, SessionScheduled
from shared.events.base import Mode, SessionKind
from shared.events.matching import Attendance, OptionAgreed

PLAUSIBLE = timedelta(days=730)
"""A session further away than this is a slip of the pen."""
Outcomes = tuple[Engagement, list[Event]]


def schedule(engagement: Engagement, session: Session, now: datetime) -> Outcomes:
    """A past time is fine: some record afterwards.

    Raises Conflict unless the engagement has begun with this assignment, and for a second first talk.
    """
    _near(session.starts_at, now)
    _running(engagement, session.assignment_id)
    if session.kind == SessionKind.FIRST_TALK and any(
        one.kind == SessionKind.FIRST_TALK and one.state != "cancelled" for one in engagement.sessions
    ):
        raise Conflict(
            "Ein Erstgespräch gibt es schon; bitte verschieben Sie es oder wählen Sie eine andere Art.",
            "There is a first talk already; move it or choose another kind.",
        )
    return replace(engagement, sessions=(*engagement.sessions, session)), [_told(engagement, session, "scheduled", now)]


def reschedule(
    engagement: Engagement,
    session_id: str,
    starts_at: datetime,
    minutes: int,
    now: datetime,
    sequence: int | None = None,
) -> Outcomes:
    """The same time again changes nothing. Raises Conflict when the plan is no longer the one of `sequence`."""
    session = _planned(engagement, session_id)
    if (session.starts_at, session.minutes) == (starts_at, minutes):
        return engagement, []
    if sequence is not None and sequence != session.sequence:
        raise Conflict(
            "Dieser Termin wurde inzwischen verschoben; hier steht jetzt der neue. Bitte prüfen Sie ihn noch einmal.",
            "This session was moved meanwhile; the new time is shown now. Please check it once more.",
        )
    _near(starts_at, now)
    moved = replace(session, starts_at=starts_at, minutes=minutes, sequence=session.sequence + 1)
    return _with(engagement, moved), [_told(engagement, moved, "rescheduled", now)]


def cancel(engagement: Engagement, session_id: str, now: datetime) -> Outcomes:
    """Called off twice is called off once."""
    if find(engagement, session_id).state == "cancelled":
        return engagement, []
    session = _planned(engagement, session_id)
    gone = replace(session, state="cancelled", sequence=session.sequence + 1)
    return _with(engagement, gone), [_told(engagement, gone, "cancelled", now)]


def cancel_all(engagement: Engagement, now: datetime) -> Outcomes:
    """Every session that is still arranged, because the engagement ends."""
    events: list[Event] = []
    for session in engagement.sessions:
        if session.state == "scheduled":
            gone = replace(session, state="cancelled", sequence=session.sequence + 1)
            engagement = _with(engagement, gone)
            events.append(_told(engagement, gone, "cancelled", now))
    return engagement, events


def transfer(engagement: Engagement, now: datetime) -> Outcomes:
    """What is arranged from now on goes with the round that is complete now, to whoever advises in it."""
    current, events = engagement.current, list[Event]()
    assert current is not None
    members = tuple(seat.advisor_id for seat in current.seats)
    for session in engagement.sessions:
        if session.state == "scheduled" and session.starts_at > now and session.assignment_id != current.assignment_id:
            moved = replace(
                session, assignment_id=current.assignment_id, advisor_ids=members, sequence=session.sequence + 1
            )
            engagement = _with(engagement, moved)
            events.append(_told(engagement, moved, "rescheduled", now))
    return engagement, events


def complete(engagement: Engagement, session_id: str, record: Record, today: date) -> Outcomes:
    """Records how a session was held, once. The same record again changes nothing.

    Raises Conflict when it was called off or recorded otherwise, Invalid when the record is implausible.
    """
    session = find(engagement, session_id)
    if session.record is not None and _same(session.record, record):
        return engagement, []
    session = _planned(engagement, session_id, held=True)
    _plausible(session, record, today)
    held = replace(session, state="completed", record=record)
    return _with(engagement, held), [_held(engagement, held, record)]


def correct(engagement: Engagement, session_id: str, record: Record, today: date) -> Outcomes:
    """Records anew how a session was held that was recorded wrongly, whenever that is noticed; told as before.

    Options for action in the same words stay the same ones. The same record again changes nothing. Raises Conflict when
    there is no record yet, Invalid when the new one is implausible.
    """
    session = find(engagement, session_id)
    if session.record is None:
        raise Conflict("Diese Sitzung ist noch nicht erfasst.", "This session is not recorded yet.")
    if _same(session.record, record):
        return engagement, []
    _plausible(session, record, today)
    known = {(option.field, option.text): option for option in session.record.options}
    options = tuple(known.get((option.field, option.text), option) for option in record.options)
    moment = max(record.completed_at, session.record.completed_at + timedelta(milliseconds=1))
    anew = replace(session, record=replace(record, options=options, completed_at=moment))
    assert anew.record is not None
    return _with(engagement, anew), [_held(engagement, anew, anew.record)]


def find(engagement: Engagement, session_id: str) -> Session:
    for session in engagement.sessions:
        if session.id == session_id:
            return session
    raise NotFound("Diese Sitzung gibt es nicht.", "There is no such session.")


def _near(starts_at: datetime, now: datetime) -> None:
    if abs(starts_at - now) > PLAUSIBLE:
        german = "Der Zeitpunkt liegt mehr als zwei Jahre entfernt."
        raise Invalid.of(FieldError("starts_at", "too_far", german, "The time is more than two years away."))


def _running(engagement: Engagement, assignment_id: str) -> None:
    current = engagement.current
    if engagement.state != "engaged" or current is None:
        raise Conflict(
            "Sitzungen sind möglich, sobald alle zugesagt haben und bis zum Abschluss.",
            "Sessions are possible once everybody has accepted and until the closing.",
        )
    if current.assignment_id != assignment_id:
        raise Conflict(
            "Diese Zuordnung ist überholt; bitte nehmen Sie die aktuelle.",
            "This assignment is outdated; use the current one.",
        )


def _planned(engagement: Engagement, session_id: str, *, held: bool = False) -> Session:
    """`held`: it was held, so that it may be of an earlier tandem, also while a seat is being handed over."""
    session = find(engagement, session_id)
    if session.state == "completed":
        raise Conflict("Diese Sitzung ist bereits erfasst.", "This session is recorded already.")
    if session.state == "cancelled":
        raise Conflict("Diese Sitzung ist abgesagt.", "This session was called off.")
    if not (held and engagement.begun and engagement.state in OPEN):
        _running(engagement, session.assignment_id)
    return session


def _plausible(session: Session, record: Record, today: date) -> None:
    wrong = []
    if record.held_on < today - PLAUSIBLE:
        german = "Der Tag liegt mehr als zwei Jahre zurück."
        wrong.append(FieldError("held_on", "too_far", german, "The day is more than two years ago."))
    if record.held_on > today:
        wrong.append(
            FieldError(
                "held_on",
                "in_the_future",
                "Der Tag liegt in der Zukunft.",
                "The day is in the future.",
            )
        )
    for position, member in enumerate(record.members):
        place = f"members.{position}"
        if member.advisor_id not in session.advisor_ids:
            wrong.append(
                FieldError(
                    f"{place}.advisor_id",
                    "not_of_the_tandem",
                    f"{member.advisor_id} gehört nicht zu dieser Beratung.",
                    f"{member.advisor_id} is not part of this consultation.",
                )
            )
        if member.minutes > record.minutes:
            wrong.append(
                FieldError(
                    f"{place}.minutes",
                    "longer_than_session",
                    "Das ist länger als die Sitzung.",
                    "This is longer than the session.",
                )
            )
        if member.travel_km and record.mode == Mode.ONLINE:
            wrong.append(
                FieldError(
                    f"{place}.travel_km",
                    "travel_online",
                    "Bei einer Online-Sitzung gibt es keine Anfahrt.",
                    "An online session has no travel.",
                )
            )
    if wrong:
        raise Invalid.of(*wrong)


def _same(one: Record, other: Record) -> bool:
    def told(record: Record) -> Record:
        return replace(record, completed_at=one.completed_at, options=())

    words = [(option.field, option.text) for option in one.options]
    return told(one) == told(other) and words == [(option.field, option.text) for option in other.options]


def _with(engagement: Engagement, session: Session) -> Engagement:
    kept: Iterable[Session] = (session if one.id == session.id else one for one in engagement.sessions)
    return replace(engagement, sessions=tuple(kept))


def _told(
    engagement: Engagement, session: Session, change: Literal["scheduled", "rescheduled", "cancelled"], now: datetime
) -> SessionScheduled:
    return SessionScheduled(
        session_id=session.id,
        assignment_id=session.assignment_id,
        request_id=engagement.id,
        municipality_ags=engagement.asked.municipality_ags,
        change=change,
        sequence=session.sequence,
        kind=session.kind,
        mode=session.mode,
        starts_at=session.starts_at,
        minutes=session.minutes,
        advisor_ids=session.advisor_ids,
        changed_at=now,
    )


def _held(engagement: Engagement, session: Session, record: Record) -> SessionCompleted:
    return SessionCompleted(
        session_id=session.id,
        assignment_id=session.assignment_id,
        request_id=engagement.id,
        municipality_ags=engagement.asked.municipality_ags,
        kind=session.kind,
        held_on=record.held_on,
        minutes=record.minutes,
        mode=record.mode,
        participants=record.participants,
        members=tuple(
            Attendance(advisor_id=one.advisor_id, minutes=one.minutes, travel_km=one.travel_km)
            for one in record.members
        ),
        options_agreed=tuple(OptionAgreed(option_id=one.id, field=one.field) for one in record.options),
        completed_at=record.completed_at,
    )
