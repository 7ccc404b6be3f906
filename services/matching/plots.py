"""Two policies beside each other: as rows of a table, as bars, and as SVG, each bar labelled, told apart by a pattern
beside the colour.
"""

from dataclasses import dataclass
from html import escape

from services.matching import words
from services.matching.domain.trial import NEARNESS, Figures

WORDS: dict[str, dict[str, str]] = {
    "de": {
        "title": "Zwei Fassungen im Vergleich",
        "coverage": "Abdeckung der Felder in %",
        "unassigned": "ohne Beratung",
        "waited": "Werktage bis zur Anfrage",
        "gini": "Ungleichheit der Minuten × 100",
        "same_municipality": "Nähe: selbe Kommune",
        "same_district": "Nähe: selber Kreis",
        "same_region": "Nähe: selber Bezirk",
        "same_state": "Nähe: selbes Land",
        "further": "Nähe: weiter weg",
    },
    "en": {
        "title": "Two versions compared",
        "coverage": "coverage of the fields in %",
        "unassigned": "without advice",
        "waited": "working days until asked",
        "gini": "unevenness of minutes × 100",
        "same_municipality": "near: same municipality",
        "same_district": "near: same district",
        "same_region": "near: same region",
        "same_state": "near: same state",
        "further": "near: further away",
    },
}
MORE = words.both(
    {
        "requests": ("Anfragen", "requests"),
        "assigned": ("mit Beratung", "with advice"),
        "tandems": ("davon im Tandem", "of these in a tandem"),
        "advisors_asked": ("Beratende, die gefragt wurden", "advisors who were asked"),
        "most_minutes": ("die meiste Zeit einer Person", "the most time of one person"),
        "waited_longest": ("längste Wartezeit in Werktagen", "longest wait in working days"),
    }
)
LEFT, WIDTH, BAR, GAP = 260, 720, 16, 14


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of both, as it is read, and the lengths of their bars in thousandths of the longer one."""

    label: str
    a: str
    b: str
    lengths: tuple[int, int] = (0, 0)


def table(a: Figures, b: Figures, tongue: str) -> list[Pair]:
    """Every figure of both, in the order in which they are told."""
    heads = MORE[tongue]
    counted = [
        Pair(heads[name], str(getattr(a, name)), str(getattr(b, name)))
        for name in ("requests", "assigned", "tandems", "advisors_asked", "waited_longest")
    ]
    most = Pair(heads["most_minutes"], words.span(a.most_minutes, tongue), words.span(b.most_minutes, tongue))
    return [*counted[:3], *bars(a, b, tongue), *counted[3:], most]


def bars(a: Figures, b: Figures, tongue: str) -> list[Pair]:
    """What the plots show."""
    found = []
    for (name, one), (_, other) in zip(_rows(a), _rows(b), strict=True):
        most = max(one, other, 1e-9)
        lengths = round(1000 * one / most), round(1000 * other / most)
        found.append(Pair(WORDS[tongue][name], _written(one, tongue), _written(other, tongue), lengths))
    return found


def _written(value: float, tongue: str) -> str:
    return _number(value).replace(".", ",") if tongue == "de" else _number(value)


def compared(a: Figures, b: Figures, tongue: str) -> str:
    """A whole SVG document; what it shows stands in its description too."""
    words, rows = WORDS[tongue], list(zip(_rows(a), _rows(b), strict=True))
    top, step = 64, 2 * BAR + GAP
    lines = [f"{words[name]}: {_number(one)} / {_number(other)}" for (name, one), (_, other) in rows]
    legend = f"{a.policy_version} / {b.policy_version}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + step * len(rows)}" role="img" '
        'aria-labelledby="t d" font-family="sans-serif" font-size="14">',
        f'<title id="t">{escape(words["title"])}: {escape(legend)}</title>',
        f'<desc id="d">{escape("; ".join(lines))}</desc>',
        '<defs><pattern id="p" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="6" height="6" fill="#fff"/><rect width="3" height="6" fill="#8a4b00"/></pattern></defs>',
        f'<rect width="{WIDTH}" height="{top + step * len(rows)}" fill="#fff"/>',
        _legend(0, a.policy_version, "#1f4e79"),
        _legend(1, b.policy_version, "url(#p)"),
    ]
    for n, ((name, one), (_, other)) in enumerate(rows):
        y, most = top + n * step, max(one, other, 1e-9)
        parts.append(f'<text x="{LEFT - 10}" y="{y + BAR + 5}" text-anchor="end">{escape(words[name])}</text>')
        parts += (_bar(y + k * BAR, value, most, fill) for k, (value, fill) in enumerate(_fills(one, other)))
    return "\n".join([*parts, "</svg>"])


def _rows(one: Figures) -> list[tuple[str, float]]:
    return [
        ("coverage", one.coverage),
        ("unassigned", one.unassigned),
        ("waited", one.waited),
        ("gini", round(100 * one.gini, 1)),
        *((name, one.distance[name]) for name in NEARNESS),
    ]


def _fills(one: float, other: float) -> tuple[tuple[float, str], tuple[float, str]]:
    return (one, "#1f4e79"), (other, "url(#p)")


def _legend(n: int, version: str, fill: str) -> str:
    y = 12 + 22 * n
    return (
        f'<rect x="{LEFT}" y="{y}" width="24" height="{BAR}" fill="{fill}" stroke="#222"/>'
        f'<text x="{LEFT + 34}" y="{y + 13}">{escape(version)}</text>'
    )


def _bar(y: int, value: float, most: float, fill: str) -> str:
    width = round((WIDTH - LEFT - 80) * value / most, 1)
    return (
        f'<rect x="{LEFT}" y="{y}" width="{width}" height="{BAR - 2}" fill="{fill}" stroke="#222"/>'
        f'<text x="{LEFT + width + 6}" y="{y + 12}">{_number(value)}</text>'
    )


def _number(value: float) -> str:
    return f"{value:g}"
