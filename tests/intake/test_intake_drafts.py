"""An unfinished request: kept as typed, sent once, gone in time, and its address with it."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from services.intake import drafts, handlers
from services.intake.domain import Request
from services.intake.drafts import Draft, Life
from services.intake.handlers import Changed, Gone
from services.intake.store import Store
from shared import outbox
from shared.commit import Committer, committing
from shared.errors import Invalid, Stale, TooMany
from shared.events import DraftDossier
from shared.ids import derived_id
from shared.inbox import mark
from shared.mongo import Mongo
from shared.outbox import Tombstone
from tests.intake import samples
from tests.intake.fake_store import FakeStore
from tests.intake.samples import NOW

LIFE = Life(timedelta(hours=48), timedelta(days=30), ZoneInfo("Europe/Berlin"))
ID = samples.some_id("draft")
NAMES = ("municipality", "need")
TYPED = {"municipality": ("Salach",), "need": ("Wir erreichen die Vereine nicht.",)}


@pytest.fixture(params=["fake", "pymongo", "motor"])
async def store(request: pytest.FixtureRequest, fresh_mongo: Callable[..., Mongo]) -> AsyncIterator[Store]:
    if request.param == "fake":
        fake = FakeStore()
        await fake.prepare()
        yield fake
        return
    mongo = fresh_mongo("intake", request.param)
    async with committing(Committer(mongo, "intake")) as commits:
        made = Store(mongo, commits)
        await made.prepare()
        yield made


async def kept(store: Store, draft_id: str = ID) -> Draft:
    return await handlers.keep_draft(store, draft_id, TYPED, NAMES, drafts.seal({}, NAMES), LIFE, NOW)


async def sent(store: Store, draft: Draft) -> Request:
    return await handlers.send_draft(store, draft, samples.wish(), samples.RULES, LIFE, NOW)


async def test_what_was_typed_comes_back(store: Store) -> None:
    assert (await handlers.draft(store, ID, LIFE, NOW)).entries == {}
    assert await kept(store) == await handlers.draft(store, ID, LIFE, NOW)
    more = await handlers.keep_draft(store, ID, {"name": ("Erika",)}, ("name",), drafts.seal({}), LIFE, NOW)
    assert more.entries == TYPED | {"name": ("Erika",)}
    assert await store.draft(ID) == more


async def test_the_same_entries_twice_are_one_change(store: Store) -> None:
    assert await kept(store) == await kept(store)


async def test_another_tab_does_not_overwrite_unseen(store: Store) -> None:
    before = await kept(store)
    typed = {"municipality": ("Göppingen",)}
    with pytest.raises(Changed) as raised:
        await handlers.keep_draft(store, ID, typed, NAMES, drafts.seal({}, NAMES), LIFE, NOW)
    assert raised.value.draft == before
    seal = drafts.seal(before.entries, NAMES)
    after = await handlers.keep_draft(store, ID, typed, NAMES, seal, LIFE, NOW)
    assert after.entries == typed


async def test_a_draft_is_sent_once_and_leaves_only_its_trace(store: Store) -> None:
    draft = await kept(store)
    request = await sent(store, draft)
    assert (request.id, request.version) == (ID, draft.version + 1)
    assert await store.request(ID) == request
    with pytest.raises(Stale):
        await sent(store, draft)
    with pytest.raises(Gone) as raised:
        await kept(store)
    assert raised.value.request == request
    trace = await store.draft(ID)
    assert trace is not None
    assert (trace.entries, trace.sent) == ({}, True)
    withdrawn = await handlers.withdraw(store, ID, "by_mistake", NOW)
    assert withdrawn.version == request.version + 1


async def test_a_draft_that_changed_meanwhile_is_not_sent(store: Store) -> None:
    draft = await kept(store)
    await handlers.save_draft(store, ID, LIFE, NOW)
    with pytest.raises(Stale):
        await sent(store, draft)
    assert await store.request_or_none(ID) is None


async def test_the_address_is_told_with_the_mail_and_erased_by_sending_and_again_with_the_request(
    fresh_mongo: Callable[..., Mongo],
) -> None:
    mongo = fresh_mongo("intake")
    async with committing(Committer(mongo, "intake")) as commits:
        store = Store(mongo, commits)
        await store.prepare()
        await kept(store)
        mailed = await handlers.mail_draft(store, ID, "erika@rathaus.example", "de", LIFE, NOW)
        assert mailed.until == NOW + LIFE.saved
        await sent(store, mailed)
        rows = await mongo[outbox.COLLECTION].find({"key": ID}).sort("order", 1).to_list(None)
        assert [(row["topic"], row["body"] is None) for row in rows] == [
            ("draft.dossier", False),
            ("request.created", False),
            ("request.dossier", False),
            ("draft.dossier", True),
        ]
        await handlers.erase(store, ID, NOW)
        rows = await mongo[outbox.COLLECTION].find({"key": ID}).sort("order", 1).to_list(None)
    assert {row["topic"] for row in rows if row["body"] is not None} == {"request.created"}
    later = [row["topic"] for row in rows if row["body"] is None and row["order"] > rows[3]["order"]]
    assert sorted(later) == ["draft.dossier"] * 2 + ["request.dossier"] * 2


async def test_a_draft_expires_and_its_address_with_it(store: Store) -> None:
    await kept(store)
    await handlers.mail_draft(store, ID, "erika@rathaus.example", "de", LIFE, NOW)
    later = NOW + LIFE.saved
    with pytest.raises(Gone) as raised:
        await handlers.draft(store, ID, LIFE, later)
    assert raised.value.request is None
    assert await handlers.drop_overdue(store, NOW) == 0
    assert await handlers.drop_overdue(store, later) == 1
    assert await store.draft(ID) is None
    if isinstance(store, FakeStore):
        assert store.outbox == [Tombstone(DraftDossier, ID)]
    with pytest.raises(Gone):
        await handlers.draft(store, ID, LIFE, later)


async def test_the_trace_of_a_sent_draft_goes_too_and_the_request_stays(store: Store) -> None:
    request = await sent(store, await kept(store))
    later = NOW + LIFE.saved
    assert await handlers.drop_overdue(store, later) == 1
    with pytest.raises(Gone) as raised:
        await handlers.draft(store, ID, LIFE, later)
    assert raised.value.request == request


async def test_an_old_link_to_nothing_says_so() -> None:
    old = derived_id(NOW - timedelta(days=3), "old")
    with pytest.raises(Gone):
        await handlers.draft(FakeStore(), old, LIFE, NOW)


def test_the_mails_about_one_draft_are_few() -> None:
    draft = drafts.begin(ID, "web", LIFE, NOW)
    for _ in range(drafts.MOST_MAILS):
        draft, _events = drafts.mail(draft, "erika@rathaus.example", "de", LIFE, NOW)
    with pytest.raises(TooMany):
        drafts.mail(draft, "erika@rathaus.example", "de", LIFE, NOW)


def test_the_day_named_in_the_mail_is_a_whole_one() -> None:
    draft, (event,) = drafts.mail(drafts.begin(ID, "web", LIFE, NOW), "e@rathaus.example", "de", LIFE, NOW)
    assert draft.until.date() - event.until == timedelta(days=1)


def test_more_than_is_kept_is_refused() -> None:
    draft = drafts.begin(ID, "web", LIFE, NOW)
    with pytest.raises(Invalid):
        drafts.keep(draft, {"need": ("ä" * (drafts.MOST_CHARACTERS + 1),)}, NAMES, LIFE, NOW)


async def test_an_advisors_name_is_kept_until_it_is_erased(store: Store) -> None:
    first, second, third = (mark("intake", samples.some_id("dossier", str(n))) for n in range(3))
    ids = sorted(str(each.document["_id"]["m"]) for each in (first, second, third))
    for event_id, name in zip(ids, ("Amina Beispiel", "Amina Muster", None), strict=True):
        await handlers.name_advisor(store, "A01", name, mark("intake", event_id))
        assert (await store.advisors(["A01"]))["A01"].name == name
    await handlers.name_advisor(store, "A01", "Amina Beispiel", mark("intake-redriven", ids[0]))
    assert (await store.advisors(["A01"]))["A01"].name is None, "what was overtaken changes nothing"
