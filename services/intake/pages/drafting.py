"""What the pages of an unfinished request have in common: its link, its pages, and what is said when it is gone."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.intake import drafts, forms, sheet
from services.intake.drafts import Draft, Entries
from services.intake.forms import STEPS, Errors, Step
from services.intake.handlers import Gone
from services.intake.limits import Limits, network
from services.intake.rules import Rules
from services.intake.settings import Settings
from services.intake.store import Store
from services.intake.words import COMMON_TONGUES, CORRESPONDENCE, FIELDS, MODES, TANDEMS, Pair, pick
from shared import auth, web
from shared.errors import Problem
from shared.events.base import Id
from shared.look import Look
from shared.register import Municipality

DraftId = Annotated[Id, Path(description="UUIDv7")]
Token = Annotated[str | None, Query(max_length=200)]
StepCode = Literal["who", "what", "how", "contact"]
ORDER = tuple(STEPS.values())
_BEGINNINGS: Pair = ("Neue Anfrage beginnen", "Begin a new request")


class Over(Problem):
    """The draft is no more; `link` and `link_words`: where to go from here."""

    def __init__(self, gone: Gone, sent: str) -> None:
        self.link_words: Pair
        if gone.request:
            self.status, self.type = 409, "sent"
            self.title_de, self.title_en = "Diese Anfrage ist schon abgeschickt", "This request has been sent already"
            number = gone.request.case_number
            super().__init__(
                f"Sie hat die Nummer {number}. Es wurde nichts doppelt gesendet; ändern lässt sie sich nicht mehr.",
                f"Its number is {number}. Nothing was sent twice; it can no longer be changed.",
            )
            self.link, self.link_words = sent, ("Zur Anfrage", "To the request")
            return
        self.status, self.type = 410, "expired"
        self.title_de, self.title_en = "Dieser Entwurf ist abgelaufen", "This draft has expired"
        super().__init__(
            "Angefangene Anfragen heben wir nur für begrenzte Zeit auf; danach löschen wir die Angaben.",
            "We keep unfinished requests for a limited time only; after that we delete the entries.",
        )
        self.link, self.link_words = "/request", _BEGINNINGS


class Drafting:
    """The door's means."""

    def __init__(self, look: Look, store: Store, settings: Settings, limits: Limits) -> None:
        self.look = look
        self.store = store
        self.settings = settings
        self.limits = limits
        self.life = settings.draft_life()
        self.secret = settings.secret.get_secret_value()
        self.site = settings.address("intake")

    def link(self, draft_id: str, page: str = "", **more: str) -> str:
        token = auth.sign(self.secret, "draft", draft_id)
        return f"/request/{draft_id}{page}?{urlencode({'token': token, **more})}"

    def sent(self, request_id: str) -> str:
        return f"/requests/{request_id}/sent?token={auth.sign(self.secret, 'status', request_id)}"

    def over(self, gone: Gone) -> Over:
        return Over(gone, self.sent(gone.request.id) if gone.request else "")

    def to(self, draft_id: str, page: str = "", **more: str) -> RedirectResponse:
        return RedirectResponse(self.link(draft_id, page, **more), 303)

    def rules(self, now: datetime) -> Rules:
        return Rules(self.settings.state, self.settings.today(now))

    def count(self, request: Request) -> None:
        self.limits.drafts.take(network(request.client.host if request.client else None))

    def checked(self, draft: Draft, now: datetime) -> tuple[Any, Errors]:
        """What would be asked for, or what is wrong with it."""
        entry = self.entry(draft.entries)
        return forms.check(draft, entry, self.settings.privacy_version, self.rules(now))

    def entry(self, entries: Entries) -> Municipality | None:
        ags = forms.chosen(entries)
        return self.store.municipality(ags) if ags else None

    def step(
        self,
        request: Request,
        draft: Draft,
        step: Step,
        errors: Errors | None = None,
        status: int = 200,
        *,
        shown: Entries | None = None,
        trouble: Problem | None = None,
        notice: str = "",
        found: list[Municipality] | None = None,
        seen: str | None = None,
    ) -> HTMLResponse:
        """One page of the form. `shown`: what stands in its fields instead of what the draft holds."""
        language = web.language(request)
        entries = draft.entries if shown is None else shown
        entry = None if trouble else self.entry(entries)
        return self.look.show(
            request,
            f"form/{step.code}.html",
            status,
            step=step,
            number=ORDER.index(step) + 1,
            steps=ORDER,
            channel=draft.channel,
            given={name: forms.one(entries, name) for name in forms.NAMES},
            many={name: entries.get(name, ()) for name in forms.NAMES},
            errors=errors or {},
            trouble=trouble,
            notice=notice,
            action=self.link(draft.id, f"/{step.code}"),
            seen=drafts.seal(draft.entries, step.names) if seen is None else seen,
            back_to_check=request.query_params.get("from") == "check",
            place=sheet.place(entry, language) if entry else "",
            choices=[(each.ags, sheet.place(each, language)) for each in found or ()],
            fields=[(code.value, pair) for code, pair in FIELDS.items()],
            modes=[(code.value, pair) for code, pair in MODES.items()],
            tandems=[(code.value, pair) for code, pair in TANDEMS.items()],
            mails=list(CORRESPONDENCE.items()),
            tongues_first=[(code, sheet.tongue(code, language)) for code in COMMON_TONGUES],
            tongues_more=sheet.other_tongues(COMMON_TONGUES, language),
            most_need=forms.MOST_NEED,
        )

    def check(
        self,
        request: Request,
        draft: Draft,
        errors: Errors,
        status: int = 200,
        *,
        trouble: Problem | None = None,
        notice: str = "",
        seen: str | None = None,
    ) -> HTMLResponse:
        """The last page: everything once more."""
        language = web.language(request)
        ordered = {part: errors[part] for step in ORDER for part in step.parts if part in errors}
        return self.look.show(
            request,
            "form/check.html",
            status,
            parts_shown=[] if trouble else sheet.of_draft(draft.entries, self.entry(draft.entries), language),
            wrong=[(self._part(draft.id, part), pick(pair, language)) for part, pair in ordered.items()],
            errors=errors,
            trouble=trouble,
            notice=notice,
            seen=drafts.seal(draft.entries) if seen is None else seen,
            send=self.link(draft.id, "/send"),
            save=self.link(draft.id, "/save"),
            change={step.code: self.link(draft.id, f"/{step.code}", **{"from": "check"}) for step in ORDER},
            channel=draft.channel,
        )

    def _part(self, draft_id: str, part: str) -> str:
        step = forms.step_of(part)
        return f"{self.link(draft_id, f'/{step.code}', **{'from': 'check'})}#{part}"


def now() -> datetime:
    return datetime.now(UTC)
