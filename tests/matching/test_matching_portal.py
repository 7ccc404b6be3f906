"""The advisors' portal: what waits, answering, sessions, absence, load, own data."""

import json

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from shared.ids import new_id
from shared.inbox import mark
from tests.matching.portal import Reader
from tests.matching.samples import advisor, dossier
from tests.matching.world import World

SLY = "<script>alert(1)</script> مرحبا 😀 Größe"


async def asked(here: World) -> str:
    request_id = await here.ask()
    await here.store.keep_dossier(dossier(request_id), mark("matching", new_id()))
    return request_id


async def recording(here: World, request_id: str) -> tuple[Reader, str]:
    """The lead of an engagement, and the id of a session that was yesterday."""
    session_id = await here.arranged(request_id, days=-1)
    return Reader(here, "A01"), session_id


async def test_a_new_request_is_accepted_in_two_taps(here: World) -> None:
    request_id = await asked(here)
    me = Reader(here, "A01")
    home = await me.opens("/advisor")
    assert "Salach" in home.words
    assert "Antwort bis 1. Dezember 2026" in home.words
    [link] = [one for one in home.links if "/advisor/requests/" in one]
    page = await me.opens(link)
    assert "Sie arbeiten in der Nähe" in page.words
    accept, _ = [form for form in page.forms if form.fields.get("answer")]
    done = await me.sends(accept)
    assert (done.status, "Sobald auch die andere Person" in done.words) == (200, True)
    assert (await here.seats(request_id))[0] == ("A01", "lead", "accepted", False)


async def test_declining_takes_a_tap_on_the_reason_and_nothing_else(here: World) -> None:
    request_id = await asked(here)
    me = Reader(here, "A02")
    [link] = [one for one in (await me.opens("/advisor")).links if "/advisor/requests/" in one]
    _, decline = [form for form in (await me.opens(link)).forms if form.fields.get("answer")]
    assert ("reason", "too_far") in decline.buttons
    nothing = await me.sends(decline)
    assert (nothing.status, "Bitte wählen Sie einen Grund" in nothing.words) == (400, True)
    done = await me.sends(decline, reason="too_far")
    assert "Sie haben abgesagt (Zu weit entfernt)." in done.words
    assert (await here.of(request_id)).rounds[0].seats[1].reason == "too_far"


async def test_an_answer_that_comes_too_late_says_what_has_become_of_the_request(here: World) -> None:
    """The other one declines in another tab; the form of the old round can do nothing any more."""
    request_id = await asked(here)
    me = Reader(here, "A01")
    [link] = [one for one in (await me.opens("/advisor")).links if "/advisor/requests/" in one]
    accept = next(form for form in (await me.opens(link)).forms if form.fields.get("answer") == "accepted")
    await here.says(request_id, "A02", "declined", "no_time")
    late = await me.sends(accept)
    assert late.status == 409
    assert "Inzwischen gibt es eine neue Zusammenstellung" in late.words
    [newer] = [one for one in late.links if one.startswith("/advisor/requests/") and "lang=" not in one]
    assert "Ich sage zu" in (await me.opens(newer)).words


async def test_an_advisor_opens_nothing_of_another_ones(here: World) -> None:
    request_id = await here.engaged()
    session_id = await here.arranged(request_id)
    stranger = Reader(here, "A03")
    assignment_id = (await here.current(request_id)).assignment_id
    for path, status in (
        (f"/advisor/requests/{assignment_id}", 404),
        (f"/advisor/engagements/{request_id}", 403),
        (f"/advisor/engagements/{request_id}/sessions/new", 403),
        (f"/advisor/sessions/{session_id}/record", 403),
        (f"/advisor/sessions/{session_id}/move", 403),
        ("/coordination", 403),
        (f"/coordination/requests/{request_id}", 403),
        ("/coordination/advisors/A01", 403),
    ):
        page = await stranger.opens(path)
        assert (path, page.status) == (path, status)
        assert "Salach" not in page.words
    assert (await stranger.opens("/advisor")).words.count("Zurzeit") == 2


async def test_a_session_is_arranged_once_however_often_the_form_is_sent(here: World) -> None:
    request_id = await here.engaged()
    me = Reader(here, "A01")
    form = (await me.opens(f"/advisor/engagements/{request_id}/sessions/new")).form("/sessions/new")
    day = {"starts_at_day": "3", "starts_at_month": "12", "starts_at_year": "2026", "starts_at_time": "14:30"}
    missing = await me.sends(form, starts_at_day="31", starts_at_month="2", minutes="")
    assert missing.status == 422
    assert missing.form("/sessions/new").fields["starts_at_day"] == "31"
    for _ in range(2):
        done = await me.sends(form, mode="online", minutes="60", **day)
        assert "Der Termin ist vereinbart" in done.words
    [session] = (await here.of(request_id)).sessions
    assert session.starts_at.isoformat() == "2026-12-03T13:30:00+00:00"
    other = await me.sends(form, mode="online", minutes="90", **day)
    assert (other.status, "schon einmal abgeschickt" in other.words) == (422, True)
    assert other.form("/sessions/new").fields["minutes"] == "90"


async def test_a_session_that_was_moved_in_another_tab_is_not_moved_back_unseen(here: World) -> None:
    request_id = await here.engaged()
    session_id = await here.arranged(request_id, days=3)
    me, other = Reader(here, "A01"), Reader(here, "A02")
    old = (await me.opens(f"/advisor/sessions/{session_id}/move")).form("/move")
    fresh = (await other.opens(f"/advisor/sessions/{session_id}/move")).form("/move")
    assert "ist verschoben" in (await other.sends(fresh, starts_at_time="16:00")).words
    late = await me.sends(old, starts_at_time="09:15")
    assert (late.status, "inzwischen verschoben" in late.words) == (409, True)
    assert late.form("/move").fields["starts_at_time"] == "09:15"
    assert "ist verschoben" in (await me.sends(late.form("/move"))).words
    gone = (await me.opens(f"/advisor/sessions/{session_id}/cancel")).form("/cancel")
    for _ in range(2):
        assert "Der Termin ist abgesagt" in (await me.sends(gone)).words


async def test_a_session_is_recorded_with_its_options_as_typed(here: World) -> None:
    request_id = await here.engaged()
    me, session_id = await recording(here, request_id)
    form = (await me.opens(f"/advisor/sessions/{session_id}/record")).form("/record")
    assert form.fields["minutes"] == form.fields["minutes_A01"] == "90"
    more = await me.sends(form, more="1", participants="12", option_text_0=SLY)
    grown = more.form("/record")
    assert (grown.fields["participants"], grown.fields["option_text_0"]) == ("12", SLY)
    assert "option_text_3" in grown.fields
    wrong = await me.sends(grown, travel_km_A02="viel", mode="on_site", minutes_A01="400")
    assert wrong.status == 422
    assert wrong.form("/record").fields["travel_km_A02"] == "viel"
    filled = wrong.form("/record")
    done = await me.sends(filled, travel_km_A02="84", minutes_A01="90", option_text_3="Zweite", mode="on_site")
    assert "Die Sitzung ist erfasst" in done.words
    assert SLY in done.words
    record = (await here.of(request_id)).sessions[0].record
    assert record is not None
    assert [option.text for option in record.options] == [SLY, "Zweite"]
    assert (record.participants, record.members[1].travel_km) == (12, 84)


async def test_what_is_sent_again_after_going_back_is_recorded_once(here: World) -> None:
    request_id = await here.engaged()
    me, session_id = await recording(here, request_id)
    form = (await me.opens(f"/advisor/sessions/{session_id}/record")).form("/record")
    for _ in range(2):
        assert "ist erfasst" in (await me.sends(form, participants="4", option_text_0="Einladen")).words
    other = await me.sends(form, participants="5", option_text_0="Einladen")
    assert (other.status, "bereits erfasst" in other.words) == (409, True)


async def test_the_lead_closes_and_sees_it_under_what_is_over(here: World) -> None:
    request_id = await here.engaged()
    me, session_id = await recording(here, request_id)
    page = await me.opens(f"/advisor/engagements/{request_id}")
    early = await me.sends(page.form("/close"), outcome="completed")
    assert (early.status, "noch keine Sitzung" in early.words) == (409, True)
    nothing = await me.sends(page.form("/close"))
    assert (nothing.status, nothing.form("/close").fields.get("outcome")) == (422, None)
    form = (await me.opens(f"/advisor/sessions/{session_id}/record")).form("/record")
    await me.sends(form, participants="4")
    done = await me.sends(page.form("/close"), outcome="completed")
    assert "Die Beratung ist abgeschlossen" in done.words
    assert "Abgeschlossen" in (await me.opens("/advisor/past")).words
    assert "Beratung abschließen" not in (await Reader(here, "A02").opens(f"/advisor/engagements/{request_id}")).words


async def test_absences_are_entered_and_taken_back(here: World) -> None:
    me = Reader(here, "A01")
    add = (await me.opens("/advisor/me")).forms[-1]
    days = {"start_day": "1", "start_month": "2", "start_year": "2027", "end_month": "2", "end_year": "2027"}
    wrong = await me.sends(add, **days, end_day="30")
    assert (wrong.status, wrong.forms[-1].fields["end_day"]) == (422, "30")
    backwards = await me.sends(add, **days | {"end_year": "2026"}, end_day="1")
    assert (backwards.status, "Das Ende liegt vor dem Anfang." in backwards.words) == (422, True)
    over = await me.sends(add, **days | {"start_year": "2025", "end_year": "2025"}, end_day="3")
    assert (over.status, "schon vorbei" in over.words) == (422, True)
    for _ in range(2):
        done = await me.sends(add, **days, end_day="14")
    assert "1. Februar 2027 – 14. Februar 2027" in done.words
    known = await here.store.advisor("A01")
    assert known is not None
    assert len(known.absences) == 1
    [back] = [form for form in done.forms if form.buttons]
    gone = await me.sends(back, remove=back.buttons[0][1])
    assert "keine Abwesenheit" in gone.words


async def test_the_load_stands_beside_the_pools_average(here: World) -> None:
    request_id = await here.engaged()
    me, session_id = await recording(here, request_id)
    form = (await me.opens(f"/advisor/sessions/{session_id}/record")).form("/record")
    await me.sends(form, participants="4", minutes_A02="30")
    page = await me.opens("/advisor/me")
    assert "Sie: 1 Std. 30 Min." in page.words
    assert "Durchschnitt von 3 Beratenden: 40 Min." in page.words
    assert "1 von 2 Plätzen" in page.words


async def test_my_data_are_all_that_is_about_me_and_nothing_about_others(here: World) -> None:
    request_id = await here.engaged()
    me, session_id = await recording(here, request_id)
    form = (await me.opens(f"/advisor/sessions/{session_id}/record")).form("/record")
    await me.sends(form, participants="4", minutes_A01="77", minutes_A02="66")
    answer = await here.client.get("/advisor/me/data.json", headers=here.bearer("advisor", "A01"))
    assert answer.headers["content-disposition"] == 'attachment; filename="miglobe-A01.json"'
    told = json.loads(answer.text)
    assert told["advisor"]["email"] == "a01@example.org"
    [request] = told["requests"]
    assert (request["seats"][0]["advisor_id"], request["sessions"][0]["record"]["members"][0]["minutes"]) == ("A01", 77)
    assert not {"66", "a02@example.org", "kontakt@example.org"} & set(answer.text.replace(",", " ").split())


async def test_with_the_database_away_what_was_typed_stays_in_the_page(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = await here.engaged()
    me, session_id = await recording(here, request_id)
    form = (await me.opens(f"/advisor/sessions/{session_id}/record")).form("/record")

    async def away(*_: object, **__: object) -> None:
        raise ServerSelectionTimeoutError("no primary")

    with monkeypatch.context() as broken:
        broken.setattr(here.store, "of_session", away)
        kept = await me.sends(form, participants="7", option_text_0=f"Vereine\neinladen {SLY}")
        looked = await me.opens(f"/advisor/sessions/{session_id}/record")
    assert kept.status == looked.status == 503
    assert "Noch nicht gespeichert" in kept.words
    again = kept.form("/record")
    assert again.fields["option_text_0"] == f"Vereine\neinladen {SLY}"
    assert "Die Sitzung ist erfasst" in (await me.sends(again)).words
    record = (await here.of(request_id)).sessions[0].record
    assert record is not None
    assert (record.participants, record.options[0].text) == (7, f"Vereine\neinladen {SLY}")


async def test_names_and_needs_are_shown_as_they_were_typed(here: World) -> None:
    await here.store.save_advisors([advisor("A09", name=SLY, levels={})], (), None, (await here.store.signals()).fence)
    assert f"Guten Tag, {SLY}" in (await Reader(here, "A09").opens("/advisor")).words
    assert SLY in (await Reader(here).opens("/coordination/advisors?q=größe")).words


async def test_a_session_of_nobody_or_with_a_strange_number_is_a_page(here: World) -> None:
    me = Reader(here, "A01")
    for path, status in (
        (f"/advisor/sessions/{new_id()}/record", 404),
        ("/advisor/sessions/x/record", 400),
        (f"/advisor/engagements/{new_id()}", 404),
    ):
        page = await me.opens(path)
        assert (page.status, "Koordination" in page.words) == (status, True)
