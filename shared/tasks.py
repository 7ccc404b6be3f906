"""Ending tasks for sure.

PyMongo sends within asyncio.wait_for, which before Python 3.12 swallows a cancellation that comes just when the
sending is done. A loop around database calls must look for it, and whoever cancels one must insist.
"""

import asyncio
from typing import Any

INSISTS = 12.0
"""Seconds; longer than any job takes to bring what it has begun to its end."""


def cancelled() -> bool:
    """True once the running task was cancelled, also when that got lost on the way."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels `tasks` and waits until all are done, again after `INSISTS`; their outcomes are dropped.

    Not sooner: a task may have something to bring to its end first.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=INSISTS)
    await asyncio.gather(*tasks, return_exceptions=True)
