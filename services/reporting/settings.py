"""Reporting's own knobs."""

from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from services.reporting import periods, rates
from services.reporting.journey import Rules
from services.reporting.sizes import sizes
from shared import register, settings


class Settings(settings.Settings):
    rates_file: str | None = Field(default=None, description="JSON with all rate cards; else imported ones or examples")
    deadlines_file: str | None = Field(default=None, description="JSON with the deadlines of proofs; else examples")
    remind_days: str = Field(
        default="30,14,7,-1",
        pattern=r"^-?[0-9]{1,3}(,-?[0-9]{1,3})*$",
        description="how many days before a proof is due the office is reminded; below 0: after",
    )
    payer: str = Field(default="", description="who pays, with address, for statements; lines separated by |")
    expected_minutes: int = Field(
        default=600, ge=0, le=100_000, description="of one advisor in a whole engagement, for committed funds"
    )
    webhook_hosts: str = Field(
        default="",
        pattern=r"^([a-z0-9.-]+(:[0-9]+)?(,[a-z0-9.-]+(:[0-9]+)?)*)?$",
        description="hosts (host or host:port, by commas) that webhooks may go to, by https; without: none",
    )
    webhook_loopback: bool = Field(default=False, description="webhooks to this machine itself, to try them out")
    webhook_give_up_days: float = Field(
        default=5, gt=0, le=90, description="a webhook that takes nothing for so long is disabled"
    )

    def proofs(self) -> periods.Proofs:
        days = sorted({int(each) for each in self.remind_days.split(",")}, reverse=True)
        return periods.Proofs(periods.load_deadlines(self.deadlines_file), tuple(days))

    def rules(self) -> Rules:
        """What the figures depend on, with the cards of the file."""
        zone, known = ZoneInfo(self.time_zone), register.load(self.register_file).entries
        return Rules(rates.load(self.rates_file), self.subdivision, zone, self.expected_minutes, sizes(known))

    @field_validator("deadlines_file")
    @classmethod
    def _deadlines_readable(cls, path: str | None) -> str | None:
        try:
            periods.load_deadlines(path)
        except OSError as error:
            raise ValueError(f"{path} can't be read: {error.strerror}") from None
        return path

    @field_validator("rates_file")
    @classmethod
    def _readable(cls, path: str | None) -> str | None:
        try:
            rates.load(path)
        except OSError as error:
            raise ValueError(f"{path} can't be read: {error.strerror}") from None
        return path
