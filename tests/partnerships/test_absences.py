"""Somebody away has a deputy; an address that does not work falls to the next; what is wrong changes nothing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from lifecycle.audit.models import audit_event
from lifecycle.db import Database
from lifecycle.errors import Invalid, LifecycleError, NotAllowed, NotFound
from lifecycle.notices.models import notice
from lifecycle.notices.transports import Outcome
from lifecycle.partnerships import correspondence, queries, registration
from lifecycle.partnerships.absences import set_absence
from lifecycle.partnerships.correspondence import send_notices
from lifecycle.partnerships.escalations import acknowledge
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import Contact, People
from lifecycle.partnerships.standing_in import chain, reader_of
from lifecycle.timers import service as timers
from tests.builders import SETTINGS, contents, organisation, person, registered
from tests.notices.test_folding import Post, owe

FRIDAY = date(2026, 3, 6)
DAY = timedelta(days=1)
REFUSED = Outcome("refused", "No such mailbox.", address_at_fault=True)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    provider = Post()
    monkeypatch.setattr(correspondence, "transport_from", lambda _settings: provider)
    return provider


@pytest.fixture
def harbour(database: Database, now: datetime) -> Database:
    registered(database, now)
    return database


def away(
    database: Database,
    now: datetime,
    who: str = "city-sponsor",
    deputy: str | None = "city-deputy",
    until: date | None = FRIDAY,
    by: str | None = None,
) -> None:
    set_absence(database, "harbour", who, deputy, until, by or who, now)


def broken(database: Database, *contacts: str, now: datetime) -> None:
    """These addresses do not work."""
    with database.write() as connection:
        statement = update(contact).where(contact.c.id.in_(contacts))
        connection.execute(statement.values(undeliverable_since=now))


def undeliverable(database: Database) -> set[str]:
    with database.read() as connection:
        marked = select(contact.c.id).where(contact.c.undeliverable_since.is_not(None))
        return set(connection.execute(marked).scalars())


def readers(database: Database, post: Post, now: datetime, to: str, number: int = 1) -> list[str]:
    """Who gets an email that is owed to a contact."""
    before = len(post.left)
    owe(database, now, number, to=to, template="review_closed")
    send_notices(database, SETTINGS, now)
    return [to.partition("@")[0] for _, to, *_ in post.left[before:]]


def test_an_absent_sponsors_mail_goes_to_the_deputy_and_comes_back_after_the_last_day(
    harbour: Database, now: datetime, post: Post
) -> None:
    away(harbour, now)
    assert readers(harbour, post, now, "city-sponsor") == ["city-deputy"]
    text = " ".join(post.left[-1][3].split())
    assert "Dear City Deputy" in text
    assert "You get this as deputy of City Sponsor (The City) until Friday 6 March 2026." in text
    last = datetime(2026, 3, 6, 23, 59, tzinfo=UTC)
    assert readers(harbour, post, last, "city-sponsor", 2) == ["city-deputy"]
    assert readers(harbour, post, last + timedelta(minutes=1), "city-sponsor", 3) == ["city-sponsor"]
    assert "deputy of" not in post.left[-1][3]
    with harbour.read() as connection:
        owed_to = select(notice.c.contact_id).where(notice.c.template == "review_closed")
        assert set(connection.execute(owed_to).scalars()) == {"city-sponsor"}


def test_ending_an_absence_brings_the_mail_back_at_once(harbour: Database, now: datetime, post: Post) -> None:
    away(harbour, now)
    away(harbour, now, deputy=None, until=None)
    assert readers(harbour, post, now, "city-sponsor") == ["city-sponsor"]
    with pytest.raises(NotAllowed, match="is not away"):
        away(harbour, now, deputy=None, until=None)


def test_a_deputy_who_is_away_has_a_deputy(harbour: Database, now: datetime, post: Post) -> None:
    away(harbour, now, until=FRIDAY + 7 * DAY)
    away(harbour, now, "city-deputy", "city-primary", FRIDAY)
    assert readers(harbour, post, now, "city-sponsor") == ["city-primary"]
    assert "deputy of City Sponsor (The City) until Friday 6 March" in " ".join(post.left[-1][3].split())
    assert readers(harbour, post, now + 5 * DAY, "city-sponsor", 2) == ["city-deputy"]


@pytest.mark.parametrize(
    ("chained", "who", "deputy", "circle"),
    [
        ([], "city-deputy", "city-sponsor", "city-deputy → city-sponsor → city-deputy"),
        (
            [("city-deputy", "city-primary")],
            "city-primary",
            "city-sponsor",
            "city-primary → city-sponsor → city-deputy → city-primary",
        ),
    ],
)
def test_deputies_in_a_circle_are_refused_and_nothing_is_changed(
    harbour: Database, now: datetime, chained: list[tuple[str, str]], who: str, deputy: str, circle: str
) -> None:
    away(harbour, now)
    for one, stands_in in chained:
        away(harbour, now, one, stands_in)
    before = contents(harbour)
    with pytest.raises(NotAllowed, match=circle) as refused:
        away(harbour, now, who, deputy)
    assert refused.value.mend == f"Name a deputy who is there, or end the absence of {deputy} first (--end)."
    assert contents(harbour) == before
    away(harbour, now + 5 * DAY, who, deputy, FRIDAY + 7 * DAY)  # the others are back


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"deputy": "clinic-deputy"}, NotAllowed, "Name city-deputy or city-primary, or register"),
        ({"deputy": "nobody"}, NotFound, "Registered are:"),
        ({"who": "nobody", "by": "city-primary"}, NotFound, "Registered are:"),
        ({"deputy": None}, Invalid, "Name a colleague"),
        ({"deputy": "city-sponsor"}, Invalid, "Name a colleague"),
        ({"until": date(2026, 3, 1)}, Invalid, "Give a day that is not over"),
        ({"by": "clinic-primary"}, NotAllowed, "Ask city-deputy or city-primary or city-sponsor"),
        ({"by": "city-member"}, NotAllowed, "Ask city-deputy or city-primary or city-sponsor"),
        ({"by": "nobody"}, NotFound, "Registered are:"),
        ({"until": None}, NotAllowed, "Leave it"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(
    harbour: Database, now: datetime, given: dict[str, Any], error: type[LifecycleError], says: str
) -> None:
    entry = organisation("city")
    entry["contacts"].append(person("city-member", "member", "city"))
    registration.put_partner(harbour, "harbour", entry, "city-primary", now)
    before = contents(harbour)
    with pytest.raises(error) as refused:
        away(harbour, now, **given)
    assert says in str(refused.value).replace(" or city-member", "")
    assert contents(harbour) == before


def test_a_colleague_says_it_and_the_trail_keeps_ids_only(harbour: Database, now: datetime) -> None:
    away(harbour, now, by="city-primary")
    with harbour.read() as connection:
        kept = connection.execute(select(audit_event).where(audit_event.c.type == "absence_set")).one()
        assert kept.actor == "city-primary"
        assert kept.payload == '{"contact":"city-sponsor","deputy":"city-deputy","until":"2026-03-06"}'
        shown = queries.overview(connection, "harbour", now)["partners"]
        later = queries.overview(connection, "harbour", now + 5 * DAY)["partners"]
    assert {(c["id"], c["deputy"], c["away_until"]) for p in shown for c in p["contacts"] if c["deputy"]} == {
        ("city-sponsor", "city-deputy", FRIDAY)
    }
    assert not [c for p in later for c in p["contacts"] if c["deputy"] or c["away_until"]]


def test_a_registration_that_is_put_again_leaves_an_absence_as_it_is(
    harbour: Database, now: datetime, post: Post
) -> None:
    away(harbour, now)
    registration.put_partner(harbour, "harbour", organisation("city"), "city-primary", now)
    assert readers(harbour, post, now, "city-sponsor") == ["city-deputy"]


def test_what_cannot_be_delivered_falls_to_the_next(harbour: Database, now: datetime, post: Post) -> None:
    broken(harbour, "city-primary", now=now)
    assert readers(harbour, post, now, "city-primary") == ["city-deputy"]
    assert "You get this because emails to City Primary (The City) do not arrive." in " ".join(
        post.left[-1][3].split()
    )
    broken(harbour, "city-deputy", now=now)
    assert readers(harbour, post, now, "city-primary", 2) == ["city-sponsor"]
    broken(harbour, "city-sponsor", now=now)
    assert readers(harbour, post, now, "city-primary", 3) == ["city-primary"], "as if there were nobody else"


def test_it_falls_to_nobody_who_is_away(harbour: Database, now: datetime, post: Post) -> None:
    broken(harbour, "city-primary", now=now)
    away(harbour, now, "city-deputy", "city-sponsor")
    assert readers(harbour, post, now, "city-primary") == ["city-sponsor"]


def test_a_deputys_address_that_fails_is_marked_and_not_that_of_who_is_away(
    harbour: Database, now: datetime, post: Post
) -> None:
    away(harbour, now)
    post.answers = iter([REFUSED, Outcome("sent", "Taken.")])
    assert readers(harbour, post, now, "city-sponsor") == ["clinic-primary"], "the coordinator is told"
    assert undeliverable(harbour) == {"city-deputy"}
    assert "City Deputy" in post.left[-1][3]
    post.answers = iter([Outcome("sent", "Taken.")])
    assert readers(harbour, post, now, "city-sponsor", 2) == ["city-primary"]
    assert (
        "because emails to City Deputy (The City) do not arrive, who stands in for City Sponsor (The City) until"
        in " ".join(post.left[-1][3].split())
    )


def test_an_address_that_fails_again_starts_no_ladder_anew(
    harbour: Database, now: datetime, post: Post
) -> None:
    """Somebody has taken charge of it; or it would start over with each email and never climb."""
    broken(harbour, "city-deputy", "city-sponsor", now=now)
    for number in (1, 2):
        post.answers = iter([REFUSED, Outcome("sent", "Taken.")])
        assert readers(harbour, post, now, "city-primary", number) == ["clinic-primary"]
        with harbour.read() as connection:
            assert timers.is_open(connection, "harbour", "contact_undeliverable") == (number == 1)
        if number == 1:
            acknowledge(harbour, "harbour", "contact_undeliverable", "city-primary", "clinic-primary", now)


def test_where_every_address_fails_the_failures_end(harbour: Database, now: datetime, post: Post) -> None:
    away(harbour, now, "clinic-primary", "clinic-deputy")
    post.answers = iter([REFUSED] * 50)
    owe(harbour, now, 1, to="clinic-primary", template="review_closed")
    for hour in range(5):
        send_notices(harbour, SETTINGS, now + timedelta(hours=hour))
    with harbour.read() as connection:
        templates = list(connection.execute(select(notice.c.template).order_by(notice.c.id)).scalars())
        assert set(connection.execute(select(notice.c.state)).scalars()) == {"failed"}
    assert templates == ["review_closed", "delivery_failed"]
    assert undeliverable(harbour) == {"clinic-deputy"}, "a notice about delivery marks nobody"


def test_replies_go_to_whoever_stands_in_for_the_coordinator(
    harbour: Database, now: datetime, post: Post
) -> None:
    away(harbour, now, "clinic-primary", "clinic-sponsor")
    readers(harbour, post, now, "city-primary")
    assert "clinic-sponsor@clinic.example" in post.left[-1][3]
    assert "clinic-primary@clinic.example" not in post.left[-1][3]


NAMES = ("a", "b", "c", "d")
TODAY = date(2026, 3, 2)


@st.composite
def anybody(draw: st.DrawFn) -> People:
    """Four colleagues, of whom any may be away, out of reach, or stand in for any, in circles too."""
    contacts = {}
    for name in NAMES:
        deputy, until = draw(
            st.one_of(
                st.just((None, None)),
                st.tuples(st.sampled_from(NAMES), st.sampled_from((TODAY - DAY, TODAY, TODAY + DAY))),
            )
        )
        role = draw(st.sampled_from(("primary", "deputy", "sponsor", "observer")))
        contacts[name] = Contact("p", name, "x", role, name, "", "UTC", draw(st.booleans()), deputy, until)
    return People({"x": "X"}, contacts)


@given(anybody(), st.sampled_from(NAMES))
def test_whoever_is_away_or_out_of_reach_somebody_reads_it(people: People, name: str) -> None:
    """Even where a row was changed by hand into a circle: it ends, and nobody unreachable reads where one can."""
    found = reader_of(people, name, TODAY)
    links = chain(people, name, TODAY)
    assert len(links) == len({one.id for one in links})
    if found.contact.undeliverable:
        assert found.contact.id == name
    elif found.contact.id != name:
        assert found.until is not None or found.unreachable is not None
