"""Recording, projecting, rebuilding."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.reporting import handlers, rates
from services.reporting.domain import Case
from services.reporting.facts import Recorded
from services.reporting.store import Stored
from shared.errors import Permanent, Stale, Unavailable
from shared.events import Event, ReportingEntry
from tests.reporting.conftest import Kept, in_memory
from tests.reporting.fake_store import FakeStore
from tests.reporting.journeys import RULES, Journey, arrival, changed, whole


async def caught_up(kept: Kept) -> int:
    count = 0
    while done := await handlers.step(kept.ledger, kept.store, RULES):
        count += done
    return count


async def sent(kept: Kept) -> list[ReportingEntry]:
    """The lines in the outbox, in order."""
    if isinstance(kept.store, FakeStore):
        return kept.store.memory.outbox
    assert kept.mongo is not None
    rows = await kept.mongo["outbox"].find({"topic": "reporting.entry"}).sort("order", 1).to_list(None)
    return [ReportingEntry.model_validate_json(row["body"]) for row in rows]


async def test_what_arrives_in_any_order_and_piece_by_piece_ends_the_same_as_all_at_once(kept: Kept) -> None:
    journeys = [whole(), whole(), whole()]
    facts = [fact for journey in journeys for fact in journey.facts]
    at_once = in_memory()
    await at_once.ledger.record(facts)
    await caught_up(at_once)
    random.Random(7).shuffle(facts)
    for start in range(0, len(facts), 4):
        await kept.ledger.record(facts[start : start + 5])
        await caught_up(kept)
    assert await kept.store.counts() == await at_once.store.counts()
    ids = sorted(line.entry_id for line in await sent(kept))
    assert ids == sorted(line.entry_id for line in await sent(at_once))
    assert len(ids) == 12
    assert await caught_up(kept) == 0


async def test_a_claim_goes_to_skew_once_and_again_only_when_it_changed(kept: Kept) -> None:
    journey = whole()
    facts = [fact for fact in journey.facts if fact.topic != "request.created"]
    await kept.ledger.record(facts)
    await caught_up(kept)
    assert await sent(kept) == []
    await kept.ledger.record(journey.facts)
    await caught_up(kept)
    assert len(await sent(kept)) == 4
    await kept.ledger.record([journey.mailed()])
    assert await caught_up(kept) == 1
    assert len(await sent(kept)) == 4
    (first, *_) = [fact for fact in journey.facts if fact.topic == "session.completed"]
    await kept.ledger.record([changed(first, held_on="2026-11-10", completed_at="2026-11-20T10:00:00Z")])
    await caught_up(kept)
    later = sorted((line.kind, line.status, line.revision) for line in (await sent(kept))[4:])
    assert later == sorted([("claim", "draft", 1), ("claim", "reversed", 2), ("counter", "reversed", 1)] * 2)


async def test_imported_cards_hold_from_their_day_on_and_what_was_claimed_stays(kept: Kept) -> None:
    await handlers.hold_rates(kept.store, RULES, named=False)
    await kept.ledger.record(whole().facts)
    await caught_up(kept)
    later = rates.load(str(Path(rates.__file__).with_name("data") / "rates-other-bases.json"))
    assert await handlers.import_rates(kept.store, later) == list(later)
    assert await handlers.import_rates(kept.store, later) == []
    assert await kept.store.cards() == (*RULES.cards, *later)
    used = RULES.cards[0]
    for wrong in (replace(used, rates=(9900,)), replace(used, code="neu", valid_from=date(2026, 1, 1))):
        with pytest.raises(ValueError, match=r"used|sent by"):
            await handlers.import_rates(kept.store, [wrong])
    with pytest.raises(ValueError, match="same valid_from"):
        await handlers.import_rates(kept.store, [replace(later[0], code="neu")])
    assert (await handlers.hold_rates(kept.store, RULES, named=False)).cards == (*RULES.cards, *later), (
        "kept at a start"
    )


async def test_a_crash_between_recording_and_projecting_costs_nothing(kept: Kept) -> None:
    """The place is kept after the cases: what was projected twice changes nothing."""
    await kept.ledger.record(whole().facts)
    request_ids = await kept.ledger.requests()
    assert await handlers.project(kept.ledger, kept.store, RULES, request_ids) == 1
    assert await handlers.project(kept.ledger, kept.store, RULES, request_ids) == 0
    await caught_up(kept)
    assert len(await sent(kept)) == 4


async def test_whoever_was_slower_loads_and_folds_again() -> None:
    kept = in_memory()
    assert isinstance(kept.store, FakeStore)
    await kept.ledger.record(whole().facts)

    class Slow(FakeStore):
        stale = 3

        async def save(self, case: Case, was: Stored, lines: object, epoch: int = 0) -> bool:
            if self.stale:
                self.stale -= 1
                raise Stale
            return await super().save(case, was, lines, epoch)  # type: ignore[arg-type]

    store = Slow(kept.store.memory)
    assert await handlers.step(kept.ledger, store, RULES)
    assert (await store.counts())["cases"] == 1
    store.stale = 99
    await kept.ledger.record(whole().facts)
    with pytest.raises(Unavailable):
        await handlers.step(kept.ledger, store, RULES)


async def test_a_request_with_impossible_values_is_a_finding_and_does_not_stop_the_others(kept: Kept) -> None:
    broken, good = whole(), whole()
    (first, *_) = [fact for fact in broken.facts if fact.topic == "session.completed"]
    await kept.ledger.record(
        [*broken.facts, changed(first, completed_at="0001-01-01T00:00:00Z", session_id=good.request_id)]
    )
    await kept.ledger.record(good.facts)
    await caught_up(kept)
    assert (await kept.store.counts())["claims"] == 4
    assert [f.code for f in await kept.queries.findings(None, None, None, 5)] == ["not_understood"]


@pytest.mark.parametrize("tail", [b',"x":NaN}', b',"x":"\\ud800"}', b',"x":Infinity}'])
async def test_what_the_feed_could_not_pass_on_is_no_fact(tail: bytes) -> None:
    one = arrival(Journey().created())
    with pytest.raises(Permanent, match="interoperable"):
        handlers.fact(one._replace(body=one.body[:-1] + tail))


async def test_unknown_members_of_a_newer_emitter_are_kept() -> None:
    one = arrival(Journey().created())
    body = one.body[:-1] + ',"new":"Ä \\u00e9"}'.encode()
    assert handlers.fact(one._replace(body=body)).data == body.decode()


async def test_a_case_is_made_once_of_a_backlog(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps behind the first touch it again and find that it has their facts already."""
    journeys = [whole() for _ in range(4)]
    for rank in range(len(journeys[0].facts)):
        await kept.ledger.record([journey.facts[rank] for journey in journeys])
    monkeypatch.setattr(handlers, "BATCH", 5)
    looked: list[str] = []
    of_requests = kept.ledger.of_requests

    async def counted(request_ids: Iterable[str]) -> dict[str, list[Recorded[Event]]]:
        looked.extend(request_ids)
        return await of_requests(request_ids)

    monkeypatch.setattr(kept.ledger, "of_requests", counted)
    await caught_up(kept)
    assert sorted(looked) == sorted(journey.request_id for journey in journeys)
    assert len(await sent(kept)) == 16
