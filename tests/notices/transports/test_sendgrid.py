"""The real `sendgrid` client, over HTTP, against a SendGrid that judges each request."""

import logging
import pickle
import socket
import ssl
import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from lifecycle.errors import Invalid
from lifecycle.notices.message import one_line
from lifecycle.notices.transports.sendgrid import SendGridTransport, request_body
from tests.fakes.sendgrid_api import SendGridApi

KEY = "SG.secret.key"
THEIR_NOW = {"Date": "Mon, 23 Nov 2026 09:30:00 GMT"}
THEIR_EPOCH = 1_795_426_200


class Naps(list):
    """Remembers how long it was asked to sleep, and does not."""

    def __call__(self, seconds):
        self.append(seconds)


@pytest.fixture
def naps():
    return Naps()


@pytest.fixture
def transport(sendgrid_api, naps):
    return SendGridTransport(SecretStr(KEY), sendgrid_api.url, timeout=2, sleep=naps)


def test_an_accepted_message_is_sent_and_named(transport, sendgrid_api, a_message, now):
    outcome = transport.send(a_message(), now)
    assert (outcome.state, len(outcome.provider_id)) == ("sent", 32)
    (body,) = sendgrid_api.accepted
    assert body["personalizations"] == [
        {
            "to": [{"email": "amira@harbour-clinic.example", "name": "Amira Haddad"}],
            "custom_args": {"notice": "notice-17"},
        }
    ]
    assert body["categories"] == ["partnership-lifecycle", "review_request"]
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert body["tracking_settings"]["click_tracking"] == {"enable": False, "enable_text": False}
    assert body["tracking_settings"]["open_tracking"] == {"enable": False}


def test_requests_obey_the_published_description(published_description, a_message, now):
    with SendGridApi(KEY, published_description) as api:
        message = a_message(
            reply_to="team@harbour-clinic.example",
            to_name="Haddad, Amira; deputy",
            from_name="Société Générale",
            headers={
                "List-Unsubscribe": "<https://p.example/u/1>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )
        outcome = SendGridTransport(SecretStr(KEY), api.url).send(message, now)
    assert outcome.state == "sent", outcome.detail
    assert api.accepted[0]["from"]["name"] == "Societe Generale"
    assert api.accepted[0]["headers"]["List-Unsubscribe"] == "<https://p.example/u/1>"
    assert api.accepted[0]["reply_to"] == {"email": "team@harbour-clinic.example"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(name=st.text(max_size=60), subject=st.text(max_size=60))
def test_whatever_people_are_called_the_provider_accepts_it(
    transport, sendgrid_api, a_message, now, name, subject
):
    message = a_message(to_name=one_line(name), from_name=one_line(name), subject=one_line(subject) or "-")
    assert transport.send(message, now).state == "sent"
    sent = sendgrid_api.accepted[-1]
    assert "=?" not in sent["subject"] + sent["personalizations"][0]["to"][0].get("name", "")


def test_an_encoded_word_is_broken_up_before_it_leaves(transport, sendgrid_api, a_message, now):
    sly = "=?utf-8?q?Hello=0D=0ABcc:_spy@evil.example?="
    transport.send(a_message(subject=sly, to_name=sly, from_name=sly), now)
    assert "=?" not in str(sendgrid_api.accepted[0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content"),
        ({"content": [{"type": t, "value": "x"} for t in ("text/html", "text/plain")]}, "content"),
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "to"),
        (
            {"personalizations": [{"to": [{"email": "a@b.example"}, {"email": "A@b.example"}]}]},
            "personalizations",
        ),
        ({"personalizations": [{"to": [{"email": "a@b.example", "name": "x, y"}]}]}, "name"),
        ({"personalizations": [{"to": [{"email": "a@b.example"}], "custom_args": {"n": 1}}]}, "custom_args"),
        (
            {"personalizations": [{"to": [{"email": "a@b.example"}], "custom_args": {"n": "x" * 10_000}}]},
            "custom_args",
        ),
        ({"from": {"email": "a@b.example", "name": "Å"}}, "from"),
        ({"headers": {"Reply-To": "x"}}, "headers"),
        ({"categories": [str(n) for n in range(11)]}, "categories"),
        ({"categories": ["a", "a"]}, "categories"),
        ({"attachments": [{"content": "not base64!", "filename": "a"}]}, "attachments"),
    ],
)
@pytest.mark.parametrize("with_description", [True, False])
def test_the_fake_refuses_what_the_provider_refuses(change, field, with_description, sendgrid_api, a_message):
    api = sendgrid_api if with_description else SendGridApi(KEY)
    assert not api.faults(request_body(a_message()))
    assert any(field in where for where, _ in api.faults(request_body(a_message()) | change))


def test_a_refused_message_says_why_without_naming_the_person(transport, sendgrid_api, a_message, now):
    sendgrid_api.reject_next(400, "amira@harbour-clinic.example is not a valid address.")
    outcome = transport.send(a_message(), now)
    assert outcome.state == "refused"
    assert outcome.detail == "SendGrid answered 400: [address] is not a valid address."


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (400, "refused"),
        (401, "stopped"),
        (403, "stopped"),
        (404, "refused"),
        (405, "refused"),
        (413, "refused"),
        (415, "refused"),
        (429, "retry"),
        (503, "retry"),
        (408, "unknown"),
        (500, "unknown"),
        (502, "unknown"),
        (504, "unknown"),
        (520, "unknown"),
        (200, "unknown"),
        (307, "stopped"),
    ],
)
def test_each_answer_has_its_meaning(transport, sendgrid_api, a_message, now, naps, status, state):
    sendgrid_api.fail_next(status)
    assert transport.send(a_message(), now).state == state
    assert (len(sendgrid_api.requests), naps) == (1, [])


def test_a_wrong_key_stops_the_queue(sendgrid_api, a_message, now):
    outcome = SendGridTransport(SecretStr("SG.other.key"), sendgrid_api.url).send(a_message(), now)
    assert outcome.state == "stopped"
    assert "SG." not in outcome.detail


def test_a_redirect_is_neither_trusted_nor_given_the_key(transport, sendgrid_api, a_message, now):
    with SendGridApi(KEY) as elsewhere:
        sendgrid_api.fail_next(302, {"Location": f"{elsewhere.url}/v3/mail/send"})
        assert transport.send(a_message(), now).state == "stopped"
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"X-RateLimit-Reset": str(THEIR_EPOCH + 42)}, timedelta(seconds=42)),
        (429, {"X-RateLimit-Reset": str(THEIR_EPOCH + 10**7)}, timedelta(hours=1)),
        (429, {"Retry-After": "7"}, timedelta(seconds=7)),
        (503, {"Retry-After": "30"}, timedelta(seconds=30)),
        (503, {"Retry-After": "Mon, 23 Nov 2026 09:31:00 GMT"}, timedelta(minutes=1)),
        (503, {"Retry-After": "soon"}, None),
        (429, {}, None),
    ],
)
def test_a_long_wait_is_left_to_the_outbox(
    transport, sendgrid_api, a_message, now, naps, status, headers, wait
):
    sendgrid_api.fail_next(status, THEIR_NOW | headers)
    a_simulated_year_later = now + timedelta(days=365)
    outcome = transport.send(a_message(), a_simulated_year_later)
    assert (outcome.state, outcome.retry_after, naps) == ("retry", wait, [])


def test_a_short_wait_is_waited_out(transport, sendgrid_api, a_message, now, naps):
    sendgrid_api.fail_next(429, THEIR_NOW | {"X-RateLimit-Reset": str(THEIR_EPOCH + 1)})
    sendgrid_api.fail_next(503, {"Retry-After": "0"})
    assert transport.send(a_message(), now).state == "sent"
    assert (naps, len(sendgrid_api.accepted)) == ([1.0, 0.5], 1)


def test_the_third_try_is_the_last(transport, sendgrid_api, a_message, now, naps):
    for _ in range(3):
        sendgrid_api.fail_next(503, {"Retry-After": "1"})
    outcome = transport.send(a_message(), now)
    assert (outcome.state, outcome.retry_after) == ("retry", timedelta(seconds=1))
    assert (len(sendgrid_api.requests), naps) == (3, [1.0, 1.0])


def test_a_refused_connection_is_tried_three_times_and_kept(a_message, now, naps):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        outcome = SendGridTransport(SecretStr(KEY), url, sleep=naps).send(a_message(), now)
    assert (outcome.state, naps) == ("retry", [0.25, 0.5])
    assert "refused" in outcome.detail


def test_a_server_without_tls_is_no_accepted_message(sendgrid_api, a_message, now, naps):
    url = sendgrid_api.url.replace("http:", "https:")
    outcome = SendGridTransport(SecretStr(KEY), url, timeout=0.5, sleep=naps).send(a_message(), now)
    assert outcome.state == "retry", ssl.OPENSSL_VERSION


@pytest.mark.parametrize("fault", ["accept_then_drop_next", "accept_then_hang_next"])
def test_silence_after_the_request_is_never_repeated(transport, sendgrid_api, a_message, now, naps, fault):
    getattr(sendgrid_api, fault)()
    assert transport.send(a_message(), now).state == "unknown"
    sendgrid_api.release()
    assert (len(sendgrid_api.accepted), len(sendgrid_api.requests), naps) == (1, 1, [])


def test_an_answer_that_drips_in_is_still_an_answer(transport, sendgrid_api, a_message, now):
    sendgrid_api.drip_next(pause_seconds=0.001)
    assert transport.send(a_message(), now).state == "sent"


def test_an_answer_that_dries_up_is_unknown(transport, sendgrid_api, a_message, now):
    sendgrid_api.drip_next(pause_seconds=0.001, stop_after=20)
    assert transport.send(a_message(), now).state == "unknown"
    sendgrid_api.release()


def test_an_answer_cut_off_in_its_body_is_unknown(transport, sendgrid_api, a_message, now):
    sendgrid_api.fail_next(400, {"Content-Length": "500"}, "{")
    assert transport.send(a_message(), now).state == "unknown"


def test_a_message_that_is_too_large_is_not_sent(transport, sendgrid_api, a_message, now):
    outcome = transport.send(a_message(html="x" * 10_000_000), now)
    assert (outcome.state, sendgrid_api.requests) == ("refused", [])
    assert "10.0 MB" in outcome.detail


def test_sandbox_success_is_200_and_nothing_else(sendgrid_api, a_message, now):
    transport = SendGridTransport(SecretStr(KEY), sendgrid_api.url, sandbox=True)
    assert transport.send(a_message(), now).state == "sent"
    sendgrid_api.fail_next(202)
    assert (transport.send(a_message(), now).state, sendgrid_api.accepted) == ("unknown", [])


def test_the_key_and_the_body_stay_out_of_logs_and_details(sendgrid_api, a_message, now, caplog):
    logging.getLogger("python_http_client.client").setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    transport = SendGridTransport(SecretStr(KEY), sendgrid_api.url)
    sendgrid_api.reject_next(403, f"The key {KEY} is not allowed; Bearer {KEY}")
    details = [transport.send(a_message(), now).detail for _ in range(2)]
    everything = "".join([caplog.text, repr(transport), *details])
    assert KEY not in everything
    assert "Please answer" not in everything


def test_the_transport_is_never_pickled(transport):
    with pytest.raises(TypeError, match="API key"):
        pickle.dumps(transport)


def test_one_client_serves_many_threads(transport, sendgrid_api, a_message, now):
    threads = [
        threading.Thread(target=transport.send, args=(a_message(reference=f"n-{n}"), now)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    references = {body["personalizations"][0]["custom_args"]["notice"] for body in sendgrid_api.accepted}
    assert references == {f"n-{n}" for n in range(8)}


@pytest.mark.parametrize(
    "host",
    ["", "api.sendgrid.com", "ftp://x", "https://", "https://x:y", "https://a@b.example", "https://[x"],
)
def test_a_host_that_cannot_be_one_names_its_setting(host):
    with pytest.raises(Invalid, match="LIFECYCLE_SENDGRID_HOST"):
        SendGridTransport(SecretStr(KEY), host)
