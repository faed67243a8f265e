"""schemathesis: whatever is sent, by whichever role, the answer is one that the OpenAPI document knows, and never a 5xx.

On PostgreSQL, which refuses more than SQLite does. Half of the requests are aimed at things that exist.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lifecycle.access import tokens
from lifecycle.access.roles import ROLES
from lifecycle.api.app import create
from lifecycle.db import Database
from tests.api.clients import settings_of, today
from tests.builders import registered
from tests.conftest import empty_database

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("API_EXAMPLES", "5"))
"""For each route; each is sent by every role, and by nobody."""

KNOWN = {"id": "harbour", "number": 1, "obligation": "breakfast", "partner": "clinic", "indicator": "reach"}

application = create(settings_of("sqlite://"), Database("sqlite://"), per_minute=10**9)
schema = schemathesis.openapi.from_asgi("/openapi.json", application)


@pytest.fixture(scope="module")
def callers(postgres_url: str) -> Iterator[list[dict[str, str]]]:
    """The headers of every role, and of nobody, on a database with one partnership in it."""
    database = Database(empty_database(postgres_url))
    application.state.database = database
    now = today()
    registered(database, now, stage="maintaining")
    found: list[dict[str, str]] = [{}]
    for role in ROLES:
        person: dict[str, Any] = {"partnership_id": "harbour", "contact_id": "clinic-primary"}
        confined = {"administrator": {}, "manager": person, "contact": person}
        token = tokens.create(database, role, role, now, 1, **confined.get(role, {"portfolio": "main"}))
        found.append({"Authorization": f"Bearer {token}"})
    yield found
    database.close()


@schema.parametrize()
@settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate], deadline=None)
def test_every_answer_is_documented(case: Case, callers: list[dict[str, str]]) -> None:
    """No 5xx, no status, type, header or body that the document does not know."""
    case.headers.pop("Authorization", None)
    for headers in callers:
        case.validate_response(case.call(headers=headers), checks=CHECKS)
    case.path_parameters.update(
        (name, value) for name, value in KNOWN.items() if name in case.path_parameters
    )
    case.headers["If-Match"] = "*"
    for headers in callers:
        case.validate_response(case.call(headers=headers), checks=CHECKS)
