"""The inbox in the browser, and the mails as JSON."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from deploy.local.mailsink import smtp
from deploy.local.mailsink.read import Letter, read
from deploy.local.mailsink.store import MailStore

_HERE = Path(__file__).parent
_PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# Of a mail nothing is loaded and no script runs; its links open in a tab of their own.
_MAIL_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_MAIL_HEADERS = {"Content-Security-Policy": _MAIL_POLICY, "X-Content-Type-Options": "nosniff"}


def build(store: MailStore, host: str, smtp_port: int) -> Starlette:
    """The page; its SMTP server listens for as long as it runs."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with await smtp.serve(store, host, smtp_port):
            yield

    pages = Pages(store)
    routes = {
        "/": pages.inbox,
        "/mails/{file}": pages.mail,
        "/mails/{file}/html": pages.html,
        "/mails/{file}/attachments/{number:int}": pages.attachment,
        "/api/mails": pages.api_list,
        "/api/mails/{file}": pages.api_raw,
        "/style.css": pages.style,
        "/livez": pages.livez,
    }
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()], lifespan=lifespan)


class Pages:
    """One method per route; they run in threads, since files are read."""

    def __init__(self, store: MailStore) -> None:
        self._store = store
        self._templates = Jinja2Templates(_HERE / "templates")

    def inbox(self, request: Request) -> Response:
        """All mails, the newest first."""
        return self._page(request, "inbox.html", mails=self._store.all()[::-1])

    def mail(self, request: Request) -> Response:
        """One mail, for reading."""
        return self._page(request, "mail.html", file=request.path_params["file"], letter=self._letter(request))

    def html(self, request: Request) -> Response:
        """Its HTML part, for the frame in its page."""
        return HTMLResponse(f'<base target="_blank">{self._letter(request).html}', headers=_MAIL_HEADERS)

    def attachment(self, request: Request) -> Response:
        """Never as what it claims to be: the browser is to store it, not to open it in our name."""
        attachments, number = self._letter(request).attachments, request.path_params["number"]
        if number >= len(attachments):
            raise HTTPException(404, "The mail has no such attachment.")
        headers = {"Content-Disposition": "attachment", **_MAIL_HEADERS}
        return Response(attachments[number].content, media_type="application/octet-stream", headers=headers)

    def api_list(self, request: Request) -> Response:
        """JSON: [{file, message_id, from, to, subject, date, recipients, received_at, copy}], the oldest first."""
        return JSONResponse([mail.as_json() for mail in self._store.all()])

    def api_raw(self, request: Request) -> Response:
        """A mail as it was received, with its envelope in two headers in front."""
        return Response(self._raw(request), media_type="message/rfc822", headers=_MAIL_HEADERS)

    def style(self, request: Request) -> Response:
        """The pages' style sheet."""
        return FileResponse(_HERE / "style.css")

    def livez(self, request: Request) -> Response:
        """The SMTP server listens, too: it does before the page is served."""
        return JSONResponse({"status": "ok"})

    def _raw(self, request: Request) -> bytes:
        raw = self._store.raw(request.path_params["file"])
        if raw is None:
            raise HTTPException(404, "There is no such mail.")
        return raw

    def _letter(self, request: Request) -> Letter:
        return read(self._raw(request))

    def _page(self, request: Request, name: str, **values: Any) -> Response:
        headers = {"Content-Security-Policy": _PAGE_POLICY}
        return self._templates.TemplateResponse(request, name, values, headers=headers)
