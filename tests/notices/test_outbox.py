"""No email is lost or doubled (design, promise 4)."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import NotAllowed, NotFound, Unavailable
from lifecycle.notices import outbox
from lifecycle.notices.models import notice
from lifecycle.notices.owed import Owed
from lifecycle.partnerships import changes
from lifecycle.partnerships.correspondence import send_notices
from lifecycle.partnerships.models import contact
from tests.builders import count, registered
from tests.fakes.sendgrid_api import SendGridApi

KEY = "SG.test-key"
FACTS = {"round": 3, "quorate": True, "asked": 4, "answered": 3, "negative": 0, "results": None}


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    with SendGridApi(KEY) as server:
        yield server


def by_sendgrid(api: SendGridApi) -> Settings:
    return Settings(
        _env_file=None, mail_transport="sendgrid", sendgrid_api_key=SecretStr(KEY), sendgrid_host=api.url
    )


def owe(database: Database, now: datetime, *facts: str, to: str = "clinic-primary") -> None:
    with database.write() as connection:
        change = changes.begin(connection, "harbour", now)
        change.log("review_closed", "engine")
        change.owe(Owed(to, "review_closed", fact, FACTS) for fact in facts)
        changes.write(connection, change)


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(notice.c.state).order_by(notice.c.id)).scalars())


def test_the_same_notice_cannot_be_owed_twice(database: Database, now: datetime) -> None:
    registered(database, now)
    owe(database, now, "review/1")
    owe(database, now, "review/1", "review/2")
    assert count(database, notice) == 2


def test_what_is_owed_is_sent_once(database: Database, now: datetime, api: SendGridApi) -> None:
    registered(database, now)
    owe(database, now, "review/1", "review/2")
    assert send_notices(database, by_sendgrid(api), now).sent == 2
    assert send_notices(database, by_sendgrid(api), now + timedelta(days=1)).sent == 0
    assert len(api.accepted) == 2
    assert states(database) == ["sent", "sent"]


def test_two_senders_at_once_send_each_notice_once(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    owe(database, now, *(f"review/{number}" for number in range(20)))
    senders = [
        threading.Thread(target=send_notices, args=(database, by_sendgrid(api), now)) for _ in range(2)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    names = [sent["personalizations"][0]["custom_args"]["notice"] for sent in api.accepted]
    assert len(names) == len(set(names)) == 20


def test_a_safe_failure_is_tried_again_later(database: Database, now: datetime, api: SendGridApi) -> None:
    registered(database, now)
    owe(database, now, "review/1")
    api.fail_next(503, {"Retry-After": "120"})
    assert send_notices(database, by_sendgrid(api), now).retried == 1
    assert send_notices(database, by_sendgrid(api), now + timedelta(seconds=30)).sent == 0
    assert send_notices(database, by_sendgrid(api), now + timedelta(minutes=3)).sent == 1
    assert len(api.accepted) == 1


def test_an_ambiguous_outcome_waits_to_be_reconciled(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    """The provider took it and the answer was lost: never sent again unasked."""
    registered(database, now)
    owe(database, now, "review/1")
    api.accept_then_drop_next()
    assert send_notices(database, by_sendgrid(api), now).unknown == 1
    assert send_notices(database, by_sendgrid(api), now + timedelta(days=3)).sent == 0
    assert len(api.accepted) == 1
    with database.write() as connection:
        outbox.settle(connection, 1, sent=True, as_of=now)
    assert states(database) == ["sent"]


def test_an_unknown_notice_that_did_not_leave_is_sent_when_settled_so(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    owe(database, now, "review/1")
    api.fail_next(500)
    send_notices(database, by_sendgrid(api), now)
    with database.write() as connection:
        outbox.settle(connection, 1, sent=False, as_of=now)
    assert send_notices(database, by_sendgrid(api), now).sent == 1
    with database.write() as connection:
        with pytest.raises(NotAllowed, match="is sent"):
            outbox.settle(connection, 1, sent=False, as_of=now)
        with pytest.raises(NotFound):
            outbox.settle(connection, 99, sent=False, as_of=now)


def test_a_sender_killed_after_the_provider_took_it_leaves_unknown_not_a_second_email(
    database: Database, now: datetime, api: SendGridApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(database, now)
    owe(database, now, "review/1")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_record", killed)
        with pytest.raises(KeyboardInterrupt):
            send_notices(database, by_sendgrid(api), now)
    assert states(database) == ["sending"]
    assert send_notices(database, by_sendgrid(api), now + timedelta(minutes=1)).sent == 0
    send_notices(database, by_sendgrid(api), now + timedelta(hours=1))
    assert states(database) == ["unknown"]
    assert len(api.accepted) == 1


def test_a_refused_address_is_a_visible_failure_that_someone_is_told_of(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    owe(database, now, "review/1", to="city-primary")
    api.reject_next(400, "Does not contain a valid address.")
    assert send_notices(database, by_sendgrid(api), now).failed == 1
    with database.read() as connection:
        marked = connection.execute(
            select(contact.c.id).where(contact.c.undeliverable_since.is_not(None))
        ).scalars()
        assert list(marked) == ["city-primary"]
    assert [sent["personalizations"][0]["to"][0]["email"] for sent in api.accepted] == [
        "clinic-primary@clinic.example"
    ]
    assert "city" in api.accepted[0]["content"][0]["value"].lower()


def test_an_address_that_cannot_be_one_fails_alone(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    with database.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-primary").values(email="no address"))
    owe(database, now, "review/1", to="city-primary")
    owe(database, now, "review/1")
    drained = send_notices(database, by_sendgrid(api), now)
    assert (drained.failed, drained.sent) == (1, 2)


def test_a_rejected_account_stops_the_queue_and_keeps_it(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    owe(database, now, "review/1", "review/2")
    api.fail_next(401)
    with pytest.raises(Unavailable, match="key"):
        send_notices(database, by_sendgrid(api), now)
    assert states(database) == ["pending", "pending"]
    assert send_notices(database, by_sendgrid(api), now).sent == 2


def test_the_file_transport_leaves_one_file_a_notice(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    registered(database, now)
    owe(database, now, "review/1", "review/2")
    settings = Settings(_env_file=None, mailbox=tmp_path / "mailbox")
    assert send_notices(database, settings, now).sent == 2
    assert len(list((tmp_path / "mailbox").glob("*.eml"))) == 2


def test_a_withdrawn_notice_is_not_sent(database: Database, now: datetime, api: SendGridApi) -> None:
    registered(database, now)
    owe(database, now, "review/1", "review/10")
    with database.write() as connection:
        outbox.withdraw(connection, "harbour", "review/1", ["review_closed"])
    assert send_notices(database, by_sendgrid(api), now).sent == 1
    assert states(database) == ["withdrawn", "sent"]


def test_a_notice_that_cannot_be_written_fails_alone_and_blames_no_address(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    with database.write() as connection:
        change = changes.begin(connection, "harbour", now)
        change.log("gate_ready", "engine")
        change.owe([Owed("city-primary", "gate_ready", "review/1", {"event": "confirm_need"})])
        changes.write(connection, change)
    owe(database, now, "review/2", to="city-primary")
    drained = send_notices(database, by_sendgrid(api), now)
    assert (drained.failed, drained.sent) == (1, 2)
    with database.read() as connection:
        assert set(connection.execute(select(contact.c.undeliverable_since)).scalars()) == {None}


def undeliverable(database: Database) -> list[str]:
    with database.read() as connection:
        marked = select(contact.c.id).where(contact.c.undeliverable_since.is_not(None))
        return list(connection.execute(marked).scalars())


def test_an_outage_of_days_loses_no_email_and_blames_no_address(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    registered(database, now)
    owe(database, now, "review/1", "review/2")
    (tmp_path / "mailbox").write_text("a file where the folder should be")
    settings = Settings(_env_file=None, mailbox=tmp_path / "mailbox")
    for hour in range(0, 100, 3):
        send_notices(database, settings, now + timedelta(hours=hour))
    assert states(database) == ["pending", "pending"]
    (tmp_path / "mailbox").unlink()
    assert send_notices(database, settings, now + timedelta(hours=104)).sent == 2
    assert undeliverable(database) == []


def test_what_fails_for_five_days_fails_visibly_and_can_be_tried_again(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    registered(database, now)
    owe(database, now, "review/1", to="city-primary")
    (tmp_path / "mailbox").write_text("a file where the folder should be")
    settings = Settings(_env_file=None, mailbox=tmp_path / "mailbox")
    later = now + timedelta(days=5, hours=1)
    send_notices(database, settings, now)
    assert send_notices(database, settings, later).failed == 1
    assert undeliverable(database) == [], "the address is not at fault"
    (tmp_path / "mailbox").unlink()
    with database.write() as connection:
        outbox.requeue(connection, 1, later)
        with pytest.raises(NotAllowed, match="only one that failed"):
            outbox.requeue(connection, 1, later)
    assert send_notices(database, settings, later + timedelta(hours=1)).sent == 2, (
        "this one, and the word that it had failed"
    )


def test_a_content_that_is_refused_blames_no_address(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    owe(database, now, "review/1", to="city-primary")
    api.reject_next(400, "The content value must be a string at least one character in length.")
    assert send_notices(database, by_sendgrid(api), now).failed == 1
    assert undeliverable(database) == []


@pytest.mark.parametrize("event", [None, 7, [], {"a": 1}, True])
def test_whatever_stands_in_a_notice_it_holds_up_no_other(
    database: Database, now: datetime, api: SendGridApi, event: Any
) -> None:
    registered(database, now)
    with database.write() as connection:
        change = changes.begin(connection, "harbour", now)
        change.log("gate_ready", "engine")
        change.owe([Owed("city-primary", "gate_ready", "review/1", {"event": event, "target": "starting"})])
        changes.write(connection, change)
    owe(database, now, "review/2", to="city-primary")
    send_notices(database, by_sendgrid(api), now)
    assert states(database)[1] == "sent"
    assert "pending" not in states(database)


def test_a_sender_that_comes_back_late_overwrites_nothing(database: Database, now: datetime) -> None:
    """Its lease was over, and the notice was settled as sent: its own outcome comes too late."""
    registered(database, now)
    owe(database, now, "review/1")
    with database.write() as connection:
        row = connection.execute(select(notice)).one()
        outbox._claim(connection, [row], lambda *_: outbox.Outcome("retry", ""), now, now + outbox.LEASE)
    with database.write() as connection:
        outbox._expire_leases(connection, now + timedelta(hours=1))
        outbox.settle(connection, 1, sent=True, as_of=now)
        state = outbox._record(connection, row, outbox.Outcome("retry", "Busy."), lambda *_: None, now)
    assert (state, states(database)) == ("settled meanwhile", ["sent"])


def test_a_failure_of_the_coordinators_own_mail_is_told_to_somebody_else(
    database: Database, now: datetime, api: SendGridApi
) -> None:
    registered(database, now)
    owe(database, now, "review/1", to="clinic-primary")
    api.reject_next(400, "Does not contain a valid address.")
    assert send_notices(database, by_sendgrid(api), now).failed == 1
    assert [sent["personalizations"][0]["to"][0]["email"] for sent in api.accepted] == [
        "clinic-deputy@clinic.example"
    ]
