"""`complain`, `complaint …`, `withhold`: redress from the command line, and its refusals."""

import pytest

from lifecycle.db import Database
from tests.cli.command import Command
from tests.redress.cases import broken, grievance

CITY, CLINIC = ("--as", "city-primary"), ("--as", "clinic-primary")


@pytest.fixture
def harbour(empty: Command) -> Command:
    """A promise of the clinic to the city is broken."""
    database = Database(f"sqlite:///{empty.database}")
    broken(database)
    database.close()
    return empty


def test_a_grievance_from_its_lodging_to_its_end(harbour: Command) -> None:
    lodged = harbour.done("complain", "harbour", harbour.file("c.yaml", grievance()), *CITY)
    assert lodged.out == "Complaint 1 of harbour is lodged against clinic, who has been told.\n"
    harbour.done("complaint", "acknowledge", "harbour", "1", *CLINIC)
    harbour.done("complaint", "answer", "harbour", "1", "We forgot.", *CLINIC)
    offer = harbour.file(
        "s.yaml", {"settlement": "remedy", "remedy": "correction", "act": "The list is sent."}
    )
    harbour.done("complaint", "propose", "harbour", "1", offer, *CLINIC)
    assert "is remedy agreed" in harbour.done("complaint", "agree", "harbour", "1", *CITY).out
    harbour.done("report", "harbour", "remedy:1/1", "kept", *CLINIC)
    harbour.done("verdict", "harbour", "remedy:1/1", "accept", *CITY)
    assert harbour.done("complaint", "close", "harbour", "1", *CITY, "--json").json["state"] == "closed"
    shown = harbour.done("show", "harbour").out
    assert "Complaints" in shown
    assert "Steps of the procedure within their time: 2 of 2." in shown
    past = harbour.done("complaint", "show", "harbour", "1").out
    assert "We forgot." in past
    assert "it is closed, and put right" in past
    assert harbour.done("complaint", "show", "harbour", "1", "--json").json["entries"][0]["kind"] == "lodge"


def test_a_pause_needs_both_and_a_level_its_hearing(harbour: Command) -> None:
    harbour.done("complain", "harbour", harbour.file("c.yaml", grievance()), *CITY)
    asked = harbour.done("complaint", "pause", "harbour", "1", "--reason", "Holidays.", *CITY).out
    assert "runs on until the other side asks" in asked
    assert "is paused" in harbour.done("complaint", "pause", "harbour", "1", "--reason", "Yes.", *CLINIC).out
    assert "lodged, paused" in harbour.done("show", "harbour").out
    harbour.done("complaint", "resume", "harbour", "1", *CLINIC)
    early = harbour.refused(1, "complaint", "escalate", "harbour", "1", "--reason", "Now.", *CITY)
    assert "has not heard both sides yet" in early
    harbour.done("complaint", "answer", "harbour", "1", "No.", *CLINIC)
    assert "level 2" in harbour.done("complaint", "escalate", "harbour", "1", "--reason", "Yes.", *CITY).out
    harbour.done("complaint", "withdraw", "harbour", "1", "--reason", "We spoke.", "--as", "city-sponsor")


def test_each_refusal_is_one_paragraph_with_its_mend(harbour: Command) -> None:
    mine = harbour.file("c.yaml", grievance())
    bare = harbour.file("bare.yaml", {"against": "clinic", "about": {"obligation": "lists"}})
    assert "/facts" in harbour.refused(1, "complain", "harbour", bare, *CITY)
    assert "nobody complains of themselves" in harbour.refused(1, "complain", "harbour", mine, *CLINIC)
    assert "is not a contact" in harbour.refused(3, "complain", "harbour", mine, "--as", "eve")
    assert "no complaint 4" in harbour.refused(3, "complaint", "acknowledge", "harbour", "4", *CLINIC)
    harbour.done("complain", "harbour", mine, *CITY)
    offer = harbour.file("s.yaml", {"settlement": "remedy", "remedy": "revenge"})
    refused = harbour.refused(1, "complaint", "propose", "harbour", "1", offer, *CLINIC)
    assert "from the smallest: explanation, correction, suspension, end" in refused
    assert "lodge one, or perform" in harbour.refused(
        1, "withhold", "harbour", "room/2", "--complaint", "1", *CITY
    )
    assert harbour("complaint", "acknowledge", "harbour", "0", *CLINIC).status == 2
