"""The settings choose the transport, and only that one is loaded."""

import subprocess
import sys

import pytest

from lifecycle.config import Settings
from lifecycle.errors import Invalid, LifecycleError, Usage
from lifecycle.notices.transports import in_short, transport_from


def settings(**changes):
    return Settings(_env_file=None, **changes)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("file", {}),
        ("sendgrid", {"sendgrid_api_key": "SG.secret.key"}),
        ("smtp", {"smtp_url": "smtp://127.0.0.1:2525"}),
    ],
)
def test_the_settings_name_the_transport(name, changes):
    assert transport_from(settings(mail_transport=name, **changes)).name == name


@pytest.mark.parametrize(
    ("name", "setting"), [("sendgrid", "LIFECYCLE_SENDGRID_API_KEY"), ("smtp", "LIFECYCLE_SMTP_URL")]
)
def test_a_missing_setting_is_named_with_its_mend(name, setting, monkeypatch):
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.another.programs")
    with pytest.raises(Usage, match=setting):
        transport_from(settings(mail_transport=name))
    with pytest.raises(Usage, match=setting):
        transport_from(settings(mail_transport=name, sendgrid_api_key=" ", smtp_url=" "))


def test_a_sender_that_cannot_be_one_is_found_at_the_start():
    with pytest.raises(Invalid, match="LIFECYCLE_MAIL_FROM"):
        transport_from(settings(mail_from="nobody"))


def test_no_error_echoes_a_password():
    with pytest.raises(LifecycleError) as caught:
        transport_from(settings(mail_transport="smtp", smtp_url="smtp://u:hunter2@mail.example"))
    assert "hunter2" not in str(caught.value)


def test_the_default_transport_loads_neither_sendgrid_nor_smtp():
    code = (
        "import sys; from lifecycle.config import Settings; from lifecycle.notices.transports import transport_from; "
        "transport_from(Settings(_env_file=None)); sys.exit(bool({'sendgrid', 'smtplib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_detail_is_short_and_names_nobody():
    detail = in_short("550 5.1.1 <amira@harbour-clinic.example>:\r\n user unknown " + "x" * 300)
    assert detail.startswith("550 5.1.1 <[address]>: user unknown x")
    assert len(detail) == 200
