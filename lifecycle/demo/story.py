"""The story: three partnerships from January 2025 to January 2026, as data. All instants are UTC.

What the clocks do in between (reminders, review rounds, escalations) is not written here: the flows find it due.
"""

from datetime import UTC, date, datetime

from lifecycle.demo.acts import (
    Act,
    Answer,
    Ask,
    Check,
    Digest,
    Plan,
    Put,
    Register,
    Sign,
    Verify,
)
from lifecycle.demo.evaluating import Consult, Measure
from lifecycle.demo.grievance import Acknowledge, Agree, Close, Complain, Propose, Reply
from lifecycle.demo.keeping import Accept, Decide, Demand, Dispute, Report, Restore

SCHOOL = "school-breakfasts"
TRAM = "tram-corridor-research"
HARBOUR = "harbour-healthy-start"
PARTNERSHIPS = (SCHOOL, TRAM, HARBOUR)

ENDS_AT = datetime(2026, 1, 28, 12, tzinfo=UTC)
"""Before the first round of the next term."""


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


_SCHOOL: tuple[Act, ...] = (
    Register(_at("2025-01-20 09:30"), SCHOOL),
    Put(_at("2025-01-20 10:00"), SCHOOL, "need_assessment-r1", "nadia-farrow"),
    Ask(_at("2025-01-20 10:30"), SCHOOL, "confirm_need", "nadia-farrow"),
    Put(_at("2025-01-29 10:00"), SCHOOL, "need_assessment-r2", "nadia-farrow"),
    Put(_at("2025-01-30 10:00"), SCHOOL, "decision_record", "grace-onuoha"),
    Ask(_at("2025-01-30 11:00"), SCHOOL, "decline", "grace-onuoha", reason_in="decision_record"),
)
"""Declined in step one: its need is being met already, by Harbour Healthy Start."""

_TRAM: tuple[Act, ...] = (
    Register(_at("2025-02-03 08:00"), TRAM),
    Put(_at("2025-02-03 09:00"), TRAM, "need_assessment", "joost-terbeek"),
    Ask(_at("2025-02-03 13:00"), TRAM, "confirm_need", "joost-terbeek"),
    Put(_at("2025-02-14 09:00"), TRAM, "convening", "joost-terbeek"),
    Sign(_at("2025-02-14 09:20"), TRAM, "convening", 1, "joost-terbeek"),
    Sign(_at("2025-02-17 08:45"), TRAM, "convening", 1, "jana-vollmer"),
    Sign(_at("2025-02-17 12:05"), TRAM, "convening", 1, "aino-salmela"),
    Ask(_at("2025-02-18 09:00"), TRAM, "agree_to_partner", "joost-terbeek"),
    Put(_at("2025-03-03 09:00"), TRAM, "agreement-r1", "joost-terbeek"),
    Sign(_at("2025-03-04 10:00"), TRAM, "agreement", 1, "saskia-wouterse"),
    Ask(_at("2025-03-05 09:00"), TRAM, "activate", "joost-terbeek"),
    Put(_at("2025-03-14 09:00"), TRAM, "agreement-r2", "joost-terbeek"),
    Sign(_at("2025-03-17 10:30"), TRAM, "agreement", 2, "saskia-wouterse"),
    Sign(_at("2025-03-18 07:50"), TRAM, "agreement", 2, "kerstin-haubold"),
    Sign(_at("2025-03-20 12:15"), TRAM, "agreement", 2, "petri-lahtonen"),
    Ask(_at("2025-03-21 09:00"), TRAM, "activate", "joost-terbeek"),
)
"""Refused at the gate to its agreement, mended, and set up."""

_HARBOUR: tuple[Act, ...] = (
    Register(_at("2025-01-13 09:00"), HARBOUR),
    Put(_at("2025-01-15 10:00"), HARBOUR, "need_assessment", "fiona-kerr"),
    Ask(_at("2025-01-15 15:00"), HARBOUR, "confirm_need", "fiona-kerr"),
    Put(_at("2025-01-24 10:00"), HARBOUR, "convening", "fiona-kerr"),
    Sign(_at("2025-01-24 11:00"), HARBOUR, "convening", 1, "fiona-kerr"),
    Sign(_at("2025-01-27 09:30"), HARBOUR, "convening", 1, "amira-haddad"),
    Sign(_at("2025-01-27 16:10"), HARBOUR, "convening", 1, "isla-drummond"),
    Ask(_at("2025-01-28 10:00"), HARBOUR, "agree_to_partner", "fiona-kerr"),
    Put(_at("2025-02-18 10:00"), HARBOUR, "agreement", "fiona-kerr"),
    Sign(_at("2025-02-19 14:00"), HARBOUR, "agreement", 1, "margaret-innes"),
    Sign(_at("2025-02-20 09:15"), HARBOUR, "agreement", 1, "ewan-ross"),
    Sign(_at("2025-02-24 11:40"), HARBOUR, "agreement", 1, "sandra-okafor"),
    Ask(_at("2025-02-26 10:00"), HARBOUR, "activate", "fiona-kerr"),
)
"""Set up without a fault."""

OTHERWISE = frozenset(
    {(HARBOUR, "take-up-counts/4"), (HARBOUR, "check-rooms/3"), (HARBOUR, "kitchens-open/6")}
)
"""The promises that are not simply kept: one is forgotten, one is disputed, one is broken and repaired."""

_HARBOUR_PROMISES: tuple[Act, ...] = (
    Demand(_at("2025-04-02 09:00"), HARBOUR, "menu-answer", "isla-drummond"),
    Report(_at("2025-05-30 11:00"), HARBOUR, "check-rooms/3", "kept", "callum-reay", "The room was free."),
    Dispute(
        _at("2025-06-02 09:30"),
        HARBOUR,
        "check-rooms/3",
        "rory-munro",
        "On 13 and 20 May the room was locked.",
    ),
    Decide(
        _at("2025-06-04 10:00"),
        HARBOUR,
        "check-rooms/3",
        "partly_kept",
        "amira-haddad",
        "Six of eight mornings. The nurse's list shows the two.",
    ),
    Restore(
        _at("2025-06-12 10:00"),
        HARBOUR,
        "check-rooms/3",
        "amira-haddad",
        "Two mornings were given in June instead.",
    ),
    Report(
        _at("2025-07-11 08:30"),
        HARBOUR,
        "take-up-counts/4",
        "partly_kept",
        "isla-drummond",
        "Eleven of twelve schools; the log of Quay Street came late.",
    ),
    Accept(_at("2025-07-11 14:00"), HARBOUR, "take-up-counts/4", "rory-munro"),
    Report(
        _at("2025-08-29 12:00"),
        HARBOUR,
        "kitchens-open/6",
        "not_kept",
        "fiona-kerr",
        "The boiler at Quay Street failed for nine school days.",
    ),
    Accept(_at("2025-09-01 09:00"), HARBOUR, "kitchens-open/6", "piotr-nowak"),
)
"""A year of promises: what is forgotten is seen by the other side, what is disputed is decided, what broke is repaired."""

_HARBOUR_GRIEVANCE: tuple[Act, ...] = (
    Complain(
        _at("2025-09-02 09:00"),
        HARBOUR,
        "isla-drummond",
        {
            "against": "city-of-harbour",
            "about": {"performance": "kitchens-open/6"},
            "facts": "For nine mornings 64 pupils ate cold, and nobody says when the boiler will be mended.",
            "wanted_remedy": "correction",
        },
    ),
    Acknowledge(_at("2025-09-03 10:00"), HARBOUR, 1, "fiona-kerr"),
    Reply(
        _at("2025-09-05 14:00"),
        HARBOUR,
        1,
        "fiona-kerr",
        "We regret it. A new boiler is for the property committee, and it meets in November.",
    ),
    Acknowledge(_at("2025-09-17 09:00"), HARBOUR, 1, "margaret-innes"),
    Digest(_at("2025-09-08 06:00"), HARBOUR),
    Propose(
        _at("2025-09-18 11:00"),
        HARBOUR,
        1,
        "margaret-innes",
        {
            "settlement": "remedy",
            "remedy": "correction",
            "act": "The boiler at Quay Street is replaced out of the education reserve, and the gas cookers are paid for.",
            "due_on": "2025-10-03",
        },
    ),
    Agree(_at("2025-09-19 09:00"), HARBOUR, 1, "sandra-okafor"),
    Report(
        _at("2025-10-02 15:00"),
        HARBOUR,
        "remedy:1/1",
        "kept",
        "fiona-kerr",
        "Fitted on 30 September; the invoice is paid.",
    ),
    Accept(_at("2025-10-03 08:30"), HARBOUR, "remedy:1/1", "isla-drummond"),
    Close(_at("2025-10-06 09:00"), HARBOUR, 1, "sandra-okafor", "The kitchen is warm at 07:15 again."),
)
"""A grievance that the first level could not settle: its time runs out, and the sponsors find the remedy."""

_ASKED = ("fiona-kerr", "lewis-baird", "amira-haddad", "isla-drummond")

_HARBOUR_REVIEWED: tuple[Act, ...] = (
    Answer(_at("2025-05-15 10:00"), HARBOUR, 1, _ASKED),
    Plan(
        _at("2025-05-29 13:00"),
        HARBOUR,
        1,
        "lewis-baird",
        date(2025, 6, 20),
        "fiona-kerr",
        "Closed kitchens are entered in the shared log and sent to all three partners by text message before 07:30.",
    ),
    Plan(
        _at("2025-05-29 13:00"),
        HARBOUR,
        2,
        "callum-reay",
        date(2025, 6, 13),
        "fiona-kerr",
        "A second person holds a key to the kitchen at Quay Street.",
    ),
    Verify(_at("2025-06-12 09:00"), HARBOUR, 2, "isla-drummond"),
    Verify(_at("2025-06-19 09:00"), HARBOUR, 1, "amira-haddad"),
    Answer(_at("2025-08-14 10:00"), HARBOUR, 2, _ASKED[:3]),
    Answer(_at("2025-08-29 13:30"), HARBOUR, 2, ("isla-drummond",)),
    Answer(_at("2025-11-17 10:00"), HARBOUR, 3, _ASKED),
)
"""A year of reviews: negative answers and what is done about them, then a silent respondent."""

_YEAR = (date(2025, 3, 3), date(2026, 1, 31))
_SPRING, _AUTUMN = (date(2025, 3, 3), date(2025, 8, 31)), (date(2025, 9, 1), date(2026, 1, 31))

_HARBOUR_EVALUATED: tuple[Act, ...] = (
    Measure(_at("2025-09-26 10:00"), HARBOUR, "pupils-fed", 84, _SPRING, "fiona-kerr"),
    Put(_at("2025-12-02 09:30"), HARBOUR, "evaluation-r1", "fiona-kerr"),
    Sign(_at("2025-12-03 09:00"), HARBOUR, "evaluation", 1, "margaret-innes"),
    Sign(_at("2025-12-03 09:15"), HARBOUR, "evaluation", 1, "ewan-ross"),
    Sign(_at("2025-12-03 09:30"), HARBOUR, "evaluation", 1, "sandra-okafor"),
    Answer(_at("2025-12-09 10:00"), HARBOUR, 4, _ASKED),
    Check(_at("2026-01-06 09:00"), HARBOUR, "renew", "fiona-kerr"),
    Measure(_at("2026-01-09 09:00"), HARBOUR, "pantry-families", 193, _YEAR, "isla-drummond"),
    Measure(_at("2026-01-12 09:00"), HARBOUR, "late-mornings", 148, _YEAR, "fiona-kerr"),
    Measure(_at("2026-01-14 11:00"), HARBOUR, "pupils-fed", 91, _AUTUMN, "fiona-kerr"),
    Measure(
        _at("2026-01-14 11:10"), HARBOUR, "pupils-fed", 86, _AUTUMN, "fiona-kerr", {"school": "Quay Street"}
    ),
    Measure(_at("2026-01-16 10:00"), HARBOUR, "pupils-checked", 79, _YEAR, "amira-haddad"),
    Plan(
        _at("2026-01-15 14:00"),
        HARBOUR,
        3,
        "fiona-kerr",
        date(2026, 3, 27),
        "fiona-kerr",
        "The twelve volunteer teams meet once a term; each brings one thing that worked.",
    ),
    Put(_at("2026-01-22 10:00"), HARBOUR, "evaluation-r2", "fiona-kerr"),
    Consult(_at("2026-01-22 14:30"), HARBOUR, "margaret-innes"),
    Sign(_at("2026-01-22 15:00"), HARBOUR, "evaluation", 2, "margaret-innes"),
    Sign(_at("2026-01-23 09:10"), HARBOUR, "evaluation", 2, "ewan-ross"),
    Sign(_at("2026-01-26 18:20"), HARBOUR, "evaluation", 2, "sandra-okafor"),
    Ask(_at("2026-01-28 10:00"), HARBOUR, "renew", "margaret-innes"),
)
"""Evaluated, and renewed by its sponsors."""

STORY: tuple[Act, ...] = tuple(
    sorted(
        (
            *_HARBOUR,
            *_SCHOOL,
            *_TRAM,
            *_HARBOUR_PROMISES,
            *_HARBOUR_GRIEVANCE,
            *_HARBOUR_REVIEWED,
            *_HARBOUR_EVALUATED,
        ),
        key=lambda act: act.at,
    )
)
"""Everybody's acts in the order of time; the clocks of all three run at once."""
