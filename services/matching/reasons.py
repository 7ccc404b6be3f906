"""Why this advisor and why not that one, in words: German and English.

`people`: number → name, for readers who know advisors by name; without it a number stands for itself.
"""

from collections.abc import Mapping, Sequence

from services.matching.domain.explanation import Choice, Explanation, Needed, WhyNot
from services.matching.domain.model import Round
from services.matching.domain.points import CRITERIA
from services.matching.words import CRITERIA as CRITERIA_WORDS
from services.matching.words import both

NOBODY: Mapping[str, str] = {}
FOR = both(
    {
        "expertise": ("Fachwissen", "expertise"),
        "region": ("Nähe", "nearness"),
        "languages": ("Sprachen", "languages"),
        "fairness": ("gerechte Verteilung", "fair distribution"),
        "tandem": ("den Wunsch nach einem Tandem", "the wish for a tandem"),
        "waiting": ("die Wartezeit", "the waiting time"),
    }
)
"""What points are given for."""
BARS = both(
    {
        "seated": ("{who} hat in dieser Anfrage schon einen Platz.", "{who} has a seat in this request already."),
        "not_certified": (
            "{who} ist heute oder am gewünschten Beginn nicht zertifiziert.",
            "{who} is not certified today or on the first day wanted.",
        ),
        "conflict": (
            "{who} hat einen Interessenkonflikt mit dieser Kommune.",
            "{who} has a conflict of interest with this municipality.",
        ),
        "no_expertise": (
            "{who} hat in keinem der gewünschten Felder Fachwissen.",
            "{who} has no expertise in any of the fields asked for.",
        ),
        "refused": (
            "{who} hat diese Anfrage abgesagt oder nicht rechtzeitig beantwortet.",
            "{who} has declined this request or not answered in time.",
        ),
        "absent": (
            "{who} ist heute oder am gewünschten Beginn abwesend.",
            "{who} is absent today or on the first day wanted.",
        ),
        "full": ("{who} hatte keinen freien Platz.", "{who} had no free capacity."),
        "member": ("{who} ist gefragt worden.", "{who} was asked."),
        "equal_points": (
            "Mit {who}{beside} wären es ebenso viele Punkte. Dann entscheiden erst weniger Personen, dann mehr "
            "Fachwissen, dann weniger bezahlte Minuten, zuletzt die Nummer.",
            "With {who}{beside} it would be as many points. Then fewer people decide, then more expertise, then fewer "
            "paid minutes, and last the number.",
        ),
        "plain_choice": (
            "Mit {who}{beside} wären es {points} mehr. Hier wurde nach der einfachen Regel entschieden, eine Anfrage "
            "nach der anderen.",
            "With {who}{beside} it would be {points} more. This was decided by the plain rule, one request after the "
            "other.",
        ),
        "by_person": (
            "Mit {who}{beside} wären es {points} mehr. Hier hat aber eine Person entschieden und nicht die Regel.",
            "With {who}{beside} it would be {points} more. Here, however, a person has decided and not the policy.",
        ),
        "no_place": (
            "Mit {who} ließ sich hier nichts zusammenstellen.",
            "There was no way to put together a choice with {who} here.",
        ),
    }
)


def why_not(
    found: WhyNot,
    who: str,
    cases: Mapping[str, str],
    tongue: str,
    people: Mapping[str, str] = NOBODY,
    *,
    by_person: bool = False,
) -> str:
    """`cases`: requests → what readers know them by, such as the case number; `by_person`: of whose choice it is."""
    name, best, german = _name(who, people), found.best, tongue == "de"
    if found.reason == "fewer_points":
        if best is None:
            return BARS[tongue]["no_place"].format(who=name)
        less = _points(-best.difference, tongue)
        beside = _beside(best, who, people, tongue, best=True)
        start = f"Mit {name} wären es {less} weniger" if german else f"With {name} it would be {less} less"
        lost = _lost(found.lost or {}, tongue)
        return f"{start}{beside}{': ' + lost if lost else ''}."
    if found.reason == "needed_elsewhere" and best is not None:
        more, beside = _points(best.difference, tongue), _beside(best, who, people, tongue)
        own = [need for need in best.needed if need.advisor_id == who]
        others = [need for need in best.needed if need.advisor_id != who]
        would = f"hätte hier {more} mehr gebracht" if german else f"would have scored {more} more here"
        start = f"{name}{beside} {would}"
        if own:
            start += (", wird aber " if german else ", but is ") + _needed(own[0], cases, tongue)
        return _sentences([start, *(_need(need, cases, people, tongue) for need in others)])
    reason = "by_person" if found.reason == "plain_choice" and by_person else found.reason
    points = _points(abs(best.difference), tongue) if best else ""
    beside = _beside(best, who, people, tongue) if best else ""
    return BARS[tongue][reason].format(who=name, points=points, beside=beside)


def alternative(choice: Choice, cases: Mapping[str, str], tongue: str, people: Mapping[str, str] = NOBODY) -> str:
    """What else could have been, in one or two sentences."""
    german, names = tongue == "de", _names(choice.members, people, tongue)
    more, less = ("mehr", "weniger") if german else ("more", "less")
    than = "ebenso viele Punkte" if german else "as many points"
    if choice.difference:
        than = f"{_points(abs(choice.difference), tongue)} {more if choice.difference > 0 else less}"
    start = f"Mit {names} wären es {than}" if german else f"With {names} it would be {than}"
    return _sentences([start, *(_need(need, cases, people, tongue) for need in choice.needed)])


def chosen(found: Explanation, tongue: str, people: Mapping[str, str] = NOBODY) -> str:
    """The points of the whole set, and what they are for."""
    members, points = found.chosen.members, found.chosen.points
    names, score = _names(members, people, tongue), _points(found.chosen.score, tongue)
    german = tongue == "de"
    if len(members) > 1:
        start = f"{names} kommen zusammen auf {score}" if german else f"Together {names} come to {score}"
    else:
        start = f"{names} kommt auf {score}" if german else f"{names} comes to {score}"
    word = "für" if german else "for"
    given = [f"{_number(points[name], tongue)} {word} {FOR[tongue][name]}" for name in CRITERIA if points[name] > 0]
    text = f"{start}: {_and(given, tongue)}" if given else start
    off = [name for name in CRITERIA if points[name] < 0]
    if not off:
        return f"{text}."
    less = _number(-sum(points[name] for name in off), tongue)
    because = "weil auch eine Person genügt hätte" if german else "because one person would have done"
    return f"{text}; {less} gehen ab, {because}." if german else f"{text}; {less} are taken off, {because}."


def own(asked: Round, advisor_id: str, tongue: str) -> list[str]:
    """For an advisor: what spoke for them, the most first."""
    seat = asked.seat(advisor_id)
    points = sorted((seat.points if seat else {}).items(), key=lambda pair: -pair[1])
    return [
        f"{CRITERIA_WORDS[tongue].get(name, name)}: {_points(number, tongue)}." for name, number in points if number > 0
    ]


def _lost(lost: Mapping[str, int], tongue: str) -> str:
    """The criteria of which there is less, the most first, then those of which there is more."""
    word = "für" if tongue == "de" else "for"
    less = [(name, number) for name, number in lost.items() if number > 0]
    more = [(name, -number) for name, number in lost.items() if number < 0]
    if len(less) == 1 and not more:
        return f"{'alle' if tongue == 'de' else 'all'} {word} {FOR[tongue][less[0][0]]}"

    def told(some: list[tuple[str, int]], sense: str) -> list[str]:
        rows = sorted(some, key=lambda pair: (-pair[1], CRITERIA.index(pair[0])))
        return [f"{_number(number, tongue)} {sense} {word} {FOR[tongue][name]}" for name, number in rows]

    german = tongue == "de"
    return _and([*told(less, "weniger" if german else "less"), *told(more, "mehr" if german else "more")], tongue)


def _beside(choice: Choice, who: str, people: Mapping[str, str], tongue: str, *, best: bool = False) -> str:
    others = [_name(one, people) for one in choice.members if one != who]
    if not others:
        return ""
    if best:
        return f", {'am ehesten noch zusammen mit' if tongue == 'de' else 'at best together with'} {others[0]}"
    return f" {'zusammen mit' if tongue == 'de' else 'together with'} {others[0]}"


def _need(need: Needed, cases: Mapping[str, str], people: Mapping[str, str], tongue: str) -> str:
    name = _name(need.advisor_id, people)
    return f"{name} {'wird' if tongue == 'de' else 'is'} {_needed(need, cases, tongue)}"


def _needed(need: Needed, cases: Mapping[str, str], tongue: str) -> str:
    german, there = tongue == "de", cases.get(need.request_id, need.request_id)
    where = f"bei {there} gebraucht, wo sonst" if german else f"needed at {there}, where"
    if need.criterion is None:
        return f"{where} niemand kann" if german else f"{where} nobody else can"
    missing, most = _points(need.loss, tongue), FOR[tongue][need.criterion]
    if german:
        return f"{where} {missing} fehlten, vor allem für {most}"
    return f"{where} {missing} would be missing, most of all for {most}"


def _sentences(parts: Sequence[str]) -> str:
    return " ".join(f"{part}." for part in parts)


def _names(members: Sequence[str], people: Mapping[str, str], tongue: str) -> str:
    return _and([_name(one, people) for one in members], tongue)


def _name(number: str, people: Mapping[str, str]) -> str:
    return f"{people[number]} ({number})" if people.get(number) else number


def _and(parts: Sequence[str], tongue: str) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {'und' if tongue == 'de' else 'and'} {parts[-1]}"


def _points(n: int, tongue: str) -> str:
    one, many = ("Punkt", "Punkte") if tongue == "de" else ("point", "points")
    return f"{_number(n, tongue)} {one if abs(n) == 1 else many}"


def _number(n: int, tongue: str) -> str:
    return f"{n:,}".replace(",", "." if tongue == "de" else ",")
