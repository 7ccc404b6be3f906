"""Where each role can go from every page; whoever adds a page for a role adds its line."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.auth import Role
from shared.settings import ServiceName, Settings


@dataclass(frozen=True)
class Entry:
    """A link: the service that owns the page, its path, and its words in German and English."""

    service: ServiceName
    path: str
    words: tuple[str, str]


_FOR_OTHERS = Entry("intake", "/request/office", ("Anfrage aufnehmen", "Take a request"))
NAV: Mapping[Role, tuple[Entry, ...]] = {
    "advisor": (
        Entry("matching", "/advisor", ("Übersicht", "Overview")),
        Entry("matching", "/advisor/past", ("Früheres", "Former")),
        Entry("matching", "/advisor/me", ("Meine Angaben", "About me")),
        _FOR_OTHERS,
    ),
    "coordinator": (
        Entry("matching", "/coordination", ("Arbeitsliste", "Worklist")),
        Entry("matching", "/coordination/advisors", ("Beratende", "Advisors")),
        Entry("intake", "/barriers", ("Barrieren", "Barriers")),
        _FOR_OTHERS,
    ),
    "skew": (),
    "ops": (),
}
LEGAL: tuple[Entry, ...] = (
    Entry("intake", "/imprint", ("Impressum", "Imprint")),
    Entry("intake", "/privacy", ("Datenschutz", "Privacy")),
    Entry("intake", "/accessibility", ("Barrierefreiheit", "Accessibility")),
    Entry("intake", "/barrier", ("Barriere melden", "Report a barrier")),
    Entry("intake", "/plain-language", ("Leichte Sprache", "Easy language")),
    Entry("intake", "/sign-language", ("Gebärdensprache", "Sign language")),
)
"""What every page leads to."""


@dataclass(frozen=True)
class Link:
    """An entry as one page shows it; `current`: this page lies under it."""

    address: str
    words: tuple[str, str]
    current: bool


def links(entries: tuple[Entry, ...], settings: Settings, own: ServiceName, path: str) -> list[Link]:
    """`entries` as links on the page `path` of the service `own`; of those that lead to it the nearest is current."""
    here = [one for one in entries if one.service == own and f"{path}/".startswith(f"{one.path.rstrip('/')}/")]
    nearest = max(here, key=lambda one: len(one.path), default=None)
    return [Link(settings.link(own, entry.service, entry.path), entry.words, entry is nearest) for entry in entries]
