"""Redress in numbers, by the domain's formulas."""

from lifecycle.db import Database
from lifecycle.partnerships.queries import overview
from lifecycle.redress import service
from tests.redress.cases import broken, days, grievance, lodged, pass_time


def measured(database: Database, at: float) -> dict[str, object]:
    with database.read() as connection:
        found = overview(connection, "harbour", days(at))["redress"]
    assert isinstance(found, dict)
    return found


def test_before_any_complaint_there_is_nothing_to_measure(database: Database) -> None:
    broken(database)
    with database.read() as connection:
        assert overview(connection, "harbour", days(1))["redress"] is None


def test_a_case_of_two_that_climbs_a_level_counts_as_the_formulas_say(database: Database) -> None:
    broken(database)
    lodged(database)
    answer = grievance(against="city", about={"obligation": "room"}, in_answer_to=1)
    service.lodge(database, "harbour", answer, "clinic-primary", days(1))
    service.acknowledge(database, "harbour", 1, "clinic-primary", days(1))
    pass_time(database, days(16))
    found = measured(database, 16)
    assert found["escalated"] == (2, 2)
    assert found["echo"] == (1, 2)
    # Acknowledged in time: the first complaint. Late: the second one's acknowledgement, and level 1 for both.
    assert found["procedure_kept"] == (1, 4)
    assert found["ageing"] == (
        {"complaint": 1, "level": 2, "days": 16},
        {"complaint": 2, "level": 2, "days": 15},
    )
    assert found["forgiven"] == (0, 1)
