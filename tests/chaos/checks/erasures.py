"""Who was erased stands nowhere any more; what is counted stays."""

import re
from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.clients import Told
from tests.chaos.verdict import Verdict
from tests.chaos.world import Record, World, is_poison

_WORD = re.compile(rb"wort[a-p]{12}")
"""As `erasing.word` makes them."""


def erasures(verdict: Verdict, told: Told, world: World) -> None:
    in_stores = (f"{who}: {', '.join(world.traces[one])}" for one, who in told.erased.items() if world.traces.get(one))
    verdict.hold("who was erased is in no store", told.erased, in_stores)
    on_topics: dict[str, set[str]] = defaultdict(set)
    for record in _kept(world):
        for one in words_in(record.value):
            on_topics[one].add(record.topic)
    left = (f"{who}: {', '.join(sorted(on_topics[one]))}" for one, who in told.erased.items() if one in on_topics)
    verdict.hold("who was erased is on no topic", told.erased, left)
    facts = [record for record in world.records if not _is_dossier(record)]
    verdict.hold("no fact names a person", facts, (f"{one.topic} {one.id}" for one in facts if words_in(one.value)))


def words_in(raw: bytes | None) -> set[str]:
    """The words of persons in it."""
    return {one.decode() for one in _WORD.findall(raw or b"")}


def _kept(world: World) -> Iterator[Record]:
    """What compaction leaves of dossiers and of their dead letters."""
    last: dict[tuple[str, str], Record] = {}
    for record in (*world.records, *world.letters):
        if _is_dossier(record) and not is_poison(record):
            place = (record.topic, record.key)
            if place not in last or record.offset > last[place].offset:
                last[place] = record
    yield from last.values()


def _is_dossier(record: Record) -> bool:
    return ".dossier" in record.topic
