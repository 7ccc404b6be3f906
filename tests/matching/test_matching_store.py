"""One contract suite for the fake and the real store, the real one on PyMongo and on Motor."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.matching.domain import requests
from services.matching.domain.budget import Budget
from services.matching.domain.governing import USUAL
from services.matching.domain.model import Absence, Advisor, Audit, Engagement, Feedback, Presence, Record, Session
from services.matching.domain.policy import OPTIMAL, Activation, Edition
from services.matching.domain.trial import NEARNESS, Changed, Figures, Outcome, Trial
from services.matching.domain.worklist import Rules
from services.matching.handlers.notices import fire
from services.matching.store import Store
from shared.commit import Committer, committing
from shared.errors import Duplicate, Stale
from shared.events import AdvisorDossier
from shared.events.base import Mode, SessionKind, Tandem
from shared.ids import new_id
from shared.inbox import mark
from shared.outbox import Tombstone
from shared.outbox import prepare as prepare_outbox
from tests.conftest import FreshMongo
from tests.matching.fake_store import FakeStore
from tests.matching.play import Play
from tests.matching.samples import FAIR, NOW, PARTNERS, TODAY, advisor, created, dossier, facts


@pytest.fixture(params=["fake", "pymongo", "motor"])
async def store(request: pytest.FixtureRequest, fresh_mongo: FreshMongo) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeStore()
        return
    mongo = fresh_mongo("matching", driver=request.param)
    await prepare_outbox(mongo)
    async with committing(Committer(mongo, "matching")) as commits:
        made = Store(mongo, commits, Rules())
        await made.prepare()
        await made.prepare()  # repeatable
        yield made


def engagement(request_id: str | None = None, **given: object) -> Engagement:
    return replace(Engagement(request_id or new_id(), "pending", NOW, facts()), **given)  # type: ignore[arg-type]


async def test_what_is_saved_is_what_is_loaded(store: Store) -> None:
    """Everything an engagement can hold, through the document and back."""
    play = Play(store)
    await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02", levels={PARTNERS: 3}))
    request_id = await play.engaged()
    known = await play.of(request_id)
    asked = await play.current(request_id)
    record = Record(TODAY, 60, Mode.ONLINE, 5, (Presence("A01", 60),), (), NOW)
    session = Session(new_id(), asked.assignment_id, SessionKind.KEYNOTE, Mode.ONLINE, NOW, 60, ("A01",), record=record)
    full = replace(known, sessions=(session,), feedback=Feedback(4, True, 0, NOW))
    await store.save(full, events=())
    assert await store.engagement(request_id) == replace(full, version=known.version + 1)
    assert await store.of_assignment(asked.assignment_id) == await store.of_session(session.id)
    assert await store.of_session(new_id()) is None


async def test_a_stale_version_is_refused_and_leaves_nothing(store: Store) -> None:
    one, other = engagement(), engagement()
    await store.save(one, events=())
    with pytest.raises(Stale):
        await store.save(replace(one, state="parked"), other, events=())
    assert await store.engagement(other.id) is None
    loaded = await store.engagement(one.id)
    assert loaded is not None
    await store.save(replace(loaded, state="parked"), events=())
    with pytest.raises(Stale):
        await store.save(loaded, events=())


async def test_the_fence_lets_one_of_two_through(store: Store) -> None:
    fence = (await store.signals()).fence
    assert await store.save(engagement(), events=(), fence=fence) == (await store.signals()).fence
    with pytest.raises(Stale):
        await store.save(engagement(), events=(), fence=fence)
    with pytest.raises(Stale):
        await store.save_advisors([advisor()], (), None, fence)


async def test_engagements_saved_together_get_one_version_above_all(store: Store) -> None:
    """The events of a change carry one order; that of each request must rise all the same."""
    one, other = engagement(), engagement()
    await store.save(one, events=())
    for _ in range(3):
        await store.save(replace(one, version=(await store.engagement(one.id)).version), events=())  # type: ignore[union-attr]
    first = await store.engagement(one.id)
    assert first is not None
    await store.save(first, other, events=())
    versions = [found.version for found in await store.waiting(("pending",), "", 9)]
    assert versions == [first.version + 1] * 2


async def test_news_change_when_told_and_wake_the_matcher(store: Store) -> None:
    wakes: list[int] = []
    store.woken = lambda: wakes.append(1)
    before = await store.signals()
    await store.save(engagement(state="withdrawn"), events=())
    assert (await store.signals(), wakes) == (before, [])
    await store.save(engagement(), events=())
    assert (await store.signals(), wakes) == (before, [1])
    await store.save(engagement(state="closed"), events=(), news=True)
    assert (await store.signals()).news != before.news
    assert wakes == [1, 1]


async def test_waiting_is_by_age_and_goes_on_where_it_ended(store: Store) -> None:
    ids = sorted(new_id() for _ in range(5))
    for place, request_id in enumerate(reversed(ids)):
        await store.save(engagement(request_id, state="parked" if place == 2 else "pending"), events=())
    assert [one.id for one in await store.waiting(("pending",), "", 3)] == [ids[0], ids[1], ids[3]]
    assert [one.id for one in await store.waiting(("pending", "parked"), ids[1], 9)] == ids[2:]


async def test_of_what_is_asked_a_reminder_is_due_and_then_the_end(store: Store) -> None:
    play = Play(store)
    await play.pool(advisor("A01"))
    request_id = await play.ask(tandem=Tandem.NOT_WANTED)
    day = (await play.current(request_id)).respond_by
    found = {
        days: [one.id for one in await store.noticeable(USUAL, TODAY + timedelta(days=days), 9)] for days in range(9)
    }
    assert day == TODAY + timedelta(days=7)  # five working days, a weekend in between
    assert found == {days: [request_id] if days in (3, 4, 5, 6, 7, 8) else [] for days in range(9)}
    await play.says(request_id, "A01", "accepted")
    assert await store.noticeable(USUAL, day + timedelta(days=1), 9) == []


async def test_who_has_just_been_told_is_not_told_again(store: Store) -> None:
    """What is found by a day is changed by it: told once, it is not found again before it is due anew."""
    play = Play(store)
    for made in (created(), created(wanted_from=TODAY)):
        await play.ask(made)
    await play.pool(advisor("A01"), advisor("A02", levels={PARTNERS: 2}))
    await play.ask()
    for _ in range(60):
        play.now += timedelta(days=1)
        await fire(store, play.rules, USUAL, play.now, 9)
        assert await store.noticeable(USUAL, play.rules.day(play.now), 9) == []


async def test_the_worklist_filters_by_state_and_by_due_date(store: Store) -> None:
    ids = sorted(new_id() for _ in range(3))
    await store.save(engagement(ids[0]), events=())
    await store.save(engagement(ids[1], state="parked", since=NOW + timedelta(days=30)), events=())
    await store.save(engagement(ids[2], state="withdrawn", facts=None), events=())
    every = ("pending", "parked", "withdrawn")

    async def listed(states: tuple[str, ...], days: int | None = None, after: str = "") -> list[str]:
        due = TODAY + timedelta(days=days) if days is not None else None
        return [one.id for one in await store.worklist(states, due, after, 9)]  # type: ignore[arg-type]

    assert await listed(every) == ids[:2]
    assert await listed(("parked",)) == [ids[1]]
    assert await listed(every, 10) == [ids[0]]
    assert await listed(every, after=ids[0]) == [ids[1]]


async def test_assignments_are_listed_by_round_advisor_and_request(store: Store) -> None:
    play = Play(store)
    await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02"))
    first = await play.ask(tandem=Tandem.NOT_WANTED)
    await play.says(first, "A01", "declined", "no_time")
    second = await play.ask(tandem=Tandem.NOT_WANTED)

    async def listed(number: str | None = None, request: str | None = None, after: str = "") -> list[tuple[str, int]]:
        found = await store.assignments(number, request, after, 9)
        return [(one.id, [r.assignment_id for r in one.rounds].index(asked)) for one, asked in found]

    assert await listed() == [(first, 0), (first, 1), (second, 0)]
    assert await listed("A01") == [(first, 0), (second, 0)]
    assert await listed("A02") == [(first, 1)]
    assert await listed(request=second) == [(second, 0)]
    assert await listed(after=(await play.of(first)).rounds[0].assignment_id) == [(first, 1), (second, 0)]
    assert [one.id for one in await store.holding("A02")] == [first]


async def test_dossiers_are_kept_replaced_and_dropped(store: Store) -> None:
    request_id = new_id()
    await store.keep_dossier(dossier(request_id), mark("matching", new_id()))
    later = dossier(request_id).model_copy(update={"need": "Etwas ganz anderes, ausführlich beschrieben."})
    await store.keep_dossier(later, mark("matching", new_id()))
    assert await store.dossier(request_id) == later
    for _ in range(2):
        await store.drop_dossier(request_id, None, mark("matching", new_id()))
    assert await store.dossier(request_id) is None
    await store.keep_dossier(later, mark("matching", new_id()))  # as a dead letter that is brought back
    assert await store.dossier(request_id) is None


async def test_what_was_written_goes_with_the_dossier_unless_the_request_has_changed(store: Store) -> None:
    request_id = new_id()
    entries = (
        Audit(NOW, "koordination", "noted", "Rückruf bei Frau Muster", ("A01",)),
        Audit(NOW, "A01", "accepted", ""),
    )
    await store.save(engagement(request_id, audit=entries), events=())
    known = await store.engagement(request_id)
    assert known
    emptied, seen = requests.erase(known), mark("matching", new_id())
    await store.drop_dossier(request_id, emptied, seen)
    assert await store.engagement(request_id) == replace(emptied, version=known.version + 1)
    with pytest.raises(Duplicate):
        await store.drop_dossier(request_id, None, seen)
    with pytest.raises(Stale):
        await store.drop_dossier(request_id, emptied, mark("matching", new_id()))


async def test_the_trail_reads_what_was_decided_about_everything_place_by_place(store: Store) -> None:
    """A version that is made and activated in the same moment stands in it twice."""
    await store.save(engagement(new_id(), audit=(Audit(NOW, "koordination", "noted", "weil"),)), events=())
    await store.save_budget(Budget("2026", TODAY, TODAY, 60, (Audit(NOW, "miglobe", "budget_set", "Bescheid"),)), 0)
    policy = replace(OPTIMAL, version="near.1")
    await store.add_edition(Edition(policy, "koordination", NOW, "kurze Wege", "optimal.1"), None)
    await store.activate(Activation(new_id(), "near.1", "leitung", NOW, "beschlossen"))
    seen, after = [], ""
    while page := await store.trail(None, None, after, 1):
        seen.append((page[0].kind, page[0].entry.what, page[0].entry.to))
        after = page[0].place
    assert sorted(seen) == [
        ("budget", "budget_set", ""),
        ("policy", "policy_activated", ""),
        ("policy", "policy_made", "optimal.1"),
        ("request", "noted", ""),
    ]
    assert [one.entry.why for one in await store.trail("near.1", "leitung", "", 9)] == ["beschlossen"]
    assert [one.entry.why for one in await store.trail(None, "miglobe", "", 9)] == ["Bescheid"]


async def test_the_trail_goes_on_over_long_silences_and_from_any_place(store: Store) -> None:
    times = [NOW - timedelta(days=days, microseconds=days) for days in (0, 0, 1, 40, 41, 900, 9_000)]
    for n, at in enumerate(times):
        audit = (Audit(at, f"k{n % 2}", "noted", str(n)), Audit(at + timedelta(hours=1), "k2", "noted", "later"))
        await store.save(engagement(audit=audit), events=())
    await store.save_advisors([advisor("A01", audit=(Audit(times[-2], "k1", "advisor_entered", "A01"),))], (), None, 0)
    everything = await store.trail(None, None, "", 99)
    assert len(everything) == 15
    assert [one.place for one in everything] == sorted((one.place for one in everything), reverse=True)
    seen, after = [], ""
    while page := await store.trail(None, None, after, 2):
        seen += page
        after = page[-1].place
    assert seen == everything
    assert [one.entry.why for one in await store.trail(None, "k1", "", 99)] == ["1", "3", "A01", "5"]
    assert await store.trail(None, None, everything[-1].place, 9) == []
    assert await store.trail(None, None, "0001-01-01T00:00:00", 9) == []


async def test_loads_are_who_is_asked_or_advises_and_what_was_recorded_in_twelve_months(store: Store) -> None:
    """Whatever becomes of an engagement: records of both sides of a year's edge, a correction, an end, an erasure."""
    play = Play(store)
    await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02", levels={PARTNERS: 3}))
    known = await play.of(await play.engaged())
    asked = await play.current(known.id)

    def held(days: int, **minutes: int) -> Session:
        members = tuple(Presence(one, given) for one, given in minutes.items())
        record = Record(TODAY - timedelta(days=days), 60, Mode.ONLINE, 5, members, (), NOW)
        return Session(
            new_id(), asked.assignment_id, SessionKind.KEYNOTE, Mode.ONLINE, NOW, 60, tuple(minutes), record=record
        )

    async def kept(**changed: object) -> tuple[dict[str, int], dict[str, int]]:
        nonlocal known
        await store.save(replace(known, **changed), events=())  # type: ignore[arg-type]
        known = await play.of(known.id)
        return await store.loads(TODAY)

    both = {"A01": 1, "A02": 1}
    assert await store.loads(TODAY) == (both, {})
    sessions = (held(366, A01=5, A02=7), held(365, A01=60), held(0, A01=20, A02=90))
    assert await kept(sessions=sessions) == (both, {"A01": 80, "A02": 90})
    assert (await store.loads(TODAY - timedelta(days=1))).paid == {"A01": 85, "A02": 97}
    assert (await store.loads(TODAY + timedelta(days=1))).paid == {"A01": 20, "A02": 90}
    assert (await store.loads(TODAY + timedelta(days=366))).paid == {}
    await store.save(engagement(state="closed", sessions=(held(3, A02=1),)), events=())
    await store.save(engagement(state="closed", sessions=(held(400, A02=1),)), events=())
    assert await kept(sessions=(sessions[0], held(0, A03=30))) == (both, {"A03": 30, "A02": 1})
    assert await kept(sessions=()) == (both, {"A02": 1})
    assert await kept(state="closed", sessions=sessions) == ({}, {"A01": 80, "A02": 91})
    await store.drop_dossier(known.id, requests.erase(known), mark("matching", new_id()))
    assert await store.loads(TODAY) == ({}, {"A01": 80, "A02": 91})


async def test_a_store_of_an_earlier_release_gets_what_loads_are_added_up_from(fresh_mongo: FreshMongo) -> None:
    mongo = fresh_mongo("matching")
    await prepare_outbox(mongo)
    async with committing(Committer(mongo, "matching")) as commits:
        store = Store(mongo, commits, Rules())
        play = Play(store)
        await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02", levels={PARTNERS: 3}))
        known = await play.of(await play.engaged())
        record = Record(TODAY, 60, Mode.ONLINE, 5, (Presence("A01", 60), Presence("A02", 30)), (), NOW)
        asked = known.rounds[0].assignment_id
        held = Session(new_id(), asked, SessionKind.KEYNOTE, Mode.ONLINE, NOW, 60, ("A01", "A02"), record=record)
        await store.save(replace(known, sessions=(held,)), events=())
        await store.save(engagement(), events=())
        loads, before = await store.loads(TODAY), await play.of(known.id)
        later = dict.fromkeys(("held", "paid", "paid_from", "paid_until"), "")
        await mongo["engagements"].update_many({}, {"$unset": later})
        await store.prepare()
        assert (await store.loads(TODAY), await play.of(known.id)) == (loads, before)
        assert loads == ({"A01": 1, "A02": 1}, {"A01": 60, "A02": 30})
        assert await mongo["engagements"].count_documents({"held": None}) == 0


async def test_the_oldest_open_request_is_the_one_submitted_first(store: Store) -> None:
    """Ids tell nothing: that of a request is its draft's, which may have been begun long before."""
    assert await store.oldest() is None
    ids = [new_id() for _ in range(4)]
    states = ("pending", "parked", "closed", "withdrawn")
    for request_id, state, days in zip(ids, states, (1, 9, 20, 30), strict=True):
        told = replace(facts(), submitted_at=NOW - timedelta(days=days))
        await store.save(engagement(request_id, state=state, facts=None if state == "withdrawn" else told), events=())
    found = await store.oldest()
    assert (found and found.id) == ids[1]


async def test_a_trial_is_played_by_one_until_it_has_been_silent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Trial(new_id(), "koordination", NOW, TODAY, TODAY, OPTIMAL, replace(OPTIMAL, version="near.1"))
    assert (await store.trial(trial.id), await store.take_trial(trial.id)) == (None, False)
    await store.add_trial(trial)
    assert await store.trial(trial.id) == trial
    assert [await store.take_trial(trial.id) for _ in range(2)] == [True, False]
    await store.beat_trial(trial.id, 0.5)
    known = await store.trial(trial.id)
    assert (known and known.share) == 0.5
    if isinstance(store, FakeStore):
        store.gone()
    monkeypatch.setattr("services.matching.store.SILENT_SECONDS", -1)
    assert await store.take_trial(trial.id)
    figures = Figures("optimal.1", 1, 1, 0, 0, 100.0, dict.fromkeys(NEARNESS, 0), 0.0, 600, 1, 0.0, 0)
    outcome = Outcome(figures, figures, (Changed("r1", "BW-7F3K-2", ("A01",), ()),))
    await store.end_trial(trial.id, outcome)
    assert await store.trial(trial.id) == replace(trial, share=1.0, outcome=outcome)
    assert await store.trials(9) == [replace(trial, share=1.0, outcome=replace(outcome, changed=()))]
    assert not await store.take_trial(trial.id)


async def test_a_mark_is_stored_once(store: Store) -> None:
    seen = mark("matching", new_id())
    await store.note(seen)
    with pytest.raises(Duplicate):
        await store.note(seen)
    with pytest.raises(Duplicate):
        await store.save(engagement(), events=(), cause=seen)
    assert await store.waiting(("pending",), "", 9) == []


async def test_advisors_are_kept_by_number(store: Store) -> None:
    decided = (Audit(NOW, "koordination", "advisor_entered", ""),)
    one: Advisor = advisor("A02", absences=(Absence(TODAY, TODAY),), phone="+493023125001", audit=decided)
    await store.save_advisors([one, advisor("A01")], (), None, 0)
    assert await store.advisor("A02") == replace(one, version=1)
    assert [found.id for found in await store.advisors()] == ["A01", "A02"]
    assert [found.id for found in await store.advisors("A01", 1)] == ["A02"]
    assert (await store.crew())[1] == replace(one, version=1, audit=())
    with pytest.raises(Stale):
        await store.save_advisors([one], (), None, (await store.signals()).fence)


async def test_the_crew_is_as_stored_last(store: Store) -> None:
    """Also where it was read before, and another process has changed or added somebody since."""
    await store.save_advisors([advisor("A01"), advisor("A02")], (), None, 0)
    before = await store.crew()
    changed = [replace(before[0], capacity=9), advisor("A03")]
    await store.save_advisors(changed, (), None, (await store.signals()).fence)
    assert [(one.id, one.capacity) for one in await store.crew()] == [
        ("A01", 9),
        ("A02", before[1].capacity),
        ("A03", advisor("A03").capacity),
    ]


async def test_an_erased_dossier_leaves_the_outbox_and_is_erased_once_more(store: Store) -> None:
    told = AdvisorDossier(advisor_id="A01", name="Beispiel Eins", email="a01@example.org")
    await store.save_advisors([advisor("A01")], [told, Tombstone(AdvisorDossier, "A01")], None, 0)
    await store.forget_outbox("A01")
    if isinstance(store, FakeStore):
        assert store.outbox == [Tombstone(AdvisorDossier, "A01")] * 2
    else:
        rows = await store._mongo["outbox"].find().to_list(None)
        assert [(row["key"], row["body"]) for row in rows] == [("A01", None)] * 3
        assert [row["forgotten"] for row in rows if "pending" not in row] == [True]
