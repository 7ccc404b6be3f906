"""Somebody before the portal: an advisor by number, or a coordinator."""

from dataclasses import dataclass

from tests.matching.reading import Form, Read
from tests.matching.world import World


@dataclass(frozen=True)
class Reader:
    here: World
    number: str | None = None
    """None: a coordinator."""

    async def opens(self, path: str, language: str = "de") -> Read:
        answer = await self.here.client.get(path, headers=self._headers(language), follow_redirects=True)
        return Read.of(answer)

    async def sends(self, form: Form, **changes: str | list[str]) -> Read:
        """`form` with `changes` to what stands in it."""
        answer = await self.here.client.post(
            form.action, data=form.fields | changes, headers=self._headers("de"), follow_redirects=True
        )
        return Read.of(answer)

    def _headers(self, language: str) -> dict[str, str]:
        who = self.here.bearer("advisor", self.number) if self.number else self.here.bearer("coordinator")
        return who | {"accept-language": language, "accept": "text/html"}
