"""The policy on pages: versions, a new one with its preview, what decides, and two compared over a past period."""

import asyncio
import threading
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from services.matching import policy_words, simulation
from services.matching.domain.governing import Look, Rules
from services.matching.domain.policy import OPTIMAL, Limits, Weights
from services.matching.domain.trial import Run
from services.matching.handlers import trials
from services.matching.pages import simulations
from services.matching.simulator import Simulator
from shared.ids import new_id
from shared.tasks import end
from tests.matching.portal import Reader
from tests.matching.reading import Form, Read
from tests.matching.samples import TODAY
from tests.matching.world import World
from tests.waiting import until

HOME = "/coordination/governing"
PERIOD = {
    "first_day": str(TODAY.day),
    "first_month": str(TODAY.month),
    "first_year": str(TODAY.year),
    "last_day": "31",
    "last_month": "12",
    "last_year": str(TODAY.year),
}


async def edited(me: Reader, **changes: str) -> tuple[Form, Read]:
    form = (await me.opens(f"{HOME}/policies/new")).form("/policies/new")
    return form, await me.sends(form, **PERIOD | changes)


async def played(me: Reader, page: Read, address: str = "") -> Read:
    """The page once its trial is over."""

    async def over() -> Read | None:
        seen = await me.opens(address or page.form("/keep").action.removesuffix("/keep"))
        return None if "noch durchgespielt" in seen.words else seen

    found = await until(over, seconds=30)
    assert found
    return found


def test_every_setting_of_a_policy_has_a_name_in_both_languages() -> None:
    names = {one.name for part in (Weights, Limits, Rules) for one in fields(part)} - {"region", "look"}
    names |= {f"region_{n}" for n in range(4)} | {f"look_{one.name}" for one in fields(Look)}
    assert set(policy_words.values(OPTIMAL)) == names
    assert list(policy_words.values(OPTIMAL)) == list(policy_words.NAMES["de"]) == list(policy_words.NAMES["en"])


async def test_a_new_version_shows_what_it_would_have_changed_before_it_is_kept_and_decides(here: World) -> None:
    for _ in range(3):
        await here.ask()
    me = Reader(here)
    assert "optimal.1 gilt" in (await me.opens(HOME)).words
    form, page = await edited(me, tandem_wanted="-900", look_below="1000", starvation="")
    assert (form.fields["version"], form.fields["expertise"], form.fields["escalate"]) == ("optimal.2", "500", "1 5 10")
    preview = await played(me, page)
    for said in (
        "Tandem, wo es gewünscht ist 100 -900",
        "Vorher ansehen, wenn es weniger Punkte sind als – 1000",
        "Wer länger wartet, kommt vor allen jüngeren Anfragen 15 Arbeitstage –",
        "Für 3 von 3 Anfragen wäre jemand anderes gefragt worden",
        "davon im Tandem 3 0",
        "BW-7F3K-2 Beispiel A01 (A01) , Beispiel A02 (A02)",
    ):
        assert said in preview.words, (said, preview.words)
    assert "optimal.2" not in (await me.opens(f"{HOME}/policies")).words
    back = (await me.opens(next(link for link in preview.links if "draft=" in link))).form("/policies/new")
    assert (back.fields["tandem_wanted"], back.fields["starvation"], back.fields["version"]) == (
        "-900",
        "",
        "optimal.2",
    )
    keep = preview.form("/keep")
    silent = await me.sends(keep)
    assert (silent.status, "Diese Angabe fehlt" in silent.words) == (422, True)
    for _ in range(2):
        kept = await me.sends(keep, reason="zu viele Tandems")
        assert "Die Fassung ist festgehalten" in kept.words
    assert "Was sie gegenüber optimal.1 ändert" in kept.words
    activate = kept.form("/activate")
    assert (await me.sends(activate)).status == 422
    for _ in range(2):
        active = await me.sends(activate, reason="beschlossen am Montag")
        assert "Ab jetzt wird nach dieser Fassung entschieden" in active.words
    listed = await me.opens(f"{HOME}/policies")
    assert "optimal.2 gilt" in listed.words
    assert listed.words.count("Fassung optimal.2 in Kraft gesetzt beschlossen am Montag") == 1
    request_id = await here.ask()
    known = await here.of(request_id)
    assert (known.state, known.proposal and known.proposal.asked.policy_version) == ("review", "optimal.2")
    trail = await me.opens(f"{HOME}/decisions?about=optimal.2")
    assert "Fassung in Kraft gesetzt – Fassung optimal.2 beschlossen am Montag" in trail.words


async def test_a_form_that_can_not_be_keeps_what_was_typed_and_says_where_it_is_wrong(here: World) -> None:
    me = Reader(here)
    _, wrong = await edited(
        me, expertise="viel", batch_step="-1", escalate="5 1", respond="0", version="Große Änderung"
    )
    assert wrong.status == 422
    form = wrong.form("/policies/new")
    assert [form.fields[name] for name in ("expertise", "batch_step", "escalate", "respond")] == [
        "viel",
        "-1",
        "5 1",
        "0",
    ]
    fields = {link for link in wrong.links if link.startswith("#")}
    assert {"#expertise", "#batch_step", "#respond", "#version"} <= fields
    _, falling = await edited(me, escalate="5 1")
    assert "#escalate" in falling.links
    assert "Die Tage der Eskalation müssen aufsteigen" in falling.words
    _, taken = await edited(me, version="optimal.1")
    assert (taken.status, "Die Fassung optimal.1 gibt es schon" in taken.words) == (422, True)
    _, backwards = await edited(me, last_year="2020")
    assert (backwards.status, "nicht rückwärts" in backwards.words) == (422, True)


async def test_what_is_ticked_in_the_form_is_what_the_version_has(here: World) -> None:
    me = Reader(here)
    form = (await me.opens(f"{HOME}/policies/new")).form("/policies/new")
    data: dict[str, Any] = form.fields | PERIOD | {"look_fields": ["fair_week", "other"], "look_everything": "true"}
    answer = await here.client.post(form.action, data=data, headers=here.bearer("coordinator"))
    trial_id = answer.headers["location"].rpartition("/")[2]
    tried = await trials.get(here.store, trial_id)
    assert (tried.b.rules.look.everything, tried.b.rules.look.fields) == (True, ("fair_week", "other"))
    again = await here.client.get(f"{HOME}/policies/new?draft={trial_id}", headers=here.bearer("coordinator"))
    assert again.text.count(" checked") == 3
    assert (tried.b.weights, tried.b.limits) == (OPTIMAL.weights, OPTIMAL.limits)


async def test_two_versions_are_compared_and_listed(here: World) -> None:
    await here.ask()
    await here.post("/api/policies", {"version": "same.1", "reason": "zur Probe"})
    me = Reader(here)
    form = (await me.opens(f"{HOME}/simulations")).form("/simulations")
    assert (form.fields["a"], form.fields["b"]) == ("optimal.1", "same.1")
    backwards = await me.sends(form, **PERIOD | {"last_year": "2020"})
    assert (backwards.status, backwards.form("/simulations").fields["last_year"]) == (422, "2020")
    answer = await here.client.post(form.action, data=form.fields | PERIOD, headers=here.bearer("coordinator"))
    address = answer.headers["location"]
    page = await played(me, await me.opens(address), address)
    assert "Für die eine Anfrage wären dieselben gefragt worden" in page.words
    assert "Abdeckung der Felder in % 100 100" in page.words
    listed = await me.opens(f"{HOME}/simulations")
    assert "optimal.1 / same.1" in listed.words
    assert "fertig" in listed.words
    assert (await me.opens(f"{HOME}/simulations/{new_id()}")).status == 404
    english = await me.opens(address, "en")
    assert "coverage of the fields in %" in english.words


async def test_a_long_trial_blocks_nothing_and_is_taken_up_by_another_process(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is played the page says how far it is; who has begun it ends, and whoever looks has it played on."""
    await here.ask()
    going, real, begun = threading.Event(), simulation.simulate, threading.Event()

    def slow(*given: Any) -> Run:
        begun.set()
        while not going.wait(0.01):
            given[-1](TODAY)  # as on each day that is played: raises once nobody waits any more
        return real(*given)

    monkeypatch.setattr(simulation, "simulate", slow)
    monkeypatch.setattr(simulations, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(trials, "BEAT_SECONDS", 0.05)
    first = Simulator(here.store, here.rules)
    running = asyncio.create_task(first.run())
    made = await trials.ask(here.store, OPTIMAL, OPTIMAL, TODAY, TODAY + timedelta(days=9), "koordination", here.now)
    first.take(made.id)
    await until(lambda: asyncio.sleep(0, begun.is_set()), seconds=10)
    address, me = f"{HOME}/simulations/{made.id}", Reader(here)
    page = await me.opens(address)
    assert ("noch durchgespielt" in page.words, "% sind geschafft" in page.words) == (True, True)
    assert "rechnet" in (await me.opens(f"{HOME}/simulations")).words
    await end(running)
    going.set()
    monkeypatch.setattr("services.matching.store.SILENT_SECONDS", -1)
    over = await played(me, page, address)
    assert "Für die eine Anfrage wären dieselben gefragt worden" in over.words


async def test_a_trial_that_fails_says_so(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Run:
        raise RuntimeError("no solver")

    await here.ask()
    monkeypatch.setattr(simulation, "simulate", broken)
    _, page = await edited(me := Reader(here))
    assert "Das ließ sich nicht durchspielen" in (await played(me, page)).words


async def test_policies_and_trials_are_the_coordinators(here: World) -> None:
    for path in ("", "/policies", "/policies/new", "/policies/versions/optimal.1", "/simulations"):
        assert (await Reader(here, "A01").opens(HOME + path)).status == 403
    assert (await Reader(here).opens(f"{HOME}/policies/versions/none.9")).status == 404
