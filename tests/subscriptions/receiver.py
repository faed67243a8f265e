"""A real HTTP receiver that verifies signatures with the official library, and keeps what it accepted."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pytest_httpserver import HTTPServer
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook
from werkzeug import Request, Response

from lifecycle.db import Database
from lifecycle.partnerships import changes
from lifecycle.subscriptions import delivery, service
from lifecycle.subscriptions.delivery import Delivered
from lifecycle.subscriptions.models import webhook_stream
from tests.builders import SETTINGS

PRIVATE = SETTINGS.model_copy(update={"webhook_private_targets": True})


class Receiver:
    """Answers as `answers` says, each message's status in turn; then 204. `got` is what it accepted, in order."""

    def __init__(self, server: HTTPServer, path: str = "/hook") -> None:
        self.url = server.url_for(path)
        self.secret = ""
        self.answers: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.refused: list[str] = []
        self.after: Callable[[], None] = lambda: None
        server.expect_request(path).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        message = Webhook(self.secret).verify(request.get_data(), dict(request.headers))
        status = self.answers.pop(0) if self.answers else 204
        if 200 <= status < 300:
            self.got.append(message)
            self.ids.append(request.headers["webhook-id"])
        else:
            self.refused.append(request.headers["webhook-id"])
        self.after()
        return Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else {})

    def subscribed(self, database: Database, now: datetime, **more: Any) -> str:
        """Subscribe it; returns the subscription's id."""
        made, self.secret = service.subscribe(database, self.url, now, PRIVATE, **more)
        return made

    def seqs(self, partnership_id: str) -> list[int]:
        """The events of one partnership that it accepted, as they came."""
        return [one["data"]["seq"] for one in self.got if one["data"]["partnership_id"] == partnership_id]

    def types(self) -> list[str]:
        return [one["type"] for one in self.got]


def happened(database: Database, partnership_id: str, now: datetime, *types: str) -> None:
    """Append events to a trail."""
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        for kind in types or ("gate_ready",):
            change.log(kind, "engine", event="activate")
        changes.write(connection, change)


def deliver(database: Database, as_of: datetime, **more: Any) -> Delivered:
    return delivery.deliver(database, PRIVATE, as_of, **more)


def head(database: Database, partnership_id: str) -> int:
    """The number of the last event of a trail."""
    with database.read() as connection:
        return changes.find(connection, partnership_id).audit_seq


def stream(database: Database, subscription_id: str, partnership_id: str) -> Any:
    """The row of a stream."""
    with database.read() as connection:
        return connection.execute(
            select(webhook_stream).where(
                webhook_stream.c.subscription_id == subscription_id,
                webhook_stream.c.partnership_id == partnership_id,
            )
        ).one()
