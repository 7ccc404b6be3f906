"""Every page there is, in every state worth a look: one line each. Whoever adds a page adds its lines here.

`make screens` takes a picture of each; the tests look at each by axe, at 320 px, in the dark, without JavaScript.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.ids import new_id
from shared.settings import ServiceName
from tests.browser.world import World


@dataclass(frozen=True)
class Shown:
    """A page in one state. `path`: makes the state and says where the page is; `status`: what it answers."""

    name: str
    service: ServiceName
    path: Callable[[World], Awaitable[str]]
    status: int = 200


def _fixed(path: str) -> Callable[[World], Awaitable[str]]:
    async def found(_: World) -> str:
        return path

    return found


def _request(step: str, page: str = "") -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return world.request(await world.at(step), page)

    return found


def _answer(step: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return world.answer(await world.at(step))

    return found


ROUTES = (
    Shown("status-received", "intake", _request("submit")),
    Shown("status-closed", "intake", _request("close")),
    Shown("withdraw", "intake", _request("submit", "/withdraw")),
    Shown("withdraw-too-late", "intake", _request("close", "/withdraw")),
    Shown("feedback", "intake", _request("close", "/feedback")),
    Shown("feedback-too-early", "intake", _request("submit", "/feedback")),
    Shown("link-broken", "intake", _fixed("/requests/nonsense?token=x"), 400),
    Shown("link-foreign", "intake", _fixed(f"/requests/{new_id()}?token=x"), 403),
    Shown("unknown-address", "intake", _fixed("/there-is-nothing-here"), 404),
    *(Shown(name, "intake", _fixed(f"/{name}")) for name in ("imprint", "privacy", "accessibility")),
    *(Shown(name, "intake", _fixed(f"/{name}")) for name in ("plain-language", "sign-language")),
    Shown("barrier", "intake", _fixed("/barrier?page=/privacy")),
    Shown("barrier-thanks", "intake", _fixed("/barrier/thanks")),
    Shown("privacy-english", "intake", _fixed("/privacy?lang=en")),
    Shown("answer-asked", "matching", _answer("await_assignment")),
    Shown("answer-engaged", "matching", _answer("accept")),
)
