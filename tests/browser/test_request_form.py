"""The municipality's form as people use it: by script and without, on a phone, whatever they type; and once only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pypdf import PdfReader

from deploy.local.stack import Stack
from shared.ids import new_id
from tests.browser import drafts
from tests.browser.drafts import LONG, STRANGE, fill_contact, fill_how, fill_what, further
from tests.browser.test_login import log_in
from tests.browser.window import Window, axe, opened
from tests.browser.world import World
from tests.waiting import until

pytestmark = pytest.mark.timeout(180)


@asynccontextmanager
async def database(world: World, service: str) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    async with AsyncMongoClient[dict[str, Any]](world.stack.mongo, tz_aware=True) as client:
        yield client[f"browser-miglobe-{service}"]


async def begin(page: Page) -> str:
    """A new form; the draft's id."""
    await page.goto("/")
    await page.get_by_role("link", name="Anfrage beginnen").click()
    return urlsplit(page.url).path.split("/")[2]


async def who(page: Page, script: bool) -> None:
    """The rural district of Göppingen, of which there is a town too."""
    await page.get_by_label("Name der Gemeinde").fill("göpp")
    if script:
        await expect(page.get_by_role("option")).to_have_count(2)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.locator(".chosen")).to_have_text("Landkreis Göppingen, 08117")
    else:
        await further(page)
        await expect(page.locator("#errors")).to_be_focused()
        await page.get_by_label("Landkreis Göppingen").check()
    await further(page)


@pytest.mark.parametrize("window", [Window("dark", 320), Window("light", 320, script=False)], ids=str)
async def test_a_municipality_asks_with_whatever_it_types(world: World, chromium: Browser, window: Window) -> None:
    async with opened(chromium, world.site("intake"), window) as (page, _):

        async def wrong(*parts: str) -> None:
            """The empty step says what is missing."""
            await further(page)
            await expect(page.locator("#errors")).to_be_focused()
            for part in parts:
                assert await page.locator(f"#errors a[href='#{part}']").count() == 1
            if window.script:
                assert await axe(page) == []

        await begin(page)
        await wrong("municipality")
        await who(page, window.script)
        await wrong("fields", "need")
        await fill_what(page, LONG)
        await further(page)
        await wrong("mode", "languages", "tandem")
        await fill_how(page)
        await further(page)
        await wrong("name", "email", "consent")
        await fill_contact(page, STRANGE, f"Amt {STRANGE}")
        await further(page)

        said = await page.locator("main").inner_text()
        for shown in ("Landkreis Göppingen, 08117", "Etwas anderes", "online", "Deutsch, Somali", "1. Februar 2027"):
            assert shown in said
        typed = [" ".join(text.split()) for text in await page.locator(".typed").all_inner_texts()]
        assert [" ".join(text.split()) for text in (LONG, STRANGE, f"Amt {STRANGE}")] == typed[:3]
        assert "Angaben prüfen" in await page.title()

        await further(page, "Anfrage absenden")
        number = await page.get_by_text("Nummer MG-").inner_text()
        assert "Wir suchen passende Beratende und fragen sie bis" in await page.locator("main").inner_text()
        copy = await page.get_by_role("link", name="Kopie als PDF").get_attribute("href")
        pdf = await page.request.get(copy or "")
        assert pdf.headers["content-type"] == "application/pdf"
        read = PdfReader(BytesIO(await pdf.body()))
        text = "".join(each.extract_text() for each in read.pages)
        assert number.removeprefix("Nummer ") in text
        assert "<script>document.title='ran'</script>" in text
        assert "/StructTreeRoot" in read.root_object, "tagged for screen readers"
        assert "Ihrer Anfrage" in str(read.metadata and read.metadata.title)
        await page.get_by_role("link", name="Stand der Anfrage").click()
        await expect(page.get_by_text("Ihre Anfrage ist eingegangen.")).to_be_visible()


async def test_a_form_is_left_and_taken_up_by_the_link_in_the_mail(world: World, chromium: Browser) -> None:
    email = f"{new_id()}@rathaus.example"
    async with opened(chromium, world.site("intake"), Window(width=390)) as (page, _):
        draft_id = await begin(page)
        await page.get_by_label("Name der Gemeinde").fill("Salach")
        await further(page)
        await page.get_by_label("Wie ist die Situation").fill("Zu kurz")
        await further(page, "Speichern und später weitermachen")
        await expect(page.get_by_text("Gespeichert")).to_be_visible()
        await page.get_by_label("E-Mail").fill("erika@")
        await further(page, "Link schicken")
        await expect(page.locator("#errors")).to_be_focused()
        await page.get_by_label("E-Mail").fill(email)
        await further(page, "Link schicken")
        await expect(page.get_by_text("Die E-Mail mit dem Link ist unterwegs")).to_be_visible()

    async with httpx.AsyncClient(base_url=world.stack.urls["mail"], trust_env=False) as inbox:

        async def arrived() -> str | None:
            listed = (await inbox.get("/api/mails")).json()
            return next((mail["file"] for mail in listed if email in str(mail["recipients"])), None)

        file = await until(arrived, what="the mail with the link")
        mail = message_from_bytes((await inbox.get(f"/api/mails/{file}")).content, policy=default)
    body = mail.get_body(("plain",))
    assert body is not None
    link = next(line for line in body.get_content().splitlines() if f"/request/{draft_id}" in line)
    assert "Zu kurz" not in body.get_content()
    assert "Salach" not in body.get_content()

    async with opened(chromium, world.site("intake"), Window("dark", 390, script=False)) as (page, _):
        parts = urlsplit(link)
        await page.goto(f"{parts.path}?{parts.query}")
        assert urlsplit(page.url).path.endswith("/what"), "where something is missing"
        assert await page.get_by_label("Wie ist die Situation").input_value() == "Zu kurz"
        await fill_what(page, "Jetzt ist es lang genug, um etwas zu sagen.")
        await further(page)
        await fill_how(page)
        await further(page)
        await fill_contact(page, "Erika Beispiel")
        await further(page)
        await further(page, "Anfrage absenden")
        await expect(page.get_by_text("Nummer MG-")).to_be_visible()
        await page.goto(f"{parts.path}?{parts.query}")
        await expect(page.get_by_role("heading", name="schon abgeschickt")).to_be_visible()

    async with database(world, "notifications") as notifications:

        async def forgotten() -> bool:
            contact = await notifications["contacts"].find_one({"_id": f"draft:{draft_id}"})
            return bool(contact and contact["erased"] and not contact["email"])

        await until(forgotten, what="the draft's address to be erased")


async def test_two_clicks_two_tabs_and_the_way_back_ask_once(world: World, chromium: Browser) -> None:
    draft_id = await drafts.typed(world, drafts.FILLED)
    check = drafts.path(world, draft_id, "/check")
    async with opened(chromium, world.site("intake"), Window()) as (page, _):
        await page.goto(check)
        await page.get_by_role("button", name="Anfrage absenden").dblclick()
        await page.wait_for_url("**/sent?*")
        number = await page.get_by_text("Nummer MG-").inner_text()
        await page.go_back()
        await page.reload()
        await expect(page.get_by_role("heading", name="schon abgeschickt")).to_be_visible()
        await expect(page.get_by_text(number.removeprefix("Nummer "))).to_be_visible()
        await page.get_by_role("link", name="Zur Anfrage").click()
        assert await page.get_by_text("Nummer MG-").inner_text() == number
    async with database(world, "intake") as intake:
        assert await intake["requests"].count_documents({"_id": draft_id}) == 1
        rows = await intake["outbox"].find({"key": draft_id}).to_list(None)
        assert sorted(row["topic"] for row in rows) == ["request.created", "request.dossier"]


async def test_what_another_window_has_changed_is_neither_sent_nor_lost_unseen(world: World, chromium: Browser) -> None:
    draft_id = await drafts.typed(world, drafts.FILLED)
    async with opened(chromium, world.site("intake"), Window(width=390)) as (page, _):
        await page.goto(drafts.path(world, draft_id, "/check"))
        other, what = await page.context.new_page(), drafts.path(world, draft_id, "/what")
        third = await page.context.new_page()
        await other.goto(what)
        await third.goto(what)
        await other.get_by_label("Wie ist die Situation").fill("Im zweiten Fenster steht etwas anderes.")
        await further(other)
        await further(page, "Anfrage absenden")
        await expect(page.get_by_text("in einem anderen Fenster geändert")).to_be_visible()
        await expect(page.get_by_text("Im zweiten Fenster steht etwas anderes.")).to_be_visible()
        await third.get_by_label("Wie ist die Situation").fill("Im dritten Fenster steht ein Drittes.")
        await further(third)
        await expect(third.get_by_text("in einem anderen Fenster geändert")).to_be_visible()
        assert (
            await third.get_by_label("Wie ist die Situation").input_value() == "Im dritten Fenster steht ein Drittes."
        )
        assert await axe(third) == []
        await third.get_by_role("link", name="Den anderen Stand ansehen").click()
        need = third.get_by_label("Wie ist die Situation")
        assert await need.input_value() == "Im zweiten Fenster steht etwas anderes."


async def test_an_expired_form_keeps_what_was_typed_last(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("intake"), Window(width=390, script=False)) as (page, _):
        draft_id = await drafts.typed(world, {"who": drafts.FILLED["who"]})
        await page.goto(drafts.path(world, draft_id, "/what"))
        await fill_what(page, STRANGE)
        async with database(world, "intake") as intake:
            await intake["drafts"].update_one({"_id": draft_id}, {"$set": {"until": datetime.now(UTC)}})
        await further(page)
        await expect(page.get_by_text("Der frühere Entwurf war abgelaufen")).to_be_visible()
        assert draft_id not in page.url
        assert await page.get_by_label("Wie ist die Situation").input_value() == STRANGE


async def test_with_the_database_away_the_page_says_so_and_keeps_what_was_typed(
    world: World, chromium: Browser, stack: Stack
) -> None:
    draft_id = await drafts.typed(world, {"who": drafts.FILLED["who"]})
    async with opened(chromium, world.site("intake"), Window("dark", 390)) as (page, _):
        await page.goto(drafts.path(world, draft_id, "/what"))
        await fill_what(page, LONG)
        await asyncio.to_thread(stack.pause, "mongo")
        try:
            async with page.expect_response(lambda answer: answer.request.method == "POST", timeout=60_000) as answered:
                await further(page)
            assert (await answered.value).status == 503
            await expect(page.get_by_text("Was Sie eingegeben haben, steht noch hier.")).to_be_visible()
            assert await page.get_by_label("Wie ist die Situation").input_value() == LONG
            assert await page.get_by_label("Etwas anderes").is_checked()
            assert await axe(page) == []
        finally:
            await asyncio.to_thread(stack.resume, "mongo")

        async def taken() -> bool:
            if urlsplit(page.url).path.endswith("/what"):
                await further(page)
            return urlsplit(page.url).path.endswith("/how")

        await until(taken, what="the step to be taken once the database is back")


@pytest.mark.parametrize(("account", "channel"), [("koordination", "staff"), ("A05", "advisor")])
async def test_office_and_advisors_ask_for_a_municipality(
    world: World, chromium: Browser, account: str, channel: str
) -> None:
    async with opened(chromium, world.site("intake"), Window(width=390), login=world.stack.issuer) as (page, _):
        await log_in(page, account, "/request/office")
        assert await axe(page) == []
        await further(page, "Anfrage beginnen")
        draft_id = urlsplit(page.url).path.split("/")[2]
        await page.get_by_label("Name der Gemeinde").fill("08117042")
        await further(page)
        await expect(page.get_by_text("Sie stellen diese Anfrage für eine Kommune.")).to_be_visible()
        await fill_what(page, "Die Kommune hat am Telefon um Rat gebeten.")
        await further(page)
        await fill_how(page)
        await further(page)
        await expect(page.get_by_text("Die Ansprechperson kennt")).to_be_visible()
        await fill_contact(page, "Erika Beispiel")
        await further(page)
        await further(page, "Anfrage absenden")
        await expect(page.get_by_text("Nummer MG-")).to_be_visible()
    async with database(world, "intake") as intake:
        request = await intake["requests"].find_one({"_id": draft_id})
        assert request is not None
        assert request["channel"] == channel
