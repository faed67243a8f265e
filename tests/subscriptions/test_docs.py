"""docs/webhooks.md is true: its example receives, its types are all there are."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from lifecycle.audit import rules as audit
from lifecycle.subscriptions import words

PAGE = Path("docs/webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_" + "c2VjcmV0" * 4


def test_the_example_verifies_and_takes_a_message_once(capsys: pytest.CaptureFixture[str]) -> None:
    example = next(
        block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def receive" in block
    )
    names: dict[str, Any] = {}
    exec(example, names)
    names["SECRET"] = SECRET
    now = datetime.now(UTC)
    message = words.message_of(audit.chain("harbour", 2, now, "gate_ready", "engine", "{}", audit.GENESIS))
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(message.id, now, message.body()),
    }
    for _ in range(2):
        assert names["receive"](message.body().encode(), headers) == 204
    assert capsys.readouterr().out == "partnership.gate_ready harbour\n"
    with pytest.raises(WebhookVerificationError):
        names["receive"](message.body().replace("harbour", "tram").encode(), headers)


def test_every_type_is_listed_and_no_other() -> None:
    listed = re.findall(r"`(\w+)`", PAGE.partition("## Types")[2].partition("## Prefect")[0])
    assert {f"partnership.{one}" for one in listed} == set(words.TYPES)
