"""Waiting for conditions: tests never sleep for luck."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def until(
    condition: Callable[[], Awaitable[T]], *, seconds: float = ..., what: str = ..., pause: float = ...
) -> T: ...
@overload
async def until(condition: Callable[[], T], *, seconds: float = ..., what: str = ..., pause: float = ...) -> T: ...
async def until(condition: Callable[[], Any], *, seconds: float = 60.0, what: str = "", pause: float = 0.02) -> Any:
    """The first truthy value of `condition`. Raises AssertionError with its last value after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition} (last: {value!r})")
        await asyncio.sleep(pause)
