"""Clients of the API: who they are is their token."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from fastapi.testclient import TestClient
from httpx import Response
from pydantic import SecretStr
from tenacity import retry, stop_after_delay, wait_fixed

from lifecycle import clock
from lifecycle.access import tokens
from lifecycle.config import Settings
from lifecycle.db import Database

SECRET = "a-secret-of-the-tests-that-is-long-enough-to-sign-links"


def settings_of(url: str) -> Settings:
    """Settings of a test's installation."""
    return Settings(_env_file=None, database_url=SecretStr(url), secret_key=SecretStr(SECRET))


@dataclass
class Client:
    """One caller."""

    http: TestClient
    token: str | None
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Response:
        """GET a path under `/v1`."""
        return self.http.get(f"/v1{path}", params=query, headers=self._headers({}))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a body; header names are written with underscores. Changes are made for whichever version."""
        given = {"If-Match": "*"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, f"/v1{path}", json=body, headers=self._headers(given))

    def post(self, path: str, body: Any = None, **headers: str) -> Response:
        """POST a body."""
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Response:
        """PUT a body."""
        return self.send("PUT", path, body, **headers)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        known = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return {name: value for name, value in (known | self.headers | more).items() if value}


@dataclass
class Clients:
    """The application's callers, made as they are asked for."""

    http: TestClient
    database: Database

    def of(self, role: str, **confined: Any) -> Client:
        """A caller of a role, confined as `tokens.create` says; an owner's portfolio is `main`."""
        if role not in {"administrator", "manager", "contact"} and "partnership_id" not in confined:
            confined.setdefault("portfolio", "main")
        return Client(self.http, tokens.create(self.database, f"a {role}", role, clock.now(), 30, **confined))

    @property
    def nobody(self) -> Client:
        """Who has no token."""
        return Client(self.http, None)

    def speaking_for(self, contact: str, role: str = "service") -> Client:
        """A service that acts in the name of a contact."""
        client = self.of(role)
        client.headers["On-Behalf-Of"] = contact
        return client


def today() -> datetime:
    """The instant that the application would take."""
    return datetime.now(UTC)


@retry(wait=wait_fixed(0.02), stop=stop_after_delay(30))
def started(server: uvicorn.Server) -> None:
    """Wait until a server takes requests."""
    assert server.started
