"""The mailbox folder: one file for each message, whatever is repeated."""

import email
import email.policy
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from lifecycle.notices.transports.file import FileTransport


def files(mailbox):
    return sorted(path.name for path in mailbox.iterdir() if not path.name.startswith("."))


def test_a_mail_program_gets_both_forms(tmp_path, a_message, now):
    outcome = FileTransport(tmp_path / "mailbox").send(a_message(subject="Überprüfung"), now)
    raw = (tmp_path / "mailbox" / outcome.provider_id).read_bytes()
    mime = email.message_from_bytes(raw, policy=email.policy.default)
    assert mime["Subject"] == "Überprüfung"
    assert "30 November" in mime.get_body(("plain",)).get_content()
    assert "<b>30 November</b>" in mime.get_body(("html",)).get_content()


def test_the_name_sorts_by_time_and_says_what_it_is(tmp_path, a_message, now):
    FileTransport(tmp_path).send(a_message(reference="Review/3:Harbour"), now)
    (name,) = files(tmp_path)
    assert name.startswith("20261123T093000Z-review_request-review-3-harbour-")
    assert name.endswith(".eml")


def test_the_same_reference_is_written_once(tmp_path, a_message, now):
    transport = FileTransport(tmp_path)
    first = transport.send(a_message(), now)
    again = transport.send(a_message(), now + timedelta(hours=1))
    assert (first.state, again.state, first.provider_id) == ("sent", "sent", again.provider_id)
    assert files(tmp_path) == [first.provider_id]


def test_references_that_look_alike_have_their_own_files(tmp_path, a_message, now):
    for reference in ("a/b", "a-b", "A:b", "x" * 400, "x" * 399):
        FileTransport(tmp_path).send(a_message(reference=reference), now)
    assert len(files(tmp_path)) == 5


def test_two_senders_of_one_message_write_one_file(tmp_path, a_message, now):
    def send(minute):
        return FileTransport(tmp_path).send(a_message(), now + timedelta(minutes=minute))

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, range(24)))
    assert {outcome.state for outcome in outcomes} == {"sent"}
    assert len(files(tmp_path)) == 1


def test_a_half_written_file_of_a_crash_is_never_taken_for_a_message(tmp_path, a_message, now):
    (tmp_path / ".tmp1234.part").write_bytes(b"Subject: half")
    assert FileTransport(tmp_path).send(a_message(), now).state == "sent"
    assert len(files(tmp_path)) == 1


def test_a_mailbox_that_is_no_folder_is_tried_again_later(tmp_path, a_message, now):
    (tmp_path / "mailbox").write_text("a file")
    assert FileTransport(tmp_path / "mailbox").send(a_message(), now).state == "retry"
