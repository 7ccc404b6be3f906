"""Why a request has the advisors it has, and why not another one: from what was kept of the pass, for any advisor."""

from collections.abc import Sequence

import numpy as np

from services.matching.domain import choice as plain
from services.matching.domain.basis import Basis, members
from services.matching.domain.explanation import Choice, Explanation, Needed, WhyNot
from services.matching.domain.points import CRITERIA
from services.matching.domain.policy import barrier
from services.matching.engine.choice import decide
from services.matching.engine.instance import NOBODY, Columns, Instance

ALTERNATIVES = 5


class Explainer:
    """One pass, laid out again."""

    def __init__(self, basis: Basis) -> None:
        self.basis = basis
        self._instance = Instance(basis.candidates, basis.seekers, basis.today, basis.policy)
        self._rows = {wish.id: row for row, wish in enumerate(self._instance.wishes)}
        self._known: dict[str, Columns] = {}

    def explain(self, request_id: str, chosen: Sequence[str]) -> Explanation:
        """`chosen`: the members as they are asked."""
        columns = _foremost(self._columns(request_id), ALTERNATIVES + 1)
        order = np.lexsort((columns.b, columns.a, -columns.score))
        ids = (self._ids(columns, n) for n in order.tolist())
        others = [one for one, _ in zip((one for one in ids if {*one} != {*chosen}), range(ALTERNATIVES), strict=False)]
        return Explanation(
            self._choice(request_id, chosen, chosen), tuple(self._choice(request_id, one, chosen) for one in others)
        )

    def why_not(self, request_id: str, advisor_id: str, chosen: Sequence[str]) -> WhyNot:
        """Raises KeyError when the advisor was not there."""
        one = self._instance.people[self._instance.place[advisor_id]]
        wish = self._instance.wishes[self._rows[request_id]]
        if advisor_id in chosen:
            return WhyNot("member")
        wall = barrier(one, wish, self.basis.today, one.open)
        if wall is not None:
            return WhyNot(wall)
        columns = self._columns(request_id)
        place = self._instance.place[advisor_id]
        with_them = columns.of((columns.a == place) | (columns.b == place))
        if not len(with_them):
            return WhyNot("fewer_points")
        best = self._choice(request_id, self._ids(with_them, int(with_them.score.argmax())), chosen)
        points = self._instance.scale.points(chosen, wish)
        lost = {name: points[name] - best.points[name] for name in CRITERIA if points[name] != best.points[name]}
        if best.difference > 0:
            return WhyNot("needed_elsewhere" if best.needed else "plain_choice", best, lost)
        return WhyNot("fewer_points" if best.difference < 0 else "equal_points", best, lost)

    def _columns(self, request_id: str) -> Columns:
        if request_id not in self._known:
            self._known[request_id] = self._instance.ask(self._rows[request_id]).everything()
        return self._known[request_id]

    def _ids(self, columns: Columns, n: int) -> tuple[str, ...]:
        people = self._instance.people
        return tuple(people[place].id for place in (int(columns.a[n]), int(columns.b[n])) if place != NOBODY)

    def _choice(self, request_id: str, ids: Sequence[str], chosen: Sequence[str]) -> Choice:
        wish, scale = self._instance.wishes[self._rows[request_id]], self._instance.scale
        points = scale.points(ids, wish)
        score = sum(points.values())
        price = sum(self.basis.prices.get(one, 0.0) for one in ids) - sum(
            self.basis.prices.get(one, 0.0) for one in chosen
        )
        needed = (found for one in ids if one not in chosen and (found := self._needed(one, request_id)))
        difference = score - sum(scale.points(chosen, wish).values())
        return Choice(scale.ordered(ids, wish), points, score, difference, round(price, 3), tuple(needed))

    def _needed(self, advisor_id: str, here: str) -> Needed | None:
        """Where else in the pass the advisor is, and what would be lost there without them: the most."""
        there = [one for one, ids in self.basis.outcome.items() if advisor_id in ids and one != here]
        found = [self._without(advisor_id, one) for one in sorted(there)]
        return max(found, key=lambda one: one.loss, default=None)

    def _without(self, advisor_id: str, request_id: str) -> Needed:
        wish, scale = self._instance.wishes[self._rows[request_id]], self._instance.scale
        points = scale.points(self.basis.outcome[request_id], wish)
        columns, place = self._columns(request_id), self._instance.place[advisor_id]
        others = columns.of((columns.a != place) & (columns.b != place))
        if not len(others):
            return Needed(advisor_id, request_id, sum(points.values()), None)
        second = scale.points(self._ids(others, int(others.score.argmax())), wish)
        worst = max(CRITERIA, key=lambda name: points[name] - second[name])
        return Needed(advisor_id, request_id, sum(points.values()) - sum(second.values()), worst)


def _foremost(columns: Columns, number: int) -> Columns:
    """The `number` with the most points, and those that have as many as the last of them."""
    if len(columns) <= number:
        return columns
    return columns.of(columns.score >= np.partition(columns.score, -number)[-number])


def repeated(basis: Basis) -> dict[str, tuple[str, ...]]:
    """What comes out when the pass is decided again from what was kept."""
    if basis.decided_by != basis.policy.version:
        return members(tuple(plain.choose(basis.candidates, basis.seekers, basis.today)))
    return members(decide(basis.candidates, basis.seekers, basis.today, basis.policy, basis.oldest_first).decisions)
