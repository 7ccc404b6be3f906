"""What a run writes, without a run."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deploy.local.stack import SERVICES
from tests.bench import plots, scale
from tests.bench.figures import Board
from tests.bench.recording import INGESTED, REPORTED
from tests.bench.through import MESSAGES, cost_of

MEMBERS = {"name", "value", "unit", "baseline", "ratio", "at_least", "met"}


@pytest.fixture
def board() -> Board:
    board = Board()
    board.compare("faster ÷ slower & <plain>", [3.0, 2.0, 900.0], [4.0], "1/s", 0.5)
    board.compare("slower ÷ faster", [10.0], [40.0], "1/s", 0.5)
    board.limit("load", 2.0, "%", 3)
    board.limit("told", 7.0, "ms")
    return board


def test_each_figure_has_exactly_its_members_and_says_whether_it_was_met(board: Board, tmp_path: Path) -> None:
    board.write(tmp_path)
    figures = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert all(set(figure) == MEMBERS for figure in figures)
    assert [figure["met"] for figure in figures] == [True, False, True, None]
    assert figures[0]["ratio"] == 0.75
    assert [figure.name for figure in board.missed()] == ["slower ÷ faster"]
    assert (tmp_path / "results.md").read_text(encoding="utf-8").count("\n| ") == 5


def test_plots_are_well_formed_and_show_every_comparison(board: Board, tmp_path: Path) -> None:
    plots.draw(board.figures, tmp_path)
    for name in ("ratios", "rates"):
        texts = [element.text for element in ElementTree.parse(tmp_path / f"{name}.svg").iter() if element.text]
        assert {"faster ÷ slower & <plain>", "slower ÷ faster"} <= set(texts)


def test_the_scale_follows_from_what_was_measured(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    board = Board()
    for name in SERVICES:
        board.limit(cost_of(name), 24.0, "ms")
    board.limit(MESSAGES, 12, "messages")
    board.write(tmp_path)
    scale.tell(tmp_path)
    assert "not measured: ledger ingestion" in capsys.readouterr().out
    board.limit(INGESTED, 5_000, "1/s")
    board.limit(REPORTED, 1_000, "1/s")
    board.write(tmp_path)
    scale.tell(tmp_path)
    told = capsys.readouterr().out
    assert "| intake | 24.0 ms | 1.20 | 2 |" in told
    assert "| messages | 600/s, 52 million a day |" in told
    assert "0.3 h into the ledger, 1.4 h until the reports have it" in told
