"""The plumbing's pure parts."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import auth, envelope, ids, register, telemetry, workdays
from shared.errors import Forbidden, Permanent, Unauthorized
from shared.settings import Settings, load
from tests.shared.samples import created

SECRET = "s" * 40


def test_ids_rise_with_time_and_derived_ones_repeat() -> None:
    made = [ids.new_id() for _ in range(1000)]
    assert made == sorted(made)
    at = datetime(2026, 11, 2, tzinfo=UTC)
    assert ids.derived_id(at, "a", "b") == ids.derived_id(at, "a", "b")
    assert len({ids.derived_id(at, "a", "b"), ids.derived_id(at, "ab"), ids.derived_id(at, "a")}) == 3
    assert ids.derived_id(at, "a")[14] == "7"


def test_a_token_says_who_calls_and_a_forged_one_says_nothing() -> None:
    good = auth.token(SECRET, "advisor", "A05")
    assert auth.caller(SECRET, good) == auth.Caller("A05", "advisor")
    for bad in (good[:-2] + "xx", auth.token("t" * 40, "skew", "x"), auth.token(SECRET, "skew", "x", hours=-1), "x"):
        with pytest.raises(Unauthorized):
            auth.caller(SECRET, bad)


def test_a_token_from_a_clock_that_is_ahead_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who issues and who checks have each a clock of their own."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=1)

    monkeypatch.setattr(auth, "datetime", Ahead)
    issued = auth.token(SECRET, "advisor", "A05")
    assert auth.caller(SECRET, issued) == auth.Caller("A05", "advisor")


def test_a_link_is_valid_for_its_purpose_and_subject_only() -> None:
    link = auth.sign(SECRET, "answer", "1", "A05")
    auth.check(SECRET, link, "answer", "1", "A05")
    for purpose, parts in (("status", ("1", "A05")), ("answer", ("1", "A06")), ("answer", ("1A05",))):
        with pytest.raises(Forbidden):
            auth.check(SECRET, link, purpose, *parts)
    with pytest.raises(Unauthorized):
        auth.check(SECRET, None, "answer", "1", "A05")
    with pytest.raises(Forbidden):
        auth.check(SECRET, "ümlaut\ud800", "answer", "1", "A05")


def test_working_days_leave_out_weekends_and_the_states_holidays() -> None:
    friday, epiphany = date(2026, 10, 30), date(2027, 1, 6)
    assert workdays.add_workdays(friday, 1, "BW") == date(2026, 11, 2)
    assert workdays.add_workdays(date(2026, 12, 23), 2, "BW") == date(2026, 12, 28)
    assert not workdays.is_workday(epiphany, "BW")
    assert workdays.is_workday(epiphany, "NW")
    assert workdays.add_workdays(date(2026, 11, 1), 0, "BW") == date(2026, 11, 2)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 60))
def test_counting_back_what_was_added(day: date, count: int) -> None:
    assert workdays.workdays_between(day, workdays.add_workdays(day, count, "BW"), "BW") == count


def test_the_packaged_register_is_whole() -> None:
    found = register.load()
    kinds = [entry.kind for entry in found.entries]
    assert len(found.entries) == 1138
    assert (kinds.count("municipality"), kinds.count("city"), kinds.count("urban_district")) == (785, 307, 9)
    assert (kinds.count("rural_district"), kinds.count("unincorporated")) == (35, 2)
    assert len(found.districts) == 44
    assert not found.by_ags["08317971"].eligible


@pytest.mark.parametrize("line", ["x,A,city,08111,B,,,", "08111000,A,town,08111,B,,,", "08111000,A,city,08112,B,,,"])
def test_a_register_with_a_wrong_line_names_it(tmp_path: object, line: str) -> None:
    from pathlib import Path

    file = Path(str(tmp_path)) / "register.csv"
    file.write_text("ags,name,kind,district_ags,district_name,latitude,longitude,population\n" + line + "\n")
    with pytest.raises(ValueError, match="line 2"):
        register.load(str(file))


def test_an_envelope_comes_back_from_its_headers() -> None:
    event = created()
    with telemetry.tracing("correlation-1", None, "cause-1") as trace:
        head = envelope.headers(event, "id-1", "intake", datetime(2026, 11, 2, tzinfo=UTC), trace)
    raw = [(name, value.encode()) for name, value in head.items()]
    found = envelope.read(raw, event.topic, 0, 7)
    assert (found.id, found.type, found.subject) == ("id-1", "de.miglobe.request.created.v1", event.request_id)
    assert (found.correlation_id, found.traceparent) == ("correlation-1", trace.traceparent)
    assert dict(raw)["ce_causationid"] == b"cause-1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda h: h.pop("ce_id"), "missing_header"),
        (lambda h: h.update(ce_id=None), "bad_header"),
        (lambda h: h.update(ce_type=b"\xff\xfe"), "bad_header"),
        (lambda h: h.update(ce_specversion=b"0.3"), "unknown_version"),
        (lambda h: h.update(ce_time=b"yesterday"), "bad_header"),
    ],
)
def test_a_broken_header_is_permanent(change: Callable[[dict[str, bytes | None]], object], reason: str) -> None:
    head = envelope.headers(created(), "id", "intake", datetime.now(UTC), telemetry.current())
    raw: dict[str, bytes | None] = {name: value.encode() for name, value in head.items()}
    change(raw)
    with pytest.raises(Permanent) as error:
        envelope.read(raw.items(), "request.created", 0, 0)
    assert error.value.reason == reason


def test_a_trace_goes_on_and_a_broken_one_is_replaced() -> None:
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    with telemetry.tracing(None, parent) as trace:
        assert trace.traceparent[:35] == parent[:35]
        assert trace.traceparent != parent
        assert telemetry.current() is trace
    for broken in ("nonsense", "", None):
        with telemetry.tracing(None, broken) as trace:
            assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace.traceparent)


def test_log_lines_say_which_work_they_belong_to() -> None:
    assert telemetry.log_fields(None, "info", {"event": "x"}) == {"event": "x"}
    with telemetry.tracing("correlation-1", None, key="r1", topic="request.created") as trace:
        line = telemetry.log_fields(None, "info", {"event": "x", "topic": "its own"})
    ids = {"correlation_id": "correlation-1", "trace_id": trace.traceparent[3:35]}
    assert line == {"event": "x", **ids, "key": "r1", "topic": "its own"}


@pytest.mark.parametrize(
    "values",
    [
        {"secret": "short"},
        {"kafka": "no-port"},
        {"mongo": "http://x"},
        {"mongo": "mongodb://me:hidden@[broken/?replicaSet=rs0"},
        {"prefix": "Big"},
        {"state": "8"},
        {"subdivision": "XX"},
        {"time_zone": "Mars/Base"},
        {"register_file": "/nowhere"},
    ],
)
def test_wrong_settings_refuse_to_start_and_name_the_variable(values: dict[str, str]) -> None:
    with pytest.raises(SystemExit) as error:
        load(Settings, **({"secret": SECRET} | values))
    assert f"MIGLOBE_{next(iter(values)).upper()}" in str(error.value)
    assert "hidden" not in str(error.value)


def test_what_is_emitted_for_many_keys_at_once_belongs_to_the_trace_of_each() -> None:
    origins = {
        key: telemetry.Origin(f"correlation-{key}", f"00-{key * 32}-{'a' * 16}-01", f"cause-{key}") for key in "bc"
    }
    with telemetry.tracing_together(origins, "handle"):
        for key in "bc":
            found = telemetry.current(key)
            assert (found.correlation_id, found.cause_id) == (f"correlation-{key}", f"cause-{key}")
            assert found.traceparent[3:35] == key * 32
        assert telemetry.current("d").correlation_id != telemetry.current("d").correlation_id, (
            "a key that nobody brought begins anew"
        )
    assert telemetry.current("b").traceparent[3:35] != "b" * 32
