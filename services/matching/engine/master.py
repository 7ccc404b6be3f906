"""The columns as a linear programme for HiGHS: each request answered at most once, places, and the batch cost.

    max  Σ score·x − Σ step·(k − 1)·z        x: a column is taken, z: an advisor's k-th assignment of this pass
    per request     Σ x ≤ 1, = 1 where it must be served
    per advisor     Σ x that take a place − Σ z ≤ assignments that cost nothing,  0 ≤ z ≤ 1

The cost rises with k, so the cheap z are used first by themselves and may stay continuous. One thread, a fixed seed, no
limit of time but one of nodes: the same columns in the same order give the same answer.
"""

from dataclasses import dataclass

import highspy
import numpy as np
from highspy._core import _Highs

from services.matching.domain.policy import Weights
from services.matching.engine.instance import NOBODY, Bools, Columns, Floats, Ints, joined

POINT = 0.999
"""Without ties the objective is a whole number: who is less than a point away is there."""
NODES = 300
"""So often the solver branches at most."""
FEASIBLE = int(highspy.SolutionStatus.kSolutionStatusFeasible)
WHOLE = 1e-6
"""x this near to 0 or 1 is."""


class Failed(RuntimeError):
    """The solver has not come to an optimum."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The optimum where x may be parts. `value`: what a request is worth, `price`: what a place of an advisor is."""

    objective: float
    x: Floats
    value: Floats
    price: Floats

    @property
    def integral(self) -> bool:
        return bool(np.all(np.minimum(self.x, 1 - self.x) < WHOLE))


class Master:
    """`room`: places by advisor; `used`: assignments of this pass that each has besides, so that the next ones cost
    more.
    `forced`: rows that must be served. `worth`: what the columns count, their scores unless ties are told apart.
    """

    def __init__(
        self,
        weights: Weights,
        room: Ints,
        forced: Bools,
        columns: Columns,
        worth: Floats | None = None,
        used: Ints | None = None,
    ) -> None:
        self.room, self.forced, self.columns = room, forced, columns
        self.used = np.zeros(len(room), np.int64) if used is None else used
        self.worth = columns.score.astype(np.float64) if worth is None else worth
        self._step = weights.batch_step
        self._top = int(columns.score.max(initial=0)) + weights.tandem_wanted + 1000
        self._highs = self._model()

    def solve(self) -> Relaxed:
        """Raises Failed."""
        return self._relaxed(self._highs)

    def _relaxed(self, highs: _Highs) -> Relaxed:
        self._run(highs)
        solution, n = highs.getSolution(), len(self.forced)
        x = np.array(solution.col_value)[self._slots :]
        duals = -np.array(solution.row_dual)
        objective = -highs.getObjectiveValue()
        return Relaxed(objective, x, duals[:n], np.maximum(duals[n:], 0.0))

    def inside(self) -> Relaxed:
        """As `solve`, but by way of the interior: much faster where nothing is known yet. Raises Failed."""
        highs = self._model()
        highs.setOptionValue("presolve", "on")
        highs.setOptionValue("solver", "ipx")
        return self._relaxed(highs)

    def add(self, columns: Columns) -> None:
        """More columns; the next `solve` goes on from the last one's basis."""
        self._add(self._highs, columns, columns.score.astype(np.float64))
        self.columns = joined([self.columns, columns])
        self.worth = np.concatenate([self.worth, columns.score.astype(np.float64)])

    def made_whole(self, relaxed: Relaxed, least: int) -> Bools | None:
        """The columns taken by a choice that comes to `least`, which the last `solve` does: one part after the other is
        made 1, or else 0. None where neither is possible. What was made so stays; `solve` no more then. Raises Failed.
        """
        while not relaxed.integral:
            part = int(np.where(relaxed.x < 1 - WHOLE, relaxed.x, 0.0).argmax())
            for low, high in ((1.0, highspy.kHighsInf), (0.0, 0.0)):
                self._highs.changeColBounds(self._slots + part, low, high)
                tried = self._tried()
                if tried is not None and tried.objective > least - WHOLE:
                    relaxed = tried
                    break
            else:
                return None
        return np.asarray(relaxed.x > 0.5)

    def _tried(self) -> Relaxed | None:
        """None where there is no choice left."""
        try:
            return self.solve()
        except Failed:
            return None

    def whole(self, gap: float = 1e-6) -> tuple[Bools, bool]:
        """The columns taken, each whole or not at all, and True: no choice of these is better by `gap`; or after many
        nodes the best that was found, and False. Raises Failed.
        """
        highs = self._model(gap)
        highs.setOptionValue("mip_max_nodes", NODES)
        highs.run()
        status, found = highs.getModelStatus(), highs.getInfo().primal_solution_status
        if status != highspy.HighsModelStatus.kOptimal and found != FEASIBLE:
            raise Failed(f"HiGHS says {highs.modelStatusToString(status)}")
        return self._taken(highs), status == highspy.HighsModelStatus.kOptimal

    def bettered(self, start: Bools, nodes: int) -> Bools:
        """As `whole`, from a choice that is there already, and after so many nodes the best that was found."""
        highs = self._model(POINT)
        highs.setOptionValue("mip_max_nodes", nodes)
        begun = highspy.HighsSolution()
        begun.col_value = [*self._sold(start), *start.astype(np.float64)]
        highs.setSolution(begun)
        highs.run()
        return self._taken(highs)

    def _taken(self, highs: _Highs) -> Bools:
        return np.asarray(np.array(highs.getSolution().col_value)[self._slots :] > 0.5)

    def _sold(self, taken: Bools) -> Floats:
        """The z that these need."""
        paying = np.r_[self.columns.pays_a[taken], self.columns.pays_b[taken]]
        used = np.bincount(paying[paying != NOBODY], minlength=len(self.room))
        _, owner, gratis = self._batch()
        nth = np.arange(len(owner)) - np.searchsorted(owner, owner)
        return np.asarray(nth < (used - gratis)[owner], np.float64)

    def _run(self, highs: _Highs) -> None:
        highs.run()
        status = highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise Failed(f"HiGHS says {highs.modelStatusToString(status)}")

    def _model(self, gap: float | None = None) -> _Highs:
        """`gap`: x must be whole, and the optimum is missed by less than that."""
        highs = _Highs()  # highspy.Highs prints a banner for its callbacks, which we have none of
        for name, value in (
            *(("output_flag", False), ("threads", 1), ("parallel", "off"), ("random_seed", 0)),
            *(("mip_rel_gap", 0.0), ("mip_abs_gap", gap or 0.0), ("mip_allow_restart", False)),
            *(("mip_heuristic_run_rins", False), ("mip_heuristic_run_root_reduced_cost", False)),
        ):
            highs.setOptionValue(name, value)
        if gap is None:
            highs.setOptionValue("presolve", "off")  # what it saves it costs again with each round
        infinity, none = highspy.kHighsInf, np.zeros(0, np.int32)
        lower = np.concatenate([np.where(self.forced, 1.0, -infinity), np.full(len(self.room), -infinity)])
        cost, owner, gratis = self._batch()
        upper = np.concatenate([np.ones(len(self.forced)), gratis])
        highs.addRows(len(lower), lower, upper, 0, none, none, np.zeros(0))
        self._slots = len(cost)
        starts = np.arange(self._slots, dtype=np.int32)
        rows = (owner + len(self.forced)).astype(np.int32)
        zero, one = np.zeros(self._slots), np.ones(self._slots)
        highs.addCols(self._slots, cost, zero, one, self._slots, starts, rows, -one)
        self._add(highs, self.columns, self.worth)
        if gap is not None:
            places = np.arange(self._slots, self._slots + len(self.columns), dtype=np.int32)
            kinds = np.full(len(places), int(highspy.HighsVarType.kInteger), np.uint8)
            highs.changeColsIntegrality(len(places), places, kinds)
        return highs

    def _batch(self) -> tuple[Floats, Ints, Floats]:
        """The z: their cost and whose they are; and how many assignments cost each advisor nothing."""
        most = np.minimum(self.room, len(self.forced))
        if self._step <= 0:
            return np.zeros(0), np.zeros(0, np.int64), most.astype(np.float64)
        bearable = np.maximum(self._top // self._step + 2, 1)  # what costs more than any score is never worth it …
        bearable = max(int(bearable), int(self.forced.sum()) + 1)  # … but for those who must be served
        most = np.minimum(most, bearable)
        gratis = np.minimum(most, self.used == 0)
        number = most - gratis
        owner = np.repeat(np.arange(len(most)), number)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
        cost = self._step * (nth + (self.used + gratis)[owner])
        return cost.astype(np.float64), owner, gratis.astype(np.float64)

    def _add(self, highs: _Highs, columns: Columns, worth: Floats) -> None:
        n, rows = len(columns), len(self.forced)
        index = np.stack([columns.row, columns.pays_a + rows, columns.pays_b + rows], axis=1)
        taken = np.stack([np.ones(n, bool), columns.pays_a != NOBODY, columns.pays_b != NOBODY], axis=1)
        counts = taken.sum(axis=1)
        starts = (np.cumsum(counts) - counts).astype(np.int32)
        flat = index[taken].astype(np.int32)
        zero, one = np.zeros(n), np.full(n, highspy.kHighsInf)
        highs.addCols(n, -worth, zero, one, len(flat), starts, flat, np.ones(len(flat)))
