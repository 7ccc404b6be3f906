"""The mail server: a few connections that are used again, and its answers sorted into now, later and never."""

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP

COMMAND_SECONDS = 20.0
GREETING_SECONDS = 8.0
"""To be let in. Shorter: nothing is lost by asking again, and who waits on a dead way learns late that it lives."""
SEND_SECONDS = 60.0
IDLE_SECONDS = 60.0
"""How long an unused connection is kept; servers hang up after some minutes."""

_STARTTLS = {"auto": None, "always": True, "never": False}


class Refused(Exception):
    """The server will never take this mail for this recipient; `reason` is a code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class NotNow(Exception):
    """The mail may be taken later: server away, busy, greylisting, or wrongly configured on our side."""


@dataclass(frozen=True)
class Server:
    """Where mails are handed in. `starttls`: None when the server may choose."""

    host: str
    port: int
    tls: bool
    starttls: bool | None
    user: str | None
    password: str | None = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Raises ValueError when `url` is not of the form that the setting documents."""
        form = "must be smtp://[user:password@]host[:port][?starttls=auto|always|never] or smtps://…"
        parts = urlsplit(url)
        mode = parse_qs(parts.query).get("starttls", ["auto"])[-1]
        if (
            parts.scheme not in ("smtp", "smtps")
            or not parts.hostname
            or mode not in _STARTTLS
            or parts.path.strip("/")
        ):
            raise ValueError(form)
        tls = parts.scheme == "smtps"
        if parts.username and not tls and mode == "never":
            raise ValueError("a password is only sent over TLS: take smtps:// or leave out starttls=never")
        starttls = False if tls else True if parts.username else _STARTTLS[mode]
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if tls else 587 if parts.username else 25),
            tls=tls,
            starttls=starttls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class Connections:
    """Connections to one server; each carries one mail at a time, idle ones are taken up again."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[tuple[SMTP, float]] = []
        self.failing: str | None = None
        """Why the last mail found no server that answered."""

    async def send(self, mail: EmailMessage, sender: str, recipient: str) -> None:
        """Returns when the server has accepted `mail`. Raises Refused or NotNow."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._hand_over(mail, sender, recipient)
            self.failing = None
        except aiosmtplib.SMTPRecipientsRefused as error:
            self.failing = None
            first = error.recipients[0]
            raise _sorted("recipient_refused", first.code, first.message) from error
        except aiosmtplib.SMTPDataError as error:
            self.failing = None
            raise _sorted("content_refused", error.code, error.message) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise Refused("address_not_supported", str(error)) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self.failing = f"{type(error).__name__}: {error}"[:300]
            raise NotNow(self.failing) from error
        except ValueError as error:
            raise Refused("bad_address", str(error)) from error

    async def close(self) -> None:
        """Takes leave of the server where it still listens."""
        while self._idle:
            client, _ = self._idle.pop()
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=1)
            client.close()

    async def _hand_over(self, mail: EmailMessage, sender: str, recipient: str) -> None:
        client = self._take()
        if client is not None:
            try:
                await self._send(client, mail, sender, recipient)
                return
            except aiosmtplib.SMTPServerDisconnected:
                pass  # it hung up while we were idle
        client = SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.user,
            password=self._server.password,
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            timeout=COMMAND_SECONDS,
            local_hostname=socket.gethostname(),  # the default asks DNS, and blocks meanwhile
        )
        await client.connect(timeout=GREETING_SECONDS)
        await self._send(client, mail, sender, recipient)

    async def _send(self, client: SMTP, mail: EmailMessage, sender: str, recipient: str) -> None:
        try:
            await client.send_message(mail, sender=sender, recipients=[recipient])
        except BaseException:
            client.close()
            raise
        self._idle.append((client, time.monotonic()))

    def _take(self) -> SMTP | None:
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and time.monotonic() - since < IDLE_SECONDS:
                return client
            client.close()
        return None


def _sorted(reason: str, code: int, message: str) -> Refused | NotNow:
    said = f"{code} {message}"
    return Refused(reason, said) if code >= 500 else NotNow(said)
