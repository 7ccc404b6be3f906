"""Reporting's own knobs."""

from pydantic import Field, field_validator

from services.reporting import rates
from shared import settings


class Settings(settings.Settings):
    rates_file: str | None = Field(default=None, description="JSON with the rate cards; without: examples")

    @field_validator("rates_file")
    @classmethod
    def _readable(cls, path: str | None) -> str | None:
        try:
            rates.load(path)
        except OSError as error:
            raise ValueError(f"{path} can't be read: {error.strerror}") from None
        return path
