"""The operator's commands, as processes would run them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from deploy.local.stack import Stack
from services.intake import cli, domain
from services.intake.settings import Settings
from services.intake.store import Store
from shared import carried, outbox
from shared.commit import Committer, committing
from shared.mongo import Mongo
from tests.intake import samples
from tests.intake.conftest import SECRET, intake_settings

app = typer.Typer()
app.add_typer(cli.municipalities, name="municipalities")
app.add_typer(cli.requests, name="requests")

HEAD = "ags,name,kind,district_ags,district_name,latitude,longitude,population\n"
"""Columns of the register's file."""


@pytest.fixture
def settings(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = intake_settings(stack)
    for name, value in (("MONGO", made.mongo), ("SECRET", SECRET), ("PREFIX", made.prefix)):
        monkeypatch.setenv(f"MIGLOBE_{name}", value)
    return made


async def command(*words: str) -> Result:
    """In a thread, since a command runs a loop of its own."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words))


@pytest.fixture
async def mongo(settings: Settings) -> AsyncIterator[Mongo]:
    made = Mongo(settings.mongo, settings.database("intake"))
    yield made
    await made.client.drop_database(made.db.name)
    await made.close()


async def test_the_register_is_imported_and_left_alone_the_second_time(mongo: Mongo) -> None:
    first = await command("municipalities", "import")
    second = await command("municipalities", "import")
    assert first.output == "1138 municipalities and districts, imported.\n"
    assert second.output == "1138 municipalities and districts, unchanged.\n"
    assert await mongo["municipalities"].count_documents({}) == 1138


async def test_another_file_replaces_the_register(mongo: Mongo, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text(HEAD + "01001000,Musterstadt,urban_district,01001,Musterstadt,,,90000\n", encoding="utf-8")
    await command("municipalities", "import")
    assert (await command("municipalities", "import", str(file))).output.startswith("1 municipalities")
    assert await mongo["municipalities"].distinct("_id") == ["01001000"]


@pytest.mark.parametrize("text", ["", "ags,name\n", HEAD + "8117042,Salach,municipality,8117,Göppingen,,,\n"])
async def test_a_wrong_file_changes_nothing(mongo: Mongo, tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(text, encoding="utf-8")
    result = await command("municipalities", "import", str(file))
    assert result.exit_code == 1
    assert "Nothing was imported" in result.output
    assert await mongo["municipalities"].count_documents({}) == 0


async def test_an_erasure_leaves_nothing_personal_and_says_what_it_did(mongo: Mongo) -> None:
    made = samples.request()
    _, events = domain.submit(samples.wish(), samples.ENTRY, samples.RULES, samples.NOW, made.id, made.case_number)
    async with committing(Committer(mongo, "intake")) as commits:
        await Store(mongo, commits).save(made, events)
    first = await command("requests", "erase", made.id)
    assert first.exit_code == 0, first.output
    assert "is erased now" in first.output
    assert "1 dossiers taken out of the outbox" in first.output
    second = await command("requests", "erase", made.case_number)
    assert "already" in second.output
    for name in await mongo.db.list_collection_names():
        for document in await mongo[name].find().to_list(None):
            assert "Erika" not in str(document)
            assert "Vereine" not in str(document)
    request = await mongo["requests"].find_one({"_id": made.id})
    assert request is not None
    assert [(row["topic"], row["body"] is None) for row in carried.rows(request)] == [("request.created", False)]
    rows = await mongo[outbox.COLLECTION].find().sort("order", 1).to_list(None)
    assert [(row["topic"], row["body"] is None) for row in rows] == [
        ("request.dossier", True)
    ] * 4  # each erasure tells twice


async def test_an_unknown_request_is_one_sentence(mongo: Mongo) -> None:
    result = await command("requests", "erase", "MG-0000-0000")
    assert result.exit_code == 1
    assert "There is no request" in result.output
