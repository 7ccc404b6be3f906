"""The mail sink, answering also at Mailpit's addresses what the tests ask of it."""

from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.mailsink.page import build
from deploy.local.mailsink.store import MailStore


def main() -> None:
    store = MailStore(Path("/tmp/mails"))

    def listed(_: Request) -> Response:
        mails = [{"ID": mail.file, "Created": mail.received_at, "Subject": mail.subject} for mail in store.all()]
        return JSONResponse({"total": len(mails), "messages": mails[::-1]})

    def raw(request: Request) -> Response:
        found = store.raw(request.path_params["id"])
        return Response(found or b"", 200 if found else 404, media_type="text/plain")

    app = build(store, host="0.0.0.0", smtp_port=1025)
    app.router.routes += [Route("/api/v1/messages", listed), Route("/api/v1/message/{id}/raw", raw)]
    uvicorn.run(app, host="0.0.0.0", port=8025, access_log=False)


if __name__ == "__main__":
    main()
