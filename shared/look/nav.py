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


NAV: Mapping[Role, tuple[Entry, ...]] = {"advisor": (), "coordinator": (), "skew": (), "ops": ()}
LEGAL: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Link:
    """An entry as one page shows it; `current`: this page lies under it."""

    address: str
    words: tuple[str, str]
    current: bool


def links(entries: tuple[Entry, ...], settings: Settings, own: ServiceName, path: str) -> list[Link]:
    """`entries` as links on the page `path` of the service `own`."""
    return [
        Link(
            settings.link(own, entry.service, entry.path),
            entry.words,
            entry.service == own and (path == entry.path or path.startswith(f"{entry.path.rstrip('/')}/")),
        )
        for entry in entries
    ]
