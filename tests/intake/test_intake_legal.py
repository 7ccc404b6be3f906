"""Legal pages, which are the operator's, and barriers, which reach the office."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from pymongo.errors import AutoReconnect

from deploy.local.stack import Stack
from services.intake.barriers import SHOWN, BarrierBody, Barriers
from services.intake.legal_pages import TITLES
from shared.auth import Person
from shared.commit import Committer
from shared.ids import new_id
from shared.login import Login
from tests.intake.conftest import Intake, running

PROBLEM = "Mit der Vorlesesoftware finde ich <b>den Knopf</b> nicht."


@pytest.mark.parametrize("name", TITLES)
async def test_each_is_there_in_both_languages_and_says_that_it_is_an_example(intake: Intake, name: str) -> None:
    for language, example in (("de", "Beispieltext"), ("en", "Example")):
        answer = await intake.http.get(f"/{name}", headers={"accept-language": language})
        assert answer.status_code == 200
        assert TITLES[name][language == "en"] in answer.text
        assert example in answer.text
        assert f'<div lang="{language}" class="legal">' in answer.text


async def test_every_page_leads_to_them(intake: Intake) -> None:
    answer = await intake.http.get("/barrier")
    for name in (*TITLES, "barrier"):
        assert f'href="/{name}' in answer.text


async def test_there_is_no_video_and_the_page_says_so(intake: Intake) -> None:
    assert "Es gibt noch keines." in (await intake.http.get("/sign-language")).text
    assert (await intake.http.get("/sign-language.mp4")).status_code == 404


async def test_the_operators_own_texts_stand_in_place_of_ours(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "imprint.de.html").write_text("<p>{{ operator.name }}, hier anders</p>")
    (tmp_path / "sign-language.mp4").write_bytes(b"video")
    async for own in running(stack, legal_dir=tmp_path, accessibility_form="federal", operator_name="Stelle & Co"):
        imprint = (await own.http.get("/imprint")).text
        assert "<p>Stelle &amp; Co, hier anders</p>" in imprint
        assert "Beispieltext" not in imprint
        english = (await own.http.get("/imprint?lang=en")).text
        assert '<div lang="de" class="legal">' in english
        assert "This text exists in German only." in english
        own.http.cookies.clear()
        assert "Beispieltext" in (await own.http.get("/privacy")).text
        assert "§ 16 BGG" in (await own.http.get("/accessibility")).text
        assert 'src="/sign-language.mp4"' in (await own.http.get("/sign-language")).text
        video = await own.http.get("/sign-language.mp4")
        assert (video.content, video.headers["content-type"]) == (b"video", "video/mp4")


async def _report(intake: Intake, **changes: str) -> httpx.Response:
    form = {"id": new_id(), "problem": PROBLEM, "page": "/privacy", "email": "", "name": ""} | changes
    return await intake.http.post("/barrier", data=form)


async def _office(intake: Intake) -> dict[str, str]:
    """The cookie of a coordinator's session."""
    login: Login = intake.app.state.login
    session = await login.sessions.begin(Person("kim", "Kim Beispiel", ("coordinator",)), "")
    return {"cookie": f"{login.cookies.name('session')}={session}"}


async def test_a_report_reaches_the_office_and_is_forgotten_when_settled(intake: Intake) -> None:
    sent = await _report(intake, email="lea@example.org", name="Lea Muster")
    assert (sent.status_code, sent.headers["location"]) == (303, "/barrier/thanks")
    assert "innerhalb von 10 Arbeitstagen" in (await intake.http.get("/barrier/thanks")).text
    office = await _office(intake)
    listed = (await intake.http.get("/barriers", headers=office)).text
    for shown in ("&lt;b&gt;den Knopf&lt;/b&gt;", "lea@example.org", "Lea Muster", "/privacy", "Kim Beispiel"):
        assert shown in listed, shown
    [action] = re.findall(r'action="(/barriers/[^"]+)"', listed)
    csrf = re.findall(r'action="/barriers/.*?name="csrf" value="([^"]+)"', listed, re.DOTALL)[0]
    for _ in range(2):
        done = await intake.http.post(action, data={"csrf": csrf}, headers=office)
        assert done.status_code == 303
    listed = (await intake.http.get("/barriers", headers=office)).text
    assert "Es ist nichts offen." in listed
    assert "den Knopf" in listed
    assert "lea@example.org" not in listed
    assert "Lea Muster" not in listed


async def test_sent_twice_is_reported_once(intake: Intake) -> None:
    twice = {"id": new_id(), "problem": "Zweimal gedrückt, einmal gemeint."}
    for _ in range(2):
        assert (await _report(intake, **twice)).status_code == 303
    listed = (await intake.http.get("/barriers", headers=await _office(intake))).text
    assert listed.count("Zweimal gedrückt") == 1
    [told] = await intake.rows(twice["id"])
    assert told["topic"] == "barrier.reported"
    assert b"Zweimal" not in told["body"], "what people write stays here"


async def test_a_long_list_goes_on_page_by_page_the_most_urgent_first(intake: Intake) -> None:
    barriers = Barriers(intake.mongo, intake.app.state.service.commits)
    now = datetime.now(UTC)
    dues = [now.date() + timedelta(days=n % 5) for n in range(2 * SHOWN + 1)]
    bodies = [BarrierBody(id=new_id(), problem=f"Barriere {n}, ausführlich.") for n in range(len(dues))]
    await asyncio.gather(*(barriers.report(body, now, due) for body, due in zip(bodies, dues, strict=True)))
    office, path, pages = await _office(intake), "/barriers", []
    while path:
        shown = (await intake.http.get(path, headers=office)).text
        pages.append(re.findall(r'id="b-([^"]+)"', shown))
        path = "".join(unescape(found) for found in re.findall(r'rel="next" href="([^"]+)"', shown))
    assert [len(page) for page in pages[:-1]] == [SHOWN] * (len(pages) - 1)
    urgent = [barrier_id for _, barrier_id in sorted(zip(dues, (body.id for body in bodies), strict=True))]
    assert [one for page in pages for one in page if one in urgent] == urgent
    for page in pages:
        for barrier_id in (page[0], page[-1]):
            linked = (await intake.http.get(f"/barriers?barrier={barrier_id}", headers=office)).text
            assert re.findall(r'id="b-([^"]+)"', linked) == page, "the link in the mail leads to its page"


async def test_a_wrong_entry_keeps_what_was_typed(intake: Intake) -> None:
    answer = await _report(intake, problem="zu kurz", email="keine Adresse", name="Lea Muster")
    assert answer.status_code == 422
    for kept in ("zu kurz", 'value="keine Adresse"', 'value="Lea Muster"', 'href="#problem"', 'href="#email"'):
        assert kept in answer.text, kept
    anew = await _report(intake, id="nonsense")
    assert anew.status_code == 422
    assert "nonsense" not in anew.text
    assert "den Knopf" in anew.text


async def test_only_coordinators_read_them(intake: Intake) -> None:
    answer = await intake.http.get("/barriers")
    assert answer.status_code == 303
    assert "/intake/login" in answer.headers["location"]


async def test_a_flood_is_held_back_and_keeps_what_was_typed(stack: Stack) -> None:
    async for own in running(stack, limit_barriers_hour=1):
        assert (await _report(own)).status_code == 303
        late = await _report(own, name="Lea Muster")
        assert late.status_code == 429
        assert "Bitte schreiben Sie uns eine E-Mail." in late.text
        assert "senden Sie es gleich noch einmal" not in late.text
        assert "den Knopf" in late.text
        assert 'value="Lea Muster"' in late.text


async def test_with_the_database_away_the_page_says_so_and_keeps_what_was_typed(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise AutoReconnect("connection closed")

    monkeypatch.setattr(Committer, "commit", away)
    answer = await _report(intake)
    assert answer.status_code == 503
    assert "Die Datenbank antwortet gerade nicht." in answer.text
    assert "Was Sie eingegeben haben, steht noch hier." in answer.text
    assert "den Knopf" in answer.text
