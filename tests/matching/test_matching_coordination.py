"""The coordinators' pages: what waits, one request whole, their decisions, the pool, the search."""

from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from typing import Any, get_args

import pytest

from services.matching import words
from services.matching.domain import model, notices, policy, worklist
from services.matching.domain.governing import USUAL, Look
from services.matching.domain.policy import OPTIMAL
from services.matching.matcher import Matcher
from services.matching.pages.worklist import ROWS
from shared.events.base import FieldCode, Mode, Role, SessionKind, Tandem
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.portal import Reader
from tests.matching.samples import FAIR, PARTNERS, advisor, dossier
from tests.matching.world import World

SHIPPED = resources.files("services.matching").joinpath("data/advisors.csv").read_text(encoding="utf-8")


async def asked(here: World, **given: Any) -> str:
    request_id = await here.ask(**given)
    await here.store.keep_dossier(dossier(request_id), mark("matching", new_id()))
    return request_id


@pytest.mark.parametrize(
    ("codes", "there"),
    [
        (get_args(model.ListedState), words.STATES),
        (get_args(worklist.Code), words.STEPS),
        (get_args(model.Answer), words.ANSWERS),
        (get_args(model.Reason), words.REASONS),
        (get_args(model.Parked), words.PARKED),
        (get_args(model.Outcome), words.OUTCOMES),
        (get_args(model.Withdrawal), words.WITHDRAWALS),
        (get_args(model.Channel), words.CHANNELS),
        (get_args(model.Why), words.LEAVING),
        (get_args(policy.Barrier), words.BARRIERS),
        (tuple(SessionKind), words.KINDS),
        (tuple(FieldCode), words.FIELDS),
        (tuple(FieldCode), words.SHORT_FIELDS),
        (tuple(Mode), words.MODES),
        (tuple(Tandem), words.TANDEMS),
        (tuple(Role), words.ROLES),
        ((0, 1, 2, 3), words.LEVELS),
    ],
)
def test_every_code_has_words_in_both_languages(codes: tuple[object, ...], there: dict[str, dict[object, str]]) -> None:
    for tongue in ("de", "en"):
        assert [code for code in codes if not there[tongue].get(code)] == []


async def test_the_worklist_has_everything_that_waits_by_due_date(here: World) -> None:
    """With owner and next step; a certificate that soon ends stands among the requests."""
    signals = await here.store.signals()
    soon = replace(advisor("A04", levels={}), certified_until=date(2026, 11, 26))
    await here.store.save_advisors([soon], (), None, signals.fence)
    await asked(here, case_number="BW-AAAA-1")
    engaged = await here.engaged(case_number="BW-BBBB-2")
    await asked(here, case_number="BW-CCCC-3", fields=(FieldCode.CAUSES_OF_FLIGHT,))
    me = Reader(here)
    page = await me.opens("/coordination")
    order = [page.words.index(one) for one in ("A04", "BW-AAAA-1", "BW-CCCC-3", "BW-BBBB-2")]
    assert order == sorted(order)
    for said in (
        "Alles 4",
        "Zurückgestellt 1",
        "Antwort offen 1",
        "Zertifikate 1",
        "Zertifikat erneuern Koordination",
        "Beratende von Hand finden",
        "Erstgespräch vereinbaren Beispiel A01 (A01)",
    ):
        assert said in page.words, said
    parked = await me.opens("/coordination?kind=parked")
    assert ("BW-CCCC-3" in parked.words, "BW-AAAA-1" in parked.words) == (True, False)
    assert "Hier wartet nichts" in (await me.opens("/coordination?kind=silent")).words
    here.now += timedelta(days=30)
    assert "BW-BBBB-2" in (await me.opens("/coordination?kind=silent")).words
    late = await me.opens("/coordination?kind=overdue")
    assert "überfällig" in late.words
    assert (await me.opens("/coordination", "en")).words.startswith("Worklist")
    assert f"/coordination/requests/{engaged}" in late.links


async def test_a_long_worklist_goes_on_page_by_page_and_leaves_out_nothing(here: World) -> None:
    for number in range(ROWS + 7):
        await here.ask(case_number=f"BW-N{number:03d}-1", fields=(FieldCode.CAUSES_OF_FLIGHT,))
    me = Reader(here)
    first = await me.opens("/coordination")
    [on] = [link for link in first.links if "after=" in link]
    second = await me.opens(on)
    seen = [link for page in (first, second) for link in page.links if "/requests/" in link]
    assert len(seen) == len(set(seen)) == ROWS + 7
    assert "Weiter" not in second.words


async def test_a_request_shows_points_of_the_chosen_and_the_next_best(here: World) -> None:
    request_id = await asked(here)
    page = await Reader(here).opens(f"/coordination/requests/{request_id}")
    for said in (
        "Salach",
        "Unser Fest der Nationen",
        "kontakt@example.org",
        "Fachwissen Region Sprachen Ausgleich",
        "Beispiel A01 (A01) Leitung 250 160 100 ",
        "nächstbeste Wahl",
        "Antwort offen",
    ):
        assert said in page.words, said


async def test_a_coordinator_answers_for_an_advisor_and_the_history_says_so(here: World) -> None:
    request_id = await asked(here)
    me = Reader(here)
    page = await me.opens(f"/coordination/requests/{request_id}")
    form = next(one for one in page.forms if one.fields.get("advisor_id") == "A01")
    done = await me.sends(form, answer="accepted")
    assert "Die Antwort ist eingetragen" in done.words
    assert "koordination : zugesagt Beispiel A01" in done.words
    late = await me.sends(form, answer="declined", reason="no_time")
    assert (late.status, "lässt sich nicht mehr ändern" in late.words) == (409, True)


async def test_an_override_needs_a_reason_and_happens_once(here: World) -> None:
    request_id = await asked(here)
    me = Reader(here)
    form = (await me.opens(f"/coordination/requests/{request_id}/assign?lead=A03")).form("/assign")
    assert form.fields["lead"] == "A03"
    empty = await me.sends(form, reason="", co="A99")
    assert (empty.status, empty.form("/assign").fields["co"]) == (422, "A99")
    unknown = await me.sends(form, reason="Kennt den Ort", co="A99")
    assert (unknown.status, "A99 gibt es nicht" in unknown.words) == (422, True)
    same = await me.sends(form, reason="Kennt den Ort", co="A03")
    assert (same.status, "Ein Tandem braucht zwei Personen" in same.words) == (422, True)
    for _ in range(2):
        done = await me.sends(form, reason="Kennt den Ort", co="")
        assert "Die Anfrage ist unterwegs" in done.words
    assert "Kennt den Ort" in done.words
    assert await here.seats(request_id) == [("A03", "lead", "open", False)]
    assert len((await here.of(request_id)).rounds) == 2


async def test_a_conflict_of_interest_counts_now_and_later(here: World) -> None:
    request_id = await asked(here)
    me = Reader(here)
    form = (await me.opens(f"/coordination/requests/{request_id}")).form("/conflict")
    silent = await me.sends(form, conflict_advisor="a01")
    assert (silent.status, silent.form("/conflict").fields["conflict_advisor"]) == (422, "a01")
    form.fields["conflict_reason"] = "Arbeitet dort"
    for _ in range(2):
        done = await me.sends(form, conflict_advisor="a01")
        assert "Der Interessenkonflikt ist festgehalten" in done.words
    known = await here.store.advisor("A01")
    assert known is not None
    assert known.conflicts == ("08117042",)
    assert (await here.of(request_id)).rounds[0].seats[0].reason == "conflict_of_interest"
    await here.matcher.turn()
    assert "A01" not in [seat[0] for seat in await here.seats(request_id)]
    strange = await me.sends(form, conflict_advisor="Z99")
    assert (strange.status, "Z99 gibt es nicht" in strange.words) == (404, True)


async def test_the_search_finds_by_case_municipality_and_advisor(here: World) -> None:
    first, second = await asked(here, case_number="BW-AAAA-1"), await asked(here, case_number="BW-AAAB-2")
    me = Reader(here)
    whole = await me.opens("/coordination/search?q=bw-aaaa-1")
    assert "Zuordnung" in whole.words
    for words_, found in (("BW-AA", 2), ("salach", 2), ("0811704", 2), ("A02", 2), ("beispiel a03", 0), ("xyz", 0)):
        page = await me.opens(f"/coordination/search?q={words_}")
        there = {link for link in page.links if link.endswith((first, second))}
        assert (words_, len(there)) == (words_, found)
    assert "/coordination/advisors/A03" in (await me.opens("/coordination/search?q=Beispiel")).links
    assert "Dazu ist nichts bekannt" in (await me.opens("/coordination/search?q=(.*")).words


async def test_an_advisor_is_entered_changed_and_erased(here: World) -> None:
    me = Reader(here)
    form = (await me.opens("/coordination/advisors/new")).form("/new")
    days = {"certified_on_day": "1", "certified_on_month": "2", "certified_on_year": "2025"}
    days |= {"certified_until_day": "31", "certified_until_month": "1", "certified_until_year": "2031"}
    entry = {"id": "a17", "name": "Ümit Größe", "email": "a17@example.org", "regions": "08117 08999"} | days
    wrong = await me.sends(form, **entry)
    assert wrong.status == 422
    for said in ("08999 steht nicht im Verzeichnis", "Mindestens ein Feld braucht Stufe 1"):
        both = await me.sends(form, **entry | ({"level_fair_week": "2"} if "08999" in said else {}))
        assert said in both.words, said
    for _ in range(2):
        done = await me.sends(form, **entry | {"regions": "08117, 08116", "level_fair_week": "3"})
        assert "Neu aufgenommen" in done.words
    edit = (await me.opens("/coordination/advisors/A17/edit")).form("/edit")
    assert (edit.fields["name"], edit.fields["level_fair_week"]) == ("Ümit Größe", "3")
    assert "Gespeichert" in (await me.sends(edit, capacity="1")).words
    other = await me.sends(edit, capacity="9")
    assert (other.status, "von jemand anderem geändert" in other.words) == (409, True)
    assert other.form("/edit").fields["capacity"] == "9"
    assert "Gespeichert" in (await me.sends(other.form("/edit"))).words
    gone = await me.sends((await me.opens("/coordination/advisors/A17/erase")).form("/erase"))
    assert "Die Daten sind gelöscht" in gone.words
    assert "Größe" not in gone.words


async def test_an_import_shows_first_what_would_change(here: World) -> None:
    me = Reader(here)
    form = (await me.opens("/coordination/advisors/import")).form("/import")
    wrong = await me.sends(form, text=SHIPPED.replace("2024-10-18", "18.10.2024", 1))
    assert (wrong.status, "Zeile 2 (A01): certified_on: Bitte ein Datum" in wrong.words) == (422, True)
    preview = await me.sends(form, text=SHIPPED)
    assert "Neu 13 Geändert 3 Unverändert 0" in preview.words
    assert "A01 Name Beispiel A01 Beispiel Eins" in preview.words
    assert await here.store.advisor("A16") is None
    signals = await here.store.signals()
    known = await here.store.advisor("A02")
    assert known is not None
    await here.store.save_advisors([replace(known, capacity=7)], (), None, signals.fence)
    late = await me.sends(preview.form("/import"))
    assert (late.status, "Inzwischen hat sich etwas geändert" in late.words) == (409, True)
    done = await me.sends(late.form("/import"))
    assert "Die Datei ist übernommen" in done.words
    assert await here.store.advisor("A16") is not None
    same = await me.sends(form, text=SHIPPED)
    assert "Es gibt nichts zu tun" in same.words


async def test_a_file_is_read_and_a_strange_one_refused(here: World) -> None:
    headers = here.bearer("coordinator")
    for body, status, said in (
        (SHIPPED.encode(), 200, "Vorschau"),
        (SHIPPED.encode("utf-16"), 400, "nicht in UTF-8"),
        (b"", 400, "Bitte wählen Sie eine Datei"),
    ):
        sent = {"file": ("pool.csv", body)} if body else None
        answer = await here.client.post("/coordination/advisors/import", files=sent, headers=headers)
        assert (answer.status_code, said in answer.text) == (status, True)


async def test_the_pool_is_listed_with_what_counts(here: World) -> None:
    await here.engaged(fields=(FAIR, PARTNERS))
    page = await Reader(here).opens("/coordination/advisors")
    assert "Faire Woche (3)" in page.words
    assert "Göppingen" in page.words
    assert "1 von 2" in page.words
    one = await Reader(here).opens("/coordination/advisors/A01")
    assert "1 von 2 belegt" in one.words
    assert "Salach" in one.words


async def test_a_proposal_waits_on_the_worklist_until_it_is_released(here: World) -> None:
    looked = replace(OPTIMAL, rules=replace(USUAL, look=Look(everything=True)))
    here.matcher = Matcher(here.store, here.rules, lambda: here.now, scan_seconds=0.0, policy=looked)
    request_id = await asked(here)
    me = Reader(here)
    assert "Freigabe 1" in (await me.opens("/coordination")).words
    assert "BW-7F3K-2" in (await me.opens("/coordination?kind=release")).words
    assert "BW-7F3K-2" not in (await Reader(here, "A01").opens("/advisor")).words  # nobody has asked them yet
    page = await me.opens(f"/coordination/requests/{request_id}")
    assert "wartet auf Ihre Freigabe" in page.words
    empty = await me.sends(page.form("/reconsider"), without="A01")
    assert (empty.status, empty.form("/reconsider").fields["without"]) == (422, "A01")
    for _ in range(2):
        done = await me.sends(page.form("/release"), release_reason="Passt gut")
        assert "Der Vorschlag ist freigegeben" in done.words
    assert "Passt gut" in done.words
    assert (await here.of(request_id)).state == "proposed"


async def test_a_note_is_kept_once_as_it_was_typed(here: World) -> None:
    request_id = await asked(here)
    me = Reader(here)
    form = (await me.opens(f"/coordination/requests/{request_id}")).form("/note")
    empty = await me.sends(form)
    assert (empty.status, "Diese Angabe fehlt." in empty.words) == (422, True)
    sly = "Rückruf am <b>Freitag</b> 😀"
    for _ in range(2):
        done = await me.sends(form, note=sly)
        assert "Die Notiz ist festgehalten" in done.words
    assert done.words.count(sly) == 1


async def test_who_can_not_go_on_is_replaced_on_the_page_of_the_request(here: World) -> None:
    request_id = await here.engaged()
    me = Reader(here)
    conflict = (await me.opens(f"/coordination/requests/{request_id}")).form("/conflict")
    await me.sends(conflict, conflict_advisor="A02", conflict_reason="Arbeitet jetzt dort")
    assert "Übergaben 1" in (await me.opens("/coordination")).words
    page = await me.opens(f"/coordination/requests/{request_id}")
    assert "hat einen Interessenkonflikt" in page.words
    unknown = await me.sends(page.form("/hand-over"), to="a99", hand_over_reason="Vertretung")
    assert (unknown.status, "A99 gibt es nicht" in unknown.words) == (422, True)
    done = await me.sends(page.form("/hand-over"), to="a03", hand_over_reason="Vertretung")
    assert "Die Übergabe ist angestoßen" in done.words
    assert [seat[0] for seat in await here.seats(request_id)] == ["A01", "A03"]


async def test_several_who_are_late_are_reminded_at_once_and_each_only_once(here: World) -> None:
    """Not who has answered, nor where nobody is late; the history says who did it, a second click changes nothing."""
    half = await here.ask(case_number="BW-BBBB-2", tandem=Tandem.WANTED)
    answered, waits = (seat.advisor_id for seat in (await here.current(half)).seats)
    await here.says(half, answered, "accepted")
    silent = await here.engaged(case_number="BW-AAAA-1")
    calm = await here.engaged(case_number="BW-CCCC-3")
    await here.arranged(calm, days=30)
    here.now += timedelta(days=21)
    me = Reader(here)
    form = (await me.opens("/coordination")).form("/remind")
    nobody = await me.sends(form)
    assert nobody.status == 422
    assert "Bitte wählen Sie aus" in nobody.words
    for _ in range(2):
        page = await me.sends(form, remind=[silent, half, calm, calm, "<b>"])
        assert page.status == 200
        assert "Zu 2 Fällen ging heute eine Erinnerung" in page.words
        assert "Zu einem weiteren nicht" in page.words
    told = [(row["key"], str(row["body"])) for row in await here.rows("advisor.reminded")]
    assert [key for key, _ in told] == [silent, half]
    assert f'"{waits}"' in told[1][1]
    assert "answer" in told[1][1]
    assert "schedule_first_talk" in told[0][1]
    for request_id in (silent, half):
        assert [(one.what, one.by) for one in (await here.of(request_id)).audit if one.what == "reminded"] == [
            ("reminded", "koordination")
        ]
    assert not [form for form in page.forms if form.action.endswith("/remind")], "nobody is left to be reminded"


async def test_a_reminder_of_a_step_stands_in_place_of_the_next_one(here: World) -> None:
    silent = await here.engaged()
    here.now += timedelta(days=21)
    await Reader(here).sends((await Reader(here).opens("/coordination?kind=silent")).form("kind=silent"), remind=silent)
    due, events = notices.due(await here.of(silent), here.rules, USUAL, here.now)
    assert events == []
    assert [rung.level for rung in due.rungs] == [1]
