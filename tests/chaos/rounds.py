"""One round's outcome, for people and as a line of JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tests.chaos.checks.conduct import Recovery
from tests.chaos.faults import Fault
from tests.chaos.verdict import Verdict


@dataclass(frozen=True)
class Round:
    """One fault and what came of it, in seconds from its end.

    ended: to the end of the last consultation; quiet: until nothing was on its way, `waited` at last for what.
    """

    number: int
    ground: str
    fault: Fault
    verdict: Verdict
    requests: int
    recovery: Recovery
    ended: float
    quiet: float
    waited: str

    def line(self) -> str:
        outcome = "sound" if self.verdict.sound else "DAMAGE\n" + self.verdict.table()
        return (
            f"{self.number:4}  {self.fault!s:<30} {self.requests:4} requests  {back(self.recovery)};  "
            f"last consultation over {self.ended:5.1f} s, quiet {self.quiet:5.1f} s (last: {self.waited})  {outcome}"
        )

    def document(self) -> dict[str, Any]:
        """For out/chaos/<seed>.jsonl."""
        wrong = {check: {"count": len(found), "examples": found[:5]} for check, found in self.verdict.damage.items()}
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "ground": self.ground,
            "kind": self.fault.kind,
            "victim": self.fault.victim,
            "seconds": round(self.fault.seconds, 1),
            "requests": self.requests,
            "recovered": {name: took and round(took, 2) for name, took in asdict(self.recovery).items()},
            "quiet": round(self.quiet, 1),
            "sound": self.verdict.sound,
            "damage": {check: found for check, found in wrong.items() if found["count"]},
        }


@dataclass(frozen=True)
class Series:
    """Faults one after the other under one load, and one comparison at the end that says which is suspected."""

    faults: Sequence[Fault]
    verdict: Verdict
    requests: int
    quiet: float
    """Seconds from the end of the last fault until nothing was on its way."""

    def text(self) -> str:
        outcome = "sound" if self.verdict.sound else "DAMAGE"
        told = f"{self.requests} requests, quiet after {self.quiet:.1f} s: {outcome}"
        return f"{told}\n{self.verdict.table()}"


def broken(ground: str, error: str) -> dict[str, Any]:
    """The line of a round that could not be played to its end."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "ground": ground, "sound": False, "error": error}


def summary(played: Sequence[Round], failures: Sequence[str], seed: str, seconds: float) -> str:
    """All of a run in a few lines."""
    if not played:
        return f"No round came to its end. SEED={seed}"
    kinds = Counter(one.fault.kind for one in played)
    damaged = Counter(one.fault.kind for one in played if not one.verdict.sound)
    flows = sorted(999.0 if one.recovery.flowing is None else one.recovery.flowing for one in played)
    return (
        f"\nat the end of the last round:\n{played[-1].verdict.table()}\n\n"
        f"{len(played)} faults ({', '.join(f'{n} × {kind}' for kind, n in sorted(kinds.items()))}), "
        f"{sum(one.requests for one in played)} requests in {seconds / 60:.1f} min; "
        f"the flow was back after {flows[len(flows) // 2]:.1f} s (median), {flows[-1]:.1f} s (longest); "
        f"{damaged.total()} rounds with damage"
        f"{''.join(f', {n} × {kind}' for kind, n in sorted(damaged.items()))}; {len(failures)} broken off. SEED={seed}"
    )


def back(found: Recovery) -> str:
    """What was well again how soon."""
    answered, ready, flowing = map(_seconds, (found.answered, found.ready, found.flowing))
    return f"back: POST {answered}, ready {ready}, flow {flowing}"


def _seconds(took: float | None) -> str:
    return "never" if took is None else f"{took:.1f} s"
