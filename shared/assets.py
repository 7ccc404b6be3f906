"""The files that pages load, out of `shared/static`: compressed once, with addresses that change with their content."""

import asyncio
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

ROOT = Path(str(resources.files("shared"))) / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_TEXT = ("text/", "application/javascript", "application/json", "image/svg+xml")


@dataclass(frozen=True)
class Asset:
    """One file. `zipped`: None where gzip gains nothing; `version`: of its content."""

    kind: str
    plain: bytes
    zipped: bytes | None
    version: str


def address(name: str) -> str:
    """The address of `shared/static/<name>` that browsers may keep for ever. Raises FileNotFoundError."""
    return f"/static/{name}?v={_load(name).version}"


@lru_cache(maxsize=256)
def _load(name: str) -> Asset:
    """`name` as it is when it is first asked for; services start anew with new files. Raises FileNotFoundError."""
    path = (ROOT / name).resolve()
    if not path.is_relative_to(ROOT.resolve()) or not path.is_file():
        raise FileNotFoundError(name)
    plain = path.read_bytes()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    zipped = gzip.compress(plain, 9, mtime=0) if kind.startswith(_TEXT) else None
    return Asset(kind, plain, zipped, hashlib.sha256(plain).hexdigest()[:12])


class Static:
    """The ASGI app under /static."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._answer(Request(scope)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        name = request.scope["path"].removeprefix(request.scope["root_path"]).lstrip("/")
        try:
            found = await asyncio.to_thread(_load, name)  # compressing the largest takes a fifth of a second
        except (FileNotFoundError, ValueError):  # a NUL in the name
            raise HTTPException(404) from None
        named = request.query_params.get("v") == found.version
        headers = {
            "Cache-Control": _FOR_EVER if named else _FOR_A_DAY,
            "ETag": f'"{found.version}"',
            "Vary": "Accept-Encoding",
        }
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if found.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.zipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.kind)
        return Response(found.plain, headers=headers, media_type=found.kind)
