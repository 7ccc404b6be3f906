"""The pool: import, changes, absences, erasure."""

from dataclasses import replace
from importlib import resources

import pytest

from services.matching import entries
from services.matching.domain.choice import choose
from services.matching.domain.model import Absence, Advisor
from services.matching.domain.policy import candidate
from services.matching.handlers import advisors
from shared import register
from shared.errors import Conflict, NotFound
from shared.events import AdvisorAnswered, AdvisorDossier
from shared.events.base import FieldCode
from shared.outbox import Tombstone
from tests.matching.play import Play
from tests.matching.samples import FAIR, TODAY, advisor, seeker

REGISTER = register.load()
SHIPPED = resources.files("services.matching").joinpath("data/advisors.csv").read_text(encoding="utf-8")


def shipped() -> list[Advisor]:
    found, wrong = entries.read(SHIPPED, REGISTER)
    assert wrong == []
    return [entry.advisor(entry.id, None) for entry in found]


def changed(number: str, *pairs: tuple[str, str]) -> list[str]:
    """The messages on the shipped file with `pairs` replaced in the line of `number`."""
    lines = SHIPPED.splitlines()
    place = next(position for position, line in enumerate(lines) if line.startswith(f"{number},"))
    for old, new in pairs:
        assert old in lines[place]
        lines[place] = lines[place].replace(old, new)
    return [one.en for one in entries.read("\n".join(lines), REGISTER)[1]]


def test_sixteen_plainly_fictional_advisors_serve_all_fields_and_the_whole_state() -> None:
    people = shipped()
    assert [one.id for one in people] == [f"A{number:02}" for number in range(1, 17)]
    assert all(one.email.endswith(".example") for one in people)
    assert all(one.name.split()[0] in ("Beispiel", "Muster", "Musterperson", "Probe") for one in people)
    for code in FieldCode:
        assert sum(one.levels.get(code, 0) > 0 for one in people) >= 3
    assert len({language for one in people for language in one.languages}) >= 10
    assert {ags[:3] for ags in REGISTER.districts} == {ags[:3] for one in people for ags in one.regions}


def test_around_goeppingen_three_suit() -> None:
    pool = [candidate(one, 0, 0) for one in shipped()]
    near = [one for one in pool if any(ags.startswith("08117") for ags in one.regions)]
    assert len(near) >= 3
    [decision] = choose(near, [seeker(fields=(FAIR, FieldCode.PARTNERSHIPS))], TODAY)
    assert decision.members


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("a02@beratung.example", "a02")], ["line 3 (A02): email: value is not a valid email address"]),
        ([("08117042", "99999999")], ["line 3 (A02): regions: 99999999 is not in the register."]),
        ([("08117042", "8117")], ["line 3 (A02): regions: String should match pattern"]),
        ([(",1,3,2,", ",1,4,2,")], ["line 3 (A02): partnerships: Input should be less than or equal to 3"]),
        ([("A02", "A01")], ["line 3 (A01): id: A01 stands on line 2 already"]),
        ([("2031-10-17", "2021-10-17")], ["line 3 (A02): line: The certificate ends before it begins."]),
        ([("+493023125002", "12")], ["line 3 (A02): phone: This is no telephone number."]),
        (
            [("2031-10-17,3,,", "2031-10-17,3,gestern,")],
            ["line 3 (A02): absences start: Please give a date as YYYY-MM-DD."],
        ),
        ([("de en tr", "")], ["line 3 (A02): languages: List should have at least 1 item"]),
        ([("Beispiel Zwei,", "")], ["line 3 (A02): it has another number of cells"]),
    ],
)
def test_each_wrong_line_has_one_clear_message(pairs: list[tuple[str, str]], words: list[str]) -> None:
    found = changed("A02", *pairs)
    assert [message[: len(start)] for message, start in zip(found, words, strict=True)] == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns: missing id"),
        (SHIPPED.replace(",", ";"), "parted by semicolons"),
        (SHIPPED.replace("conflicts", "origin", 1), "unknown origin"),
        (SHIPPED.splitlines()[0], "there is no advisor in the file"),
        ('id,name\n"A01', "columns: missing"),
        (SHIPPED + '"A17', "no valid CSV"),
    ],
)
def test_a_file_that_is_no_list_of_advisors_says_why(text: str, words: str) -> None:
    [(_, message)] = entries.read(text, REGISTER)[1]
    assert words in message


def test_a_byte_order_mark_does_no_harm() -> None:
    assert len(entries.read("\ufeff" + SHIPPED, REGISTER)[0]) == 16


async def test_an_import_tells_of_the_new_and_the_changed_and_of_nobody_else() -> None:
    play, people = Play(), shipped()
    done = await advisors.take_over(play.store, people, "import", play.governed, play.now, dry_run=False)
    assert (len(done.new), len(play.told(AdvisorDossier))) == (16, 16)
    again = await advisors.take_over(play.store, people, "import", play.governed, play.now, dry_run=False)
    assert (again.unchanged, len(play.told(AdvisorDossier))) == (tuple(one.id for one in people), 16)
    people[3] = replace(people[3], email="neu@beratung.example")
    third = await advisors.take_over(play.store, people, "import", play.governed, play.now, dry_run=False)
    assert third.changed == ("A04",)
    assert play.told(AdvisorDossier)[16:] == [
        AdvisorDossier(advisor_id="A04", name=people[3].name, email="neu@beratung.example", correspondence="en")
    ]


async def test_a_dry_run_stores_nothing() -> None:
    play = Play()
    done = await advisors.take_over(play.store, shipped(), "import", play.governed, play.now, dry_run=True)
    assert (len(done.new), await play.store.advisors()) == (16, [])


async def test_an_import_leaves_out_whoever_was_erased() -> None:
    """For good: the list that an operator keeps may still have them."""
    play = Play()
    await play.pool(replace(advisor("A02"), erased_at=play.now))
    gone = await play.store.advisor("A02")
    done = await advisors.take_over(play.store, shipped(), "import", play.governed, play.now, dry_run=False)
    assert (len(done.new), done.erased) == (15, ("A02",))
    assert await play.store.advisor("A02") == gone


async def test_what_is_not_in_the_dossier_changes_without_an_event() -> None:
    play = Play()
    await play.pool(advisor("A01"))
    await advisors.change(play.store, advisor("A01", capacity=5), "koordination", play.governed, play.now)
    assert play.told(AdvisorDossier) == []
    found = await play.store.advisor("A01")
    assert found is not None
    assert found.capacity == 5


async def test_an_empty_cell_leaves_announced_absences_as_they_are() -> None:
    away = (Absence(TODAY, TODAY),)
    [entry] = [one for one in entries.read(SHIPPED, REGISTER)[0] if one.id == "A01"]
    assert entry.advisor("A01", advisor("A01", absences=away)).absences == away


async def test_an_erased_advisor_leaves_a_number_and_a_tombstone() -> None:
    play = Play()
    await play.pool(advisor("A01", phone="+493023125001"))
    await advisors.add(play.store, advisor("A02"), "koordination", play.now, lambda _: None)
    for _ in range(2):
        await advisors.erase(play.store, "A02", "koordination", play.now)
    found = await play.store.advisor("A02")
    assert found is not None
    assert (found.name, found.email, found.phone, found.levels, found.regions) == ("", "", None, {}, ())
    assert play.fake.outbox == [Tombstone(AdvisorDossier, "A02")] * 3  # the dossier itself is gone from the outbox
    request_id = await play.ask()
    assert [seat[0] for seat in await play.seats(request_id)] == ["A01"]
    with pytest.raises(Conflict, match="erased"):
        await advisors.change(play.store, advisor("A02"), "koordination", play.governed, play.now)


async def test_what_an_erased_advisor_was_only_asked_for_goes_to_the_next() -> None:
    play = Play()
    await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02"))
    request_id = await play.ask(tandem="not_wanted")
    await advisors.erase(play.store, "A01", "koordination", play.now)
    await play.matcher.turn()
    assert [(one.advisor_id, one.answer) for one in play.told(AdvisorAnswered)] == [("A01", "expired")]
    assert await play.seats(request_id) == [("A02", "lead", "open", False)]


async def test_who_advises_somebody_is_not_erased_unnoticed() -> None:
    play = Play()
    await play.pool(advisor("A01"))
    await play.engaged(tandem="not_wanted")
    with pytest.raises(Conflict, match="BW-7F3K-2"):
        await advisors.erase(play.store, "A01", "koordination", play.now)


async def test_an_absence_takes_somebody_out_of_the_choice() -> None:
    play = Play()
    await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02"))
    await advisors.announce(play.store, "A01", [Absence(TODAY, TODAY)], "A01", play.governed, play.now)
    request_id = await play.ask(tandem="not_wanted")
    assert (await play.seats(request_id))[0][0] == "A02"


async def test_a_number_is_given_once() -> None:
    play = Play()
    await advisors.add(play.store, advisor("A01"), "koordination", play.now, lambda _: None)
    with pytest.raises(Conflict, match="taken"):
        await advisors.add(play.store, advisor("A01"), "koordination", play.now, lambda _: None)
    with pytest.raises(NotFound):
        await advisors.get(play.store, "A09")
