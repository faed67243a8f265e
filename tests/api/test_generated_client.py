"""A client that an independent generator made of the OpenAPI document walks a partnership from need to renewal.

`openapi-python-client` reads the document that is checked in. The application runs in uvicorn, in simulated time; what
the clocks make due in between is done in process, as the flows do it.
"""

import asyncio
import importlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from rich.console import Console

from lifecycle.access import tokens
from lifecycle.api.app import create
from lifecycle.db import Database
from lifecycle.demo import acts, evaluating, grievance, keeping
from lifecycle.demo.acts import Act, Office, Told, read
from lifecycle.demo.player import play
from lifecycle.demo.screen import Screen
from lifecycle.demo.story import ENDS_AT, HARBOUR, STORY
from lifecycle.embedded import free_port
from lifecycle.partnerships import changes
from tests.api.clients import settings_of, started
from tests.journeys.in_process import InProcess

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The generated client, importable."""
    folder = tmp_path_factory.mktemp("generated")
    program = Path(sys.executable).with_name("openapi-python-client")
    command = [program, "generate", "--path", DOCUMENT, "--output-path", folder / "generated_client",
               "--meta", "none", "--fail-on-warning", "--config", folder / "config.yaml"]  # fmt: skip
    # Formatting what it makes would need programs that a user of it need not have.
    (folder / "config.yaml").write_text("post_hooks: []\n")
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    sys.path.insert(0, str(folder))
    yield "generated_client"
    sys.path.remove(str(folder))


@dataclass
class Api:
    """The generated client's functions by their names."""

    package: str
    client: Any

    def __call__(self, tag: str, name: str, *places: Any, by: str | None = None, **given: Any) -> Any:
        """Call one in somebody's name; the parsed answer.

        Raises:
            AssertionError: the answer is a problem.
        """
        function = importlib.import_module(f"{self.package}.api.{tag}.{name}").sync_detailed
        if by is not None:
            given |= {"on_behalf_of": by, "if_match": "*"}
        answer = function(*places, client=self.client, **given)
        assert answer.status_code in {200, 201}, (name, answer.content)
        return answer.parsed

    def model(self, name: str, content: Mapping[str, Any]) -> Any:
        """A body, as the generator has it."""
        return getattr(importlib.import_module(f"{self.package}.models"), name).from_dict(dict(content))


def performance(act: Any) -> tuple[str, str, int]:
    """Where a performance is."""
    obligation, _, number = act.performance.rpartition("/")
    return act.partnership, obligation, int(number)


def verdict(api: Api, act: Any, what: str, **more: str) -> Any:
    body = api.model("VerdictAsked", {"verdict": what, **more})
    return api("promises", "answer_report", *performance(act), by=act.by, body=body)


def step(api: Api, act: Any, what: str, **more: str) -> Any:
    body = api.model("ComplaintStep", {"step": what, **more})
    return api("complaints", "take_complaint_step", act.partnership, act.complaint, by=act.by, body=body)


def put(api: Api, act: acts.Put) -> Any:
    kind = act.file.split("-")[0]
    model = "".join(word.title() for word in kind.split("_"))
    body = api.model(model, read(act.partnership, act.file))
    return api("documents", f"put_{kind}", act.partnership, by=act.by, body=body)


def sign(api: Api, act: acts.Sign) -> Any:
    body = api.model("SignOffAsked", {"kind": act.kind, "revision": act.revision})
    return api("documents", "sign_document", act.partnership, by=act.by, body=body)


def ask(api: Api, act: acts.Ask) -> Any:
    body = api.model("TransitionAsked", {"event": act.event})
    return api("transitions", "request_transition", act.partnership, by=act.by, body=body, prefer="wait=10")


def answer(api: Api, act: acts.Answer) -> None:
    for contact in act.by:
        content = read(act.partnership, f"review_response-{act.number}-{contact}")
        body = api.model("ReviewResponse", content)
        api("reviews", "answer_review", act.partnership, act.number, by=contact, body=body)


def plan(api: Api, act: acts.Plan) -> Any:
    said = {"what": act.what, "owner": act.owner, "due_on": act.due_on.isoformat()}
    body = api.model("ActionPlan", said)
    return api("reviews", "plan_action", act.partnership, act.number, by=act.by, body=body)


def report(api: Api, act: keeping.Report) -> Any:
    body = api.model("PerformanceReport", {"outcome": act.outcome, "note": act.note})
    return api("promises", "report_performance", *performance(act), by=act.by, body=body)


def measure(api: Api, act: evaluating.Measure) -> Any:
    starts_on, ends_on = (day.isoformat() for day in act.period)
    said = {"starts_on": starts_on, "ends_on": ends_on, "value": act.value, "dimensions": act.dimensions}
    body = api.model("ActualAsked", said)
    return api("reviews", "record_actual", act.partnership, act.indicator, by=act.by, body=body)


def register(api: Api, act: acts.Register) -> Any:
    body = api.model("Partnership", read(act.partnership, "partnership"))
    return api("partnerships", "register_partnership", body=body)


CALLS: Mapping[type[Any], Callable[[Api, Any], Any]] = {
    acts.Register: register,
    acts.Put: put,
    acts.Sign: sign,
    acts.Ask: ask,
    acts.Check: lambda api, act: api("transitions", "check_gate", act.partnership, act.event, by=None),
    acts.Answer: answer,
    acts.Plan: plan,
    acts.Verify: lambda api, act: api("reviews", "verify_action", act.partnership, act.number, by=act.by),
    keeping.Demand: lambda api, act: api(
        "promises", "demand_performance", act.partnership, act.obligation, by=act.by
    ),
    keeping.Report: report,
    keeping.Accept: lambda api, act: verdict(api, act, "accept"),
    keeping.Dispute: lambda api, act: verdict(api, act, "dispute", reason=act.reason),
    keeping.Decide: lambda api, act: verdict(api, act, "decide", outcome=act.outcome, reason=act.reason),
    keeping.Restore: lambda api, act: verdict(api, act, "restored", reason=act.how),
    grievance.Complain: lambda api, act: api(
        "complaints", "lodge_complaint", act.partnership, by=act.by, body=api.model("Complaint", act.content)
    ),
    grievance.Acknowledge: lambda api, act: step(api, act, "acknowledge"),
    grievance.Reply: lambda api, act: step(api, act, "answer", note=act.note),
    grievance.Propose: lambda api, act: api(
        "complaints", "propose_settlement", act.partnership, act.complaint, by=act.by,
        body=api.model("SettlementOfAComplaint", act.content),
    ),
    grievance.Agree: lambda api, act: step(api, act, "agree"),
    grievance.Close: lambda api, act: step(api, act, "close", note=act.note),
    evaluating.Measure: measure,
    evaluating.Consult: lambda api, act: api("partnerships", "get_dossier", act.partnership),
}  # fmt: skip
"""What each act of the story is, said through the API."""


@dataclass(frozen=True)
class Called:
    """An act of the story, done through the generated client."""

    act: Act
    api: Api
    clock: Callable[[datetime], None]

    @property
    def at(self) -> datetime:
        return self.act.at

    @property
    def partnership(self) -> str:
        return self.act.partnership

    async def play(self, office: Office) -> Told:
        if isinstance(self.act, acts.Digest):
            return await self.act.play(office)
        self.clock(self.at)
        await asyncio.to_thread(CALLS[type(self.act)], self.api, self.act)
        return Told(type(self.act).__name__)


@pytest.fixture
def story(
    database: Database, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Api, Office, Callable[[datetime], None]]]:
    """The generated client of a served application, whose time is told."""
    time = {"now": datetime(2025, 6, 1, tzinfo=UTC)}
    monkeypatch.setattr("lifecycle.clock.now", lambda: time["now"])
    settings = settings_of("sqlite://").model_copy(update={"mailbox": tmp_path / "mailbox"})
    token = tokens.create(database, "story", "owner", time["now"], 366, "main")
    port = free_port()
    config = uvicorn.Config(create(settings, database, per_minute=10**6), port=port, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    started(server)
    module = importlib.import_module(package)
    client = module.AuthenticatedClient(base_url=f"http://127.0.0.1:{port}", token=token)
    yield (
        Api(package, client),
        Office(database, settings, InProcess(database, settings)),
        lambda at: time.update(now=at),
    )
    server.should_exit = True
    thread.join(20)


def test_from_need_to_renewal(
    story: tuple[Api, Office, Callable[[datetime], None]],
) -> None:
    api, office, clock = story
    told = [Called(act, api, clock) for act in STORY if act.partnership == HARBOUR]
    assert {type(one.act) for one in told} <= CALLS.keys() | {acts.Digest}
    screen = Screen(Console(file=StringIO(), width=120, markup=False), office.settings.mailbox)
    asyncio.run(play(told, office, screen, ENDS_AT))
    partnership = api("partnerships", "get_partnership", HARBOUR)
    assert (partnership.stage, partnership.version > 50) == ("maintaining", True)
    with office.database.read() as connection:
        assert changes.find(connection, HARBOUR).stage == "maintaining"
    transitions = api("transitions", "list_transitions", HARBOUR).items
    assert [one.event for one in transitions if one.state == "taken"] == [
        "confirm_need", "agree_to_partner", "activate", "begin_evaluation", "renew",
    ]  # fmt: skip
