"""Pictures of a partnership and of a portfolio, each with a table that says the same."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from lifecycle.errors import NotFound
from lifecycle.languages import Language
from lifecycle.measures import balance_picture, picture, reading, results_picture, stages_picture
from lifecycle.measures.promises import Measures
from lifecycle.obligations import queries as obligations
from lifecycle.obligations.queries import Performance
from lifecycle.partnerships import history, queries
from lifecycle.portal.guard import STANDS_ALONE
from lifecycle.portal.members import Member, Signed, Standing
from lifecycle.redress import queries as redress
from lifecycle.reviews import queries as reviews
from lifecycle.reviews import reporting
from lifecycle.reviews.results import Results

router = APIRouter()

MONTHS = 18
"""Of a portfolio so many months are shown."""

QUARTER = 3


@router.get("/partnerships/{id}/pictures")
def show(member: Signed, id: str) -> Response:
    """All pictures of a partnership with their tables."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        performances = _shown(obligations.performances(connection, id), member)
        measures = _measures(connection, id, member)
        results = _results(connection, standing)
        values: dict[str, Any] = {
            "quarters": by_quarter(performances, standing),
            "measures": measures,
            "balances": _balances(measures, standing.people.partners, member.language),
            "results": results,
            "in_words": results_picture.in_words,
            "marks": picture.MARKS,
        }
    return member.page("pictures.html", standing, section="pictures", **values)


@router.get("/partnerships/{id}/pictures/promises.svg")
def promises(member: Signed, id: str) -> Response:
    """Performances per direction over time."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        shown = _shown(obligations.performances(connection, id), member)
        complaints = redress.complaints(connection, id)
    record = standing.record
    drawn = picture.svg(
        record.title,
        shown,
        complaints,
        record.calendar,
        member.now,
        member.language,
        standing.people.partners,
    )
    return _svg(drawn)


@router.get("/partnerships/{id}/pictures/balance.svg")
def balance(member: Signed, id: str) -> Response:
    """What partners give each other."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        measures = _measures(connection, id, member)
    if measures is None:
        raise NotFound("Nothing has been promised yet.")
    return _svg(
        balance_picture.svg(standing.record.title, measures, standing.people.partners, member.language)
    )


@router.get("/partnerships/{id}/pictures/review.svg")
def review(member: Signed, id: str) -> Response:
    """The results of the last round that has some."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        results = _results(connection, standing)
    if results is None:
        raise NotFound("No review has a result yet.")
    return _svg(results_picture.svg(standing.record.title, results, member.language))


@router.get("/pictures")
def portfolio(member: Signed) -> Response:
    """The portfolio by stage over time, with its table."""
    months = _months(member)
    return member.page(
        "pictures_portfolio.html",
        months=months,
        stages=stages_picture.present(months),
        described=stages_picture.description(months, member.language),
    )


@router.get("/pictures/stages.svg")
def portfolio_by_stage(member: Signed) -> Response:
    """How many partnerships were in each stage at the end of each month."""
    return _svg(stages_picture.svg(_months(member), member.language))


def _months(member: Member) -> Sequence[stages_picture.Month]:
    with member.database.read() as connection:
        reached = queries.reached_by(member.session.email)
        return history.stages_by_month(connection, reached, MONTHS, member.now, member.zone())


def by_quarter(
    performances: Sequence[Performance], standing: Standing
) -> Mapping[tuple[str, str], Mapping[date, Mapping[str, int]]]:
    """For each direction (obligor, obligee), for each quarter by its first day: how many fared how (`picture.MARKS`)."""
    found: dict[tuple[str, str], dict[date, dict[str, int]]] = {}
    for one in sorted(performances, key=lambda one: one.due_at):
        day = standing.record.calendar.local_date(one.due_at)
        quarter = date(day.year, day.month - (day.month - 1) % QUARTER, 1)
        counts = found.setdefault((one.obligor, one.obligee), {}).setdefault(quarter, {})
        kind = picture.kind_of(one)
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(found.items()))


def _shown(performances: Sequence[Performance], member: Member) -> list[Performance]:
    """What has fallen due or was reported: what is still ahead says nothing yet."""
    return [
        one
        for one in performances
        if one.state != "superseded" and (one.due_at <= member.now or one.reported_at)
    ]


def _measures(connection: Connection, partnership_id: str, member: Member) -> Measures | None:
    found = reading.promises_of(connection, partnership_id, member.now)
    return None if found is None else found[0]


def _balances(measures: Measures | None, names: Mapping[str, str], language: Language) -> Sequence[str]:
    return [
        balance_picture.in_words(one, other, found, names, language)
        for one, other, found in (measures.balance if measures is not None else ())
    ]


def _results(connection: Connection, standing: Standing) -> Results | None:
    """Of the last closed round; an open one has no result yet."""
    record = standing.record
    closed = [
        one for one in reviews.rounds(connection, record.id) if one.closed_at is not None and one.quorate
    ]
    if not closed:
        return None
    return reporting.results_of(connection, standing.people, closed[-1].number, record.id)


def _svg(drawn: str) -> Response:
    return Response(drawn, media_type="image/svg+xml", headers=STANDS_ALONE)
