"""The table of topics: what is created is what the contracts promise."""

from importlib import import_module

import pytest

from shared import topics
from shared.events import BY_TOPIC, EMITTED, Dossier
from shared.settings import Settings

SETTINGS = Settings(secret="only-for-tests-0123456789-0123456789", prefix="land-", partitions=12, replication=3)
TABLE = {topic.name.removeprefix("land-"): topic for topic in topics.table(SETTINGS)}
FACTS = [name for name, event in BY_TOPIC.items() if not issubclass(event, Dossier)]
DOSSIERS = [name for name, event in BY_TOPIC.items() if issubclass(event, Dossier)]
READERS = [(topic, service) for service, read in topics.CONSUMED.items() for topic in read]


def test_the_table_holds_each_event_and_each_readers_dead_letters_and_nothing_else() -> None:
    assert len(topics.table(SETTINGS)) == len(TABLE)
    assert TABLE.keys() == {*BY_TOPIC, *(topics.dead_letter_topic(*reader) for reader in READERS)}
    assert all(topic.name.startswith("land-") for topic in topics.table(SETTINGS))


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_kept_for_ever(name: str) -> None:
    config = TABLE[name].config
    assert (config["cleanup.policy"], config["retention.ms"], config["retention.bytes"]) == ("delete", "-1", "-1")
    assert TABLE[name].partitions == 12


@pytest.mark.parametrize("name", DOSSIERS)
def test_dossiers_are_compacted_within_a_day_and_never_kept_by_time(name: str) -> None:
    config = TABLE[name].config
    assert config["cleanup.policy"] == "compact"
    assert int(config["max.compaction.lag.ms"]) <= topics.DAY_MS
    assert "retention.ms" not in config
    assert TABLE[name].partitions == 12


@pytest.mark.parametrize(("topic", "service"), READERS)
def test_every_reader_has_a_dead_letter_topic(topic: str, service: str) -> None:
    letters = TABLE[f"{topic}.{service}.dlq"]
    assert letters.partitions == 1
    assert letters.config["retention.ms"] == str(90 * topics.DAY_MS)
    assert letters.config["cleanup.policy"] == ("compact,delete" if topic.endswith(".dossier") else "delete")


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_replica_may_be_away(replication: int, in_sync: str) -> None:
    for topic in topics.table(SETTINGS.model_copy(update={"replication": replication})):
        assert (topic.replication, topic.config["min.insync.replicas"]) == (replication, in_sync)


@pytest.mark.parametrize("service", EMITTED)
def test_a_service_waits_only_for_topics_of_the_table(service: str) -> None:
    needed = topics.needed(service, EMITTED[service], SETTINGS)
    assert {name.removeprefix("land-") for name in needed} <= TABLE.keys()


@pytest.mark.parametrize("service", EMITTED)
def test_a_service_reacts_to_exactly_the_topics_of_the_table(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built, not started: nothing is connected to."""
    monkeypatch.setenv("MIGLOBE_SECRET", SETTINGS.secret.get_secret_value())
    monkeypatch.setenv("MIGLOBE_PREFIX", "")
    app = import_module(f"services.{service}.app").build()
    assert set(app.state.service.inlet.topics) == set(topics.CONSUMED[service])
