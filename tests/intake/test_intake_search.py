"""People find their municipality by what they type."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import handlers, search
from shared import register
from tests.intake.fake_store import FakeStore

ALL = register.load().entries


@pytest.fixture(scope="module")
async def store() -> FakeStore:
    fake = FakeStore()
    await fake.prepare()
    return fake


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("goeppingen", "08117026"),
        ("GÖPPINGEN", "08117026"),
        ("gopp", "08117026"),
        ("Stadt Göppingen", "08117026"),
        ("landkreis gö", "08117"),
        ("Lkr. Göppingen", "08117"),
        ("Kreis Göppingen", "08117"),
        ("bad ur", "08415078"),
        ("badurach", "08415078"),
        ("urach", "08415078"),
        ("08117042", "08117042"),
        ("08 117 042", "08117042"),
        ("8117042", "08117042"),
        ("08117", "08117"),
        ("salach", "08117042"),
        ("weißach", "08115052"),
        ("weil der stadt", "08115050"),
        ("sankt georgen", "08326052"),
        ("St.Georgen", "08326052"),
        ("eggenstein leo", "08215102"),
        ("Große Kreisstadt Eislingen", "08117019"),
        ("Landeshauptstadt Stuttgart", "08111000"),
        ("Rheinau", "08317153"),
        ("Stuttgrat", "08111000"),
        ("Göpingen", "08117026"),
        ("karlsruhe", "08212000"),
        ("ortenau", "08317"),
    ],
)
async def test_the_municipality_meant_comes_first(store: FakeStore, typed: str, first: str) -> None:
    found = await handlers.find(store, typed, 20)
    assert found, typed
    assert found[0].ags == first


async def test_order_is_exact_then_beginning_then_word_then_size(store: FakeStore) -> None:
    names = [entry.name for entry in await handlers.find(store, "weil", 50)]
    assert names.index("Weil am Rhein") < names.index("Weilheim an der Teck")
    beginning = [name.startswith("Weil") for name in names]
    assert beginning == sorted(beginning, reverse=True)


async def test_the_unincorporated_area_is_found_but_may_not_ask(store: FakeStore) -> None:
    found = {entry.ags: entry.eligible for entry in await handlers.find(store, "Rheinau", 20)}
    assert found == {"08317153": True, "08317971": False}


@pytest.mark.parametrize("typed", ["", "   ", "\x00", "-", "((", "💥", "zzzzqqqq"])
async def test_nothing_to_look_for_finds_nothing(store: FakeStore, typed: str) -> None:
    assert await handlers.find(store, typed, 20) == []


@settings(deadline=None)
@given(st.sampled_from(ALL), st.data())
def test_the_name_is_found_while_it_is_being_typed(entry: register.Municipality, data: st.DataObject) -> None:
    """Whatever prefix, however the umlauts are written: each word typed begins a term of the entry."""
    spelled = data.draw(st.sampled_from([entry.name, entry.name.upper(), _transcribed(entry.name)]))
    typed = spelled[: data.draw(st.integers(1, len(spelled)))]
    asked = search.query(typed)
    if asked is None:
        return
    terms = search.terms(entry)
    assert all(any(term.startswith(word) for term in terms) for word in asked.words)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_query_of_plain_words(text: str) -> None:
    asked = search.query(text)
    assert asked is None or asked.key or all(word.isalnum() for word in asked.words)


def _transcribed(name: str) -> str:
    for umlaut, written in zip("äöüßÄÖÜ", ("ae", "oe", "ue", "ss", "Ae", "Oe", "Ue"), strict=True):
        name = name.replace(umlaut, written)
    return name
