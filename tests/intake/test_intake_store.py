"""One contract for the store in memory and the real one, on PyMongo and on Motor."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.intake import domain, handlers, progress, search
from services.intake.domain import Feedback
from services.intake.store import MUNICIPALITIES, Store
from shared import carried, register
from shared.commit import Committer, Insert, committing
from shared.errors import Duplicate, NotFound, Stale, Unavailable
from shared.ids import new_id
from shared.inbox import mark
from shared.mongo import Mongo
from tests.intake import samples
from tests.intake.fake_store import FakeStore
from tests.intake.samples import NOW


@pytest.fixture(params=["fake", "pymongo", "motor"])
async def store(request: pytest.FixtureRequest, fresh_mongo: Callable[..., Mongo]) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeStore()
        return
    mongo = fresh_mongo("intake", request.param)
    async with committing(Committer(mongo, "intake")) as commits:
        yield Store(mongo, commits)


@pytest.fixture
async def mongo(fresh_mongo: Callable[..., Mongo]) -> Mongo:
    return fresh_mongo("intake")


def seen() -> Insert:
    return mark("intake", new_id())


async def test_a_request_comes_back_as_it_was_saved(store: Store) -> None:
    made = samples.request()
    await store.save(made, ())
    assert await store.request(made.id) == made
    assert await store.request_by_case_number(made.case_number) == made
    changed, events = domain.withdraw(made, False, "too_slow", NOW)
    await store.save(changed, events)
    given, events2 = domain.give_feedback(changed, True, Feedback(5, True, 2, "gut", NOW))
    await store.save(given, events2)
    erased, tombstones = domain.erase(given, NOW)
    await store.save(erased, tombstones)
    assert await store.request(made.id) == erased


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.request(new_id())
    with pytest.raises(NotFound):
        await store.request_by_case_number("MG-0000-0000")


async def test_a_stale_version_is_refused(store: Store) -> None:
    made = samples.request()
    await store.save(made, ())
    changed, _ = domain.withdraw(made, False, "too_slow", NOW)
    await store.save(changed, ())
    with pytest.raises(Stale):
        await store.save(changed, ())


async def test_a_case_number_is_given_once(store: Store) -> None:
    await store.prepare()
    first, second = samples.request(), samples.request()
    await store.save(first, ())
    with pytest.raises(Duplicate) as raised:
        await store.save(second, ())
    assert (raised.value.collection, raised.value.keys) == ("requests", ("case_number",))


async def test_one_cause_has_one_effect(store: Store) -> None:
    cause = Insert("idempotency", {"_id": "POST /api/requests key"})
    await store.save(samples.request(), (), cause)
    with pytest.raises(Duplicate) as raised:
        await store.save(samples.request("MG-0000-0001"), (), cause)
    assert raised.value.collection == "idempotency"


async def test_progress_of_an_unknown_request_is_kept(store: Store) -> None:
    request_id = new_id()
    empty = await store.progress(request_id)
    assert (empty.version, empty.steps) == (0, ())
    for at, fact in enumerate(
        [
            progress.assigned(samples.assigned(request_id, 1, NOW, NOW.date())),
            progress.scheduled(samples.scheduled(request_id, "talk", NOW, NOW + timedelta(days=3)), NOW),
            progress.completed(samples.completed(request_id, "talk", NOW + timedelta(days=3))),
        ]
    ):
        known = progress.note(await store.progress(request_id), fact)
        assert known.version == at + 1
        await store.save_progress(known, seen())
        assert await store.progress(request_id) == known
    with pytest.raises(Stale):
        await store.save_progress(known, seen())


async def test_a_mark_alone_is_kept_too(store: Store) -> None:
    cause = seen()
    await store.save_mark(cause)
    with pytest.raises(Duplicate):
        await store.save_mark(cause)


async def test_the_outbox_forgets_the_dossier_only(store: Store) -> None:
    made = samples.request()
    created, dossier = domain.submit(samples.wish(), samples.ENTRY, samples.RULES, NOW, made.id, made.case_number)[1]
    await store.save(made, (created, dossier))
    assert await store.forget_outbox(made.id, 1, ()) == 1
    assert await store.forget_outbox(made.id, 1, ()) == 0


async def test_the_register_is_imported_once(store: Store) -> None:
    await store.prepare()
    assert store.municipality("08117042") is not None
    assert store.municipality("08999999") is None
    entries = register.load().entries
    assert not await store.import_register(entries, configured=True)
    assert await store.import_register(entries[:5], configured=False)
    await store.prepare()
    found = await store.find(search.Query("08", key="08"))
    assert len(found) == 5, "an import by hand holds until the configured file changes"


async def test_the_search_finds_what_the_fake_finds(store: Store) -> None:
    fake = FakeStore()
    await fake.prepare()
    await store.prepare()
    for typed in ("goepp", "bad ur", "08117", "8117042", "Stuttgrat", "landkreis", "st georgen"):
        assert await handlers.find(store, typed, 200) == await handlers.find(fake, typed, 200) != [], typed


async def test_a_changed_register_reaches_a_running_process(mongo: Mongo) -> None:
    async with committing(Committer(mongo, "intake")) as commits:
        serving, importing = Store(mongo, commits), Store(mongo, commits)
        with pytest.raises(Unavailable):
            serving.municipality("08117042")
        await serving.prepare()
        await importing.import_register(register.load().entries[:3], configured=False)
        await serving.refresh_register()
        assert serving.municipality("08117042") is None


async def test_the_search_walks_an_index(mongo: Mongo) -> None:
    async with committing(Committer(mongo, "intake")) as commits:
        await Store(mongo, commits).prepare()
    for fitting, most in (({"terms": {"$regex": "^gopp"}}, 5), ({"_id": {"$regex": "^08117"}}, 60)):
        plan: dict[str, Any] = await mongo.db.command(
            "explain", {"find": MUNICIPALITIES, "filter": fitting}, verbosity="executionStats"
        )
        assert plan["executionStats"]["totalKeysExamined"] <= most
        assert plan["executionStats"]["totalDocsExamined"] <= most


async def test_a_request_and_its_events_are_stored_together(mongo: Mongo) -> None:
    made = samples.request()
    _, events = domain.submit(samples.wish(), samples.ENTRY, samples.RULES, NOW, made.id, made.case_number)
    async with committing(Committer(mongo, "intake")) as commits:
        store = Store(mongo, commits)
        await store.prepare()
        await store.save(made, events)
        with pytest.raises(Duplicate):
            await store.save(samples.request(), events)
    (document,) = await mongo["requests"].find().to_list(None)
    rows = carried.rows(document)
    assert sorted(row["topic"] for row in rows) == ["request.created", "request.dossier"]
    assert {row["key"] for row in rows} == {made.id}
