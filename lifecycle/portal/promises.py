"""Promises: who owes what to whom and how it was kept, each direction by itself; and one performance with its history."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cached_property
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from lifecycle.access.once import Joined
from lifecycle.documents import queries as documents
from lifecycle.errors import LifecycleError, NotAllowed, Stale
from lifecycle.languages import Language
from lifecycle.measures import reading
from lifecycle.measures.promises import Cooperation, Measures
from lifecycle.notices.words import OUTCOMES
from lifecycle.obligations import queries, service
from lifecycle.obligations.queries import Performance
from lifecycle.obligations.states import TRANSITIONS
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.doors import Door
from lifecycle.partnerships.people import BINDING_ROLES
from lifecycle.portal import promised
from lifecycle.portal.members import Member, OwnForm, Signed, Standing
from lifecycle.portal.pages import status_of
from lifecycle.portal.partnerships import framed
from lifecycle.portal.reporting import content_of
from lifecycle.portal.visits import Visit, text
from lifecycle.timers.calendars import Calendar

router = APIRouter()

SHOWN = 8
"""So many performances of an obligation are shown unless one asks for all of it."""

ONE = "/partnerships/{id}/promises/{obligation}/{number}"
TEMPLATE = "promises_performance.html"


@dataclass(frozen=True)
class Instance:
    """One performance as the list shows it."""

    one: Performance
    due_on: date
    """In the partnership's zone: a due day is the same for everybody."""
    days_late: int
    """From its due day until it was reported, or until today while it is not; 0 where it is not late."""


@dataclass(frozen=True)
class Obligation:
    """What is owed, and the performances of it that are shown."""

    id: str
    act: str
    measure: str
    on_request: bool
    instances: Sequence[Instance]
    count: int

    @property
    def is_remedy(self) -> bool:
        """Whether it carries out what a complaint ended in."""
        return self.id.startswith(queries.REMEDY)


@dataclass(frozen=True)
class Direction:
    """What one partner owes to another."""

    obligor: str
    obligee: str
    cooperation: Cooperation | None
    obligations: Sequence[Obligation]


@router.get("/partnerships/{id}/promises")
def show_promises(member: Signed, id: str, obligation: str = "") -> Response:
    """Every obligation by direction, with its performances and the measures of each direction."""
    return _promises(member, id, obligation)


def _promises(member: Member, id: str, whole: str = "", error: LifecycleError | None = None) -> Response:
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        measured = reading.promises_of(connection, id, member.now)
        measures = None if measured is None else measured[0]
        return framed(
            member, connection, standing, "promises.html",
            200 if error is None else status_of(error),
            directions=_directions(connection, member, standing, measures, whole),
            measures=measures,
            agreed_lag=None if measured is None else measured[1],
            signals=queries.signals(connection, id)[::-1],
            times=_times(connection, id),
            whole=whole,
            refused=error,
            OUTCOMES=OUTCOMES,
        )  # fmt: skip


def _times(connection: Connection, id: str) -> Counter[str]:
    """How often each obligation has fallen due, or been asked for."""
    return Counter(one.obligation for one in queries.performances(connection, id))


def _directions(
    connection: Connection, member: Member, standing: Standing, measures: Measures | None, whole: str
) -> list[Direction]:
    agreed = _agreed(connection, standing.record.id)
    performed: dict[tuple[str, str], dict[str, list[Performance]]] = {}
    for one in queries.performances(connection, standing.record.id):
        performed.setdefault((one.obligor, one.obligee), {}).setdefault(one.obligation, []).append(one)
    for id_, found in agreed.items():
        sides = found.obligation.get("obligor", ""), found.obligation.get("obligee", "")
        performed.setdefault(sides, {}).setdefault(id_, [])
    rates = {(one.obligor, one.obligee): one for one in (measures.cooperation if measures else ())}
    calendar, now = standing.record.calendar, member.now
    return [
        Direction(
            *sides,
            rates.get(sides),
            [
                _obligation(id_, agreed.get(id_), ones, calendar, now, whole == id_)
                for id_, ones in sorted(of.items())
            ],
        )
        for sides, of in sorted(performed.items(), key=lambda found: (sorted(found[0]), found[0]))
    ]


def _agreed(connection: Connection, partnership_id: str) -> Mapping[str, Terms]:
    """The obligations of the newest agreement, and of the remedies that complaints ended in, by id."""
    found: dict[str, Terms] = {}
    for agreement in documents.latest(connection, partnership_id, ["agreement"]):
        for one in agreement.content.get("obligations", ()):
            found[one["id"]] = Terms(agreement.content, one, agreement.revision)
    for remedy in queries.remedies(connection, partnership_id):
        if remedy.kind == "act":
            found[f"{queries.REMEDY}{remedy.complaint}"] = Terms({}, remedy.terms, 0)
    return found


def _obligation(
    id_: str,
    agreed: Terms | None,
    ones: Sequence[Performance],
    calendar: Calendar,
    now: datetime,
    whole: bool,
) -> Obligation:
    counted = [one for one in ones if one.state != "superseded"]
    shown = counted if whole else counted[-SHOWN:]
    terms: Mapping[str, Any] = {} if agreed is None else agreed.obligation
    return Obligation(
        id_,
        terms.get("act", ""),
        "" if agreed is None else agreed.measure(),
        "on_request_within_days" in terms.get("due", {}),
        [
            Instance(one, calendar.local_date(one.due_at), days_late(one, calendar, now))
            for one in reversed(shown)
        ],
        len(counted),
    )


def days_late(one: Performance, calendar: Calendar, now: datetime) -> int:
    """Calendar days from the due day until the report, or until today while none is there."""
    until = one.reported_at or (now if one.state == "overdue" else None)
    if until is None:
        return 0
    return max(0, (calendar.local_date(until) - calendar.local_date(one.due_at)).days)


@router.post("/partnerships/{id}/promises/{obligation}/demands")
def demand(member: Signed, sent: OwnForm, id: str, obligation: str) -> Response:
    """Ask for what is owed on request; a form that is sent twice asks once."""
    with member.database.read() as connection:
        me = member.standing(connection, id).acting()
    try:
        with member.database.write() as connection:
            changes.begin(connection, id, member.now)
            _require_as_seen(connection, member, id, obligation, text(sent, "seen"))
            joined = Joined(member.database, connection)
            one = service.demand(joined, id, obligation, me.id, member.now)
    except (NotAllowed, Stale) as error:
        return _promises(member, id, error=error)
    return RedirectResponse(f"/partnerships/{id}/promises/{one.name}?said=demanded", 303)


def _require_as_seen(connection: Connection, member: Member, id: str, obligation: str, seen: str) -> None:
    """Refuse a form that was shown before the last time that the obligation fell due, or was asked for."""
    if seen != str(_times(connection, id)[obligation]):
        say = member.language.gettext
        raise Stale(
            say("Something was recorded since you opened this page. What you sent now was not."),
            mend=say("Look at how it stands now. If there is still something to say, say it here."),
        )


@dataclass(frozen=True)
class Seat(Visit):
    """A member before one performance, as a link to it would bring them there."""

    member: Member
    standing: Standing

    @cached_property
    def language(self) -> Language:
        """The session's."""
        return self.member.language

    @cached_property
    def zone(self) -> tzinfo:
        """The member's here."""
        return self.member.zone(self.standing)

    @property
    def address(self) -> str:
        """The performance's page: where its forms post to."""
        return f"/partnerships/{self.record.id}/promises/{self.door.subject['performance']}"

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """The performance's page within those of its partnership."""
        one: Performance = values["promise"].performance
        me, waivable = self.standing.me, (one.state, "waive") in TRANSITIONS
        binds = me is not None and me.role in BINDING_ROLES and me.partner_id == one.obligee
        with self.database.read() as connection:
            return framed(
                self.member, connection, self.standing, template, status,
                visit=self,
                days_late=days_late(one, self.record.calendar, self.now),
                may_waive=waivable and binds and not values["ended"],
                **values,
            )  # fmt: skip


def _seat(member: Signed, id: str, obligation: str, number: str) -> Seat:
    with member.database.read() as connection:
        standing = member.standing(connection, id)
    me = "" if standing.me is None else standing.me.id
    subject = {"performance": f"{obligation}/{number}"}
    door = Door("report", id, me, subject, member.session.expires_at)
    return Seat(
        member.request, "", door, standing.record, standing.people, member.database, member.settings, member.now,
        member, standing,
    )  # fmt: skip


Seated = Annotated[Seat, Depends(_seat)]


@router.get(ONE)
def show_performance(seat: Seated) -> Response:
    """One performance: its terms, how it stands, all that was said of it, and what the reader can do."""
    return promised.page(seat, TEMPLATE)


@router.post(f"{ONE}/report")
def report(seat: Seated, sent: OwnForm) -> Response:
    """Say whether it was kept."""
    return _act(
        seat,
        sent,
        "reported",
        lambda database, name, by: service.report(
            database, seat.record.id, name, content_of(sent), by, seat.now
        ),
    )


@router.post(f"{ONE}/accept")
def accept(seat: Seated, sent: OwnForm) -> Response:
    """It is as reported."""
    return _act(
        seat,
        sent,
        "accepted",
        lambda database, name, by: service.accept(database, seat.record.id, name, by, seat.now),
    )


@router.post(f"{ONE}/dispute")
def dispute(seat: Seated, sent: OwnForm) -> Response:
    """It is not as reported, and why."""
    return _because(seat, sent, "disputed", service.dispute)


@router.post(f"{ONE}/waive")
def waive(seat: Seated, sent: OwnForm) -> Response:
    """Give it up, for the side that is owed."""
    return _because(seat, sent, "waived", service.waive)


@router.post(f"{ONE}/restored")
def confirm_restored(seat: Seated, sent: OwnForm) -> Response:
    """What was broken has been put right, and how."""
    return _because(seat, sent, "restored", service.confirm_restored)


@router.post(f"{ONE}/decide")
def decide(seat: Seated, sent: OwnForm) -> Response:
    """Decide a dispute, as whom the agreement names for it."""
    return _act(
        seat,
        sent,
        "decided",
        lambda database, name, by: service.decide(
            database,
            seat.record.id,
            name,
            text(sent, "/outcome"),
            promised.plain(sent, "/reason"),
            by,
            seat.now,
        ),
    )


@router.post(f"{ONE}/signal")
def signal(seat: Seated, sent: OwnForm) -> Response:
    """Send both sides an early word."""
    seat.standing.acting()
    return promised.signal(seat, sent, TEMPLATE)


def _because(seat: Seat, sent: OwnForm, said: str, does: Any) -> Response:
    """Act with a reason: (database, partnership, performance, reason, by, now)."""
    return _act(
        seat,
        sent,
        said,
        lambda database, name, by: does(
            database, seat.record.id, name, promised.plain(sent, "/reason"), by, seat.now
        ),
    )


def _act(seat: Seat, sent: OwnForm, said: str, work: Any) -> Response:
    seat.standing.acting()
    return promised.act(seat, sent, TEMPLATE, said, work)
