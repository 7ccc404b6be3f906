"""The page behind the link of an advisor's mail."""

import re

import httpx

from services.matching.handlers import events
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.samples import dossier, withdrawn
from tests.matching.world import World


async def page(here: World, assignment_id: str, number: str, language: str = "de") -> httpx.Response:
    return await here.client.get(
        f"/assignments/{assignment_id}/answer",
        params=here.link(assignment_id, number),
        headers={"accept-language": language},
    )


async def press(here: World, assignment_id: str, number: str, **form: str) -> httpx.Response:
    return await here.client.post(
        f"/assignments/{assignment_id}/answer",
        params=here.link(assignment_id, number),
        data=form,
        follow_redirects=True,
    )


async def asked(here: World) -> str:
    request_id = await here.ask()
    await here.store.keep_dossier(dossier(request_id), mark("matching", new_id()))
    return (await here.current(request_id)).assignment_id


async def test_it_shows_what_is_asked_and_why_in_the_readers_language(here: World) -> None:
    assignment_id = await asked(here)
    german, english = await page(here, assignment_id, "A01"), await page(here, assignment_id, "A01", "en")
    for words in (
        '<html lang="de">',
        "Beratungsanfrage aus Salach",
        "BW-7F3K-2",
        "Unser Fest der Nationen erreicht die Vereine nicht.",
        "Faire Woche",
        "Deutsch",
        "vor Ort oder online",
        "24. November 2026",
        "Bitte antworten Sie bis 1. Dezember 2026",
        'Sie arbeiten in der Nähe</td><td class="number">160',
        "Leitung",
        "im Tandem mit <bdi>Beispiel A02</bdi>",
        "Ich sage zu",
        "Ich sage ab",
        "Dies ist eine Demonstration",
    ):
        assert words in german.text, words
    assert "I accept" in english.text
    assert "Please answer by 1 December 2026" in english.text
    assert "kontakt@example.org" not in german.text


async def test_it_needs_no_script_and_loads_nothing_from_elsewhere(here: World) -> None:
    answer = await page(here, await asked(here), "A01")
    assert "<script" not in answer.text
    assert not re.findall(r'<(?:link|img|script)[^>]*(?:src|href)="(?:https?:)?//', answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_looking_changes_nothing(here: World) -> None:
    """Mail scanners follow links."""
    assignment_id = await asked(here)
    before = await here.store.of_assignment(assignment_id)
    for _ in range(3):
        await page(here, assignment_id, "A01")
    assert await here.store.of_assignment(assignment_id) == before


async def test_accepting_shows_the_result_and_may_be_repeated(here: World) -> None:
    assignment_id = await asked(here)
    for _ in range(2):
        answer = await press(here, assignment_id, "A01", answer="accepted")
        assert (answer.status_code, answer.request.method) == (200, "GET")
        assert "Sobald auch die andere Person zugesagt hat" in answer.text
    both = await press(here, assignment_id, "A02", answer="accepted")
    assert "Bitte vereinbaren Sie das Erstgespräch" in both.text
    changed = await press(here, assignment_id, "A01", answer="declined", reason="no_time")
    assert (changed.status_code, "lässt sich nicht mehr ändern" in changed.text) == (409, True)


async def test_declining_needs_a_reason(here: World) -> None:
    assignment_id = await asked(here)
    missing = await press(here, assignment_id, "A01", answer="declined")
    assert (missing.status_code, "Bitte wählen Sie einen Grund" in missing.text) == (400, True)
    done = await press(here, assignment_id, "A01", answer="declined", reason="too_far")
    assert "Sie haben abgesagt (Zu weit entfernt)." in done.text
    assert "Ich sage zu" not in done.text


async def test_an_outdated_round_leads_to_the_current_one(here: World) -> None:
    request_id = await here.ask()
    old = (await here.current(request_id)).assignment_id
    await here.says(request_id, "A02", "declined", "no_time")
    answer = await page(here, old, "A01")
    assert "Diese Anfrage ist überholt" in answer.text
    [address] = re.findall(rf'href="(/assignments/(?!{old})[^"]+)"', answer.text)
    newer = await here.client.get(address.replace("&amp;", "&"))
    assert "Ich sage zu" in newer.text
    late = await press(here, old, "A01", answer="accepted")
    assert (late.status_code, "überholt" in late.text) == (409, True)


async def test_a_withdrawn_request_says_so(here: World) -> None:
    request_id = await here.ask()
    assignment_id = (await here.current(request_id)).assignment_id
    await events.withdraw(here.store, withdrawn(request_id), mark("matching", new_id()), here.now)
    answer = await page(here, assignment_id, "A01")
    assert "zurückgezogen" in answer.text
    assert "Ich sage zu" not in answer.text


async def test_who_let_the_time_pass_reads_so(here: World) -> None:
    request_id = await here.ask()
    assignment_id = (await here.current(request_id)).assignment_id
    here.now = here.now.replace(month=12, day=15)
    await here.matcher.turn()
    assert "Die Zeit zum Antworten ist abgelaufen" in (await page(here, assignment_id, "A01")).text


async def test_forged_and_broken_links_get_a_page_that_can_be_read(here: World) -> None:
    assignment_id = await asked(here)
    path = f"/assignments/{assignment_id}/answer"
    for params, status in (
        ({"advisor": "A02", "token": here.link(assignment_id, "A01")["token"]}, 403),
        ({"advisor": "A01", "token": "é" * 43}, 403),
        ({"advisor": "A01"}, 401),
        ({}, 400),
        ({"advisor": "<b>", "token": "x"}, 400),
        (here.link(assignment_id, "A09"), 404),
    ):
        answer = await here.client.get(path, params=params)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "<h1>" in answer.text
    assert (await here.client.get("/assignments/x/answer", params=here.link("x", "A01"))).status_code == 400
    nothing = await press(here, assignment_id, "A01", answer="vielleicht")
    assert nothing.status_code == 400


async def test_what_the_municipality_wrote_is_shown_as_text(here: World) -> None:
    request_id = await here.ask()
    sly = dossier(request_id).model_copy(update={"need": "<script>alert(1)</script> Hilfe bei unserem Fest"})
    await here.store.keep_dossier(sly, mark("matching", new_id()))
    answer = await page(here, (await here.current(request_id)).assignment_id, "A01")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
