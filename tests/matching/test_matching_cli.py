"""`miglobe advisors`, `miglobe budget` and `miglobe match replay`, on the real database."""

import asyncio
import json
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.local.stack import Stack
from services.matching.cli import advisors, budget, with_store
from services.matching.match_cli import match
from services.matching.settings import Settings
from services.matching.store import Store
from shared.ids import new_id
from shared.mongo import Mongo
from shared.settings import load
from tests.matching.play import Play
from tests.matching.test_matching_advisors import SHIPPED
from tests.matching.world import SECRET


@pytest.fixture
def installation(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation of its own, by its prefix."""
    monkeypatch.setenv("MIGLOBE_MONGO", stack.mongo)
    monkeypatch.setenv("MIGLOBE_SECRET", SECRET)
    monkeypatch.setenv("MIGLOBE_PREFIX", f"t{secrets.token_hex(4)}-")
    settings = load(Settings)
    yield settings
    with_database(settings, drop=True)


def with_database(settings: Settings, *, drop: bool = False) -> list[str]:
    """The keys in the outbox; then perhaps no database any more."""

    async def work() -> list[str]:
        mongo = Mongo(settings.mongo, settings.database("matching"))
        keys = [row["key"] for row in await mongo["outbox"].find().to_list(None)]
        if drop:
            await mongo.client.drop_database(mongo.db.name)
        await mongo.close()
        return keys

    return asyncio.run(work())


def miglobe(*arguments: str) -> Result:
    return CliRunner().invoke(advisors, list(arguments))


def budgets(*arguments: str) -> Result:
    return CliRunner().invoke(budget, list(arguments))


def test_the_shipped_advisors_are_imported_once(installation: Settings) -> None:
    assert "16 would be new" in miglobe("import", "--dry-run").output
    assert miglobe("import").output == "16 new, 0 changed, 0 as they were.\n"
    assert miglobe("import").output == "0 new, 0 changed, 16 as they were.\n"
    assert len(with_database(installation)) == 16
    listed = miglobe("list").output
    assert "A01\tBeispiel Eins\t3\t2024-10-18..2031-10-17\t08117 08116\tde fr ar" in listed
    assert listed.endswith("16 advisors.\n")


def test_a_file_with_wrong_lines_imports_nothing_and_names_each(installation: Settings, tmp_path: Path) -> None:
    file = tmp_path / "advisors.csv"
    file.write_text(SHIPPED.replace("a02@", "a02").replace("08231 ", "99999 "), encoding="utf-8")
    result = miglobe("import", str(file))
    assert result.exit_code == 1
    assert "line 3 (A02): email" in result.output
    assert "line 15 (A14): regions: 99999 is not in the register." in result.output
    assert "Nothing was imported: 2 lines are wrong." in result.output
    assert miglobe("list").output == "0 advisors.\n"


def test_a_file_that_can_not_be_read_is_one_sentence(installation: Settings, tmp_path: Path) -> None:
    assert "can't be read: No such file" in miglobe("import", str(tmp_path / "none.csv")).output
    strange = tmp_path / "latin.csv"
    strange.write_bytes("Fünf".encode("latin-1"))
    assert "is not UTF-8" in miglobe("import", str(strange)).output


def test_erasing_leaves_the_number(installation: Settings) -> None:
    miglobe("import")
    for _ in range(2):
        assert miglobe("erase", "A05").output == "A05 is erased.\n"
    assert "A05\terased on" in miglobe("list").output
    assert "There is no advisor A99." in miglobe("erase", "A99").output
    result = miglobe("import").output
    assert "0 new, 0 changed, 15 as they were." in result
    assert "A05" in result


def test_a_budget_is_set_changed_and_listed_with_what_is_left(installation: Settings) -> None:
    assert budgets("list").output == ""
    first = budgets("set", "2027", "2027-01-01", "2027-12-31", "6000", "--reason", "Bescheid vom 3. Januar")
    assert first.output == "2027\t2027-01-01..2027-12-31\t6000 minutes, 0 used or reserved, 6000 left\n"
    budgets("set", "2027", "2027-01-01", "2027-06-30", "2500", "--reason", "gekürzt")
    budgets("set", "2026", "2026-01-01", "2026-12-31", "1200", "--reason", "Vorjahr")
    assert [line.split("\t")[:2] for line in budgets("list").output.splitlines()] == [
        ["2026", "2026-01-01..2026-12-31"],
        ["2027", "2027-01-01..2027-06-30"],
    ]
    told = asyncio.run(with_store(installation, lambda store: store.trail("2027", None, "", 9)))
    assert {(one.entry.by, one.entry.why, one.entry.to) for one in told} == {
        ("miglobe budget", "Bescheid vom 3. Januar", "2027-01-01..2027-12-31 6000"),
        ("miglobe budget", "gekürzt", "2027-01-01..2027-06-30 2500"),
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2028", "2028-01-01", "2027-12-31", "60", "--reason", "weil"), "The end is before the start."),
        (("2028", "2027-06-30", "2028-12-31", "60", "--reason", "weil"), "The period overlaps with the budget 2027."),
        (("2028", "2028-01-01", "2028-12-31", "-1", "--reason", "weil"), "-1"),
        (("2028", "2028-01-01", "2028-12-31", "60"), "--reason"),
        (("2028", "1.1.2028", "2028-12-31", "60", "--reason", "weil"), "1.1.2028"),
        (("Jahr 2028", "2028-01-01", "2028-12-31", "60", "--reason", "weil"), "such as 2027 or 2027-h1"),
        (("2028", "2028-01-01", "2028-12-31", "60", "--reason", " "), "a reason"),
    ],
)
def test_a_budget_that_can_not_be_is_refused_and_nothing_changes(
    installation: Settings, arguments: tuple[str, ...], said: str
) -> None:
    budgets("set", "2027", "2027-01-01", "2027-12-31", "6000", "--reason", "Bescheid vom 3. Januar")
    before = budgets("list").output
    refused = budgets("set", *arguments)
    assert refused.exit_code != 0
    assert said in refused.output
    assert budgets("list").output == before


def test_a_pass_is_decided_again_from_what_was_kept_and_a_difference_is_named(installation: Settings) -> None:
    miglobe("import")

    async def ask(store: Store) -> str:
        play = Play(store)
        return (await play.current(await play.ask())).assignment_id

    assignment = asyncio.run(with_store(installation, ask))
    found = CliRunner().invoke(match, ["replay", assignment])
    assert found.exit_code == 0
    assert found.output.startswith("Equal: 1 requests, 16 advisors, policy optimal.1, decided by optimal.1 at ")
    asyncio.run(_tamper(installation))
    found = CliRunner().invoke(match, ["replay", assignment])
    assert found.exit_code == 1
    assert found.output.startswith("Different: 1 requests, 16 advisors")
    assert "\tA99 then, A" in found.output
    assert "There is no such assignment." in CliRunner().invoke(match, ["replay", new_id()]).output


async def _tamper(settings: Settings) -> None:
    """What was kept tells of another outcome than it had."""
    mongo = Mongo(settings.mongo, settings.database("matching"))
    [kept] = await mongo["bases"].find().to_list(None)
    told = json.loads(zlib.decompress(kept["packed"]))
    told["outcome"] = {one: ["A99"] for one in told["outcome"]}
    packed = zlib.compress(json.dumps(told).encode())
    await mongo["bases"].update_one({"_id": kept["_id"]}, {"$set": {"packed": packed}})
    await mongo.close()
