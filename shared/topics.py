"""All topics in one table: partitions, replication, retention, compaction. `miglobe topics apply` makes them so."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaTimeoutError, TopicAlreadyExistsError, for_code

from shared.events import BY_TOPIC, Dossier, Fact
from shared.publisher import MAX_MESSAGE
from shared.settings import Settings

FACTS = tuple(topic for topic, event in BY_TOPIC.items() if issubclass(event, Fact) and topic != "reporting.entry")
"""The topics that the ledger is made of."""

CONSUMED: dict[str, tuple[str, ...]] = {
    "intake": (
        "advisor.assigned",
        "advisor.answered",
        "request.parked",
        "session.scheduled",
        "session.completed",
        "consultation.closed",
        "advisor.dossier",
    ),
    "matching": ("request.created", "request.withdrawn", "request.dossier", "feedback.given", "budget.set"),
    "notifications": (
        "request.created",
        "request.withdrawn",
        "request.dossier",
        "draft.dossier",
        "advisor.dossier",
        "advisor.assigned",
        "advisor.answered",
        "request.parked",
        "advisor.reminded",
        "request.escalated",
        "request.delayed",
        "handover.opened",
        "session.scheduled",
        "consultation.closed",
        "barrier.reported",
        "proof.reminded",
        "example.decided",
    ),
    "reporting": (*FACTS, "advisor.dossier"),
}
"""Service → the topics that it reads; each has a dead-letter topic per reader."""

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    """One topic as it shall be; `config` by Kafka's own names."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


_DELETED = {"cleanup_policy": "delete"}
_COMPACTED = {
    "cleanup_policy": "compact",
    "delete_retention_ms": str(7 * DAY_MS),
    "max_compaction_lag_ms": str(DAY_MS),
    "segment_ms": str(DAY_MS),
}


def _is_dossier(topic: str) -> bool:
    return issubclass(BY_TOPIC[topic], Dossier)


def dead_letter_topic(topic: str, service: str) -> str:
    return f"{topic}.{service}.dlq"


def table(settings: Settings) -> list[Topic]:
    """Facts are kept for ever, dossiers compacted, dead letters kept for 90 days.

    A dossier's dead letters are compacted too, so that its erasure reaches them. Messages bear the broker's time:
    those of a service whose clock is an hour ahead would be refused, or kept too long.
    """
    isr = str(max(1, settings.replication - 1))

    def topic(name: str, partitions: int, **config: str) -> Topic:
        common = {"min.insync.replicas": isr, "message.timestamp.type": "LogAppendTime"}
        full = common | {key.replace("_", "."): value for key, value in config.items()}
        return Topic(settings.prefix + name, partitions, settings.replication, full)

    made = []
    for name in BY_TOPIC:
        if _is_dossier(name):
            # tombstones stay a week, so that a copy that was away for days still learns of an erasure
            made.append(
                topic(
                    name,
                    settings.partitions,
                    **_COMPACTED,
                )
            )
        else:
            made.append(
                topic(
                    name,
                    settings.partitions,
                    cleanup_policy="delete",
                    retention_ms="-1",
                    retention_bytes="-1",
                )
            )
    for service, topics in CONSUMED.items():
        made.extend(
            topic(
                dead_letter_topic(name, service),
                1,
                retention_ms=str(90 * DAY_MS),
                max_message_bytes=str(MAX_MESSAGE),
                **(_COMPACTED | {"cleanup_policy": "compact,delete"} if _is_dossier(name) else _DELETED),
            )
            for name in topics
        )
    return made


async def apply(settings: Settings) -> dict[str, str]:
    """Creates what is missing, adds partitions, corrects the configuration. Topic → what was done.

    Raises KafkaError when Kafka refuses; partitions are never taken away (Kafka can't).
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, client_id="miglobe-topics")
    await admin.start()
    try:
        wanted = table(settings)
        there = await _known(admin, wanted)
        done: dict[str, str] = {}
        if new := [t for t in wanted if t.name not in there]:
            answer = await admin.create_topics(
                [NewTopic(t.name, t.partitions, t.replication, topic_configs=t.config) for t in new]
            )
            for name, code, *said in answer.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise error(f"{name}: {said}")
                if not code:
                    done[name] = "created"
            there = await _all_known(admin, wanted)
        for topic in wanted:
            if topic.name not in done:
                done[topic.name] = await _adjust(admin, topic, there[topic.name])
        return done
    finally:
        await admin.close()


async def _known(admin: AIOKafkaAdminClient, wanted: Iterable[Topic]) -> dict[str, int]:
    """Those topics that all their leaders answer for → number of partitions."""
    found = await admin.describe_topics([topic.name for topic in wanted])
    return {
        item["topic"]: len(item["partitions"])
        for item in found
        if item["error_code"] == 0
        and all(part["error_code"] == 0 and part["leader"] >= 0 for part in item["partitions"])
    }


async def _all_known(admin: AIOKafkaAdminClient, wanted: Sequence[Topic]) -> dict[str, int]:
    """Waits until the brokers have heard of what the controller has created."""
    end = time.monotonic() + 30
    while len(found := await _known(admin, wanted)) < len(wanted):
        if time.monotonic() > end:
            raise KafkaTimeoutError(f"no leader for {', '.join(t.name for t in wanted if t.name not in found)}")
        await asyncio.sleep(0.05)
    return found


async def _adjust(admin: AIOKafkaAdminClient, topic: Topic, partitions: int) -> str:
    said = []
    if partitions < topic.partitions:
        await admin.create_partitions({topic.name: NewPartitions(topic.partitions)})
        await _all_known(admin, [topic])
        said.append(f"partitions {partitions} → {topic.partitions}")
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
    now = {
        entry[0]: entry[1] for answer in await admin.describe_configs([resource]) for entry in answer.resources[0][4]
    }
    wrong = {name: value for name, value in topic.config.items() if now.get(name) != value}
    if wrong:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=topic.config)])
        said.append("set " + ", ".join(sorted(wrong)))
    return "; ".join(said) or "as it should be"


async def missing(settings: Settings, names: Iterable[str]) -> list[str]:
    """Those of `names` (with prefix) that Kafka doesn't have."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, request_timeout_ms=5000)
    await admin.start()
    try:
        found = await admin.describe_topics(list(names))
        return sorted(item["topic"] for item in found if item["error_code"] != 0)
    finally:
        await admin.close()


def needed(service: str, emitted: Iterable[type], settings: Settings) -> list[str]:
    """Every topic that `service` reads, writes or dead-letters to, with prefix."""
    reads = CONSUMED[service]
    names = [*reads, *(dead_letter_topic(topic, service) for topic in reads)]
    names += [event.topic for event in emitted]  # type: ignore[attr-defined]
    return [settings.prefix + name for name in names]
