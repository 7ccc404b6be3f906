"""What every service is told by its environment. Wrong settings refuse to start, in one readable block."""

import os
import socket
import sys
from ipaddress import ip_address
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

ServiceName = Literal["intake", "matching", "notifications", "reporting"]


class Settings(BaseSettings):
    """Read from `MIGLOBE_…` variables; a service adds its own knobs in a subclass."""

    model_config = SettingsConfigDict(env_prefix="MIGLOBE_", extra="ignore", frozen=True)

    kafka: str = Field(
        default="127.0.0.1:9092",
        pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$",
        description="bootstrap servers as host:port,host:port",
    )
    mongo: str = Field(
        default="mongodb://127.0.0.1:27017/?replicaSet=rs0",
        pattern=r"^mongodb(\+srv)?://",
        description="connection string of a replica set",
    )
    mongo_driver: Literal["pymongo", "motor"] = "pymongo"
    secret: SecretStr = Field(
        min_length=32, description="signs links and tokens, the same for all services: `openssl rand -hex 32`"
    )
    prefix: str = Field(
        default="",
        pattern=r"^([a-z0-9][a-z0-9-]{0,30}-)?$",
        description="put before topics, groups and database names, so that installations can share servers",
    )
    instance: str = Field(
        default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}",
        max_length=200,
        description="this process; the same again after a restart, so that it takes up its own lease at once",
    )
    partitions: int = Field(default=6, ge=1, le=1000, description="of each topic, when topics are created")
    replication: int = Field(default=1, ge=1, le=7, description="of each topic, when topics are created")
    register_file: str | None = Field(default=None, description="CSV of another state's municipalities")
    state: str = Field(default="08", pattern=r"^\d{2}$", description="first two digits of the AGS of the state served")
    subdivision: Literal[
        "BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH"
    ] = Field(default="BW", description="state whose public holidays count")
    time_zone: str = Field(default="Europe/Berlin", description="the programme's days begin and end in it")
    site_url: AnyHttpUrl | None = Field(
        default=None, description="the address in front of all services; without: each service at its own"
    )
    intake_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8001")
    matching_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8002")
    notifications_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8003")
    reporting_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8004")
    oidc_issuer: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="issuer of the OpenID provider whose accounts log in; https, or http on this machine; empty: "
        "nobody can log in to the pages, and the APIs take the tokens of `miglobe token`",
    )
    oidc_discovery: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="address of the provider's openid-configuration, if services reach it otherwise than browsers do",
    )
    oidc_client_id: str = Field(default="miglobe", max_length=200, description="of the services' pages, one for all")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="empty: a public client, by PKCE alone")
    oidc_scope: str = Field(default="openid profile email", description="asked for at login")
    oidc_audience: str = Field(
        default="miglobe-api", min_length=1, description="a bearer token must be meant for it (`aud`)"
    )
    oidc_roles_claim: str = Field(
        default="roles", min_length=1, description="claim with the roles, such as roles or realm_access.roles"
    )
    oidc_advisor_claim: str = Field(
        default="advisor_id", min_length=1, description="claim with an advisor's number such as A05; or sub"
    )
    oidc_account_claim: str = Field(
        default="preferred_username",
        description="claim by which logs of decisions name somebody; sub where it is absent",
    )
    local_tokens: bool = Field(
        default=False,
        description="the APIs take tokens of `miglobe token` beside the provider's: whoever knows the secret is then "
        "any role; without a provider they are taken anyhow, there is nothing else",
    )
    session_idle_minutes: int = Field(default=60, ge=5, le=1440, description="a login ends after so long unused")
    session_hours: float = Field(default=10.0, gt=0, le=72, description="and after so long in any case")
    programme_name: str = Field(default="MiGlobe-Beratung (Demonstration)", max_length=80)
    demonstration: bool = Field(default=True, description="every page says that this is one and no official service")
    otlp: AnyHttpUrl | None = Field(
        default=None, description="where spans go by OTLP over HTTP, such as http://collector:4318; without: none"
    )
    log_format: Literal["console", "json"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    body_limit: int = Field(default=262_144, ge=1024, description="bytes of a request body; above: 413")
    queue_limit: int = Field(default=10_000, ge=1, description="changes waiting for the database; above: 503")

    @field_validator("site_url", mode="before")
    @classmethod
    def _site_or_none(cls, value: object) -> object:
        return value or None

    @field_validator("mongo")
    @classmethod
    def _connection_string(cls, value: str) -> str:
        if value.startswith("mongodb://"):  # of the other form, +srv, a look-up would be part
            try:
                parse_uri(value)
            except (PyMongoError, ValueError):  # whose words may quote the password
                raise ValueError("must be such as mongodb://user:password@host:27017/?replicaSet=rs0") from None
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme == "http" and not is_local(value):
            raise ValueError("must be https, unless it is on this machine: tokens and logins pass there")
        return value

    @field_validator("register_file")
    @classmethod
    def _register_there(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                open(value, "rb").close()
            except OSError as error:
                raise ValueError(f"{value} can't be read: {error.strerror}") from None
        return value

    @field_validator("time_zone")
    @classmethod
    def _time_zone_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("must be a time zone such as Europe/Berlin") from None
        return value

    def address(self, service: ServiceName) -> str:
        """Where people find the pages of `service`, without a slash at the end."""
        urls = {
            "intake": self.intake_url,
            "matching": self.matching_url,
            "notifications": self.notifications_url,
            "reporting": self.reporting_url,
        }
        return str(self.site_url or urls[service]).rstrip("/")

    def link(self, own: ServiceName, service: ServiceName, path: str) -> str:
        """`path` of `service` as a page of the service `own` links to it: one site needs no host."""
        return path if self.site_url or own == service else self.address(service) + path

    def database(self, service: str) -> str:
        """The name of a service's own database."""
        return f"{self.prefix}miglobe-{service}"


def is_local(address: str) -> bool:
    """Whether a URL leads to this machine, to which no proxy does, whatever the environment says."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


S = TypeVar("S", bound=Settings)


def load(cls: type[S], **values: Any) -> S:
    """`cls` from the environment, `values` first. Exits with one line per wrong setting."""
    try:
        return cls(**values)
    except ValidationError as error:
        lines = []
        for item in error.errors(include_input=False, include_url=False):
            about = cls.model_fields[str(item["loc"][0])].description if item["loc"] else None
            name = "_".join(str(part) for part in item["loc"]).upper()
            lines.append(f"  MIGLOBE_{name}: {item['msg']}{f' ({about})' if about else ''}")
        sys.exit("The settings are wrong, nothing was started:\n" + "\n".join(lines))
