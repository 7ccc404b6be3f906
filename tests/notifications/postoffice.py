"""A mail server for tests: it keeps what it takes and answers as it is told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class PostOffice:
    """`at_rcpt`, `at_data`: answers to give before the usual 250, the first one first."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    at_rcpt: list[str] = field(default_factory=list)
    at_data: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Any] | None = None
    connections: int = 0
    doors: list[asyncio.BaseTransport] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def times(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(str(mail["Message-ID"]) for mail in self.mails)

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        if self.at_rcpt:
            return self.at_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        if self.at_data:
            return self.at_data.pop(0)
        if self.meanwhile:
            await self.meanwhile()
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    def hang_up(self) -> None:
        """As a server does with those who say nothing for long."""
        for door in self.doors:
            door.close()
        self.doors.clear()

    def _answer(self) -> SMTP:
        office = self

        class Counted(SMTP):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                office.connections += 1
                office.doors.append(transport)
                super().connection_made(transport)

        return Counted(self, hostname="postoffice.example", enable_SMTPUTF8=True)


@asynccontextmanager
async def opened(office: PostOffice, port: int = 0) -> AsyncIterator[PostOffice]:
    """Listens on `port`, or on a free one."""
    server = await asyncio.get_running_loop().create_server(office._answer, "127.0.0.1", port)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        office.hang_up()
