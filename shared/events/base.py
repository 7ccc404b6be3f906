"""What every event has in common: topic, type, key; and the codes that facts speak in."""

import re
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A UUIDv7 in its canonical form; sorts by time."""
AdvisorId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{1,19}$")]
"""The programme's own number of an advisor, such as A05: pseudonymous, never a name."""
Ags = Annotated[str, StringConstraints(pattern=r"^\d{5}(\d{3})?$")]
"""Official municipality key: 8 digits, or 5 for a rural district."""
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
"""ISO 639 code."""
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,60}$")]
"""A machine-readable code; its words live in the services' translations."""
CaseNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z-]{4,20}$")]
Moment = AwareDatetime
Cents = Annotated[int, Field(description="integer euro cents; negative in a counter-entry")]


class FieldCode(StrEnum):
    """The six fields of consultation and "something else" (mission, rule 5)."""

    FAIR_WEEK = "fair_week"
    PARTNERSHIPS = "partnerships"
    AGENDA_2030 = "agenda_2030"
    POLICY_QUALITY = "policy_quality"
    OPPORTUNITIES = "opportunities"
    CAUSES_OF_FLIGHT = "causes_of_flight"
    OTHER = "other"


class Mode(StrEnum):
    ON_SITE = "on_site"
    ONLINE = "online"
    EITHER = "either"


class Tandem(StrEnum):
    WANTED = "wanted"
    NOT_WANTED = "not_wanted"
    EITHER = "either"


class Role(StrEnum):
    LEAD = "lead"
    CO = "co"


class SessionKind(StrEnum):
    FIRST_TALK = "first_talk"
    DIALOGUE_FORUM = "dialogue_forum"
    CONSULTATION = "consultation"
    KEYNOTE = "keynote"


class Part(BaseModel):
    """A part of an event: unknown members are ignored, so that a newer emitter may add optional ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Part):
    """One event; the body on the wire is its plain JSON. `topic` carries one type and version only."""

    topic: ClassVar[str]
    version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """The partition key: the request's id for facts of a request, else the id of what it is about."""
        return str(self.request_id)  # type: ignore[attr-defined]

    @classmethod
    def type(cls) -> str:
        """The CloudEvents type, such as `de.miglobe.request.created.v1`."""
        return _type(cls.topic, cls.version)


@cache
def _type(topic: str, version: int) -> str:
    return f"de.miglobe.{re.sub(r'[.]v[0-9]+$', '', topic)}.v{version}"


class Fact(Event):
    """What happened, for ever: ids, keys, codes, numbers, times. No personal data, no free text."""


class Dossier(Event):
    """What a person told us. Compacted; a tombstone erases it here and in every copy."""


def moment(value: datetime) -> datetime:
    """`value` cut to whole milliseconds, which is what MongoDB keeps. Raises ValueError when naive."""
    if value.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return value.replace(microsecond=value.microsecond // 1000 * 1000)
