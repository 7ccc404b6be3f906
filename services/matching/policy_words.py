"""A policy in words: each weight, limit and rule under its name, and what two of them differ in."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from services.matching import words
from services.matching.domain.policy import Policy

WEIGHTS = words.both(
    {
        "expertise": ("Fachwissen, höchstens", "Expertise, at most"),
        "region_0": ("Nähe: selbe Kommune", "Nearness: same municipality"),
        "region_1": ("Nähe: selber Kreis", "Nearness: same district"),
        "region_2": ("Nähe: selber Regierungsbezirk", "Nearness: same administrative region"),
        "region_3": ("Nähe: selbes Land", "Nearness: same state"),
        "languages": ("Sprachen, höchstens", "Languages, at most"),
        "fairness": ("Ausgleich, höchstens", "Fairness, at most"),
        "tandem_wanted": ("Tandem, wo es gewünscht ist", "Tandem where it is wanted"),
        "tandem_either": ("Tandem, wo beides geht", "Tandem where either will do"),
        "waiting_per_day": ("Wartezeit, je Arbeitstag", "Waiting, per working day"),
        "waiting_max": ("Wartezeit, höchstens", "Waiting, at most"),
        "batch_step": (
            "Abzug je weiterer Anfrage an dieselbe Person in einem Durchgang",
            "Less for each further request to the same person in one pass",
        ),
    }
)
"""Points."""
LIMITS = words.both(
    {
        "newcomer_days": (
            "Wer kürzer dabei ist, zählt beim Ausgleich wie die Mitte der anderen (Tage)",
            "Who was there for fewer counts with the median of the others (days)",
        ),
        "optimum_up_to": (
            "So viele Anfragen zugleich werden gegeneinander abgewogen",
            "So many requests at once are weighed against each other",
        ),
    }
)
RELEASE = words.both(
    {
        "look_everything": (
            "Jeden Vorschlag sieht die Koordination vorher an",
            "Coordinators look at every proposal first",
        ),
        "look_fields": ("Vorher ansehen in diesen Feldern", "Look first in these fields"),
        "look_below": ("Vorher ansehen, wenn es weniger Punkte sind als", "Look first at fewer points than"),
        "look_within": ("Freigeben innerhalb von", "Release within"),
    }
)
TIMES = words.both(
    {
        "respond": ("Auf eine Anfrage antworten", "Answer a request"),
        "remind_every": ("Zwischen zwei Erinnerungen", "Between two reminders"),
        "escalate": ("Nach einer Frist die nächste Stufe informieren", "After a due date tell the next level"),
        "delay_after": (
            "Ohne Beratung der Kommune sagen, dass es länger dauert",
            "Without an advisor tell the municipality that it takes longer",
        ),
        "starvation": (
            "Wer länger wartet, kommt vor allen jüngeren Anfragen",
            "Who waits longer goes before all younger requests",
        ),
        "absence": (
            "So lange Abwesenheiten setzen Laufendes auf die Übergabeliste",
            "Absences of so long put what runs on the hand-over list",
        ),
        "hand_over": ("Eine Übergabe regeln", "Settle a hand-over"),
    }
)
"""In working days."""
BUDGET = words.both(
    {
        "expected_minutes": (
            "Je Person im Budget zurücklegen (Minuten)",
            "Reserve in the budget for each person (minutes)",
        ),
    }
)
NAMES = {
    tongue: WEIGHTS[tongue] | LIMITS[tongue] | RELEASE[tongue] | TIMES[tongue] | BUDGET[tongue] for tongue in WEIGHTS
}


def values(policy: Policy) -> dict[str, Any]:
    """Each setting of a policy by the name of its field in the form, in the form's order."""
    weights, rules = policy.weights, policy.rules
    found: dict[str, Any] = {name: getattr(weights, name) for name in WEIGHTS["de"] if not name.startswith("region")}
    found |= {f"region_{n}": points for n, points in enumerate(weights.region)}
    found |= {name: getattr(policy.limits, name) for name in LIMITS["de"]} | {"look_everything": rules.look.everything}
    found |= {"look_fields": tuple(code.value for code in rules.look.fields), "look_below": rules.look.below}
    found |= {name: getattr(rules, name) for name in ("look_within", *TIMES["de"], *BUDGET["de"])}
    return {name: found[name] for name in NAMES["de"]}


def value(name: str, given: Any, tongue: str) -> str:
    """A setting as a cell shows it."""
    german = tongue == "de"
    if name == "look_everything":
        return ("ja" if given else "nein") if german else ("yes" if given else "no")
    if name == "look_fields":
        return ", ".join(words.SHORT_FIELDS[tongue][code] for code in given) or "–"
    if name == "respond" and given is None:
        return "wie in den Einstellungen" if german else "as the settings say"
    if name == "optimum_up_to" and given is None:
        return "alle" if german else "all"
    if given is None:
        return "–"
    if name == "escalate":
        days = ", ".join(map(str, given))
        return f"{days} Arbeitstage" if german else f"{days} working days"
    if name in TIMES["de"] or name == "look_within":
        if german:
            return f"{given} {'Arbeitstag' if given == 1 else 'Arbeitstage'}"
        return f"{given} working {'day' if given == 1 else 'days'}"
    return str(given)


def differences(a: Policy, b: Policy, tongue: str) -> list[tuple[str, str, str]]:
    """(name, of a, of b) of each setting that differs."""
    one, other = values(a), values(b)
    return [
        (NAMES[tongue][name], value(name, one[name], tongue), value(name, other[name], tongue))
        for name in one
        if one[name] != other[name]
    ]


def settings(policy: Policy, tongue: str) -> list[tuple[tuple[str, str], list[tuple[str, str]]]]:
    """All settings in groups: (head in both languages, [(name, value)])."""
    found = values(policy)
    return [
        (head, [(name, value(code, found[code], tongue)) for code, name in group[tongue].items()])
        for head, group in GROUPS
    ]


GROUPS = (
    (("Gewichte in Punkten", "Weights in points"), WEIGHTS),
    (("Grenzen", "Limits"), LIMITS),
    (("Freigabe", "Release"), RELEASE),
    (("Fristen in Arbeitstagen des Landes", "Times in working days of the state"), TIMES),
    (("Budget", "Budget"), BUDGET),
)
SPOKEN: Mapping[str, Callable[[str], Any]] = {
    "policy_names": NAMES.__getitem__,
    "policy_settings": lambda tongue: partial(settings, tongue=tongue),
    "policy_differences": lambda tongue: partial(differences, tongue=tongue),
}
"""What templates say policies with, by language."""
