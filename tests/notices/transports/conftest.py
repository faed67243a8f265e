"""A message to send, and the far ends to send it to."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lifecycle.notices.message import Message
from tests.fakes.sendgrid_api import DEFAULT_DESCRIPTION, SendGridApi, described

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def a_message(**changes: Any) -> Message:
    """Make a valid message; a test names only what matters to it."""
    parts = {
        "reference": "notice-17",
        "to_name": "Amira Haddad",
        "to_address": "amira@harbour-clinic.example",
        "from_name": "Partnership Lifecycle",
        "from_address": "lifecycle@partnerships.example",
        "reply_to": None,
        "subject": "Your review is due on 30 November",
        "text": "Please answer the review by 30 November.\n",
        "html": "<p>Please answer the review by <b>30 November</b>.</p>\n",
        "category": "review_request",
    }
    return Message(**(parts | changes))


@pytest.fixture(name="a_message")
def _a_message() -> Callable[..., Message]:
    return a_message


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def sendgrid_api() -> Iterator[SendGridApi]:
    """A SendGrid that judges by its documented rules, and by its published description where there is a copy."""
    with SendGridApi(key="SG.secret.key", description=described()) as api:
        yield api


@pytest.fixture
def published_description() -> Path:
    path = described()
    if path is None:
        pytest.skip(
            f"no copy of SendGrid's API description: set SENDGRID_OAI, or put it at {DEFAULT_DESCRIPTION}"
        )
    return path
