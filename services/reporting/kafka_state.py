"""What Kafka itself tells of the flow: how much lies on each topic, how far each service has read, dead letters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from shared import dlq
from shared.events import BY_TOPIC
from shared.settings import Settings
from shared.topics import CONSUMED, dead_letter_topic

FEW = 2_000
"""Up to so many messages a service's dead-letter topics are read to tell letters from markers; above, all count."""


@dataclass(frozen=True, slots=True)
class KafkaState:
    """At one moment, without prefix. `ever`: messages put on each topic so far.

    `lag` and `letters` by (service, topic): messages that it has not read; dead letters not brought back.
    """

    ever: Mapping[str, int]
    lag: Mapping[tuple[str, str], int]
    letters: Mapping[tuple[str, str], int]


@dataclass
class KafkaWatch:
    """Asks anew each time, and keeps no connection in between."""

    settings: Settings
    _counted: dict[str, tuple[int, int]] = field(default_factory=dict)

    async def look(self) -> KafkaState:
        """Raises KafkaError or OSError when Kafka does not answer, or a topic is missing."""
        prefix = self.settings.prefix
        dead = {
            (reader, topic): dead_letter_topic(topic, reader) for reader, read in CONSUMED.items() for topic in read
        }
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka, request_timeout_ms=30_000)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka, request_timeout_ms=5_000)
        try:
            await consumer.start()
            await admin.start()
            places = await _places(admin, [prefix + topic for topic in (*BY_TOPIC, *dead.values())])
            consumer.assign(places)  # so that all leaders are asked for at once, not topic by topic
            consumer.pause(*places)
            ends = await consumer.end_offsets(places)
            starts = await consumer.beginning_offsets(places)
            read = {service: await _read(admin, prefix + service) for service in CONSUMED}
        finally:
            await admin.close()
            await consumer.stop()
        ever, lag = Counter[str](), Counter[tuple[str, str]]()
        kept = Counter[str]()
        for place in places:
            topic = place.topic.removeprefix(prefix)
            ever[topic] += ends[place]
            kept[topic] += ends[place] - starts[place]
            for service, topics in CONSUMED.items():
                if topic in topics:
                    done = read[service].get(place, -1)
                    lag[service, topic] += max(0, ends[place] - max(done, starts[place]))
        letters = await self._letters(dead, kept, ever)
        return KafkaState({topic: ever[topic] for topic in BY_TOPIC}, dict(lag), letters)

    async def _letters(
        self, dead: Mapping[tuple[str, str], str], kept: Mapping[str, int], ever: Mapping[str, int]
    ) -> dict[tuple[str, str], int]:
        """Reads only what has changed since the last time; most are empty, always."""
        prefix, found = self.settings.prefix, {}
        for place, topic in dead.items():
            end, waiting = self._counted.get(topic, (-1, 0))
            if end != ever[topic]:
                if 0 < kept[topic] <= FEW:
                    there = [one async for one in dlq.letters(self.settings, [prefix + topic]) if not one.redriven]
                    waiting = len(there)
                else:
                    waiting = kept[topic]
                self._counted[topic] = (ever[topic], waiting)
            found[place] = waiting
        return found


async def _places(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> list[TopicPartition]:
    found = await admin.describe_topics(list(topics))
    for item in found:
        if item["error_code"]:
            raise for_code(item["error_code"])(item["topic"])
    if len(found) < len(topics):
        raise UnknownTopicOrPartitionError
    return [TopicPartition(item["topic"], part["partition"]) for item in found for part in item["partitions"]]


async def _read(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    found = await admin.list_consumer_group_offsets(group)
    return {place: int(there.offset) for place, there in found.items()}
