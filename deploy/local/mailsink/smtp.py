"""The SMTP door."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailsink.store import MailStore

LARGEST_MAIL = 25_000_000  # bytes; larger ones are answered 552
_ANSWERS = {
    "refuse.example": "550 5.1.1 No such mailbox (this domain always refuses)",
    "later.example": "451 4.3.2 Try again later (this domain always says so)",
}


class Handler:
    """aiosmtpd's hooks: which recipients are taken, and what becomes of a mail."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """250, or what the recipient's domain stands for."""
        answer = _ANSWERS.get(address.rpartition("@")[2].lower(), "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """250 only when the file is there."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        try:
            name = await asyncio.to_thread(self._store.add, raw, envelope.mail_from or "", envelope.rcpt_tos)
        except OSError as error:
            return f"452 4.3.1 Could not be stored: {error.strerror}"
        return f"250 OK {name}"


async def serve(store: MailStore, host: str, port: int) -> asyncio.Server:
    """Listen; the caller closes the server."""
    handler = Handler(store)
    return await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname="mailsink.localhost", data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True),
        host,
        port,
    )
