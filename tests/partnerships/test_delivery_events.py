"""What became of an email after it left: an address that fails comes to light, whatever order the news comes in."""

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import event as listening
from sqlalchemy import select, update

from lifecycle.audit.models import audit_event
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Invalid, LifecycleError, Unavailable
from lifecycle.notices import outbox
from lifecycle.notices.models import LEASE, notice, provider_event
from lifecycle.notices.owed import Owed
from lifecycle.notices.signature import Expired, Forged
from lifecycle.notices.transports import Outcome
from lifecycle.partnerships import absences, changes, correspondence, delivery
from lifecycle.partnerships.correspondence import reference_of, send_notices
from lifecycle.partnerships.delivery import Taken, take_events, take_waiting
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.models import contact
from tests.builders import SETTINGS, contents, count, registered
from tests.fakes.sendgrid_api import SendGridApi
from tests.fakes.sendgrid_events import EventWebhook, event

CITY = "city-primary@city.example"
FACTS = {"round": 3, "quorate": True, "asked": 4, "answered": 3, "negative": 0, "results": None}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SENT = Outcome("sent", "Taken.", provider_id="14c5d75ce93")
WEBHOOK = EventWebhook()
SIGNED = SETTINGS.model_copy(update={"sendgrid_webhook_public_key": SecretStr(WEBHOOK.public_key)})


@dataclass
class Provider:
    """A transport that answers as it is told, and keeps what it was given: (to, category, text)."""

    answers: Iterator[Outcome] = field(default_factory=lambda: itertools.repeat(SENT))
    left: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, message: Any, _now: datetime) -> Outcome:
        self.left.append((message.to_address, message.category, message.text))
        return next(self.answers)


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()
    monkeypatch.setattr(correspondence, "transport_from", lambda _settings: made)
    return made


def owe(
    database: Database,
    now: datetime,
    *facts: str,
    to: str = "city-primary",
    id_: str = "harbour",
    **more: Any,
) -> None:
    with database.write() as connection:
        change = changes.begin(connection, id_, now)
        change.log("review_closed", "engine")
        change.owe(
            Owed(to, more.get("template", "review_closed"), fact, more.get("told", FACTS)) for fact in facts
        )
        changes.write(connection, change)


@pytest.fixture
def sent(database: Database, now: datetime) -> str:
    """A notice to the city's primary contact has left; its name outside is returned."""
    registered(database, now)
    owe(database, now, "review/1")
    assert send_notices(database, SETTINGS, now).sent == 1
    return name_of(database, 1)


def name_of(database: Database, number: int) -> str:
    with database.read() as connection:
        return str(connection.execute(select(notice.c.reference).where(notice.c.id == number)).scalar_one())


def take(database: Database, events: Sequence[Any], at: datetime) -> Taken:
    return take_events(database, SIGNED, *WEBHOOK.post(events, at), at)


def is_now(database: Database, number: int = 1) -> tuple[str, str | None]:
    with database.read() as connection:
        row = connection.execute(select(notice).where(notice.c.id == number)).one()
        return row.state, row.delivery


def undeliverable(database: Database) -> list[str]:
    with database.read() as connection:
        marked = select(contact.c.id).where(contact.c.undeliverable_since.is_not(None))
        return sorted(connection.execute(marked).scalars())


def told(database: Database, template: str) -> list[tuple[str, str]]:
    """Who is told of it, and in which words."""
    with database.read() as connection:
        found = select(notice).where(notice.c.template == template).order_by(notice.c.id)
        return [(row.contact_id, row.facts["detail"]) for row in connection.execute(found)]


def failures(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        logged = select(audit_event.c.payload).where(audit_event.c.type == "notice_failed")
        return [json.loads(payload) for payload in connection.execute(logged).scalars()]


def put(database: Database, number: int = 1, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(update(notice).where(notice.c.id == number).values(**values))


def test_an_event_names_the_notice_by_what_the_transport_gave_along(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(database, now)
    owe(database, now, "review/1")
    monkeypatch.undo()
    with SendGridApi("SG.test-key") as api:
        by_sendgrid = {
            "mail_transport": "sendgrid",
            "sendgrid_api_key": SecretStr("SG.test-key"),
            "sendgrid_host": api.url,
        }
        send_notices(database, SETTINGS.model_copy(update=by_sendgrid), now)
        [accepted] = api.accepted
    [person] = accepted["personalizations"]
    delivered = event("delivered", None, person["to"][0]["email"], now) | person["custom_args"]
    assert take(database, [delivered], now) == Taken(new=1)
    assert is_now(database) == ("sent", "delivered")


def test_a_late_word_undoes_nothing(database: Database, now: datetime, sent: str) -> None:
    for kind, minutes in (("delivered", 2), ("deferred", 1), ("processed", 0), ("processed", 5)):
        assert take(database, [event(kind, sent, CITY, now + minutes * MINUTE)], now).new == 1
    assert is_now(database) == ("sent", "delivered")
    with database.read() as connection:
        assert connection.execute(select(notice.c.delivery_at)).scalar_one() == now + 2 * MINUTE


@pytest.mark.parametrize("kind", ["processed", "deferred", "delivered"])
@pytest.mark.parametrize("state", ["unknown", "sending"])
def test_an_unknown_outcome_is_settled_by_the_provider(
    database: Database, now: datetime, sent: str, kind: str, state: str
) -> None:
    put(database, state=state, sent_at=None, lease_until=now + LEASE, detail="Its answer did not arrive.")
    take(database, [event(kind, sent, CITY, now + MINUTE, response="250 OK")], now)
    assert is_now(database) == ("sent", kind)
    with database.read() as connection:
        row = connection.execute(select(notice)).one()
    assert row.sent_at == now, "when it was claimed, not when it was heard of"
    assert "answer" not in (row.detail or "")
    assert send_notices(database, SETTINGS, now + 3 * DAY).sent == 0


def test_the_provider_may_tell_before_its_own_answer_is_recorded(
    database: Database, now: datetime, provider: Provider
) -> None:
    registered(database, now)
    owe(database, now, "review/1", "review/2")
    answers = iter([Outcome("unknown", "Its answer did not arrive."), SENT])

    def tells_first() -> Iterator[Outcome]:
        for number, answer in enumerate(answers, 1):
            take(database, [event("processed", name_of(database, number), CITY, now)], now)
            yield answer

    provider.answers = tells_first()
    drained = send_notices(database, SETTINGS, now)
    assert (drained.sent, drained.unknown) == (1, 0)
    assert is_now(database, 1) == is_now(database, 2) == ("sent", "processed")


def test_what_was_to_be_tried_again_but_did_leave_is_not_doubled(
    database: Database, now: datetime, provider: Provider
) -> None:
    registered(database, now)
    owe(database, now, "review/1")
    provider.answers = iter([Outcome("retry", "Busy.")])
    assert send_notices(database, SETTINGS, now).retried == 1
    take(database, [event("processed", name_of(database, 1), CITY, now)], now)
    assert send_notices(database, SETTINGS, now + DAY).sent == 0
    assert is_now(database) == ("sent", "processed")


@pytest.mark.parametrize("state", ["sent", "unknown"])
def test_a_bounce_marks_the_contact_tells_the_coordinator_and_reaches_the_next(
    database: Database, now: datetime, sent: str, provider: Provider, state: str
) -> None:
    put(database, state=state)
    bounce = event(
        "bounce", sent, CITY, now, type="bounce", status="5.1.1", reason=f"550 no mailbox {CITY} here"
    )
    assert take(database, [bounce], now) == Taken(new=1)
    assert is_now(database) == ("failed", "bounce")
    assert undeliverable(database) == ["city-primary"]
    assert failures(database) == [{"notice": 1, "template": "review_closed", "contact": "city-primary"}]
    words = "The receiving server refused it: 550 no mailbox [address] here."
    assert told(database, "delivery_failed") == [("clinic-primary", words)]

    owe(database, now, "review/2")
    sweep_escalations(database, now)
    sweep_escalations(database, now + DAY)
    sweep_escalations(database, now + 3 * DAY)
    climbed = [one for one, _ in told(database, "contact_undeliverable")]
    assert climbed == ["city-deputy", "city-sponsor", "clinic-primary"]
    del provider.left[:]
    send_notices(database, SETTINGS, now + 3 * DAY)
    assert {to for to, template, _ in provider.left if template == "review_closed"} == {
        "city-deputy@city.example"
    }
    assert CITY not in {to for to, *_ in provider.left}


def test_an_email_that_a_deputy_read_marks_the_deputy(database: Database, now: datetime) -> None:
    registered(database, now)
    absences.set_absence(
        database, "harbour", "city-primary", "city-deputy", date(2026, 3, 20), "city-primary", now
    )
    with database.write() as connection:
        connection.execute(update(notice).values(state="withdrawn"))
    owe(database, now, "review/1")
    send_notices(database, SETTINGS, now)
    # By the time that it bounces, its owner is back.
    later = now + 30 * DAY
    with database.read() as connection:
        row = connection.execute(select(notice).where(notice.c.state == "sent")).one()
    assert (row.contact_id, row.reader_id) == ("city-primary", "city-deputy")
    take(database, [event("bounce", row.reference, "city-deputy@city.example", later, type="bounce")], later)
    assert undeliverable(database) == ["city-deputy"]
    assert [one["contact"] for one in failures(database)] == ["city-deputy"]


def test_a_block_is_told_but_blames_no_address(database: Database, now: datetime, sent: str) -> None:
    take(
        database,
        [event("bounce", sent, CITY, now, type="blocked", reason="554 too many from your network")],
        now,
    )
    assert is_now(database) == ("failed", "blocked")
    assert undeliverable(database) == []
    assert [one for one, _ in told(database, "delivery_failed")] == ["clinic-primary"]


def test_a_delay_is_nobodys_concern(database: Database, now: datetime, sent: str) -> None:
    take(database, [event("deferred", sent, CITY, now, response="451 greylisted", attempt="3")], now)
    assert is_now(database) == ("sent", "deferred")
    assert (undeliverable(database), failures(database), told(database, "delivery_failed")) == ([], [], [])


@pytest.mark.parametrize(
    ("reason", "marked"),
    [
        ("Bounced Address", True),
        ("Invalid", True),
        ("Unsubscribed Address", True),
        ("Spam Reporting Address", True),
        ("Spam Content", False),
        ("Recipient List over Package Quota", False),
        ("Invalid SMTPAPI header", False),
        ("", False),
    ],
)
def test_what_was_dropped_has_failed_and_the_reason_says_whether_the_address_has(
    database: Database, now: datetime, sent: str, reason: str, marked: bool
) -> None:
    put(database, state="unknown")
    take(database, [event("dropped", sent, CITY, now, reason=reason)], now)
    assert is_now(database) == ("failed", "dropped")
    assert undeliverable(database) == (["city-primary"] if marked else [])
    assert len(told(database, "delivery_failed")) == 1


def test_who_reported_us_is_never_written_to_again(
    database: Database, now: datetime, sent: str, provider: Provider
) -> None:
    take(
        database, [event("delivered", sent, CITY, now), event("spamreport", sent, CITY, now + DAY)], now + DAY
    )
    assert is_now(database) == ("sent", "spamreport"), "it did arrive"
    assert undeliverable(database) == ["city-primary"]
    assert told(database, "delivery_failed") == [("clinic-primary", "The reader reported the email as spam.")]
    owe(database, now + DAY, "review/2")
    del provider.left[:]
    send_notices(database, SETTINGS, now + DAY)
    assert "city-deputy@city.example" in {to for to, *_ in provider.left}
    assert CITY not in {to for to, *_ in provider.left}


@pytest.mark.parametrize("kind", ["unsubscribe", "group_unsubscribe", "group_resubscribe", "something_new"])
def test_other_events_are_kept_without_effect(
    database: Database, now: datetime, sent: str, kind: str
) -> None:
    take(database, [event("delivered", sent, CITY, now)], now)
    before = contents(database)
    assert take(database, [event(kind, sent, CITY, now)], now) == Taken(new=1)
    after = contents(database)
    assert {name for name in after if after[name] != before[name]} == {"provider_event"}


def test_who_opens_what_is_not_kept(database: Database, now: datetime, sent: str) -> None:
    seen = [
        event(kind, sent, CITY, now, ip="192.0.2.1", url="https://x.example") for kind in ("open", "click")
    ]
    assert take(database, seen, now) == Taken()
    assert count(database, provider_event) == 0


def test_a_bounce_concerns_everything_that_rode_in_the_email(
    database: Database, now: datetime, provider: Provider
) -> None:
    registered(database, now)
    told_of = {"round": 1, "missing": ["city-primary"]}
    owe(database, now, "review/1", "review/2", "review/3", template="review_reminder", told=told_of)
    provider.answers = iter([SENT, SENT])
    assert send_notices(database, SETTINGS, now).folded == 2
    take(database, [event("bounce", name_of(database, 1), CITY, now, type="bounce")], now)
    assert [is_now(database, number) for number in (1, 2, 3)] == [
        ("failed", "bounce"),
        ("folded", "bounce"),
        ("folded", "bounce"),
    ]
    assert [one["notice"] for one in failures(database)] == [1, 2, 3]
    assert len(told(database, "delivery_failed")) == 1, "it was one email"
    with database.write() as connection:
        outbox.requeue(connection, 1, now)
    assert [is_now(database, number) for number in (1, 2, 3)] == [("pending", None)] * 3


@pytest.mark.parametrize("template", ["delivery_failed", "contact_undeliverable"])
def test_a_notice_about_failures_starts_no_chain(database: Database, now: datetime, template: str) -> None:
    registered(database, now)
    facts = {"contact": "city-primary", "failed_template": "", "detail": "The address was refused."}
    owe(database, now, "notice/9", to="clinic-primary", template=template, told=facts)
    send_notices(database, SETTINGS, now)
    bounce = event("bounce", name_of(database, 1), "clinic-primary@clinic.example", now, type="bounce")
    take(database, [bounce], now)
    assert is_now(database) == ("failed", "bounce")
    assert len(failures(database)) == 1
    assert undeliverable(database) == []
    assert count(database, notice) == 1


def test_an_address_put_right_since_is_not_marked(database: Database, now: datetime, sent: str) -> None:
    with database.write() as connection:
        connection.execute(
            update(contact).where(contact.c.id == "city-primary").values(email="new@city.example")
        )
    take(database, [event("bounce", sent, CITY, now, type="bounce")], now)
    assert is_now(database) == ("failed", "bounce")
    assert undeliverable(database) == []


def test_an_address_is_the_same_however_it_is_spelt(database: Database, now: datetime, sent: str) -> None:
    with database.write() as connection:
        connection.execute(
            update(contact).where(contact.c.id == "city-primary").values(email="Jo@Bücher.example")
        )
    take(database, [event("bounce", sent, "jo@xn--bcher-kva.example", now, type="bounce")], now)
    assert undeliverable(database) == ["city-primary"]


def test_what_is_tried_again_has_a_fate_of_its_own(database: Database, now: datetime, sent: str) -> None:
    take(database, [event("bounce", sent, CITY, now, type="blocked")], now)
    with database.write() as connection:
        outbox.requeue(connection, 1, now + DAY)
    late = event("deferred", sent, CITY, now)
    assert take(database, [late], now + DAY) == Taken(unmatched=1), "nothing of it has left since"
    assert is_now(database) == ("pending", None)
    send_notices(database, SETTINGS, now + DAY)
    take(database, [event("delivered", sent, CITY, now + DAY)], now + DAY)
    assert is_now(database) == ("sent", "delivered")
    assert len(failures(database)) == 1


def test_the_same_post_again_changes_nothing(database: Database, now: datetime, sent: str) -> None:
    bounce = event("bounce", sent, CITY, now, type="bounce")
    post = [
        event("processed", sent, CITY, now),
        bounce,
        bounce,
        event("delivered", None, "x@y.example", now),
        7,
    ]
    assert take(database, post, now) == Taken(new=2, unmatched=1, malformed=1, duplicates=1)
    before = contents(database)
    assert take(database, post, now) == Taken(duplicates=5)
    anew = [one | {"sg_event_id": f"new-{n}"} for n, one in enumerate(post[:4]) if isinstance(one, dict)]
    assert take(database, anew, now + DAY) == Taken(duplicates=4), "delivered again under other ids"
    same_id = bounce | {"reason": "Said in other words."}
    assert take(database, [same_id], now) == Taken(duplicates=1)
    assert contents(database) == before


def test_two_posts_at_once_take_effect_once(database: Database, now: datetime, sent: str) -> None:
    owe(database, now, *(f"review/{number}" for number in range(2, 12)))
    send_notices(database, SETTINGS, now)
    names = [name_of(database, number) for number in range(1, 12)]
    kinds = ("processed", "delivered", "bounce")
    events = [event(kind, name, CITY, now, type="bounce") for name in names for kind in kinds]
    events += [event("processed", None, "x@y.example", now, reason=str(number)) for number in range(20)]
    posts = [events, events[::-1], events[::2], events[1::2]]
    ready, taken = threading.Barrier(len(posts)), []

    def post(some: list[dict[str, Any]]) -> None:
        ready.wait(30)
        taken.append(take(database, some, now))

    threads = [threading.Thread(target=post, args=(some,)) for some in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(taken) == len(posts)
    assert (sum(one.new for one in taken), sum(one.unmatched for one in taken)) == (33, 20)
    assert len(failures(database)) == len(told(database, "delivery_failed")) == 11
    assert {is_now(database, number) for number in range(1, 12)} == {("failed", "bounce")}


def test_a_word_that_comes_while_another_is_written_is_not_lost(
    database: Database, now: datetime, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier word has been read and is about to be written when the later one comes: it has to wait."""
    deliver, later_taken = outbox.deliver, threading.Event()

    def post_later() -> None:
        take(database, [event("delivered", sent, CITY, now)], now)
        later_taken.set()

    later = threading.Thread(target=post_later)

    def held_up(connection: Any, got: Any) -> None:
        if threading.current_thread() is not later:
            later.start()
            assert not later_taken.wait(0.5)
        deliver(connection, got)

    monkeypatch.setattr(outbox, "deliver", held_up)
    take(database, [event("processed", sent, CITY, now)], now)
    later.join(60)
    assert is_now(database) == ("sent", "delivered")


KINDS = (
    "processed",
    "deferred",
    "delivered",
    "blocked",
    "dropped",
    "invalid",
    "bounce",
    "spamreport",
    "unsubscribe",
)
_told = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 4)),
    min_size=1,
    max_size=8,
    unique=True,
)
_numbers = itertools.count(1)


@settings(max_examples=25)
@given(data=st.data())
def test_any_order_and_repetition_of_events_ends_the_same(
    database: Database, now: datetime, data: st.DataObject
) -> None:
    said = data.draw(_told)
    shuffled = data.draw(st.permutations(said)) + data.draw(st.lists(st.sampled_from(said), max_size=4))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled)), max_size=3)))
    states = data.draw(st.tuples(*[st.sampled_from(["sent", "unknown", "sending"])] * 3))
    posts = [shuffled[begin:end] for begin, end in itertools.pairwise([0, *cuts, len(shuffled)])]
    assert ended(database, now, [said], states) == ended(database, now, posts, states)


def ended(database: Database, now: datetime, posts: Sequence[Any], states: Sequence[str]) -> dict[str, Any]:
    """What a partnership with three emails that left looks like after these posts."""
    id_ = registered(database, now, id_=f"p{next(_numbers)}")
    for number in range(3):
        owe(
            database,
            now,
            f"review/{number}",
            to=("city-primary", "city-deputy", "clinic-primary")[number],
            id_=id_,
        )
    send_notices(database, SETTINGS, now)
    with database.write() as connection:
        rows = connection.execute(
            select(notice).where(notice.c.partnership_id == id_).order_by(notice.c.id)
        ).all()
        for row, state in zip(rows, states, strict=True):
            left = {"sent_at": now} if state == "sent" else {"sent_at": None, "lease_until": now + LEASE}
            connection.execute(update(notice).where(notice.c.id == row.id).values(state=state, **left))
    for post in posts:
        take(database, [told_of(rows[one], kind, now + minute * MINUTE) for kind, one, minute in post], now)
    with database.read() as connection:
        of_it = select(notice).where(notice.c.partnership_id == id_).order_by(notice.c.key)
        notices = connection.execute(of_it).all()
        marked = select(contact.c.id).where(
            contact.c.partnership_id == id_, contact.c.undeliverable_since.is_not(None)
        )
        trail = select(audit_event.c.type).where(audit_event.c.partnership_id == id_)
        return {
            "emails": [
                (n.state, n.delivery, n.delivery_at, n.sent_at, n.detail) for n in notices if n.reference
            ],
            "told": sorted((n.template, n.contact_id) for n in notices if not n.reference),
            "marked": sorted(connection.execute(marked).scalars()),
            "trail": sorted(connection.execute(trail).scalars()),
        }


def told_of(row: Any, kind: str, at: datetime) -> dict[str, Any]:
    more = {
        "blocked": {"type": "blocked"},
        "invalid": {"reason": "Invalid"},
        "bounce": {"type": "bounce"},
    }.get(kind, {})
    word = {"blocked": "bounce", "invalid": "dropped"}.get(kind, kind)
    address = f"{row.contact_id}@{row.contact_id.split('-')[0]}.example"
    return event(word, reference_of(row.key), address, at, **more)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"no json", b'{"event": "delivered"}', b"null", b"[" * 100_000, b"[1", b"9" * 5000],
)
def test_what_is_no_list_of_events_is_told_so(database: Database, now: datetime, body: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        take_events(database, SIGNED, *WEBHOOK.sign(body, now), now)
    [fault] = refusal.value.faults
    assert fault.rule in {"json", "type"}
    assert fault.mend


def test_a_malformed_event_loses_no_other_and_is_kept_without_addresses(
    database: Database, now: datetime, sent: str
) -> None:
    good = event("delivered", sent, CITY, now)
    malformed = [
        None, 7, "text", [good], {}, good | {"timestamp": "1772442000"}, good | {"timestamp": True},
        good | {"timestamp": 1e9}, good | {"timestamp": 10**18}, good | {"timestamp": -1}, good | {"email": None},
        good | {"event": 3}, good | {"event": ""}, good | {"event": "x" * 33}, good | {"reason": {"a": 1}},
        good | {"type": []}, good | {"sg_event_id": 4}, good | {"sg_event_id": "x" * 101}, good | {"sg_event_id": "\0"},
    ]  # fmt: skip
    assert take(database, [*malformed, good], now) == Taken(new=1, malformed=len(malformed))
    assert is_now(database) == ("sent", "delivered")
    with database.read() as connection:
        rows = connection.execute(select(provider_event)).all()
    assert "/5/timestamp (type)" in " ".join(row.detail for row in rows)
    assert "@" not in repr(rows)
    assert "city-primary" not in repr(rows)


@pytest.mark.parametrize(
    "odd",
    [
        {"email": "\ud800@\0"},
        {"email": "not an address"},
        {"email": "x" * 100_000},
        {"reason": "\0\ud800\r\n" + "y" * 100_000},
        {"response": "😀" * 300},
        {"notice": 7},
        {"notice": "x" * 24},
        {"notice": "0" * 24},
        {"sg_message_id": "\ud800"},
        {"attempt": 10**30, "url": {"a": ["\0"]}},
        {"reason": None, "type": None, "sg_event_id": None},
    ],
)
def test_odd_values_do_no_harm(database: Database, now: datetime, sent: str, odd: dict[str, Any]) -> None:
    body = json.dumps(
        [event("bounce", sent, CITY, now, type="bounce") | odd, event("processed", sent, CITY, now)]
    )
    taken = take_events(database, SIGNED, *WEBHOOK.sign(body.encode(), now), now)
    assert taken.new + taken.unmatched == 2
    assert count(database, provider_event) == 2


def test_a_forged_post_changes_nothing(database: Database, now: datetime, sent: str) -> None:
    headers, body = EventWebhook().post([event("bounce", sent, CITY, now, type="bounce")], now)
    before = contents(database)
    for some in (headers, {}):
        with pytest.raises(Forged):
            take_events(database, SIGNED, some, body, now)
    with pytest.raises(Unavailable):
        take_events(database, Settings(_env_file=None), headers, body, now)
    assert contents(database) == before


def test_a_post_that_comes_too_late_is_refused_and_kept_aside(
    database: Database, now: datetime, sent: str
) -> None:
    headers, body = WEBHOOK.post([event("bounce", sent, CITY, now, type="bounce"), 7], now)
    for _ in range(2):
        with pytest.raises(Expired):
            take_events(database, SIGNED, headers, body, now + DAY)
    assert count(database, provider_event, provider_event.c.state == "stale") == 2
    assert (is_now(database), undeliverable(database)) == (("sent", None), [])
    with pytest.raises(Expired):
        take_events(database, SIGNED, *WEBHOOK.sign(b"no json", now), now + DAY)
    assert take_waiting(database, now + DAY) == Taken(new=1, malformed=1)
    assert (is_now(database), undeliverable(database)) == (("failed", "bounce"), ["city-primary"])
    assert take_waiting(database, now + DAY) == Taken()
    with pytest.raises(Expired):
        take_events(database, SIGNED, headers, body, now + DAY)
    assert count(database, provider_event, provider_event.c.state == "stale") == 0, (
        "played back: known already"
    )


def test_a_late_post_that_is_signed_anew_is_taken(database: Database, now: datetime, sent: str) -> None:
    events = [event("bounce", sent, CITY, now, type="bounce")]
    with pytest.raises(LifecycleError):
        take_events(database, SIGNED, *WEBHOOK.post(events, now), now + DAY)
    assert take(database, events, now + DAY) == Taken(new=1)
    assert (is_now(database), undeliverable(database)) == (("failed", "bounce"), ["city-primary"])


def test_what_cannot_be_taken_holds_up_no_other_partnership_and_comes_again(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id_ in ("bridge", "harbour", "tram"):
        registered(database, now, id_=id_)
        owe(database, now, "review/1", id_=id_)
    send_notices(database, SETTINGS, now)
    bounces = [event("bounce", name_of(database, number), CITY, now, type="bounce") for number in (1, 2, 3)]
    with monkeypatch.context() as patch:
        mark = delivery.mark_undeliverable

        def faulty(connection: Any, change: Any, *rest: Any) -> None:
            if change.partnership.id == "harbour":
                raise KeyError(CITY)
            mark(connection, change, *rest)

        patch.setattr(delivery, "mark_undeliverable", faulty)
        with pytest.raises(Unavailable, match="The first, harbour: KeyError") as fault:
            take(database, bounces, now)
        assert CITY not in str(fault.value)
    assert [is_now(database, number)[0] for number in (1, 2, 3)] == ["failed", "sent", "failed"]
    assert take(database, bounces, now) == Taken(new=1, duplicates=2)
    assert is_now(database, 2) == ("failed", "bounce")
    assert undeliverable(database) == ["city-primary"] * 3


def test_a_thousand_events_cost_a_handful_of_statements(database: Database, now: datetime) -> None:
    registered(database, now)
    owe(database, now, *(f"review/{number}" for number in range(100)))
    send_notices(database, SETTINGS, now)
    with database.read() as connection:
        names = list(connection.execute(select(notice.c.reference)).scalars())
    events = [
        event(kind, name, CITY, now + number * MINUTE)
        for name in names
        for number in range(5)
        for kind in ("processed", "delivered")
    ]
    statements: list[str] = []
    listening.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert take(database, events, now) == Taken(new=1000)
    assert len(statements) < 30
