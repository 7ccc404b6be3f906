"""Limits against abuse: generous, forgetful, and off when 0."""

import pytest

from services.intake.limits import Window, network
from shared.errors import TooMany


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_more_than_the_limit_is_refused_until_the_window_ends() -> None:
    clock = Clock()
    window = Window(2, 60, "zu viele", "too many", clock)
    window.take("a")
    window.take("a")
    window.take("b")
    clock.now = 20
    with pytest.raises(TooMany) as raised:
        window.take("a")
    assert raised.value.retry_after == 40
    clock.now = 60
    window.take("a")


def test_zero_is_no_limit() -> None:
    window = Window(0, 60, "zu viele", "too many")
    for _ in range(1000):
        window.take("a")


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_an_address_counts_as_its_subscriber(host: str | None, key: str) -> None:
    assert network(host) == key
