"""The comparison itself, without a stack: it finds what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.ids import derived_id
from tests.chaos.blame import suspected
from tests.chaos.checks import judge
from tests.chaos.checks.conduct import Episode, Recovery, conduct
from tests.chaos.checks.erasures import erasures
from tests.chaos.clients import Attempt, Told
from tests.chaos.clock import JUMP
from tests.chaos.erasing import word
from tests.chaos.faults import Fault
from tests.chaos.health import Look
from tests.chaos.verdict import Verdict
from tests.chaos.world import Record, World

WELL = Recovery(1.0, 2.0, 3.0)


def _empty() -> World:
    """A world in which there is nothing."""
    stores = {
        "intake": ("requests", "progress", "outbox"),
        "matching": ("engagements", "advisors", "outbox"),
        "notifications": ("messages", "cases", "outbox"),
        "reporting": ("facts", "claims", "entries", "counters", "outbox"),
    }
    return World({service: {name: [] for name in names} for service, names in stores.items()}, [], [], {})


def test_a_request_that_was_promised_and_is_nowhere_is_damage() -> None:
    empty = _empty()
    assert judge(Told(), empty).sound
    told = Told(intended={"1"}, requests={"1": "r"}, closed={"r"}, answers={("a", "C001"): "accepted"})
    verdict = judge(told, empty, {("request.created.matching.dlq", "poison-1")})
    assert {check for check, wrong in verdict.damage.items() if wrong} == {
        "request answered 201 is in intake",
        "request answered 201 is in matching",
        "request answered 201 is in the ledger",
        "closing confirmed",
        "answer confirmed",
        "each poison became a dead letter",
    }


def test_who_was_erased_and_is_still_somewhere_is_damage() -> None:
    """In a store, as the last value of a key, or named by a fact; not where a tombstone lies behind it."""
    gone, kept = word("gone"), word("kept")

    def damage(*told_of: tuple[str, str, str], traces: Mapping[str, Sequence[str]] | None = None) -> set[str]:
        records = [
            Record(topic, 0, offset, 0, key, str(offset), text.encode() or None)
            for offset, (topic, key, text) in enumerate(told_of)
        ]
        verdict = Verdict()
        erasures(verdict, Told(erased={gone: "r"}), replace(_empty(), records=records, traces=traces or {}))
        return {check for check, wrong in verdict.damage.items() if wrong}

    dossier, tombstone, other = (("request.dossier", *rest) for rest in (("r", gone), ("r", ""), ("s", kept)))
    assert damage(dossier, tombstone, other) == set()
    assert damage(dossier, tombstone, dossier) == {"who was erased is on no topic"}
    assert damage(tombstone, traces={gone: ["matching.dossiers"]}) == {"who was erased is in no store"}
    assert damage(("advisor.reminded", "s", f"{kept} is late")) == {"no fact names a person"}


def test_of_several_faults_the_one_is_named_in_which_the_damage_was_made() -> None:
    """By the youngest id: the event, not the request that it is about; a clock that was off is seen through."""
    epoch = 1_780_000_000.0

    def made(moment: float) -> str:
        return derived_id(datetime.fromtimestamp(epoch + moment, UTC), "x")

    faults = [(Fault("kill", "intake"), 100.0), (Fault("ahead", "intake"), 200.0)]
    episodes = [Episode(fault, began, began + 50, [], [], WELL) for fault, began in faults]
    for text, suspect in (
        (f"advisor.assigned {made(120)} of {made(20)}", "suspect: kill intake"),
        (made(99), "suspect: kill intake"),
        (made(20), "before the first fault"),
        (made(230 + JUMP), "suspect: ahead intake"),
    ):
        assert suspected(text, episodes, epoch).endswith(f"{suspect})")
    assert suspected("the claims' sum", episodes, epoch) == "the claims' sum"


def test_what_one_verdict_takes_over_from_another_counts() -> None:
    verdict, other = Verdict(), Verdict()
    verdict.hold("told", ["a"], [])
    other.hold("told", ["b", "c"], ["c"])
    verdict.absorb(other, "kill: {}".format)
    assert verdict.checked["told"] == 3
    assert verdict.damage["told"] == ["kill: c"]
    assert not verdict.sound


def _episode(fault: Fault, attempts: Sequence[Attempt], looks: Sequence[Look], recovery: Recovery) -> set[str]:
    """The checks of conduct that fail for a fault from second 100 to second 160."""
    verdict = Verdict()
    conduct(verdict, Episode(fault, 100, 160, attempts, looks, recovery))
    return {check for check, wrong in verdict.damage.items() if wrong}


def test_who_comes_back_too_late_is_told() -> None:
    assert _episode(Fault("kill", "mongo"), [], [], WELL) == set()
    assert _episode(Fault("kill", "mongo"), [], [], Recovery(15.1, None, 3.0)) == {
        "within 15 s POST is answered 201 again",
        "within 15 s every /readyz says that all is up",
    }


def test_without_a_database_post_is_503_and_readyz_names_it() -> None:
    fault = Fault("away", "mongo", seconds=60)
    right = Attempt(120, 124, 503, retry_after=True)
    named = Look(120, 121, "intake", 503, {"mongo": "down: AutoReconnect", "kafka": "up"})
    assert _episode(fault, [right], [named], WELL) == set()
    mute, curt = replace(right, status=0), replace(right, retry_after=False)
    unaware = Look(120, 121, "intake", 200, {"mongo": "up", "kafka": "up"})
    assert _episode(fault, [mute, curt], [unaware], WELL) == {
        "503 says when to come again",
        "every POST is answered",
        "POST is 503 without a database",
        "/readyz tells that mongo is away",
        "/readyz is 503 while mongo is away",
    }


def test_without_kafka_post_is_201_and_readyz_names_it() -> None:
    fault = Fault("freeze", "kafka", seconds=60)
    right = Attempt(120, 124, 201, retry_after=False)
    named = Look(120, 121, "intake", 200, {"mongo": "up", "kafka": "down: no answer"})
    assert _episode(fault, [right], [named], WELL) == set()
    refused = Attempt(120, 124, 503, retry_after=True)
    assert _episode(fault, [refused], [replace(named, status=503, checks={})], WELL) == {
        "intake accepts while Kafka is away",
        "/readyz tells that kafka is away",
        "/readyz is 200 while kafka is away",
    }
