"""Intake's own knobs: the deadlines that the status page promises, and the limits of the open form."""

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import DirectoryPath, EmailStr, Field

from services.intake.drafts import Life
from services.intake.limits import Limits
from services.intake.status import Deadlines
from shared.settings import Settings as Common


class Settings(Common):
    """Deadlines count working days of the state; a limit of 0 is off."""

    due_match_days: int = Field(default=3, ge=1, le=250, description="from submission to the advisors being asked")
    due_parked_days: int = Field(default=10, ge=1, le=250, description="from parking to the office's next attempt")
    due_first_talk_days: int = Field(default=15, ge=1, le=250, description="from acceptance to the first talk")
    due_next_session_days: int = Field(default=20, ge=1, le=250, description="from one session to the next or closing")
    due_record_days: int = Field(default=5, ge=1, le=250, description="from a session to its record")
    due_feedback_days: int = Field(default=20, ge=1, le=250, description="from closing to the feedback")
    limit_address_minute: int = Field(default=30, ge=0, description="requests per minute from one network address")
    limit_email_day: int = Field(default=20, ge=0, description="requests per day for one contact's e-mail address")
    limit_draft_minute: int = Field(default=120, ge=0, description="steps of the form per minute from one address")
    limit_draft_mail_day: int = Field(default=5, ge=0, description="mails with a draft's link per day to one address")
    draft_hours: int = Field(default=48, ge=1, le=720, description="how long a draft stays that nobody asked to keep")
    draft_days: int = Field(default=30, ge=1, le=180, description="how long a draft stays that somebody saved")
    privacy_version: str = Field(
        default="2026-01", pattern=r"^[A-Za-z0-9._-]{1,40}$", description="of the privacy notice that the form shows"
    )
    register_seconds: float = Field(default=30.0, gt=0, description="how often a process looks for a changed register")

    legal_dir: DirectoryPath | None = Field(
        default=None, description="folder with the operator's own legal texts, named as those in services/intake/legal"
    )
    accessibility_form: Literal["state", "federal"] = Field(
        default="state", description="whose law the accessibility statement names"
    )
    operator_name: str = Field(default="Beispielstelle für kommunale Beratung (erfunden)", max_length=200)
    operator_address: str = Field(default="Musterweg 1, 00000 Musterstadt", max_length=300)
    operator_email: EmailStr = "kontakt@miglobe.example"
    operator_phone: str = Field(default="", max_length=40)
    due_barrier_days: int = Field(default=10, ge=1, le=250, description="from a reported barrier to its answer")
    limit_barriers_hour: int = Field(default=10, ge=0, description="reported barriers per hour from one address")

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def today(self, now: datetime) -> date:
        """The programme's day at `now`."""
        return now.astimezone(self.zone).date()

    def draft_life(self) -> Life:
        return Life(timedelta(hours=self.draft_hours), timedelta(days=self.draft_days), self.zone)

    def limits(self) -> Limits:
        return Limits(
            address_minute=self.limit_address_minute,
            email_day=self.limit_email_day,
            draft_minute=self.limit_draft_minute,
            draft_mail_day=self.limit_draft_mail_day,
        )

    def deadlines(self) -> Deadlines:
        return Deadlines(
            match=self.due_match_days,
            parked=self.due_parked_days,
            first_talk=self.due_first_talk_days,
            next_session=self.due_next_session_days,
            record=self.due_record_days,
            feedback=self.due_feedback_days,
            subdivision=self.subdivision,
            zone=self.zone,
        )
