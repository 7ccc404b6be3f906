"""Record facts, project requests: load, fold, save."""

import asyncio
import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from itertools import islice
from typing import TypeVar

import structlog

from services.reporting.claims import entry
from services.reporting.domain import Case, fold, not_understood
from services.reporting.facts import Fact, Recorded
from services.reporting.journey import Rules
from services.reporting.ledger import Ledger
from services.reporting.rates import RateCard, together
from services.reporting.store import NOTHING, Position, Store, Stored
from shared.broker import Arrival
from shared.errors import Permanent, Stale, Unavailable
from shared.events import Event, ReportingEntry

BATCH = 500
"""Facts of one step of the projector."""
TOGETHER = 100
"""Requests that are loaded and folded at a time."""
_ATTEMPTS = 8
T = TypeVar("T")

_log = structlog.get_logger(__name__)


def fact(arrival: Arrival) -> Fact:
    """What the ledger keeps of an event. Raises Permanent when others could not read its body."""
    head = arrival.head
    try:
        data = arrival.body.decode()
        if _doubtful(arrival.body):
            json.dumps(json.loads(data), ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise Permanent("bad_json", f"not interoperable JSON: {type(error).__name__}") from None
    return Fact(
        id=head.id,
        topic=head.topic,
        partition=head.partition,
        offset=head.offset,
        key=arrival.event.key,
        type=head.type,
        source=head.source,
        time=head.time.astimezone(UTC).isoformat(timespec="microseconds"),
        correlation_id=head.correlation_id,
        data=data,
    )


def _doubtful(body: bytes) -> bool:
    """Whether there may be what our parser lets pass in members that it ignores, but a reader of the feed may not."""
    return b"\\u" in body or b"NaN" in body or b"Infinity" in body or len(body) > 4000


async def hold_rates(store: Store, rules: Rules, *, named: bool) -> Rules:
    """`rules` with the cards that are kept: those given when an operator's file names them or there are none yet.

    Raises ValueError when claims that were sent would come out otherwise with them.
    """
    if named or not await store.cards():
        await store.hold_rates(rules.cards)
    return replace(rules, cards=await store.cards())


async def import_rates(store: Store, cards: Sequence[RateCard]) -> list[RateCard]:
    """Adds `cards` to those that are kept, or changes some that no claim rests on; returns what was not as given.

    Raises ValueError when two hold from the same day, or claims that were sent would come out otherwise.
    """
    kept = {card.code: card for card in await store.cards()}
    await store.hold_rates(together("rates", (kept | {card.code: card for card in cards}).values()))
    return [card for card in cards if kept.get(card.code) != card]


async def project(
    ledger: Ledger,
    store: Store,
    rules: Rules,
    request_ids: Sequence[str],
    epoch: int = 0,
    up_to: int | None = None,
) -> int:
    """Brings the cases of `request_ids` up to their facts, in `epoch`; returns how many changed.

    Cases are loaded before their facts: facts only grow in number, so a version never goes back. With
    `up_to` facts after that place don't count. Raises Unavailable when others keep being faster.
    """
    changed = 0
    for some in chunks(request_ids, TOGETHER):
        for attempt in range(_ATTEMPTS):
            await asyncio.sleep(0.02 * attempt)  # until what somebody else has stored is settled
            stored, facts = await store.cases(some), await ledger.of_requests(some)
            outcomes = await asyncio.gather(
                *(_save(store, rules, key, facts[key], stored.get(key, NOTHING), epoch, up_to) for key in some),
                return_exceptions=True,
            )
            changed += sum(outcome is True for outcome in outcomes)
            for outcome in outcomes:
                if isinstance(outcome, BaseException) and not isinstance(outcome, Stale):
                    raise outcome
            some = [key for key, outcome in zip(some, outcomes, strict=True) if isinstance(outcome, Stale)]
            if not some:
                break
        else:
            raise Unavailable("Andere sind immer schneller.", f"others keep changing {', '.join(some[:3])}")
    return changed


async def _save(
    store: Store,
    rules: Rules,
    request_id: str,
    facts: Sequence[Recorded[Event]],
    was: Stored,
    epoch: int,
    up_to: int | None,
) -> bool:
    if up_to is not None:
        facts = [one for one in facts if one.seq <= up_to]
    if not facts or (was.epoch == epoch and max(one.seq for one in facts) <= was.version):
        return False
    case, lines = understand(request_id, facts, rules, was.sent)
    return await store.save(case, was, lines, epoch)


def understand(
    request_id: str, facts: Sequence[Recorded[Event]], rules: Rules, sent: Container[str]
) -> tuple[Case, Sequence[ReportingEntry]]:
    """The case of a request by its facts, and the lines that are due for it besides those `sent`."""
    try:
        case = fold(request_id, facts, rules)
        return case, [line for claim in case.claims if (line := entry(claim, sent)) is not None]
    except Exception:
        # one request with impossible values must not keep all others from being reported
        _log.exception("case_not_understood", request_id=request_id)
        return not_understood(request_id, facts), ()


async def step(ledger: Ledger, store: Store, rules: Rules) -> int:
    """Projects the next facts; returns how many, 0 when there are none.

    A case is made of all its facts at once, so most that come later in a backlog are in it already.
    """
    position = await store.position()
    touched = await ledger.touched(position.seq, BATCH)
    if touched:
        last = {key: seq for seq, key in touched}
        made = await store.versions(list(last), position.epoch)
        behind = [key for key, seq in last.items() if made.get(key, 0) < seq]
        await project(ledger, store, rules, behind, position.epoch)
        await store.advance(Position(touched[-1][0], position.epoch))
    return len(touched)


def chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
