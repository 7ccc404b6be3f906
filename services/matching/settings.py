"""Matching's own knobs: `MIGLOBE_MATCHING_…`."""

from zoneinfo import ZoneInfo

from pydantic import Field

from services.matching.domain.worklist import Rules
from shared import settings as base


class Settings(base.Settings):
    matching_respond_days: int = Field(default=5, ge=1, le=60, description="working days an advisor has to answer")
    matching_park_days: int = Field(default=5, ge=1, le=60, description="working days until coordinators must act")
    matching_first_talk_days: int = Field(default=10, ge=1, le=120, description="working days to arrange it")
    matching_record_days: int = Field(default=3, ge=1, le=60, description="working days to record a held session")
    matching_next_session_days: int = Field(default=20, ge=1, le=250, description="working days to go on or close")
    matching_batch: int = Field(default=250, ge=1, le=400, description="requests decided in one pass")
    matching_scan_seconds: float = Field(
        default=5.0, ge=0.1, le=60, description="how often the matcher looks for what others have changed"
    )

    def rules(self) -> Rules:
        return Rules(
            respond=self.matching_respond_days,
            park=self.matching_park_days,
            first_talk=self.matching_first_talk_days,
            record=self.matching_record_days,
            next_session=self.matching_next_session_days,
            subdivision=self.subdivision,
            zone=ZoneInfo(self.time_zone),
        )
