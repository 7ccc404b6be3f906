"""What is due: answers that didn't come, reminders, the ladder, an honest word to the municipality."""

from collections.abc import Iterable
from datetime import datetime

from services.matching.domain import governing, notices
from services.matching.domain.model import Audit, Engagement
from services.matching.domain.worklist import Rules
from services.matching.handlers.rounds import engagement
from services.matching.store import Store
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict


async def fire(store: Store, rules: Rules, policy_rules: governing.Rules, now: datetime, limit: int) -> int:
    """Tells and gives up what is due by now, each once, whoever of several processes is first. How many changed."""
    found = await store.noticeable(policy_rules, rules.day(now), limit)
    changed = 0
    for one in found:
        changed += await again(lambda one=one: _fire(store, one.id, rules, policy_rules, now))  # type: ignore[misc]
    return changed


async def remind(
    store: Store, request_id: str, caller: Caller, rules: Rules, policy_rules: governing.Rules, now: datetime
) -> Engagement:
    """Who has not answered or is late with the next step, in place of the next reminder."""
    known = await engagement(store, request_id)
    audit = Audit(now, caller.subject, "reminded", "")
    reminded, events = notices.remind(known, audit, rules, policy_rules, now)
    await store.save(reminded, events=events)
    return reminded


async def remind_many(
    store: Store,
    request_ids: Iterable[str],
    caller: Caller,
    rules: Rules,
    policy_rules: governing.Rules,
    now: datetime,
) -> tuple[int, int]:
    """Each of them once: (of how many somebody was reminded today, of how many nobody has to be)."""
    done = spared = 0
    for one in dict.fromkeys(request_ids):
        try:
            await again(lambda one=one: remind(store, one, caller, rules, policy_rules, now))  # type: ignore[misc]
            done += 1
        except Conflict:
            known = await engagement(store, one)
            before = notices.reminded_today(known, rules, now)
            done, spared = done + before, spared + (not before)
    return done, spared


async def _fire(store: Store, request_id: str, rules: Rules, policy_rules: governing.Rules, now: datetime) -> bool:
    known = await store.engagement(request_id)
    if known is None or known.facts is None:
        return False
    after, events = notices.due(known, rules, policy_rules, now)
    if after is known:
        return False
    await store.save(after, events=events, news=after.state != known.state)
    return True
