"""The picture shows every promise once, in words as well as in colour."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from lifecycle.languages import ENGLISH
from lifecycle.measures import picture
from lifecycle.obligations.queries import Performance
from lifecycle.redress.queries import Complaint
from lifecycle.timers.calendars import Calendar

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LONDON = Calendar("Europe/London", "GB-SCT")
ONE = Performance(
    "lists", 1, 1, "clinic", "city", 2, datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC), "settled", "kept",
    NOW, NOW, NOW, NOW,
)  # fmt: skip
STATES = {
    "kept": {}, "partly_kept": {"outcome": "partly_kept"}, "not_kept": {"outcome": "not_kept"},
    "cannot_tell": {"outcome": "cannot_tell"}, "overdue": {"state": "overdue", "outcome": None},
    "open": {"state": "reported"}, "waived": {"state": "waived", "outcome": None},
    "withheld": {"state": "withheld", "outcome": None},
}  # fmt: skip


def drawn(
    *performances: Performance, complaints: Sequence[Complaint] = (), title: str = "Falls"
) -> ElementTree.Element:
    return ElementTree.fromstring(picture.svg(title, performances, complaints, LONDON, NOW))


def titles(root: ElementTree.Element) -> list[str]:
    return [str(node.text) for node in root.iter("{http://www.w3.org/2000/svg}title")]


def test_every_promise_is_there_once_with_its_day_and_how_it_fared() -> None:
    found = [
        replace(ONE, number=n, due_at=ONE.due_at + timedelta(days=30 * n), **changed)
        for n, changed in enumerate(STATES.values())
    ]
    root = drawn(*found)
    assert titles(root)[1:] == [
        f"lists/{n}, due on {ENGLISH.short_day(LONDON.local_date(one.due_at))}: {picture.MARKS[kind]}"
        for n, (kind, one) in enumerate(zip(STATES, found, strict=True))
    ]
    assert {picture.kind_of(one) for one in found} == set(picture.MARKS)


def test_both_directions_have_their_lane_and_the_words_count_them() -> None:
    back = replace(ONE, obligor="city", obligee="clinic", state="restored", outcome="not_kept")
    root = drawn(ONE, back)
    text = ElementTree.tostring(root, encoding="unicode")
    assert "clinic to city: 1 kept." in text
    assert "city to clinic: 1 not kept." in text
    assert "restored since" in titles(root)[2]


def test_what_was_superseded_is_left_out_and_nothing_is_a_picture_too() -> None:
    assert len(titles(drawn(replace(ONE, state="superseded")))) == 1
    assert "Nothing has been promised yet." in ElementTree.tostring(drawn(), encoding="unicode")


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "A & B", '"quoted"'])
def test_a_title_stays_text(title: str) -> None:
    assert titles(drawn(ONE, title=title))[0] == f"Promises of {title}"


def test_all_marks_lie_within_the_picture() -> None:
    far = replace(ONE, number=2, due_at=ONE.due_at + timedelta(days=3000))
    for circle in drawn(ONE, far).iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(circle.attrib["cx"]) <= picture.WIDTH


def test_a_complaint_is_a_bar_from_its_lodging_to_its_end_in_the_lane_of_its_sides() -> None:
    lodged_at = datetime(2026, 4, 1, 9, tzinfo=UTC)
    open_one = Complaint(
        1, 1, "city", "clinic", "city-primary", 1, {"performance": "lists/1"}, "escalated", 2,
        NOW, lodged_at, None, None, None,
    )  # fmt: skip
    ended = replace(open_one, number=2, state="closed", closed_at=lodged_at + timedelta(days=30))
    root = drawn(ONE, complaints=[open_one, ended])
    assert titles(root)[2:] == [
        "Complaint 1, about lists/1, lodged on 1 Apr 2026: open at level 2",
        "Complaint 2, about lists/1, lodged on 1 Apr 2026: closed on 1 May 2026",
    ]
    widths = [float(str(bar.get("width"))) for bar in root.iter() if bar.get("class") == "soft"]
    assert widths[0] > widths[1] > 0
    assert "complains of clinic" in "".join(root.itertext())
