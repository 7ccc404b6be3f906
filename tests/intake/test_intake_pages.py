"""The municipality's pages: readable, without JavaScript, GET shows and POST acts."""

from datetime import UTC, datetime

import pytest
from pymongo.errors import AutoReconnect

from services.intake.store import Store
from shared.auth import Person
from shared.commit import Committer
from shared.ids import new_id
from shared.login import Login
from tests.intake import samples
from tests.intake.conftest import Intake

ROOT = "/requests"


async def page(intake: Intake, path: str, **headers: str) -> str:
    answer = await intake.http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


async def test_the_status_page_says_where_it_stands(intake: Intake) -> None:
    taken = await intake.post()
    path = intake.path(taken["request_id"], root=ROOT)
    german = await page(intake, path)
    for expected in (taken["case_number"], "Salach", "Wie es weitergeht", "zurückziehen", "Demonstration", 'lang="de"'):
        assert expected in german
    assert "<script" not in german
    assert "style=" not in german
    english = await page(intake, path, **{"Accept-Language": "en"})
    assert "What comes next" in english
    assert "Erika" not in german


async def test_a_page_keeps_its_link_to_itself(intake: Intake) -> None:
    answer = await intake.http.get(intake.path((await intake.post())["request_id"], root=ROOT))
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_withdrawing_asks_first_and_acts_on_post(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    question = intake.path(request_id, "/withdraw", ROOT)
    assert "Ja, zurückziehen" in await page(intake, question)
    assert "Eingegangen" in await page(intake, intake.path(request_id, root=ROOT))
    done = await intake.http.post(question, data={"reason": "too_slow"})
    assert done.status_code == 303
    shown = await page(intake, done.headers["location"])
    assert "Sie haben die Anfrage zurückgezogen." in shown
    assert "nicht mehr möglich" in await page(intake, question)


async def test_feedback_is_asked_when_closed_and_thanked(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    form = intake.path(request_id, "/feedback", ROOT)
    assert "nichts zu beantworten" in await page(intake, form)
    early = await intake.http.post(form, data={"satisfaction": "4", "would_recommend": "true", "options_taken_up": "2"})
    assert early.status_code == 409
    assert "<h1>" in early.text
    await intake.hear(samples.closed(request_id, datetime.now(UTC)))
    assert "Rückmeldung geben" in await page(intake, intake.path(request_id, root=ROOT))
    assert "Wie zufrieden sind Sie?" in await page(intake, form)
    done = await intake.http.post(
        form, data={"satisfaction": "4", "would_recommend": "true", "options_taken_up": "2", "comment": ""}
    )
    assert done.status_code == 303
    assert "Vielen Dank" in await page(intake, done.headers["location"])


async def test_feedback_sent_twice_counts_once_and_other_words_are_too_late(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    await intake.hear(samples.closed(request_id, datetime.now(UTC)))
    form, given = intake.path(request_id, "/feedback", ROOT), {"satisfaction": "4", "would_recommend": "true"}
    for _ in range(2):
        assert (await intake.http.post(form, data=given | {"options_taken_up": "2"})).status_code == 303
    late = await intake.http.post(form, data=given | {"options_taken_up": "3"})
    assert late.status_code == 409
    assert "Sie haben Ihre Rückmeldung schon gegeben." in late.text
    assert [row["topic"] for row in await intake.rows(request_id)].count("feedback.given") == 1


async def test_feedback_that_can_not_be_stored_stands_there_still(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = (await intake.post())["request_id"]
    await intake.hear(samples.closed(request_id, datetime.now(UTC)))

    async def away(*_: object) -> None:
        raise AutoReconnect("connection closed")

    monkeypatch.setattr(Committer, "commit", away)
    given = {"satisfaction": "4", "would_recommend": "true", "options_taken_up": "2", "comment": "<b>Danke</b> 🎉"}
    answer = await intake.http.post(intake.path(request_id, "/feedback", ROOT), data=given)
    assert answer.status_code == 503
    for kept in ("Die Datenbank antwortet gerade nicht.", "&lt;b&gt;Danke&lt;/b&gt; 🎉", 'value="4" checked'):
        assert kept in answer.text, kept
    monkeypatch.setattr(Store, "request", away)
    wrong = await intake.http.post(
        intake.path(request_id, "/feedback", ROOT), data=given | {"options_taken_up": "viele"}
    )
    assert wrong.status_code == 422
    for kept in ("Bitte eine ganze Zahl.", "&lt;b&gt;Danke&lt;/b&gt; 🎉", 'value="4" checked', 'value="viele"'):
        assert kept in wrong.text, kept


async def test_whoever_is_signed_in_is_named_on_the_pages_of_a_draft(intake: Intake) -> None:
    login: Login = intake.app.state.login
    session = await login.sessions.begin(Person("kim", "Kim Beispiel", ("coordinator",)), "")
    office = {"cookie": f"{login.cookies.name('session')}={session}"}
    draft = (await intake.http.get("/request")).headers["location"]
    for path in (draft, draft.replace("/who?", "/check?"), "/", "/privacy", "/barrier"):
        assert "Angemeldet: Kim Beispiel" in (await intake.http.get(path, headers=office)).text, path
        public = (await intake.http.get(path)).text
        assert "Angemeldet" not in public, path
        assert public.count("<h1>") == 1


async def test_a_wrong_entry_keeps_the_others(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    await intake.hear(samples.closed(request_id, datetime.now(UTC)))
    answer = await intake.http.post(
        intake.path(request_id, "/feedback", ROOT),
        data={"satisfaction": "4", "options_taken_up": "viele", "comment": "<b>Danke</b>"},
    )
    assert answer.status_code == 422
    assert 'value="4" checked required' in answer.text
    assert "&lt;b&gt;Danke&lt;/b&gt;" in answer.text
    assert "Bitte eine ganze Zahl." in answer.text
    assert "Würden Sie die Beratung weiterempfehlen? Diese Angabe fehlt.</a>" in answer.text
    assert "Diese Angabe fehlt.</span>" in answer.text


@pytest.mark.parametrize("tail", ["", "/withdraw", "/feedback"])
async def test_errors_are_readable_pages(intake: Intake, tail: str) -> None:
    request_id = new_id()
    for path, status in (
        (f"{ROOT}/{request_id}{tail}", 401),
        (f"{ROOT}/{request_id}{tail}?token=wrong", 403),
        (intake.path(request_id, tail, ROOT), 404),
        (f"{ROOT}/nonsense{tail}?token=x", 400),
    ):
        answer = await intake.http.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<h1>" in answer.text


async def test_a_broken_form_is_a_readable_page_too(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    headers = {"content-type": "multipart/form-data"}
    for tail in ("/withdraw", "/feedback"):
        path = intake.path(request_id, tail, ROOT)
        answer = await intake.http.post(path, content=b"nonsense", headers=headers)
        assert answer.status_code in (400, 422)
        assert "<h1>" in answer.text
    answer = await intake.http.post(intake.path(request_id, "/withdraw", ROOT), data={"reason": "nonsense"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
