"""Where each role can go from every page; whoever adds a page for a role adds its line."""

from collections.abc import Mapping
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


_FOR_OTHERS = Entry("intake", "/request/office", ("Anfrage aufnehmen", "Take a request"))
_FIGURES = Entry("reporting", "/reporting", ("Kennzahlen", "Figures"))
_CLAIMS = Entry("reporting", "/reporting/claims", ("Honorare", "Honoraria"))
_EXAMPLES = Entry("reporting", "/reporting/examples", ("Praxisbeispiele", "Practice examples"))
_OPERATIONS = Entry("reporting", "/operations", ("Betrieb", "Operations"))

NAV: Mapping[Role, tuple[Entry, ...]] = {
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
        Entry("intake", "/barriers", ("Barrieren", "Barriers")),
        _FOR_OTHERS,
        _FIGURES,
        _CLAIMS,
        _EXAMPLES,
        _OPERATIONS,
    ),
    "skew": (_FIGURES, _CLAIMS, _EXAMPLES),
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
    """An entry as one page shows it; `current`: this page lies under it."""

    address: str
    words: tuple[str, str]
    current: bool


def links(entries: tuple[Entry, ...], settings: Settings, own: ServiceName, path: str) -> list[Link]:
    """`entries` as links on the page `path` of the service `own`; the one that it lies deepest under is current."""
    above = [
        each.path for each in entries if each.service == own and f"{path}/".startswith(f"{each.path.rstrip('/')}/")
    ]
    nearest = max(above, key=len, default=None)
    return [
        Link(
            settings.link(own, entry.service, entry.path) + (f"?page={quote(path)}" if entry.tells else ""),
            entry.words,
            entry.service == own and entry.path == nearest,
        )
        for entry in entries
    ]
