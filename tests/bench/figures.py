"""Figures as they are measured, and what is written about them at the end."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    With a `baseline` of the same unit, measured in the same run, `ratio` is value ÷ baseline and `at_least` its lower
    bound. Without, `at_least` is what the value has to keep to, which for times, memory and load means: at most.
    Without `at_least` the figure is only told.
    """

    name: str
    value: float
    unit: str
    baseline: float | None
    ratio: float | None
    at_least: float | None
    met: bool | None


class Board:
    """Collects figures and tells each as it comes."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def compare(
        self, name: str, ours: Sequence[float], theirs: Sequence[float], unit: str, at_least: float | None
    ) -> None:
        """The medians of both sides' rounds; their ratio should be `at_least` so much."""
        value, baseline = statistics.median(ours), statistics.median(theirs)
        ratio = value / baseline
        met = None if at_least is None else ratio >= at_least
        self._add(Figure(name, _short(value), unit, _short(baseline), _short(ratio), at_least, met))

    def limit(self, name: str, value: float, unit: str, at_most: float | None = None) -> None:
        """A value that should be `at_most` so much."""
        self._add(Figure(name, _short(value), unit, None, None, at_most, None if at_most is None else value <= at_most))

    def _add(self, figure: Figure) -> None:
        self.figures.append(figure)
        print(f"  {_line(figure)}", flush=True)

    def missed(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.met is False]

    def write(self, directory: Path) -> None:
        """`results.json` and the same as a table, `results.md`."""
        directory.mkdir(parents=True, exist_ok=True)
        content = json.dumps([asdict(figure) for figure in self.figures], indent=2, ensure_ascii=False)
        (directory / "results.json").write_text(content + "\n", encoding="utf-8")
        head = ["| figure | value | baseline | ratio | wanted | met |", "| --- | --- | --- | --- | --- | --- |"]
        (directory / "results.md").write_text("\n".join([*head, *map(_row, self.figures)]) + "\n", encoding="utf-8")


def _short(value: float) -> float:
    """Three digits are more than this can know."""
    return float(f"{value:.3g}")


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:g}"


def _wanted(figure: Figure) -> str:
    if figure.at_least is None:
        return ""
    return f"{'≤' if figure.ratio is None else '≥'} {_plain(figure.at_least)}"


def _row(figure: Figure) -> str:
    met = {None: "", True: "yes", False: "**no**"}[figure.met]
    value = f"{_plain(figure.value)} {figure.unit}"
    cells = (figure.name, value, _plain(figure.baseline), _plain(figure.ratio), _wanted(figure), met)
    return "| " + " | ".join(cells) + " |"


def _line(figure: Figure) -> str:
    text = f"{figure.name}: {_plain(figure.value)} {figure.unit}"
    if figure.ratio is not None:
        text += f" ÷ {_plain(figure.baseline)} = {_plain(figure.ratio)}"
    if figure.met is not None:
        text += f" ({_wanted(figure)}: {'met' if figure.met else 'MISSED'})"
    return text
