"""Proofs are reminded of before they are due, and once after: each reminder once, whichever process looks first.

Due times are dates, not timers: each look asks what has come nearer than was told. So a restart, a second process and
changed deadlines need no care, and after a long silence the office is told once, not once for each date missed.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from services.reporting import budgets, closing
from services.reporting.closing import Office
from services.reporting.periods import Due, Proofs, kind_of, scope_of
from shared.errors import Stale, Unavailable
from shared.events import ProofReminded
from shared.events.base import moment
from shared.ids import derived_id
from shared.tasks import cancelled

LOOK_SECONDS = 300.0
APART = timedelta(days=3)
"""At least, between two reminders of one proof."""

_log = structlog.get_logger(__name__)


def stage(due: date, today: date, days: Sequence[int]) -> int | None:
    """The last of `days` before `due` that has come; None before the first."""
    return min((each for each in days if (due - today).days <= each), default=None)


async def remind(office: Office, proofs: Proofs, now: datetime) -> int:
    """Tells of what is due and not handed in; returns of how many proofs."""
    today = office.rules.day(now)
    told = 0
    for one in await closing.due(office, proofs, today):
        reached = None if one.state == "done" else stage(one.due, today, proofs.remind)
        if reached is not None:
            with suppress(Stale):  # another process tells it
                told += await _tell(office, one, reached, now)
    return told


async def _tell(office: Office, one: Due, reached: int, now: datetime) -> bool:
    subject = f"proof~{one.period}~{one.code}"
    last = await office.frozen.told(subject)
    if last is not None and (last.value <= reached or now - last.at < APART):
        return False
    kind = kind_of(one.period)
    assert kind != "free", "deadlines are of months, quarters and years"
    first = scope_of(one.period).start
    proof_id = derived_id(datetime(first.year, first.month, first.day, tzinfo=UTC), subject)
    event = ProofReminded(proof_id=proof_id, proof=one.code, of=kind, starts_on=first, due=one.due, reminded_at=now)
    await office.frozen.tell(subject, reached, now, last, event)
    return True


async def run(office: Office, proofs: Proofs) -> None:
    """Looks every few minutes, until cancelled, for what has to be told of proofs and budgets."""
    while not cancelled():
        try:
            now = moment(datetime.now(UTC))
            await remind(office, proofs, now)
            await budgets.tell_all(office, now)
        except (PyMongoError, Unavailable) as error:
            _log.warning("reminders_wait", error=str(error)[:300])
        await asyncio.sleep(LOOK_SECONDS)
