"""The SMTP transport against a real SMTP server on 127.0.0.1."""

import email
import email.policy
import pickle
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from lifecycle.errors import Invalid
from lifecycle.notices.transports.smtp import Server, SmtpTransport, server_from


class Postbox:
    """Keeps what is delivered; `says` overrides the reply to a command."""

    def __init__(self, **says):
        self.says = says
        self.delivered = []

    async def handle_MAIL(self, _server, _session, envelope, address, _options):
        envelope.mail_from = address
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if "RCPT" not in self.says:
            envelope.rcpt_tos.append(address)
        return self.says.get("RCPT", "250 OK")

    async def handle_DATA(self, server, _session, envelope):
        self.delivered.append(envelope)
        if self.says.get("DATA") == "drop":
            server.transport.abort()
        return self.says.get("DATA", "250 OK")


@contextmanager
def served(postbox, **options):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(postbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        controller.stop()


def outcome_of(postbox, message, now, **options):
    with served(postbox, **options) as address:
        return SmtpTransport(SecretStr(f"smtp://{address}"), timeout=0.5).send(message, now)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "cert.pem",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=folder / "cert.pem")


def test_a_message_arrives_whole(a_message, now):
    postbox = Postbox()
    text = "Grüße\r\n.\r\n..\r\n.dot\r\n"
    assert outcome_of(postbox, a_message(subject="Überprüfung", text=text), now).state == "sent"
    (envelope,) = postbox.delivered
    mime = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "lifecycle@partnerships.example",
        ["amira@harbour-clinic.example"],
    )
    assert mime["Subject"] == "Überprüfung"
    assert mime.get_body(("plain",)).get_content() == text


def test_a_body_of_dots_cannot_end_the_message_early(a_message, now):
    postbox = Postbox()
    text = "before\r\n.\r\nMAIL FROM:<spy@evil.example>\r\nafter\r\n"
    assert outcome_of(postbox, a_message(text=text), now).state == "sent"
    (envelope,) = postbox.delivered
    mime = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mime.get_body(("plain",)).get_content() == text


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ("550 5.1.1 <amira@harbour-clinic.example> unknown", "refused"),
        ("451 4.3.0 later", "retry"),
        ("530 5.7.0 who?", "stopped"),
    ],
)
def test_each_reply_has_its_meaning_at_each_step(a_message, now, step, reply, state):
    outcome = outcome_of(Postbox(**{step: reply}), a_message(), now)
    assert outcome.state == state
    assert reply[:3] in outcome.detail
    assert "amira" not in outcome.detail


def test_a_connection_dropped_after_the_content_is_unknown(a_message, now):
    postbox = Postbox(DATA="drop")
    assert outcome_of(postbox, a_message(), now).state == "unknown"
    assert len(postbox.delivered) == 1


def test_a_server_that_never_answers_the_content_is_unknown(a_message, now):
    with script(b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n") as url:
        outcome = SmtpTransport(SecretStr(url), timeout=0.2).send(a_message(), now)
    assert outcome.state == "unknown"


@pytest.mark.parametrize("lines", [0, 1, 2, 3, 4])
def test_silence_before_the_content_is_safe_to_repeat(a_message, now, lines):
    replies = [b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n"][:lines]
    with script(*replies) as url:
        assert SmtpTransport(SecretStr(url), timeout=0.1).send(a_message(), now).state == "retry"


def test_a_goodbye_that_is_never_answered_changes_nothing(a_message, now):
    replies = [b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 mine\r\n"]
    with script(*replies) as url:
        assert SmtpTransport(SecretStr(url), timeout=0.2).send(a_message(), now).state == "sent"


@pytest.mark.parametrize(("reply", "state"), [(b"550 no\r\n", "stopped"), (b"454 later\r\n", "retry")])
def test_a_failed_sign_in_is_nobodys_message(a_message, now, reply, state):
    with script(b"220 hi\r\n", b"250-hi\r\n250 AUTH PLAIN\r\n", reply) as url:
        signed = SecretStr(url.replace("//", "//user:password@"))
        assert SmtpTransport(signed, timeout=0.2).send(a_message(), now).state == state


def test_nobody_listening_is_tried_again(a_message, now):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"smtp://127.0.0.1:{unheard.getsockname()[1]}"
        assert SmtpTransport(SecretStr(url)).send(a_message(), now).state == "retry"


@pytest.mark.parametrize(("password", "state"), [("right%2Fone", "sent"), ("wrong", "stopped")])
def test_signing_in_over_starttls(a_message, now, certificate, password, state):
    def authenticator(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=data.password == b"right/one", handled=False)

    options = {"tls_context": certificate[0], "require_starttls": True, "auth_required": True}
    with served(Postbox(), authenticator=authenticator, **options) as address:
        url = SecretStr(f"smtp://user:{password}@{address}?starttls=required")
        outcome = SmtpTransport(url, timeout=2, tls=certificate[1]).send(a_message(), now)
    assert outcome.state == state
    assert "right" not in outcome.detail


def test_tls_from_the_first_byte(a_message, now, certificate):
    postbox = Postbox()
    with served(postbox, ssl_context=certificate[0]) as address:
        sent = SmtpTransport(SecretStr(f"smtps://{address}"), timeout=2, tls=certificate[1]).send(
            a_message(), now
        )
        distrusted = SmtpTransport(SecretStr(f"smtps://{address}"), timeout=2).send(a_message(), now)
    assert (sent.state, distrusted.state, len(postbox.delivered)) == ("sent", "retry", 1)


@pytest.mark.parametrize("wanted", ["?starttls=required", "sign-in"])
def test_a_server_without_what_is_required_stops_the_queue(a_message, now, wanted):
    postbox = Postbox()
    with served(postbox) as address:
        url = f"smtp://u:p@{address}" if wanted == "sign-in" else f"smtp://{address}{wanted}"
        assert SmtpTransport(SecretStr(url), timeout=1).send(a_message(), now).state == "stopped"
    assert postbox.delivered == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 25, False, False, "", "")),
        ("smtp://mail.example?starttls=required", Server("mail.example", 587, False, True, "", "")),
        ("smtps://u%40x:p%3A@mail.example", Server("mail.example", 465, True, False, "u@x", "p:")),
        ("smtp://u:p@127.0.0.1:2525/", Server("127.0.0.1", 2525, False, False, "u", "p")),
    ],
)
def test_the_url_says_where_and_how(url, server):
    assert server_from(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:x",
        "smtp://[x",
        "smtp://mail.example/path",
        "smtp://mail.example?starttls=maybe",
        "smtps://mail.example?starttls=required",
        "smtp://u:hunter2@mail.example",
    ],
)
def test_a_url_that_cannot_be_used_names_its_setting_and_echoes_nothing(url):
    with pytest.raises(Invalid, match="LIFECYCLE_SMTP_URL") as caught:
        server_from(url)
    assert "hunter2" not in str(caught.value)


def test_the_password_is_neither_shown_nor_pickled():
    transport = SmtpTransport(SecretStr("smtps://u:hunter2@mail.example"))
    assert "hunter2" not in repr(transport) + repr(transport.server)
    with pytest.raises(TypeError, match="password"):
        pickle.dumps(transport)


@contextmanager
def script(*replies):
    """A server that gives these replies, one for each line or content it is sent, and is silent after them."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        caller, _ = listener.accept()
        with caller:
            caller.settimeout(5)
            for number, reply in enumerate(replies):
                if number and not caller.recv(1_000_000):
                    return
                caller.sendall(reply)
            while caller.recv(1_000_000):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join(5)
        listener.close()
