"""Nobody starves: which of those who have waited too long can be served, the one who has waited longest first."""

from collections import deque

import numpy as np

from services.matching.engine.instance import NOBODY, Ask, Instance, Ints


def servable(instance: Instance) -> Ints:
    """By row who could serve it, NOBODY where it needn't be served: all with a seat taken or pinned, and of the overdue
    each that can be beside all that have waited longer. By whom it really is, is left to the optimum.
    """
    room = instance.free.copy()
    served = np.array([ask.fixed[0] if ask.fixed and _pinned(ask, room) else NOBODY for ask in instance.asks], np.int64)
    guests: dict[int, list[int]] = {}
    for ask in instance.asks:
        if instance.overdue(ask.wish) and not ask.fixed:
            _seat(instance.asks, ask.row, room, guests)
    for advisor, rows in guests.items():
        served[rows] = advisor
    return served


def _pinned(ask: Ask, room: Ints) -> bool:
    """Takes the places of those who are pinned, if all are there."""
    pinned = [one for one in ask.fixed if one not in ask.held]
    if ask.blocked or (room[pinned] < 1).any():
        return False
    room[pinned] -= 1
    return True


def _seat(asks: list[Ask], row: int, room: Ints, guests: dict[int, list[int]]) -> None:
    """Finds `row` an advisor, if there is any, where need be by moving others to another one of theirs."""
    came: dict[int, tuple[int, int]] = {}  # advisor → (the request that would come, the advisor it would leave)
    waiting = deque([(row, -1)])
    while waiting:
        asker, left = waiting.popleft()
        for advisor in asks[asker].able.tolist():
            if advisor in came:
                continue
            came[advisor] = (asker, left)
            if room[advisor] > 0:
                room[advisor] -= 1
                while advisor >= 0:
                    mover, old = came[advisor]
                    guests.setdefault(advisor, []).append(mover)
                    if old >= 0:
                        guests[old].remove(mover)
                    advisor = old
                return
            waiting.extend((guest, advisor) for guest in guests.get(advisor, ()))
