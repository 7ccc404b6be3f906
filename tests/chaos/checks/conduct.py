"""What callers and operators are promised while something is away, and how soon all is well again."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.clients import Attempt
from tests.chaos.faults import Fault
from tests.chaos.health import Look
from tests.chaos.verdict import Verdict
from tests.chaos.world import SERVICES

RECOVERY_SECONDS = 15.0
"""From the end of a fault until a POST is answered 201, and until every `/readyz` says that all is up."""
FLOW_SECONDS = 15.0
"""… and until a request made after it is assigned, its mail sent and told of, and the report has it."""
NOTICE_SECONDS = {"kafka": 3.0, "mongo": 3.0, "mail": 10.0}
"""Within which `/readyz` names what is away: it asks servers itself, a mail server is known by the mails."""
GONE = {
    ("away", "mail"),
    *((kind, victim) for kind in ("away", "minute-away", "freeze") for victim in ("kafka", "mongo")),
}
"""A mail server that is silent is given more time than a freeze lasts."""
USERS = {"kafka": SERVICES, "mongo": SERVICES, "mail": ("notifications",)}
"""Whose `/readyz` names it."""


@dataclass(frozen=True)
class Recovery:
    """Seconds from the end of a fault; None: not within reason."""

    answered: float | None
    ready: float | None
    flowing: float | None


@dataclass(frozen=True)
class Episode:
    """A fault as it was seen from outside; moments of the monotonic clock."""

    fault: Fault
    began: float
    mended: float
    attempts: Sequence[Attempt]
    looks: Sequence[Look]
    recovery: Recovery


def conduct(verdict: Verdict, seen: Episode, slack: float = 1.0) -> None:
    """`slack`: by how much a busy machine may exceed the seconds."""
    fault = seen.fault
    during = [one for one in seen.attempts if seen.began < one.began < seen.mended]
    busy = [one for one in during if one.status == 503]
    verdict.hold("503 says when to come again", busy, ("no Retry-After" for one in busy if not one.retry_after))
    if fault.victim != "intake":
        mute = (f"nothing for {one.ended - one.began:.1f} s" for one in during if one.status == 0)
        verdict.hold("every POST is answered", during, mute)
    if fault.victim == "kafka":
        refused = (f"answered {one.status}" for one in during if one.status not in (0, 201))
        verdict.hold("intake accepts while Kafka is away", during, refused)
    if (fault.kind, fault.victim) in GONE:
        _noticed(verdict, seen, slack)
    _recovered(verdict, seen.recovery, slack)


def _noticed(verdict: Verdict, seen: Episode, slack: float) -> None:
    away = seen.fault.victim
    since = seen.began + NOTICE_SECONDS[away] * (slack if away == "mail" else 1.0)
    until = seen.began + seen.fault.seconds  # `mended` is later: it is back before all of it is known to be
    settled = [one for one in seen.looks if one.began > since and one.ended < until]
    looks = [one for one in settled if one.service in USERS[away]]
    silent = (f"{one.service}: {one.status} {dict(one.checks)}" for one in looks if not one.names(away))
    verdict.hold(f"/readyz tells that {away} is away", looks, silent)
    right = 503 if away == "mongo" else 200
    wrong = (f"{one.service}: {one.status}" for one in looks if one.status != right)
    verdict.hold(f"/readyz is {right} while {away} is away", looks, wrong)
    if away == "mongo":
        tried = [one for one in seen.attempts if seen.began + 1 < one.began and one.ended < until]
        verdict.hold("POST is 503 without a database", tried, (str(one.status) for one in tried if one.status != 503))


def _recovered(verdict: Verdict, found: Recovery, slack: float) -> None:
    for what, limit, took in (
        ("POST is answered 201 again", RECOVERY_SECONDS, found.answered),
        ("every /readyz says that all is up", RECOVERY_SECONDS, found.ready),
        ("the whole flow works again", FLOW_SECONDS, found.flowing),
    ):
        late = [] if took is not None and took <= limit * slack else ["never" if took is None else f"{took:.1f} s"]
        verdict.hold(f"within {limit:.0f} s {what}", [what], late)
