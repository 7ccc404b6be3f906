"""Why these, why not others, and the same again from what was kept."""

from typing import Any, get_args

import pytest

from services.matching import reasons
from services.matching.domain.explanation import Choice, Explanation, Needed, WhyNot
from services.matching.domain.model import Absence
from services.matching.domain.points import CRITERIA
from services.matching.domain.policy import Barrier
from services.matching.engine import choice as engine
from services.matching.handlers import events, explaining
from shared.errors import NotFound
from shared.events import AdvisorAssigned
from shared.ids import new_id
from shared.inbox import mark
from tests.conftest import FreshMongo
from tests.matching.play import Play
from tests.matching.samples import AGENDA, AGS, FAIR, NOW, PARTNERS, TODAY, advisor, created
from tests.matching.world import World, world


async def asked(here: World, request_id: str) -> str:
    return (await here.current(request_id)).assignment_id


async def why_not(here: World, request_id: str, number: str, tongue: str = "en") -> dict[str, Any]:
    path = f"/api/assignments/{await asked(here, request_id)}/why-not/{number}"
    answer = await here.get(path, lang=tongue)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_assignment_tells_points_alternatives_and_inputs(here: World) -> None:
    request_id = await here.ask()
    path = f"/api/assignments/{await asked(here, request_id)}"
    found = (await here.get(path, lang="en")).json()["explanation"]
    assert found["points"] == {
        "expertise": 500,
        "region": 160,
        "languages": 100,
        "fairness": 150,
        "tandem": 100,
        "waiting": 0,
    }
    assert (found["score"], found["optimal"], found["gap"], found["as_decided"]) == (1010, True, 0, True)
    assert found["inputs"]["requests"] == 1
    assert found["inputs"]["advisors"] == 3
    best = found["alternatives"][0]
    assert (best["members"], best["difference"]) == (["A01", "A03"], -167)
    assert best["words"] == "With A01 and A03 it would be 167 points less."
    assert found["words"] == (
        "Together A01 and A02 come to 1,010 points: 500 for expertise, 160 for nearness, 100 for languages, "
        "150 for fair distribution and 100 for the wish for a tandem."
    )
    assert all(one["score"] == sum(one["points"].values()) for one in found["alternatives"])
    assert found["alternatives"] == sorted(found["alternatives"], key=lambda one: -one["score"])


async def test_an_advisor_reads_what_spoke_for_them(here: World) -> None:
    path = f"/api/assignments/{await asked(here, await here.ask())}"
    german = (await here.get(path, by="A02", lang="de")).json()
    assert german["explanation"] is None
    assert german["why"][0] == "Ihr Fachwissen passt zu dem, was gefragt ist: 250 Punkte."
    assert (await here.get(path, by="A02", lang="en")).json()["why"][
        1
    ] == "The municipality wants a tandem: 100 points."
    assert (await here.get(f"{path}/why-not/A03", by="A02")).status_code == 403


async def test_why_not_has_an_answer_for_everybody(fresh_mongo: FreshMongo) -> None:
    async with world(fresh_mongo("matching")) as here:
        await here.pool(
            advisor("A01", levels={FAIR: 3}),
            advisor("A02", levels={FAIR: 1}),
            advisor("A03", levels={FAIR: 3}),
            advisor("A04", levels={AGENDA: 3}),
            advisor("A05", levels={FAIR: 3}, conflicts=(AGS,)),
            advisor("A06", levels={FAIR: 3}, absences=(Absence(TODAY, TODAY),)),
            advisor("A07", levels={FAIR: 3}, certified_until=TODAY.replace(year=2026, month=1)),
            advisor("A08", levels={FAIR: 3}, capacity=0),
        )
        request_id = await here.ask(tandem="not_wanted", fields=(FAIR,))
        found = {n: await why_not(here, request_id, f"A0{n}") for n in range(1, 9)}
        expected = [
            "member",
            "fewer_points",
            "equal_points",
            "no_expertise",
            "conflict",
            "absent",
            "not_certified",
            "full",
        ]
        assert [found[n]["reason"] for n in range(1, 9)] == expected
        assert found[2]["words"] == "With A02 it would be 334 points less: all for expertise."
        assert found[2]["lost"] == {"expertise": 334}
        german = await why_not(here, request_id, "A05", "de")
        assert german["words"] == "A05 hat einen Interessenkonflikt mit dieser Kommune."
        path = f"/api/assignments/{await asked(here, request_id)}/why-not/Z99"
        assert (await here.get(path)).status_code == 404


async def test_who_is_needed_elsewhere_is_said_with_where_and_why(fresh_mongo: FreshMongo) -> None:
    """A01 is a little better here, but the only one who knows what the other request asks for."""
    async with world(fresh_mongo("matching")) as here:
        await here.pool(
            advisor("A01", levels={FAIR: 3, PARTNERS: 3}, capacity=1),
            advisor("A02", levels={FAIR: 2}, capacity=1),
        )
        first, second = (
            created(tandem="not_wanted", fields=(FAIR,)),
            created(tandem="not_wanted", fields=(PARTNERS,), case_number="BW-OTHR-1"),
        )
        for event in (first, second):
            await events.receive(here.store, event, mark("matching", new_id()), NOW)
        await here.matcher.turn()
        found = await why_not(here, first.request_id, "A01")
        assert found["reason"] == "needed_elsewhere"
        assert found["words"] == (
            "A01 would have scored 167 points more here, but is needed at BW-OTHR-1, where nobody else can."
        )
        german = await why_not(here, first.request_id, "A01", "de")
        assert german["words"] == (
            "A01 hätte hier 167 Punkte mehr gebracht, wird aber bei BW-OTHR-1 gebraucht, wo sonst niemand kann."
        )
        detail = (await here.get(f"/api/assignments/{await asked(here, first.request_id)}")).json()["explanation"]
        assert detail["alternatives"][0]["needed"][0]["request_id"] == second.request_id


async def test_a_persons_choice_is_explained_from_how_things_stand(here: World) -> None:
    request_id = await here.ask()
    body = {"lead": "A03", "reason": "kennt den Ort"}
    assert (await here.post(f"/api/requests/{request_id}/assign", body)).status_code == 201
    found = (await here.get(f"/api/assignments/{await asked(here, request_id)}", lang="en")).json()["explanation"]
    assert (found["as_decided"], found["alternatives"][0]["members"]) == (False, ["A01", "A02"])
    found = await why_not(here, request_id, "A01")
    assert (found["reason"], found["words"].partition(". ")[2]) == (
        "plain_choice",
        "Here, however, a person has decided and not the policy.",
    )


def choice(*members: str, difference: int = 0, needed: tuple[Needed, ...] = (), **points: int) -> Choice:
    return Choice(members, dict.fromkeys(CRITERIA, 0) | points, sum(points.values()), difference, 0.0, needed)


def test_explanations_are_sentences_with_names_and_what_the_points_are_for() -> None:
    """Real cases, read by people who know advisors by name."""
    people, cases = {"A01": "Beispiel Eins", "A05": "Beispiel Fünf"}, {"r7": "BW-7F3K-2"}
    alone = Explanation(choice("A05", expertise=1, waiting=0, tandem=0), ())
    assert reasons.chosen(alone, "de", people) == "Beispiel Fünf (A05) kommt auf 1 Punkt: 1 für Fachwissen."
    either = Explanation(choice("A01", "A05", expertise=1_500, region=160, tandem=-120), ())
    assert reasons.chosen(either, "de", people) == (
        "Beispiel Eins (A01) und Beispiel Fünf (A05) kommen zusammen auf 1.540 Punkte: 1.500 für Fachwissen und 160 "
        "für Nähe; 120 gehen ab, weil auch eine Person genügt hätte."
    )
    needed = Needed("A05", "r7", 40, "languages")
    assert reasons.alternative(choice("A01", "A05", difference=40, needed=(needed,)), cases, "de", people) == (
        "Mit Beispiel Eins (A01) und Beispiel Fünf (A05) wären es 40 Punkte mehr. Beispiel Fünf (A05) wird bei "
        "BW-7F3K-2 gebraucht, wo sonst 40 Punkte fehlten, vor allem für Sprachen."
    )
    assert reasons.alternative(choice("A05"), cases, "en") == "With A05 it would be as many points."
    lost = {"expertise": 170, "fairness": -3}
    fewer = WhyNot("fewer_points", choice("A01", "A05", difference=-167), lost)
    assert reasons.why_not(fewer, "A05", cases, "de", people) == (
        "Mit Beispiel Fünf (A05) wären es 167 Punkte weniger, am ehesten noch zusammen mit Beispiel Eins (A01): 170 "
        "weniger für Fachwissen und 3 mehr für gerechte Verteilung."
    )
    assert reasons.why_not(WhyNot("fewer_points"), "A05", cases, "en") == (
        "There was no way to put together a choice with A05 here."
    )
    elsewhere = WhyNot("needed_elsewhere", choice("A01", "A05", difference=1, needed=(needed,)), {})
    assert reasons.why_not(elsewhere, "A05", cases, "en") == (
        "A05 together with A01 would have scored 1 point more here, but is needed at BW-7F3K-2, where 40 points would "
        "be missing, most of all for languages."
    )
    other = WhyNot("needed_elsewhere", choice("A01", "A05", difference=9, needed=(needed,)), {})
    assert reasons.why_not(other, "A01", cases, "de") == (
        "A01 zusammen mit A05 hätte hier 9 Punkte mehr gebracht. A05 wird bei BW-7F3K-2 gebraucht, wo sonst 40 Punkte "
        "fehlten, vor allem für Sprachen."
    )


@pytest.mark.parametrize("tongue", ["de", "en"])
@pytest.mark.parametrize("reason", [*get_args(Barrier), "member", "fewer_points", "equal_points", "plain_choice"])
def test_every_answer_to_why_not_is_a_whole_sentence(reason: str, tongue: str) -> None:
    said = reasons.why_not(WhyNot(reason, choice("A05", difference=-1), {"region": 1}), "A05", {}, tongue)
    assert (said[-1], "A05" in said, "{" in said) == (".", True, False)


async def test_what_was_decided_comes_out_equal_when_it_is_decided_again(here: World) -> None:
    for _ in range(3):
        request_id = await here.ask()
    basis, again = await explaining.replay(here.store, await asked(here, request_id))
    assert again == basis.outcome
    assert request_id in again
    body = {"lead": "A03", "reason": "kennt den Ort"}
    await here.post(f"/api/requests/{request_id}/assign", body)
    with pytest.raises(NotFound):
        await explaining.replay(here.store, await asked(here, request_id))


async def test_where_the_engine_fails_the_plain_choice_decides_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no solver")

    play = Play()
    await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02", levels={PARTNERS: 3}))
    with monkeypatch.context() as patch:
        patch.setattr(engine, "solve", broken)
        request_id = await play.ask()
    [told] = play.told(AdvisorAssigned)
    assert told.policy_version == "plain.1"
    basis, again = await explaining.replay(play.store, (await play.current(request_id)).assignment_id)
    assert (basis.decided_by, basis.optimal, again) == ("plain.1", False, basis.outcome)
