"""`lifecycle demo`, once, as a newcomer runs it: its own Prefect server, real flow runs, real emails."""

import email
import email.policy
import os
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from lifecycle.audit import queries as audit
from lifecycle.db import Database
from lifecycle.demo.acts import read
from lifecycle.demo.story import ENDS_AT, HARBOUR, PARTNERSHIPS, SCHOOL, TRAM
from lifecycle.documents import queries as documents
from lifecycle.errors import Conflict, NotAllowed
from lifecycle.notices.models import notice
from lifecycle.obligations import queries as performances
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import transition_request
from lifecycle.redress import queries as complaints
from lifecycle.reviews import queries as reviews
from lifecycle.timers import service as timers
from tests.builders import heeding_ctrl_c

COMMAND = (sys.executable, "-m", "lifecycle.cli", "demo", "--directory", "story")
SECONDS = 240


def environment() -> dict[str, str]:
    """A newcomer's, but for settings that must not reach the demo: a real mail provider, somebody's Prefect server."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LIFECYCLE_", "PREFECT_"))
    }
    return kept | {
        "LIFECYCLE_MAIL_TRANSPORT": "smtp",
        "LIFECYCLE_DATABASE_URL": "sqlite:////nowhere/lifecycle.db",
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
    }


@dataclass
class Demo:
    """A demo that has ended."""

    folder: Path
    out: str
    err: str
    connection: Connection

    def emails(self, template: str = "*") -> list[EmailMessage]:
        files = sorted((self.folder / "story" / "mailbox").glob(f"*-{template}-*.eml"))
        return [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in files]

    def decisions(self, partnership: str, event: str) -> list[tuple[str, set[str]]]:
        asked = (transition_request.c.partnership_id == partnership, transition_request.c.event == event)
        rows = self.connection.execute(
            select(transition_request.c.state, transition_request.c.report)
            .where(*asked)
            .order_by(transition_request.c.requested_at)
        ).all()
        return [(row.state, {f["code"] for f in row.report["findings"] if f["blocks"]}) for row in rows]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    ran = subprocess.run(
        COMMAND, cwd=folder, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    database = Database(f"sqlite:///{folder / 'story' / 'lifecycle.db'}")
    with database.read() as connection:
        yield Demo(folder, ran.stdout, ran.stderr, connection)
    database.close()


def test_one_is_declined_one_is_set_up_one_is_renewed(demo: Demo) -> None:
    stages = {one: changes.find(demo.connection, one).stage for one in PARTNERSHIPS}
    assert stages == {SCHOOL: "declined", TRAM: "maintaining", HARBOUR: "maintaining"}
    assert demo.decisions(HARBOUR, "renew") == [("taken", set())]


def test_the_declined_need_keeps_why_and_what_to_do_instead(demo: Demo) -> None:
    record = documents.find(demo.connection, SCHOOL, "decision_record", "decline").content
    assert record["reason_code"] == "duplicate_exists"
    assert "joins Harbour Healthy Start" in record["instead"]
    state, blocked = demo.decisions(SCHOOL, "confirm_need")[0]
    assert (state, blocked) == ("refused", {"N4", "N5", "N9"})
    told = [
        text(message) for message in demo.emails("stage_changed") if "School Breakfasts" in message["Subject"]
    ]
    reason = " ".join(record["reason"].split())[:60]
    assert any(reason in " ".join(one.split()) for one in told), "the partners read the reason"


def test_the_refused_agreement_is_mended_and_accepted(demo: Demo) -> None:
    (first, blocked), (second, still) = demo.decisions(TRAM, "activate")
    assert (first, second, still) == ("refused", "taken", set())
    assert blocked == {"C2", "C3", "P1", "R1", "A1"}
    assert "The same gate, mended" in demo.out


def test_emails_of_every_kind_have_left(demo: Demo) -> None:
    rows = demo.connection.execute(select(notice.c.template, notice.c.state)).all()
    assert {state for _, state in rows} <= {"sent", "withdrawn"}, "none pending, unknown or failed"
    sent = Counter(template for template, state in rows if state == "sent")
    expected = {
        "gate_refused": 3,
        "stage_changed": 24,
        "signoff_asked": 18,
        "signoff_reminder": 6,
        "gate_ready": 4,
        "review_opened": 16,
        "review_reminder": 2,
        "review_escalated": 2,
        "review_extended": 1,
        "review_closed": 16,
        "action_asked": 3,
        "evaluation_due": 1,
        "outcome_asked": 3,
        "performance_demanded": 1,
        "report_reminder": 1,
        "performance_overdue": 3,
        "report_received": 4,
        "performance_answered": 80,
        "decision_asked": 1,
        "complaint_lodged": 1,
        "complaint_warning": 2,
        "complaint_escalated": 2,
        "complaint_proposal": 1,
        "complaint_remedied": 1,
        "complaint_moved": 5,
        "portfolio_digest": 2,
    }
    assert {kind: sent[kind] for kind in expected if sent[kind] < expected[kind]} == {}
    assert len(demo.emails()) == sum(sent.values())


def test_the_silent_respondent_s_sponsor_hears(demo: Demo) -> None:
    deputy, sponsor = demo.emails("review_escalated")
    assert "piotr.nowak@" in deputy["To"]
    assert "sandra.okafor@" in sponsor["To"]
    assert "Isla Drummond" in text(sponsor)
    assert [one.extended for one in reviews.rounds(demo.connection, HARBOUR)] == [False, True, False, False]


def test_the_grievance_climbs_a_level_and_ends_in_a_remedy_that_restores_the_breach(demo: Demo) -> None:
    (one,) = complaints.complaints(demo.connection, HARBOUR)
    assert (one.state, one.level) == ("closed", 2)
    kept = {p.name: p.state for p in performances.performances(demo.connection, HARBOUR)}
    assert (kept["remedy:1/1"], kept["kitchens-open/6"]) == ("settled", "restored")
    assert {m["To"].addresses[0].username for m in demo.emails("complaint_escalated")} == {
        "margaret.innes",
        "sandra.okafor",
    }
    assert "Complaint 1 of morning-larder against city-of-harbour: closed at level 2" in demo.out


def test_negative_answers_led_to_actions_that_others_verified(demo: Demo) -> None:
    actions = reviews.actions(demo.connection, HARBOUR)
    assert [action.verified_by for action in actions] == ["amira-haddad", "isla-drummond", None]
    assert all(action.owner and action.due_on for action in actions)


def test_nothing_is_left_due_and_every_trail_is_whole(demo: Demo) -> None:
    assert timers.overdue_unfired(demo.connection, ENDS_AT) == []
    assert audit.verify_all(demo.connection) == []
    assert "every trail is whole" in demo.out
    pending = select(transition_request.c.id).where(transition_request.c.state == "pending")
    assert demo.connection.execute(pending).all() == []


def test_every_email_is_written_for_its_reader(demo: Demo) -> None:
    zones = {
        contact["email"]: contact["time_zone"]
        for one in PARTNERSHIPS
        for partner in read(one, "partnership")["partners"]
        for contact in partner["contacts"]
    }
    messages = demo.emails()
    assert messages
    for message in messages:
        address = message["To"].addresses[0].addr_spec
        assert zones[address] in text(message), f"{message['Subject']}: not in the zone of {address}"
        assert zones[address] in html(message)


def test_every_email_has_text_and_html_with_nothing_left_of_its_template(demo: Demo) -> None:
    leftovers = re.compile(r"\{\{|\{%|&lt;(p|b|a|br|td)\b|&amp;(amp|lt|gt|quot|#)|Undefined|None\b")
    for message in demo.emails():
        for body in (text(message), html(message)):
            assert body.strip(), message["Subject"]
            assert not leftovers.search(body), f"{message['Subject']}: {leftovers.search(body)}"
        assert not re.search(r"&(amp|lt|gt|quot|#\d+);|</?\w+>", text(message)), message["Subject"]


def test_the_flows_were_prefect_flow_runs(demo: Demo) -> None:
    found = re.search(r"Prefect flow runs: (\d+) \((.*?)\)", " ".join(demo.out.split()))
    assert found is not None
    counts: dict[str, Any] = {
        name: int(count) for name, count in (one.rsplit(" ", 1) for one in found[2].split(", "))
    }
    assert counts["gate-check"] == 10
    assert counts.keys() == {
        "gate-check",
        "gate-readiness",
        "scheduled-reviews",
        "obligation-monitor",
        "escalations",
        "portfolio-digest",
        "send-notices",
    }
    assert int(found[1]) == sum(counts.values())
    assert demo.err == ""


def test_the_commands_that_it_recommends_work(demo: Demo) -> None:
    steps = demo.out.split("What to do next", 1)[1]
    show, gather, opening, up = [line.strip() for line in steps.splitlines() if line.startswith("    ")]
    shown = subprocess.run(
        show, shell=True, cwd=demo.folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert (shown.returncode, "Harbour Healthy Start" in shown.stdout) == (0, True), shown.stderr
    assert "How promises fare" in shown.stdout
    subprocess.run(gather, shell=True, cwd=demo.folder, env=environment(), capture_output=True, check=True)
    dossier = (demo.folder / "dossier.html").read_text()
    assert "Sandra Okafor" in dossier, "who confirmed a commitment"
    assert "Write the opening of a kitchen down as a promise of its own." in " ".join(dossier.split())
    assert (demo.folder / shlex.split(opening)[1]).is_file()
    assert up.endswith("lifecycle up")


def test_a_folder_with_other_files_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "story").mkdir()
    (tmp_path / "story" / "thesis.txt").write_text("years of work")
    ran = subprocess.run(
        COMMAND, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert "thesis.txt" in ran.stderr
    assert "--directory" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert [one.name for one in (tmp_path / "story").iterdir()] == ["thesis.txt"]


def test_a_second_run_starts_afresh_but_spares_what_it_did_not_make(tmp_path: Path) -> None:
    from lifecycle.demo.folder import fresh

    with fresh(tmp_path / "story") as folder:
        folder.mailbox.mkdir()
        (folder.mailbox / "one.eml").write_text("")
        (folder.path / "lifecycle.db").write_text("")
        with pytest.raises(Conflict, match="Another demo"), fresh(folder.path):
            pass
    with fresh(folder.path):
        assert [one.name for one in folder.path.iterdir()] == [".lifecycle-demo"]
    folder.mailbox.mkdir()
    (folder.mailbox / "notes.txt").write_text("mine")
    with pytest.raises(NotAllowed, match=r"mailbox/notes\.txt"), fresh(folder.path):
        pass
    assert (folder.mailbox / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="children are found in /proc")
def test_ctrl_c_stops_the_server_too(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        COMMAND, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heeding_ctrl_c,  # noqa: PLW1509 - one system call
    )  # fmt: skip
    assert demo.stdout is not None
    while "registers" not in (line := demo.stdout.readline()):
        assert line, "the demo ended early"
    children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()
    assert children
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    assert demo.returncode != 0
    assert "Stopped" in out
    assert "Traceback" not in err
    assert not any(alive(int(child)) for child in children)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def text(message: EmailMessage) -> str:
    return body(message, "plain")


def html(message: EmailMessage) -> str:
    return body(message, "html")


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None, message["Subject"]
    return str(part.get_content())
