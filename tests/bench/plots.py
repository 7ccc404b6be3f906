"""The figures as bars: SVG files that need nothing else."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Literal

import svg

from tests.bench.figures import Figure

LABELS, BARS, ROW = 640, 420, 44
COLOURS = ("#1f6f8b", "#c9b458")


def draw(figures: Sequence[Figure], directory: Path) -> None:
    """`ratios.svg`: reached beside wanted. `rates.svg`: ours beside the baseline, per second, a logarithmic scale."""
    wanted = [(one.name, one.ratio, one.at_least) for one in figures if one.ratio is not None and one.at_least]
    _chart("Ratio to the baseline", ("reached", "wanted"), wanted, directory / "ratios.svg", start=0.0)
    rates = [(one.name, one.value, one.baseline) for one in figures if one.baseline and one.unit == "1/s"]
    _chart("Per second, logarithmic", ("MiGlobe", "baseline"), rates, directory / "rates.svg", start=1.0)


def _chart(
    title: str, legend: tuple[str, str], rows: Sequence[tuple[str, float, float]], path: Path, start: float
) -> None:
    """Two bars a row, from zero, or from `start` on a logarithmic scale."""
    if not rows:
        return
    most = max(max(row[1:]) for row in rows)

    def length(value: float) -> float:
        part = math.log(max(value, start) / start, most / start) if start and most > start else value / most
        return BARS * part

    drawn: list[svg.Element] = [_text(8, 22, title, 18)]
    for place, (name, colour) in enumerate(zip(legend, COLOURS, strict=True)):
        drawn += [
            svg.Rect(x=LABELS + 130 * place, y=10, width=14, height=14, fill=colour),
            _text(LABELS + 130 * place + 20, 22, name),
        ]
    for number, (name, *values) in enumerate(rows):
        drawn += _row(48 + ROW * number, name, [(value, length(value)) for value in values])
    height = 56 + ROW * len(rows)
    chart = svg.SVG(width=LABELS + BARS + 90, height=height, elements=drawn)
    path.write_text(str(chart), encoding="utf-8")


def _row(top: int, name: str, bars: Sequence[tuple[float, float]]) -> Iterator[svg.Element]:
    yield _text(LABELS - 8, top + 20, name, anchor="end")
    for place, ((value, length), colour) in enumerate(zip(bars, COLOURS, strict=True)):
        yield svg.Rect(x=LABELS, y=top + 16 * place, width=round(length, 1), height=14, fill=colour)
        yield _text(LABELS + round(length) + 6, top + 16 * place + 12, f"{value:,.3g}", 12)


def _text(x: int, y: int, words: str, size: int = 13, anchor: Literal["start", "end"] = "start") -> svg.Text:
    return svg.Text(x=x, y=y, text=escape(words), font_size=size, text_anchor=anchor, font_family="sans-serif")
