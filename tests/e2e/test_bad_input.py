"""Whatever is sent to the four services: a clear answer, never a 500."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from deploy.local.journey import REQUEST, Journey
from deploy.local.stack import Stack
from shared.auth import token

SERVICES = ("intake", "matching", "notifications", "reporting")
SOME = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


@pytest.mark.parametrize("name", SERVICES)
def test_whatever_is_sent_no_service_answers_500(services: Stack, standing: Journey, name: str) -> None:
    """Schemathesis on each operation, with right and wrong input; half of it on things that exist."""
    schema = schemathesis.openapi.from_url(f"{services.urls[name]}/openapi.json")
    bearer = {"Authorization": f"Bearer {token(services.env()['MIGLOBE_SECRET'], 'coordinator', 'schemathesis')}"}
    known = {"request_id": standing.request_id, "assignment_id": standing.assignment_id, "advisor_id": "A03"}
    asked = 0

    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.path.endswith("/stream"):
            continue  # its answer does not end; what it sends is tested beside its page

        @SOME
        @given(
            case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)),
            real=st.booleans(),
        )
        def ask(case: "Case[Any]", real: bool) -> None:
            nonlocal asked
            if real:
                for parameter in known.keys() & (case.path_parameters or {}).keys():
                    case.path_parameters[parameter] = known[parameter]
                if name == "intake" and case.path_parameters:
                    case.query = {**(case.query or {}), "token": standing.status_token}
            if _number((case.query or {}).get("wait")):
                case.query["wait"] = 0  # right as it may be, nothing new would come
            answer = case.call(headers=bearer)
            assert answer.status_code < 500, (case.as_curl_command(), answer.text)
            asked += 1

        ask()
    assert asked > 20


def _number(value: object) -> bool:
    try:
        return float(str(value)) > 0
    except ValueError:
        return False


@pytest.fixture(scope="session")
def standing(services: Stack) -> Journey:
    """A request with an assignment, for input that is not stopped at an unknown id."""
    journey = Journey(services.urls, services.env()["MIGLOBE_SECRET"])
    journey.submit()
    journey.await_assignment()
    return journey


HURRIED: dict[str, tuple[dict[str, Any], str | None]] = {
    "blanks round the key": ({"municipality_ags": " 08 117 042 "}, None),
    "a forgotten nought": ({"municipality_ags": "8117042"}, "municipality_ags"),
    "an unincorporated area": ({"municipality_ags": "08317971"}, "municipality_ags"),
    "a town of another state": ({"municipality_ags": "09162000"}, "municipality_ags"),
    "a key that nobody has": ({"municipality_ags": "08999999"}, "municipality_ags"),
    "no field": ({"fields": []}, "fields"),
    "a field of another form": ({"fields": ["gardening"]}, "fields"),
    "the need in two words": ({"need": "Bitte helfen"}, "need"),
    "the need as blanks": ({"need": " " * 60}, "need"),
    "the need far too long": ({"need": "a" * 4001}, "need"),
    "a telephone number with slash": ({"contact": REQUEST["contact"] | {"phone": "07161 / 650-0"}}, None),
    "a foreign telephone number": ({"contact": REQUEST["contact"] | {"phone": "+41 44 668 18 00"}}, None),
    "no telephone number": ({"contact": REQUEST["contact"] | {"phone": "ruft an"}}, "contact.phone"),
    "a mail address without @": ({"contact": REQUEST["contact"] | {"email": "rathaus.example"}}, "contact.email"),
    "a mail address with blanks": ({"contact": REQUEST["contact"] | {"email": " rathaus@stadt.example "}}, None),
    "a wish for yesterday": ({"wanted_from": "2020-01-01"}, "wanted_from"),
    "a date in German": ({"wanted_from": "01.12.2026"}, "wanted_from"),
    "no consent": ({"consent": {"privacy_notice": False, "version": "1"}}, "consent.privacy_notice"),
    "another language's name": ({"languages": ["Deutsch"]}, "languages.0"),
}


@pytest.mark.parametrize("case", HURRIED)
def test_what_a_hurried_person_types(services: Stack, case: str) -> None:
    """Forgiving where the meaning is clear, else 422 that names the field, in German."""
    changed, wrong = HURRIED[case]
    answer = httpx.post(f"{services.urls['intake']}/api/requests", json=REQUEST | {"wanted_from": _soon()} | changed)
    if wrong is None:
        assert answer.status_code == 201, answer.text
    else:
        assert answer.status_code == 422, answer.text
        assert any(item["field"].startswith(wrong) for item in answer.json()["errors"]), answer.text


def _soon() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
