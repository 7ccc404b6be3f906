"""Why this advisor and why not that one, in words: German and English."""

from services.matching.domain.explanation import Choice, Explanation, Needed, WhyNot
from services.matching.domain.model import Round
from services.matching.domain.points import CRITERIA
from services.matching.words import CRITERIA as CRITERIA_WORDS

KINDS: dict[str, dict[str, str]] = {
    "de": {
        "expertise": "Fachwissen",
        "region": "Nähe",
        "languages": "Sprachen",
        "fairness": "gerechte Verteilung",
        "tandem": "Tandem-Wunsch",
        "waiting": "Wartezeit",
    },
    "en": {
        "expertise": "expertise",
        "region": "nearness",
        "languages": "languages",
        "fairness": "fair distribution",
        "tandem": "wish for a tandem",
        "waiting": "waiting time",
    },
}
BARS: dict[str, dict[str, str]] = {
    "de": {
        "seated": "{who} hat in dieser Anfrage schon einen Platz.",
        "not_certified": "{who} ist heute oder am gewünschten Beginn nicht zertifiziert.",
        "conflict": "{who} hat einen Interessenkonflikt mit dieser Kommune.",
        "no_expertise": "{who} hat in keinem der gewünschten Felder Fachwissen.",
        "refused": "{who} hat diese Anfrage abgesagt oder nicht rechtzeitig beantwortet.",
        "absent": "{who} ist heute oder am gewünschten Beginn abwesend.",
        "full": "{who} hatte keine freie Kapazität.",
        "member": "{who} ist gefragt worden.",
        "fewer_points": "{who} hätte {n} Punkte weniger",
        "equal_points": "{who} hätte ebenso viele Punkte; bei Gleichstand entscheiden weniger Personen, mehr "
        "Fachwissen, weniger bezahlte Minuten, dann die Nummer.",
        "needed_elsewhere": "{who} hätte hier {n} Punkte mehr",
        "plain_choice": "{who} hätte {n} Punkte mehr; hier wurde nach der einfachen Regel entschieden, eine Anfrage "
        "nach der anderen.",
    },
    "en": {
        "seated": "{who} has a seat in this request already.",
        "not_certified": "{who} is not certified today or on the first day wanted.",
        "conflict": "{who} has a conflict of interest with this municipality.",
        "no_expertise": "{who} has no expertise in any of the fields asked for.",
        "refused": "{who} has declined this request or not answered in time.",
        "absent": "{who} is absent today or on the first day wanted.",
        "full": "{who} had no free capacity.",
        "member": "{who} was asked.",
        "fewer_points": "{who} would have {n} points less",
        "equal_points": "{who} would have as many points; of equals fewer people, more expertise, fewer paid minutes, "
        "then the number decide.",
        "needed_elsewhere": "{who} would have scored {n} more here",
        "plain_choice": "{who} would have {n} points more; this was decided by the plain rule, one request after the "
        "other.",
    },
}


def why_not(found: WhyNot, who: str, names: dict[str, str], tongue: str) -> str:
    """`names`: requests → what readers know them by, such as the case number."""
    difference = abs(found.best.difference) if found.best else 0
    text = BARS[tongue][found.reason].format(who=who, n=difference)
    if found.reason == "fewer_points" and found.best:
        return f"{text}{_lost(found, tongue)}{_beside(found.best, who, tongue)}."
    if found.reason == "needed_elsewhere" and found.best:
        return f"{text}{_beside(found.best, who, tongue)}; {_needs(found.best.needed, names, tongue)}."
    return text


def alternative(choice: Choice, names: dict[str, str], tongue: str) -> str:
    """One line on what else could have been."""
    n, people = abs(choice.difference), " + ".join(choice.members)
    if tongue == "de":
        than = "ebenso viele Punkte" if n == 0 else f"{n} Punkte {'mehr' if choice.difference > 0 else 'weniger'}"
        text = f"{people}: {than}"
    else:
        than = "as many points" if n == 0 else f"{n} points {'more' if choice.difference > 0 else 'less'}"
        text = f"{people}: {than}"
    return f"{text}; {_needs(choice.needed, names, tongue)}." if choice.needed else f"{text}."


def chosen(found: Explanation, tongue: str) -> str:
    """The points of the whole set."""
    points = [f"{KINDS[tongue][name]} {found.chosen.points[name]}" for name in CRITERIA if found.chosen.points[name]]
    unit = "Punkte" if tongue == "de" else "points"
    return f"{' + '.join(found.chosen.members)}: {found.chosen.score} {unit} ({', '.join(points)})."


def own(asked: Round, advisor_id: str, tongue: str) -> list[str]:
    """For an advisor: what spoke for them, the most first."""
    seat = asked.seat(advisor_id)
    points = sorted((seat.points if seat else {}).items(), key=lambda pair: -pair[1])
    unit = "Punkte" if tongue == "de" else "points"
    return [f"{CRITERIA_WORDS[tongue].get(name, name)}: {number} {unit}." for name, number in points if number > 0]


def _lost(found: WhyNot, tongue: str) -> str:
    lost = sorted((found.lost or {}).items(), key=lambda pair: -pair[1])
    words = ", ".join(f"{KINDS[tongue][name]} {-number:+d}" for name, number in lost)
    return f" ({words})" if words else ""


def _beside(choice: Choice, who: str, tongue: str) -> str:
    others = [one for one in choice.members if one != who]
    return f", {'zusammen mit' if tongue == 'de' else 'together with'} {others[0]}" if others else ""


def _needs(needed: tuple[Needed, ...], names: dict[str, str], tongue: str) -> str:
    return "; ".join(_need(one, names.get(one.request_id, one.request_id), tongue) for one in needed)


def _need(one: Needed, case: str, tongue: str) -> str:
    if tongue == "de":
        text = f"{one.advisor_id} wird bei {case} gebraucht"
        if one.criterion is None:
            return f"{text}, wo sonst niemand kann"
        return f"{text}, wo sonst {one.loss} Punkte fehlten, vor allem {KINDS['de'][one.criterion]}"
    text = f"{one.advisor_id} is needed at {case}"
    if one.criterion is None:
        return f"{text}, where nobody else can"
    return f"{text}, where {one.loss} points would be missing, most of all {KINDS['en'][one.criterion]}"
