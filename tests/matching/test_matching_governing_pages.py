"""The pages on which coordinators govern the matcher: pins, last days, hand-overs, budgets, what was decided."""

from dataclasses import replace

from services.matching.domain.governing import USUAL, Look
from services.matching.domain.policy import OPTIMAL
from services.matching.matcher import Matcher
from tests.matching.portal import Reader
from tests.matching.samples import FAIR, PARTNERS, advisor
from tests.matching.world import World

HOME = "/coordination/governing"


async def test_a_pinned_person_is_kept_until_the_choice_is_free_again(here: World) -> None:
    looked = replace(OPTIMAL, rules=replace(USUAL, look=Look(everything=True)))
    here.matcher = Matcher(here.store, here.rules, lambda: here.now, scan_seconds=0.0, policy=looked)
    request_id = await here.ask()
    me, address = Reader(here), f"/coordination/requests/{request_id}"

    async def proposed() -> set[str]:
        await here.matcher.turn()
        proposal = (await here.of(request_id)).proposal
        return {seat.advisor_id for seat in proposal.asked.seats} if proposal else set()

    assert await proposed() == {"A01", "A02"}
    page = await me.opens(address)
    silent = await me.sends(page.form("/pin"), pin_advisor="a03")
    assert (silent.status, silent.form("/pin").fields["pin_advisor"]) == (422, "a03")
    strange = await me.sends(page.form("/pin"), pin_advisor="Z99", pin_reason="kennt den Ort")
    assert (strange.status, "Z99 gibt es nicht" in strange.words) == (404, True)
    done = await me.sends(page.form("/pin"), pin_advisor="a03", pin_reason="kennt den Ort")
    assert "Die Person ist festgesetzt" in done.words
    assert "A03" in await proposed()
    page = await me.opens(address)
    assert "Festgesetzt Beispiel A03 (A03)" in page.words
    assert "koordination : festgesetzt Beispiel A03 (A03) kennt den Ort" in page.words
    done = await me.sends(page.form("/unpin"), unpin_reason="Irrtum")
    assert "Die Wahl ist wieder frei" in done.words
    assert await proposed() == {"A01", "A02"}
    assert "koordination : Festsetzung aufgehoben Beispiel A03 (A03) Irrtum" in (await me.opens(address)).words


async def test_once_people_are_asked_nobody_else_can_be_pinned(here: World) -> None:
    request_id = await here.ask()
    me = Reader(here)
    form = (await me.opens(f"/coordination/requests/{request_id}")).form("/pin")
    late = await me.sends(form, pin_advisor="A03", pin_reason="kennt den Ort")
    assert (late.status, "Das ging nicht" in late.words) == (409, True)
    assert "festgesetzt" in (await me.sends(form, pin_advisor="A01", pin_reason="bleibt auf jeden Fall")).words


async def test_a_last_day_says_before_and_after_what_has_to_be_handed_over_and_to_whom(here: World) -> None:
    request_id = await here.engaged()
    only_asked = await here.ask(case_number="BW-AAAA-1")
    me = Reader(here)
    assert "Letzter Tag …" in (await me.opens("/coordination/advisors/A01")).words
    page = await me.opens("/coordination/advisors/A01/leave")
    assert "Das ist zu übergeben" in page.words
    assert "die dann beraten): Beispiel A03 (A03)" in page.words
    assert "Hier wird jemand anderes gefragt Salach BW-AAAA-1" in page.words
    form = page.form("/leave")
    day = {"last_day_day": "31", "last_day_month": "12", "last_day_year": "2026"}
    silent = await me.sends(form, **day)
    assert (silent.status, silent.form("/leave").fields["last_day_year"]) == (422, "2026")
    for _ in range(2):
        done = await me.sends(form, **day, reason="zieht um")
        assert "Der letzte Tag ist festgehalten" in done.words
    assert "Letzter Tag: 31. Dezember 2026" in done.words
    assert done.words.count("Ausscheiden geändert (31.12.2026) zieht um") == 1
    assert f"{HOME}/hand-overs?advisor=A01" in done.links
    listed = await me.opens(f"{HOME}/hand-overs?advisor=A01")
    assert "Beispiel A01 (A01) scheidet aus Beispiel A03 (A03)" in listed.words
    assert f"/coordination/requests/{request_id}#leaving" in listed.links
    assert "nichts zu übergeben" in (await me.opens(f"{HOME}/hand-overs?advisor=A02")).words
    await here.matcher.turn()
    assert "A01" not in [seat[0] for seat in await here.seats(only_asked)]
    on_page = await me.opens(f"/coordination/requests/{request_id}")
    assert "die dann beraten): Beispiel A03 (A03)" in on_page.words
    again = (await me.opens("/coordination/advisors/A01/leave")).form("/leave")
    assert (again.fields["last_day_day"], again.buttons) == ("31", [("stays", "yes")])
    stays = await me.sends(again, stays="yes", reason="doch nicht")
    assert "Festgehalten: Die Person bleibt" in stays.words
    assert "Ausscheiden geändert (macht weiter) doch nicht" in stays.words
    assert "nichts zu übergeben" in (await me.opens(f"{HOME}/hand-overs")).words


async def test_a_budget_shows_what_is_reserved_and_what_waits_for_it(here: World) -> None:
    me = Reader(here)
    assert "Es ist kein Budget festgelegt" in (await me.opens(f"{HOME}/budgets")).words
    form = (await me.opens(f"{HOME}/budgets/new")).form("/new")
    days = {"start_day": "1", "start_month": "1", "start_year": "2026"}
    days |= {"end_day": "31", "end_month": "12", "end_year": "2026"}
    backwards = await me.sends(form, id="2026", **days | {"end_year": "2025"}, hours="20", reason="Bescheid")
    assert (backwards.status, "Das Ende liegt vor dem Anfang" in backwards.words) == (422, True)
    strange = await me.sends(form, id="Jahr 2026", **days, hours="viel", reason="Bescheid")
    assert (strange.status, strange.form("/new").fields["hours"]) == (422, "viel")
    for _ in range(2):
        done = await me.sends(form, id="2026", **days, hours="20,5", reason="Bescheid vom 3. Januar")
        assert "Das Budget ist festgelegt" in done.words
    assert done.words.count("Budget festgelegt (01.01.2026 – 31.12.2026: 20 Std. 30 Min.) Bescheid") == 1
    await here.ask()
    second = await here.ask(case_number="BW-AAAA-1")
    listed = await me.opens(f"{HOME}/budgets")
    assert "20 Std. 30 Min. 20 Std. 30 Min." in listed.words
    assert "Was auf Budget wartet" in listed.words
    assert f"/coordination/requests/{second}" in listed.links
    one = await me.opens(f"{HOME}/budgets/2026")
    assert "Salach BW-7F3K-2 Angefragt 0 Min. 20 Std." in one.words
    edit = one.form("/2026")
    assert edit.fields["hours"] == "20,5"
    assert "Das Budget ist festgelegt" in (await me.sends(edit, hours="40", reason="aufgestockt")).words
    await here.matcher.turn()
    assert (await here.of(second)).state == "proposed"
    late = await me.sends(edit, hours="50", reason="aufgestockt")
    assert (late.status, "inzwischen jemand anderes geändert" in late.words) == (409, True)
    assert "Das Budget ist festgelegt" in (await me.sends(late.form("/2026"))).words
    overlapping = await me.sends(form, id="2027", **days, hours="1", reason="Versehen")
    assert (overlapping.status, "überschneidet sich mit dem Budget 2026" in overlapping.words) == (409, True)
    assert (await me.opens(f"{HOME}/budgets/2099")).status == 404


async def test_what_was_decided_is_read_with_who_when_what_and_why(here: World) -> None:
    request_id = await here.ask()
    await here.post(f"/api/requests/{request_id}/notes", {"text": "Rückruf am Montag"})
    await here.says(request_id, "A02", "declined", "too_far")
    await here.post("/api/advisors/A03/leave", {"last_day": "2026-12-31", "reason": "zieht um"})
    await here.post("/api/policies", {"version": "near.1", "reason": "kurze Wege"})
    me = Reader(here)
    page = await me.opens(f"{HOME}/decisions")
    for said in (
        "koordination : Notiz – Salach BW-7F3K-2 Rückruf am Montag",
        "Beispiel A02 (A02) : abgesagt – Salach BW-7F3K-2 Zu weit entfernt",
        "koordination : Ausscheiden geändert (31.12.2026) – Beispiel A03 (A03) zieht um",
        "koordination : Fassung der Regeln angelegt (auf Grundlage von optimal.1) – Fassung near.1 kurze Wege",
    ):
        assert said in page.words, (said, page.words)
    assert f"/coordination/requests/{request_id}" in page.links
    case = await me.opens(f"{HOME}/decisions?about=bw-7f3k-2")
    assert ("Rückruf am Montag" in case.words, "near.1" in case.words) == (True, False)
    person = await me.opens(f"{HOME}/decisions?by=A02")
    assert ("Zu weit entfernt" in person.words, "Rückruf" in person.words) == (True, False)
    assert "zieht um" in (await me.opens(f"{HOME}/decisions?about=a03")).words
    assert "Dazu ist nichts verzeichnet" in (await me.opens(f"{HOME}/decisions?about=nirgends")).words
    english = await me.opens(f"{HOME}/decisions", "en")
    assert "declined – Salach BW-7F3K-2 Too far away" in english.words
    assert "changed the last day (31 Dec 2026)" in english.words


async def test_a_long_trail_goes_on_page_by_page(here: World) -> None:
    request_id = await here.ask()
    for number in range(53):
        await here.post(f"/api/requests/{request_id}/notes", {"text": f"Notiz Nummer {number:02d}."})
    me = Reader(here)
    first = await me.opens(f"{HOME}/decisions?about=BW-7F3K-2")
    [on] = [link for link in first.links if "after=" in link]
    second = await me.opens(on)
    assert [first.words.count("Notiz Nummer"), second.words.count("Notiz Nummer")] == [50, 3]
    assert "Ältere" not in second.words


async def test_an_advisor_governs_nothing(here: World) -> None:
    signals = await here.store.signals()
    await here.store.save_advisors([advisor("A09", levels={FAIR: 1, PARTNERS: 1})], (), None, signals.fence)
    for path in ("budgets", "budgets/new", "hand-overs", "decisions"):
        assert (await Reader(here, "A09").opens(f"{HOME}/{path}")).status == 403
    assert (await Reader(here, "A09").opens("/coordination/advisors/A09/leave")).status == 403
