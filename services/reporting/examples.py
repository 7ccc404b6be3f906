"""Practice examples: a text about an engagement that the municipality agrees to before anybody else reads it. Pure.

What is agreed to is one revision of the text, word for word; another revision needs another yes. The municipality may
take its yes back at any time, and is not asked again then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from shared.errors import Conflict
from shared.events import ExampleDecided
from shared.events.reporting import ExampleStatus

Status = Literal["draft"] | ExampleStatus
Act = Literal["drafted", "written", "asked", "agreed", "declined", "published", "withdrawn"]
PARTS = ("situation", "done", "outcome")
LONGEST_TITLE, LONGEST_PART = 120, 4_000
STATUS_NAMES: dict[Status, tuple[str, str]] = {
    "draft": ("Entwurf", "draft"),
    "asked": ("Zustimmung erbeten", "consent asked for"),
    "agreed": ("zugestimmt", "agreed to"),
    "declined": ("abgelehnt", "declined"),
    "published": ("veröffentlicht", "published"),
    "withdrawn": ("zurückgenommen", "withdrawn"),
}
ACTS: dict[Act, tuple[str, str]] = {
    "drafted": ("Entwurf angelegt", "drafted"),
    "written": ("Text geändert", "text changed"),
    "asked": ("um Zustimmung gebeten", "asked for consent"),
    "agreed": ("zugestimmt", "agreed"),
    "declined": ("abgelehnt", "declined"),
    "published": ("veröffentlicht", "published"),
    "withdrawn": ("zurückgenommen", "withdrawn"),
}
OFFERS: dict[Status, tuple[Literal["asked", "published", "withdrawn"], ...]] = {
    "draft": ("asked",),
    "asked": ("withdrawn",),
    "agreed": ("published", "withdrawn"),
    "declined": (),
    "published": ("withdrawn",),
    "withdrawn": (),
}
"""Status → what the office may do besides writing."""
MUNICIPALITY = "municipality"


@dataclass(frozen=True, slots=True)
class Text:
    """What is published, in the office's words. Each part is paragraphs with an empty line between them."""

    title: str
    situation: str = ""
    done: str = ""
    outcome: str = ""

    @classmethod
    def of(cls, *typed: str) -> "Text":
        """As it was typed, its parts in their order."""
        return cls(*(part.replace("\r\n", "\n").strip() for part in typed))


@dataclass(frozen=True, slots=True)
class Step:
    """Who did what and when; `by`: an account's name, or `MUNICIPALITY`. `revision`: of the text."""

    act: Act
    at: datetime
    by: str
    revision: int


@dataclass(frozen=True, slots=True)
class Example:
    """One engagement's example; of each there is one at most. `fields`: codes of what was asked for."""

    id: str
    version: int
    request_id: str
    case_number: str
    ags: str
    fields: tuple[str, ...]
    text: Text
    status: Status = "draft"
    revision: int = 1
    history: tuple[Step, ...] = ()

    @property
    def is_over(self) -> bool:
        """The municipality has taken back its yes: it is not asked again."""
        return self.status == "withdrawn" and self.history[-1].by == MUNICIPALITY

    @property
    def may_be_written(self) -> bool:
        return not self.is_over and self.status != "published"


Told = tuple[Example, tuple[ExampleDecided, ...]]


def draft(example: Example, by: str, now: datetime) -> Example:
    return _stepped(example, "drafted", by, now)


def write(example: Example, text: Text, by: str, now: datetime) -> Example:
    """Another text is another revision, and a draft again: who has agreed has agreed to the one before.

    Raises Conflict when it is public, or the municipality has taken it back.
    """
    if not example.may_be_written:
        raise _not_now()
    if text == example.text and example.status in ("draft", "asked", "agreed"):
        return example
    revised = replace(example, text=text, status="draft", revision=example.revision + 1)
    return _stepped(revised, "written", by, now)


def lacks(text: Text) -> Sequence[str]:
    """The parts without which nobody is asked."""
    return [name for name in ("title", *PARTS) if not getattr(text, name).strip()]


def ask(example: Example, by: str, now: datetime) -> Told:
    """The municipality is asked for this revision. Raises Conflict."""
    _allowed(example, "asked")
    if lacks(example.text):
        raise Conflict("Der Text ist noch nicht vollständig.", "The text is not complete yet.")
    return _decided(example, "asked", by, now)


def publish(example: Example, by: str, now: datetime) -> Told:
    """Raises Conflict unless the municipality has agreed to just this text."""
    _allowed(example, "published")
    return _decided(example, "published", by, now)


def take_off(example: Example, by: str, now: datetime) -> Told:
    """By the office. Raises Conflict."""
    _allowed(example, "withdrawn")
    return _decided(example, "withdrawn", by, now)


def answer(example: Example, wanted: str, revision: int, now: datetime) -> Told:
    """The municipality's answer: agreed or declined to the revision it has read, or withdrawn whatever the text is now.

    What is so already stays so. Raises Conflict when it can't be, or the text has changed since.
    """
    if wanted == example.status:
        return example, ()
    if wanted == "withdrawn" and example.status in ("asked", "agreed", "published"):
        return _decided(example, "withdrawn", MUNICIPALITY, now)
    if wanted not in ("agreed", "declined") or example.status != "asked":
        raise _not_now()
    if revision != example.revision:
        raise Conflict(
            "Der Text wurde inzwischen geändert. Bitte lesen Sie ihn noch einmal.",
            "The text has changed meanwhile. Please read it once more.",
        )
    return _decided(example, "agreed" if wanted == "agreed" else "declined", MUNICIPALITY, now)


def _allowed(example: Example, wanted: Literal["asked", "published", "withdrawn"]) -> None:
    if wanted not in OFFERS[example.status]:
        raise _not_now()


def _not_now() -> Conflict:
    return Conflict("Das geht in diesem Stand nicht mehr.", "This is no longer possible as things are.")


def _decided(example: Example, status: ExampleStatus, by: str, now: datetime) -> Told:
    assert status in get_args(ExampleStatus)
    after = _stepped(replace(example, status=status), status, by, now)
    event = ExampleDecided(
        example_id=example.id,
        request_id=example.request_id,
        status=status,
        revision=example.revision,
        decided_by="municipality" if by == MUNICIPALITY else "office",
        decided_at=now,
    )
    return after, (event,)


def _stepped(example: Example, act: Act, by: str, now: datetime) -> Example:
    step = Step(act, now, by, example.revision)
    return replace(example, version=example.version + 1, history=(*example.history, step))
