"""A mail server with moods, in front of the same mailbox as the sink's."""

import asyncio
import zlib
from collections import Counter
from pathlib import Path
from typing import Literal, get_args

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailsink.smtp import Handler
from deploy.local.mailsink.store import MailStore

Mood = Literal["kind", "4xx", "5xx", "mute", "cut", "taken"]
"""mute: never answers. cut: hangs up after DATA and forgets the mail. taken: hangs up, but has the mail."""

MOODS: tuple[Mood, ...] = get_args(Mood)
NOT_NOW = ("421 4.3.2 Closing down", "450 4.2.1 Mailbox busy", "451 4.3.0 Local error")
"""What may be answered to MAIL, RCPT and DATA."""
_REFUSALS = "refusals.txt"
"""In the mailbox's folder: an address per line, once for each time that it was refused for good."""


class MailServer(Handler):
    """Runs in a thread of its own from `open` to `close`; `mood` may be set at any time."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(MailStore(directory))
        self.port = port
        self.mood: Mood = "kind"
        self._refusals = directory / _REFUSALS
        self._mails = 0
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=port,
            ready_timeout=30,
            enable_SMTPUTF8=True,
            server_hostname="post.example",
        )

    def open(self) -> None:
        self._controller.start()

    def close(self) -> None:
        self.mood = "kind"
        self._controller.stop(no_assert=True)

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._unless_mute()
        self._mails += 1
        if self.mood == "4xx" and self._mails % 3 == 0:
            return NOT_NOW[0]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._unless_mute()
        if self.mood == "4xx" and self._mails % 3 == 1:
            return NOT_NOW[1]
        if self.mood == "5xx" and _chosen(address) == "550":
            return self._refuse(address, "550 5.1.1 No such mailbox")
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await self._unless_mute()
        mood, [address] = self.mood, envelope.rcpt_tos
        if mood == "4xx":
            return NOT_NOW[2]
        if mood == "5xx" and _chosen(address) == "554":
            return self._refuse(address, "554 5.6.0 Not this content")
        answer = "250 OK" if mood == "cut" else await super().handle_DATA(server, session, envelope)
        if mood in ("cut", "taken") and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return answer

    async def _unless_mute(self) -> None:
        if self.mood == "mute":
            await asyncio.sleep(3600)

    def _refuse(self, address: str, answer: str) -> str:
        with self._refusals.open("a") as lines:
            lines.write(address + "\n")
        return answer


def refusals(directory: Path) -> dict[str, int]:
    """Address → how often it was refused for good by a server of this mailbox."""
    try:
        return dict(Counter((directory / _REFUSALS).read_text().split()))
    except FileNotFoundError:
        return {}


def _chosen(address: str) -> str:
    """What a recipient is answered for good: "" for all advisors, without whose mails nothing would go on."""
    if address.endswith("@rathaus.example"):
        return ("550", "554", "")[zlib.crc32(address.encode()) % 3]
    return ""
