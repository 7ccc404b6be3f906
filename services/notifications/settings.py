"""What notifications alone is told by its environment."""

from email.headerregistry import Address
from email.utils import parseaddr
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from services.notifications.smtp import Server
from shared.settings import Settings as Common


class Settings(Common):
    """Read from `MIGLOBE_…`, such as `MIGLOBE_SMTP`."""

    smtp: SecretStr = Field(
        default=SecretStr("smtp://127.0.0.1:1025"),
        description="smtp://[user:password@]host[:port][?starttls=auto|always|never] or smtps://…; "
        "a password is sent over TLS only",
    )
    mail_from: str = Field(
        default="MiGlobe-Beratung <beratung@miglobe.example>",
        max_length=200,
        description="sender of all mails; replies go there",
    )
    mail_coordinators: str = Field(
        default="MiGlobe-Koordination <koordination@miglobe.example>",
        max_length=200,
        description="the programme's office: told of what is late and of hand-overs",
    )
    mail_coordinators_language: Literal["de", "en"] = "de"
    mail_connections: int = Field(default=4, ge=1, le=50, description="mails on their way at the same time")
    mail_retry_seconds: float = Field(default=2.0, gt=0, description="pause after the first failed attempt; doubles")
    mail_retry_cap_seconds: float = Field(default=300.0, gt=0, description="longest pause between two attempts")
    mail_give_up_days: float = Field(default=3.0, gt=0, description="after so long a mail has failed for good")
    mail_silent_after_days: float = Field(
        default=30.0, gt=0, description="nobody is written to about a fact older than this (a replay from Kafka)"
    )

    @field_validator("smtp")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        Server.parse(value.get_secret_value())
        return value

    @field_validator("mail_from", "mail_coordinators")
    @classmethod
    def _address(cls, value: str) -> str:
        name, address = parseaddr(value)
        if not value.isprintable() or address.count("@") != 1 or not address.isascii():
            raise ValueError("must be an address such as: Name <mail@example.org>")
        Address(name, addr_spec=address)
        return value
