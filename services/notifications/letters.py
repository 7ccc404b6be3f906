"""What a message says: subject, text and HTML, rendered when it goes out from what is known then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifications import words
from services.notifications.case import Case
from services.notifications.domain import BARRIER, PROOF, RESUME, Contact, Language, Message
from services.notifications.settings import Settings
from shared.auth import sign
from shared.events.base import Mode, Role, SessionKind

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str
    language: Language


class Letters:
    """Renders messages. `contacts`: all that `plan.pieces` names, by their key."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secret.get_secret_value()
        self._intake = settings.address("intake")
        self._matching = settings.address("matching")
        self._reporting = settings.address("reporting")
        self._programme = settings.programme_name
        self._zone = ZoneInfo(settings.time_zone)
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def write(self, message: Message, case: Case, contacts: Mapping[str, Contact]) -> Letter:
        language = contacts[message.contact].language
        view = self._view(message, case, contacts, language)
        text = self._environment.get_template(f"{message.template}.{language}.txt")
        subject = one_line("".join(text.blocks["subject"](text.new_context(view))))
        html = self._environment.get_template(f"{message.template}.{language}.html")
        return Letter(subject, text.render(view), html.render(view, subject=subject), language)

    def _view(
        self, message: Message, case: Case, contacts: Mapping[str, Contact], language: Language
    ) -> dict[str, Any]:
        if message.template == RESUME:
            return self._draft(message, language)
        if message.template == BARRIER:
            return self._barrier(message, contacts, language)
        if message.template == PROOF:
            return self._proof(message, contacts, language)
        request = contacts[f"request:{message.request_id}"]
        view: dict[str, Any] = {
            "language": language,
            "programme": self._programme,
            "name": one_line(contacts[message.contact].name),
            "to_advisor": message.recipient == "advisor",
            "case_number": request.case_number,
            "municipality": one_line(request.municipality),
            "status_url": self._status_url(message.request_id),
            "feedback_url": self._status_url(message.request_id, "/feedback"),
        }
        if message.template in ("assignment", "reminder"):
            view |= self._question(message, case, language)
        elif message.template in ("introduction", "engagement_started"):
            view |= self._engagement(message, case, contacts, language)
            shown = {"name": request.name, "office": request.office, "email": request.email, "phone": request.phone}
            view["contact"] = {what: one_line(value or "") for what, value in shown.items()}
        elif message.template in ("step_reminder", "escalation", "hand_over", "delayed"):
            view |= self._due(message, contacts, language)
        elif "example_id" in message.context:
            view |= self._example(message, language)
        elif "session_id" in message.context:
            view |= self._session(message, contacts, language)
        return view

    def _draft(self, message: Message, language: Language) -> dict[str, Any]:
        token = sign(self._secret, "draft", message.request_id)
        return {
            "language": language,
            "programme": self._programme,
            "name": "",
            "case_number": "",
            "draft_url": f"{self._intake}/request/{message.request_id}?token={token}",
            "until": words.day(date.fromisoformat(message.context["until"]), language),
        }

    def _barrier(self, message: Message, contacts: Mapping[str, Contact], language: Language) -> dict[str, Any]:
        return {
            "language": language,
            "programme": self._programme,
            "name": one_line(contacts[message.contact].name),
            "case_number": "",
            "due": words.day(date.fromisoformat(message.context["due"]), language),
            "barrier_url": f"{self._intake}/barriers?barrier={message.request_id}#b-{message.request_id}",
        }

    def _proof(self, message: Message, contacts: Mapping[str, Contact], language: Language) -> dict[str, Any]:
        context = message.context
        due = date.fromisoformat(context["due"])
        names = words.PROOFS.get(context["proof"])
        return {
            "language": language,
            "programme": self._programme,
            "name": one_line(contacts[message.contact].name),
            "case_number": "",
            "proof": names[language] if names else context["proof"],
            "period": words.period(date.fromisoformat(context["starts_on"]), context["of"], language),
            "due": words.day(due, language),
            "late": due < message.happened_at.astimezone(self._zone).date(),
            "periods_url": f"{self._reporting}/reporting/periods",
        }

    def _question(self, message: Message, case: Case, language: Language) -> dict[str, Any]:
        created = case.created
        assert created is not None
        assignment_id, advisor_id = message.context["assignment_id"], message.advisor_id or ""
        assignment = case.assignment(assignment_id)
        seats = assignment.members if assignment else ()
        token = sign(self._secret, "answer", assignment_id, advisor_id)
        url = f"{self._matching}/assignments/{assignment_id}/answer?advisor={advisor_id}&token={token}"
        return {
            "fields": [words.FIELDS[code][language] for code in created.fields],
            "mode": words.MODES[created.mode][language],
            "wanted_from": words.short_day(created.wanted_from, language),
            "respond_by": words.day(date.fromisoformat(message.context["respond_by"]), language),
            "is_lead": any(seat.advisor_id == advisor_id and seat.role == Role.LEAD for seat in seats),
            "is_tandem": len(seats) > 1,
            "accept_url": f"{url}&answer=accepted",
            "decline_url": f"{url}&answer=declined",
        }

    def _engagement(
        self, message: Message, case: Case, contacts: Mapping[str, Contact], language: Language
    ) -> dict[str, Any]:
        assignment = case.assignment(message.context["assignment_id"])
        assert assignment is not None
        return {
            "advisors": [
                {
                    "name": one_line(contacts[f"advisor:{seat.advisor_id}"].name),
                    "email": one_line(contacts[f"advisor:{seat.advisor_id}"].email),
                    "role": words.ROLES[seat.role][language] if len(assignment.members) > 1 else "",
                }
                for seat in assignment.members
                if seat.advisor_id != message.advisor_id and not contacts[f"advisor:{seat.advisor_id}"].erased
            ]
        }

    def _due(self, message: Message, contacts: Mapping[str, Contact], language: Language) -> dict[str, Any]:
        context = message.context
        advisors = [contacts[f"advisor:{advisor_id}"] for advisor_id in context.get("advisor_ids", ())]
        since, due = context.get("submitted_at"), context.get("due")
        submitted = datetime.fromisoformat(since).astimezone(self._zone).date() if since else None
        return {
            "advisor_names": [one_line(advisor.name) for advisor in advisors if not advisor.erased],
            "step": words.STEPS.get(context.get("step", ""), words.A_STEP)[language],
            "reason": words.CAUSES.get(context.get("reason", ""), words.A_CAUSE)[language],
            "level": context.get("level", 1),
            "due": words.day(date.fromisoformat(due), language) if due else "",
            "since": words.short_day(submitted, language) if submitted else "",
            "request_url": f"{self._matching}/coordination/requests/{message.request_id}",
            "engagement_url": f"{self._matching}/advisor/engagements/{message.request_id}",
        }

    def _example(self, message: Message, language: Language) -> dict[str, Any]:
        example_id, status = message.context["example_id"], message.context["status"]
        token = sign(self._secret, "example", example_id)
        return {
            "answer": words.ANSWERS.get(status, {language: status})[language],
            "consent_url": f"{self._reporting}/reporting/practice/{example_id}/consent?token={token}",
            "public_url": f"{self._reporting}/reporting/practice/{example_id}",
            "example_url": f"{self._reporting}/reporting/examples/{example_id}",
        }

    def _session(self, message: Message, contacts: Mapping[str, Contact], language: Language) -> dict[str, Any]:
        context = message.context
        advisors = [contacts[f"advisor:{advisor_id}"] for advisor_id in context["advisor_ids"]]
        starts_at = datetime.fromisoformat(context["starts_at"])
        return {
            "kind": words.KINDS[SessionKind(context["kind"])][language],
            "mode": words.MODES[Mode(context["mode"])][language],
            "day": words.day(starts_at.astimezone(self._zone).date(), language),
            "span": words.span(starts_at, context["minutes"], self._zone, language),
            "advisors": [one_line(advisor.name) for advisor in advisors if not advisor.erased],
            "left": context.get("left", False),
        }

    def _status_url(self, request_id: str, page: str = "") -> str:
        return f"{self._intake}/requests/{request_id}{page}?token={sign(self._secret, 'status', request_id)}"


def one_line(text: str) -> str:
    """`text` without control characters: a name can't begin a header or a line of its own."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
