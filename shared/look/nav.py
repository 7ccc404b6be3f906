"""Where each role can go from every page; whoever adds a page for a role adds its line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from shared.auth import Role
from shared.settings import ServiceName, Settings


@dataclass(frozen=True)
class Entry:
    """A link: the service that owns the page, its path, and its words in German and English.

    `tells`: it says which page one comes from, without its query, where tokens are.
    """

    service: ServiceName
    path: str
    words: tuple[str, str]
    tells: bool = False


@dataclass(frozen=True)
class Group:
    """Places that are one step further down, so that the way to all of them fits on a phone."""

    words: tuple[str, str]
    entries: tuple[Entry, ...]


_FOR_OTHERS = Entry("intake", "/request/office", ("Anfrage aufnehmen", "Take a request"))
_FIGURES = Entry("reporting", "/reporting", ("Kennzahlen", "Figures"))
_CLAIMS = Entry("reporting", "/reporting/claims", ("Honorare", "Honoraria"))
_EXAMPLES = Entry("reporting", "/reporting/examples", ("Praxisbeispiele", "Practice examples"))
_REPORTS = (_FIGURES, _CLAIMS, _EXAMPLES)
_OPERATIONS = Entry("reporting", "/operations", ("Betrieb", "Operations"))

NAV: Mapping[Role, tuple[Entry | Group, ...]] = {
    "advisor": (
        Entry("matching", "/advisor", ("Übersicht", "Overview")),
        Entry("matching", "/advisor/past", ("Früheres", "Former")),
        Entry("matching", "/advisor/me", ("Meine Angaben", "About me")),
        _FOR_OTHERS,
        Entry("reporting", "/reporting/mine", ("Meine Honorare", "My honoraria")),
    ),
    "coordinator": (
        Entry("matching", "/coordination", ("Arbeitsliste", "Worklist")),
        Entry("matching", "/coordination/advisors", ("Beratende", "Advisors")),
        Entry("matching", "/coordination/governing", ("Steuerung", "Governing")),
        Entry("notifications", "/messages", ("Nachrichten", "Messages")),
        Group(("Berichte", "Reports"), _REPORTS),
        Group(("Mehr", "More"), (_FOR_OTHERS, Entry("intake", "/barriers", ("Barrieren", "Barriers")), _OPERATIONS)),
    ),
    "skew": _REPORTS,
    "ops": (Entry("notifications", "/messages", ("Nachrichten", "Messages")), _OPERATIONS),
}
LEGAL: tuple[Entry, ...] = (
    Entry("intake", "/imprint", ("Impressum", "Imprint")),
    Entry("intake", "/privacy", ("Datenschutz", "Privacy")),
    Entry("intake", "/accessibility", ("Barrierefreiheit", "Accessibility")),
    Entry("intake", "/barrier", ("Barriere melden", "Report a barrier"), tells=True),
    Entry("intake", "/plain-language", ("Leichte Sprache", "Easy language")),
    Entry("intake", "/sign-language", ("Gebärdensprache", "Sign language")),
)
"""What every page leads to."""


@dataclass(frozen=True)
class Link:
    """An entry as one page shows it; `current`: this page lies under it. A group has no address, but links `below`."""

    address: str
    words: tuple[str, str]
    current: bool
    below: "tuple[Link, ...]" = ()


def links(entries: Sequence[Entry | Group], settings: Settings, own: ServiceName, path: str) -> list[Link]:
    """`entries` as links on the page `path` of the service `own`; the one that it lies deepest under is current."""
    each = [one for entry in entries for one in (entry.entries if isinstance(entry, Group) else (entry,))]
    above = [one.path for one in each if one.service == own and f"{path}/".startswith(f"{one.path.rstrip('/')}/")]
    nearest = max(above, key=len, default=None)

    def link(entry: Entry | Group) -> Link:
        if isinstance(entry, Group):
            below = tuple(map(link, entry.entries))
            return Link("", entry.words, any(one.current for one in below), below)
        told = f"?page={quote(path)}" if entry.tells else ""
        current = entry.service == own and entry.path == nearest
        return Link(settings.link(own, entry.service, entry.path) + told, entry.words, current)

    return list(map(link, entries))
