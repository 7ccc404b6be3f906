"""The store in memory, with the same promises; the contract suite holds it to them."""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from services.matching.domain import governing
from services.matching.domain.basis import Basis
from services.matching.domain.budget import Budget, committed
from services.matching.domain.model import OPEN, Advisor, Audit, Engagement, State
from services.matching.domain.notices import told
from services.matching.domain.policy import Activation, Edition
from services.matching.domain.trial import Outcome, Trial
from services.matching.domain.worklist import Rules, next_step
from services.matching.loads import Loads
from services.matching.store import Signals, Store
from services.matching.trail import Decided, Kind
from shared.commit import Insert
from shared.errors import Duplicate, Stale
from shared.events import AdvisorDossier, Event, RequestDossier
from shared.outbox import Tombstone


class FakeStore(Store):
    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self.kept: dict[str, Engagement] = {}
        self.people: dict[str, Advisor] = {}
        self.sums: dict[str, Budget] = {}
        self.dossiers: dict[str, RequestDossier | None] = {}
        self.marks: set[str] = set()
        self.bases: dict[str, Basis] = {}
        self.outbox: list[Event | Tombstone] = []
        self.wakes = 0
        self.woken = self._woken
        self._editions: dict[str, Edition] = {}
        self._activations: list[Activation] = []
        self._trials: dict[str, Trial] = {}
        self._playing: set[str] = set()
        self._fence, self._news, self._versions = 0, 0, itertools.count(1)

    def _woken(self) -> None:
        self.wakes += 1

    async def prepare(self) -> None:
        """Nothing to prepare."""

    async def engagement(self, request_id: str) -> Engagement | None:
        return self.kept.get(request_id)

    async def of_assignment(self, assignment_id: str) -> Engagement | None:
        return next(
            (
                one
                for one in self.kept.values()
                if one.round(assignment_id)
                or (one.proposal is not None and one.proposal.asked.assignment_id == assignment_id)
            ),
            None,
        )

    async def of_session(self, session_id: str) -> Engagement | None:
        return next((one for one in self.kept.values() if any(s.id == session_id for s in one.sessions)), None)

    async def waiting(self, states: Sequence[State], after: str, limit: int) -> list[Engagement]:
        return [one for one in self._sorted() if one.state in states and one.id > after][:limit]

    async def noticeable(self, rules: governing.Rules, today: date, limit: int) -> list[Engagement]:
        def by(days: int, day: date | None) -> bool:
            return day is not None and self._rules.after(day, days) <= today

        def due(one: Engagement) -> bool:
            known, ladder = told(one, self._rules), rules.escalate
            if known.due is None:
                return False
            climbs = by(ladder[min(known.level, len(ladder) - 1)], known.due) and known.level < len(ladder)
            return (
                (one.state == "proposed" and known.due < today)
                or (known.due >= today and by(rules.remind_every, known.asked_on))
                or by(rules.delay_after, known.informed_on)
                or (climbs and (known.level == 0 or by(rules.remind_every, known.level_on)))
                or (known.level >= len(ladder) and by(ladder[-1], known.level_on))
            )

        return [one for one in self._sorted() if one.state in OPEN and due(one)][:limit]

    async def holding(self, advisor_id: str) -> list[Engagement]:
        return [one for one in self._sorted() if advisor_id in one.holders]

    async def handing(self, after: str, limit: int, of: str | None = None) -> list[Engagement]:
        found = [one for one in self._sorted() if one.state in OPEN and one.leaving and one.id > after]
        return [one for one in found if of is None or any(entry.advisor_id == of for entry in one.leaving)][:limit]

    async def oldest(self) -> Engagement | None:
        found = [one for one in self._sorted() if one.state in OPEN and one.facts]
        return min(found, key=lambda one: one.asked.submitted_at, default=None)

    async def worklist(
        self, states: Sequence[State], due_before: date | None, after: str, limit: int
    ) -> list[Engagement]:
        found = [one for one in self._sorted() if one.facts and one.state in states and one.id > after]
        return [one for one in found if due_before is None or self._due(one) < due_before][:limit]

    async def assignments(
        self, advisor_id: str | None, request_id: str | None, after: str, limit: int
    ) -> list[tuple[Engagement, str]]:
        found = [
            (one, asked.assignment_id)
            for one in self.kept.values()
            for asked in one.rounds
            if asked.assignment_id > after
            and (advisor_id is None or asked.seat(advisor_id))
            and request_id in (None, one.id)
        ]
        return sorted(found, key=lambda pair: pair[1])[:limit]

    async def save(
        self,
        *engagements: Engagement,
        events: Sequence[Event],
        cause: Insert | None = None,
        marks: Sequence[Insert] = (),
        fence: int | None = None,
        leaves: int | None = None,
        news: bool = False,
        basis: Basis | None = None,
    ) -> int:
        for mark in (cause, *marks):
            self._unmarked(mark)
        stale = any(one.version != (self.kept[one.id].version if one.id in self.kept else 0) for one in engagements)
        if stale or fence not in (None, self._fence):
            raise Stale
        version = max((one.version for one in engagements), default=0) + 1
        self.kept.update((one.id, replace(one, version=version)) for one in engagements)
        self._fence = leaves or next(self._versions) if fence is not None else self._fence
        self._news = next(self._versions) if news else self._news
        self.outbox.extend(events)
        if basis is not None:
            self.bases[basis.id] = basis
        for mark in (cause, *marks):
            self._mark(mark)
        if news or any(one.state == "pending" for one in engagements):
            self.woken()
        return self._fence

    async def basis(self, basis_id: str) -> Basis | None:
        return self.bases.get(basis_id)

    async def confirm(self, known: Engagement | Advisor) -> None:
        there = self.people.get(known.id) if isinstance(known, Advisor) else self.kept.get(known.id)
        if there != known:
            raise Stale

    async def dossier(self, request_id: str) -> RequestDossier | None:
        return self.dossiers.get(request_id)

    async def keep_dossier(self, dossier: RequestDossier, mark: Insert) -> None:
        await self.note(mark)
        if self.dossiers.get(dossier.request_id, dossier) is not None:
            self.dossiers[dossier.request_id] = dossier

    async def drop_dossier(self, request_id: str, emptied: Engagement | None, mark: Insert) -> None:
        if emptied is not None:
            await self.save(emptied, events=(), cause=mark)
        else:
            await self.note(mark)
        self.dossiers[request_id] = None

    async def note(self, mark: Insert) -> None:
        self._unmarked(mark)
        self._mark(mark)

    async def advisor(self, advisor_id: str) -> Advisor | None:
        return self.people.get(advisor_id)

    async def advisors(self, after: str = "", limit: int = 0) -> list[Advisor]:
        found = [self.people[number] for number in sorted(self.people) if number > after]
        return found[:limit] if limit else found

    async def crew(self) -> list[Advisor]:
        return [replace(one, audit=()) for one in await self.advisors()]

    async def save_advisors(
        self,
        advisors: Iterable[Advisor],
        events: Sequence[Event | Tombstone],
        cause: Insert | None,
        fence: int,
        engagements: Sequence[Engagement] = (),
    ) -> None:
        advisors = tuple(advisors)
        self._unmarked(cause)
        stale = any(one.version != (self.people[one.id].version if one.id in self.people else 0) for one in advisors)
        stale = stale or any(one.version != self.kept[one.id].version for one in engagements)
        if stale or fence != self._fence:
            raise Stale
        version = max([0, *(one.version for one in advisors), *(one.version for one in engagements)]) + 1
        self.kept.update((one.id, replace(one, version=version)) for one in engagements)
        self.people.update((one.id, replace(one, version=version)) for one in advisors)
        self._fence, self._news = next(self._versions), next(self._versions)
        self.outbox.extend(events)
        self._mark(cause)
        self.woken()

    async def forget_outbox(self, advisor_id: str) -> None:
        self.outbox = [row for row in self.outbox if isinstance(row, Tombstone) or row.key != advisor_id]
        self.outbox.append(Tombstone(AdvisorDossier, advisor_id))

    async def signals(self) -> Signals:
        return Signals(self._fence, self._news, self._activations[-1].version if self._activations else "")

    async def edition(self, version: str) -> Edition | None:
        return self._editions.get(version)

    async def editions(self) -> list[Edition]:
        return list(self._editions.values())

    async def add_edition(self, edition: Edition, mark: Insert | None) -> None:
        self._unmarked(mark)
        if edition.policy.version in self._editions:
            raise Duplicate("policies", ("_id",))
        self._editions[edition.policy.version] = edition
        self._mark(mark)

    async def activations(self) -> list[Activation]:
        return list(self._activations)

    async def activate(self, activation: Activation) -> None:
        self._activations.append(activation)
        self._news = next(self._versions)
        self.woken()

    async def trial(self, trial_id: str) -> Trial | None:
        return self._trials.get(trial_id)

    async def trials(self, limit: int) -> list[Trial]:
        found = sorted(self._trials.values(), key=lambda one: one.id, reverse=True)[:limit]
        return [replace(one, outcome=replace(one.outcome, changed=())) if one.outcome else one for one in found]

    async def add_trial(self, trial: Trial) -> None:
        self._trials[trial.id] = trial

    async def take_trial(self, trial_id: str) -> bool:
        known = self._trials.get(trial_id)
        free = known is not None and not known.ended and trial_id not in self._playing
        if known is not None:
            self._playing.add(trial_id)
        return free

    def gone(self) -> None:
        """Nobody plays any more."""
        self._playing.clear()

    async def beat_trial(self, trial_id: str, share: float) -> None:
        self._trials[trial_id] = replace(self._trials[trial_id], share=share)

    async def end_trial(self, trial_id: str, outcome: Outcome | None) -> None:
        known = self._trials[trial_id]
        self._trials[trial_id] = replace(known, outcome=outcome, failed=outcome is None, share=1.0)

    async def asked_between(self, first: date, last: date, limit: int) -> list[Engagement]:
        found = [one for one in self._sorted() if one.facts and first <= one.facts.submitted_at.date() <= last]
        return found[:limit]

    async def loads(self, today: date) -> Loads:
        open_now = Counter(number for one in self.kept.values() for number in one.holders)
        paid: Counter[str] = Counter()
        for one in self.kept.values():
            for session in one.sessions:
                if session.record and session.record.held_on >= today - timedelta(days=365):
                    paid.update({member.advisor_id: member.minutes for member in session.record.members})
        return Loads(dict(open_now), dict(paid))

    async def budgets(self) -> list[Budget]:
        return sorted(self.sums.values(), key=lambda one: one.start)

    async def save_budget(self, budget: Budget, fence: int, cause: Insert | None = None) -> None:
        self._unmarked(cause)
        known = self.sums.get(budget.id)
        if fence != self._fence or budget.version != (known.version if known else 0):
            raise Stale
        self.sums[budget.id] = replace(budget, version=budget.version + 1)
        self._mark(cause)
        self._fence, self._news = next(self._versions), next(self._versions)
        self.woken()

    async def committed(self) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for one in self.kept.values():
            if one.reserved:
                sums[one.reserved.budget] += committed(one)
        return dict(sums)

    async def trail(self, about: str | None, by: str | None, after: str, limit: int) -> list[Decided]:
        things: dict[Kind, list[Engagement] | list[Advisor] | list[Budget]] = {
            "request": list(self.kept.values()),
            "advisor": list(self.people.values()),
            "budget": list(self.sums.values()),
        }
        entries: list[tuple[Kind, str, str, Audit]] = [
            (kind, one.id, str(n), entry)
            for kind, many in things.items()
            for one in many
            for n, entry in enumerate(one.audit)
        ]
        for made in self._editions.values():
            told = Audit(made.at, made.by, "policy_made", made.why, to=made.based_on)
            entries.append(("policy", made.policy.version, "0", told))
        for done in self._activations:
            told = Audit(done.at, done.by, "policy_activated", done.why)
            entries.append(("policy", done.version, "0~activated", told))
        found = [
            Decided(thing, entry, f"{entry.at.isoformat(timespec='milliseconds')}~{thing}~{n}", kind)
            for kind, thing, n, entry in entries
            if about in (None, thing) and by in (None, entry.by)
        ]
        found.sort(key=lambda one: one.place, reverse=True)
        return [one for one in found if not after or one.place < after][:limit]

    def _sorted(self) -> list[Engagement]:
        return sorted(self.kept.values(), key=lambda one: one.id)

    def _due(self, one: Engagement) -> date:
        step = next_step(one, self._rules, date.min)
        return step.due if step else date.max

    def _unmarked(self, mark: Insert | None) -> None:
        if mark and str(mark.document["_id"]) in self.marks:
            raise Duplicate(mark.collection, ("_id",))

    def _mark(self, mark: Insert | None) -> None:
        if mark:
            self.marks.add(str(mark.document["_id"]))
