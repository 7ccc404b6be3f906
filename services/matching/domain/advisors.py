"""Advisors come, change, announce absences, leave, and can be erased. Pure."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import date, datetime

from services.matching.domain.model import Absence, Advisor, Audit, Engagement
from shared.errors import Conflict
from shared.events import AdvisorDossier

Outcomes = tuple[Advisor, list[AdvisorDossier]]


def enter(known: Advisor | None, wanted: Advisor) -> Outcomes:
    """`wanted` in place of `known`; the dossier is told when it is new or differs. Equal: nothing to save."""
    if known is None:
        return wanted, [_dossier(wanted)]
    if known.erased_at is not None:
        raise Conflict(
            f"Die Daten von {known.id} wurden gelöscht; die Nummer wird nicht neu vergeben.",
            f"The data of {known.id} were erased; the number is not given again.",
        )
    changed = replace(wanted, version=known.version, leaves_on=known.leaves_on, audit=known.audit)
    return changed, [] if _dossier(changed) == _dossier(known) else [_dossier(changed)]


def announce(advisor: Advisor, absences: Iterable[Absence]) -> Advisor:
    """The absences in place of all that were known."""
    return replace(advisor, absences=tuple(sorted(set(absences), key=lambda one: (one.start, one.end))))


def leave(advisor: Advisor, last_day: date | None) -> Advisor:
    """Their last day, or None when they stay after all."""
    if advisor.erased_at is not None:
        raise Conflict(f"Die Daten von {advisor.id} wurden gelöscht.", f"The data of {advisor.id} were erased.")
    return replace(advisor, leaves_on=last_day)


def differences(before: Advisor, after: Advisor) -> str:
    """What an entry was changed in: names of fields, no values."""
    kept = ("id", "version", "audit", "erased_at", "leaves_on")
    names = (one.name for one in fields(Advisor) if one.name not in kept)
    return " ".join(name for name in names if getattr(before, name) != getattr(after, name))


def noted(advisor: Advisor, entry: Audit) -> Advisor:
    return replace(advisor, audit=(*advisor.audit, entry))


def erase(advisor: Advisor, running: Iterable[Engagement], now: datetime) -> Advisor:
    """Empties what is personal; number and certificate dates stay, for the figures' sake.

    `running`: the engagements that hold a seat of theirs. Raises Conflict while one of these is accepted, so that
    no municipality loses its advisor unnoticed.
    """
    if advisor.erased_at is not None:
        return advisor
    bound = [one for one in running if (seat := one.current and one.current.seat(advisor.id)) and seat.answer != "open"]
    if bound:
        cases = ", ".join(sorted(one.asked.case_number for one in bound))
        raise Conflict(
            f"{advisor.id} berät noch: {cases}. Bitte erst abschließen oder neu zuordnen.",
            f"{advisor.id} still has engagements: {cases}. Close or reassign them first.",
        )
    return Advisor(
        id=advisor.id,
        name="",
        email="",
        levels={},
        languages=(),
        regions=(),
        certified_on=advisor.certified_on,
        certified_until=advisor.certified_until,
        capacity=0,
        erased_at=now,
        version=advisor.version,
        leaves_on=advisor.leaves_on,
        audit=tuple(entry.wordless for entry in advisor.audit),
    )


def _dossier(advisor: Advisor) -> AdvisorDossier:
    return AdvisorDossier(
        advisor_id=advisor.id,
        name=advisor.name,
        email=advisor.email,
        phone=advisor.phone,
        correspondence=advisor.correspondence,
    )
