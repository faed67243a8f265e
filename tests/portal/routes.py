"""Every route of the portal with how the right person uses it, and a story in which each can be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from lifecycle.access.models import account
from lifecycle.db import Database
from lifecycle.documents import service as putting
from lifecycle.obligations import service as promises
from lifecycle.partnerships import absences
from lifecycle.reviews import actions
from lifecycle.reviews import service as reviews
from tests.builders import answer, organisation, registered, reviewed
from tests.obligations.agreements import agreement, in_force, monitor, obligation
from tests.redress import cases

NOW = cases.BROKEN + timedelta(hours=1)
SECRET = "MARK-OF-HARBOUR"
"""Stands in the partnership's title: whoever must not see the partnership must not see it."""


@dataclass(frozen=True)
class Route:
    """How the right person uses a route."""

    by: str = "city-primary"
    sent: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    """What stands for the names in its path, where not `PLACES`."""
    subject: Mapping[str, Any] = field(default_factory=dict)
    """What its link is about."""
    status: int = 303
    """What the right person is answered where it acts; pages are answered 200."""


DUE, TOLD, ARGUED, BROKEN = "room/1", "told/1", "argued/1", "lists/1"
PLACES = {"id": "harbour", "kind": "agreement", "event": "suspend", "number": "1", "obligation": "told"}
SEEN = {DUE: "0", TOLD: "1", ARGUED: "2", BROKEN: "2"}


def about(name: str) -> dict[str, Any]:
    return {"subject": {"performance": name}}


def on(name: str) -> dict[str, str]:
    obligation_id, _, number = name.partition("/")
    return {"obligation": obligation_id, "number": number}


def said(name: str, **more: str) -> dict[str, str]:
    return {"seen": SEEN[name]} | {f"/{key}": value for key, value in more.items()}


ROUND = {"round": 1}
EXACT = {"kind": "agreement", "subject": "", "revision": 1}
COMPLAINT = {
    "/against": "clinic",
    "/about": "term:/feedback",
    "/facts": "No list came.",
    "/in_answer_to": "",
}
LOOKS = Route()

LINKS: Mapping[str, Route] = {
    "GET /review/{token}": Route(subject=ROUND),
    "POST /review/{token}": Route(subject=ROUND, sent={"/answers/0/score": "4"}),
    "POST /review/{token}/draft": Route(
        subject=ROUND, sent={"/answers/0/score": "4", "answered": "0"}, status=204
    ),
    "GET /review/{token}/pass-on": Route(subject=ROUND),
    "POST /review/{token}/pass-on": Route(subject=ROUND, sent={"/to": "city-deputy"}),
    "GET /review/{token}/decline": Route(subject=ROUND),
    "POST /review/{token}/decline": Route(subject=ROUND, sent={"/reason": "New in the post."}),
    "GET /complain/{token}": LOOKS,
    "POST /complain/{token}": Route(sent=COMPLAINT),
    "GET /complaint/{token}": Route(subject={"number": 1}),
    "POST /complaint/{token}/{action}": Route(
        "clinic-primary", subject={"number": 1}, path={"action": "acknowledge"}
    ),
    "GET /report/{token}": Route(**about(DUE)),
    "POST /report/{token}": Route(sent=said(DUE, outcome="kept"), **about(DUE)),
    "POST /report/{token}/signal": Route(sent={"/signal": "It will be late."}, **about(DUE)),
    "GET /verdict/{token}": Route(**about(TOLD)),
    "POST /verdict/{token}/accept": Route(sent=said(TOLD), **about(TOLD)),
    "POST /verdict/{token}/dispute": Route(sent=said(TOLD, reason="It came late."), **about(TOLD)),
    "POST /verdict/{token}/restored": Route(sent=said(BROKEN, reason="It came since."), **about(BROKEN)),
    "POST /verdict/{token}/signal": Route(sent={"/signal": "It is thin."}, **about(TOLD)),
    "GET /decision/{token}": Route("city-sponsor", **about(ARGUED)),
    "POST /decision/{token}": Route(
        "city-sponsor", sent=said(ARGUED, outcome="kept", reason="Both were heard."), **about(ARGUED)
    ),
    "GET /hand-over/{token}": LOOKS,
    "POST /hand-over/{token}": Route(sent={"/until": "2026-04-20", "/deputy": "city-deputy"}),
    "POST /hand-over/{token}/end": Route("city-sponsor"),
    "GET /hand-over/{token}/revoke": LOOKS,
    "POST /hand-over/{token}/revoke": Route(status=200),
    "GET /preferences/{token}": LOOKS,
    "POST /preferences/{token}": Route(
        sent={"/language": "es", "/time_zone": "Europe/Madrid", "/digest": "never"}
    ),
    "GET /preferences/{token}/unsubscribe": LOOKS,
    "POST /preferences/{token}/unsubscribe": Route(sent={"confirmed": "yes"}),
    "GET /sign/{token}": Route(subject=EXACT),
    "POST /sign/{token}": Route(subject=EXACT, sent={"/read": "true", "sha256": "{sha256}"}),
    "POST /sign/{token}/objection": Route(
        subject=EXACT, sent={"/reason": "Not on a Monday.", "sha256": "{sha256}"}
    ),
}
"""By link: route → how the holder of a link uses it."""

_P = "/partnerships/{id}"
_ONE = f"{_P}/promises/{{obligation}}/{{number}}"
MEMBERS: Mapping[str, Route] = {
    f"GET {_P}": LOOKS,
    f"GET {_P}/dossier": LOOKS,
    f"GET {_P}/timeline": LOOKS,
    f"GET {_P}/pictures": LOOKS,
    f"GET {_P}/pictures/promises.svg": LOOKS,
    f"GET {_P}/pictures/balance.svg": LOOKS,
    f"GET {_P}/pictures/review.svg": LOOKS,
    f"GET {_P}/complaints": LOOKS,
    f"GET {_P}/complaints/new": LOOKS,
    f"POST {_P}/complaints/new": Route(sent=COMPLAINT),
    f"GET {_P}/complaints/{{number}}": LOOKS,
    f"POST {_P}/complaints/{{number}}/{{action}}": Route("clinic-primary", path={"action": "acknowledge"}),
    f"GET {_P}/documents": LOOKS,
    f"GET {_P}/documents/{{kind}}": LOOKS,
    f"GET {_P}/documents/{{kind}}/differences": Route(path={"?": "from=1&to=1"}),
    f"GET {_P}/documents/{{kind}}/edit": Route(path={"kind": "exit_plan"}),
    f"POST {_P}/documents/{{kind}}/edit": Route(
        path={"kind": "exit_plan"}, sent={"revision": "1", "/data": "The shared list is deleted."}
    ),
    f"POST {_P}/documents/{{kind}}/sign": Route(
        sent={"/read": "true", "revision": "1", "sha256": "{sha256}"}
    ),
    f"POST {_P}/documents/{{kind}}/object": Route(
        sent={"/reason": "Not on a Monday.", "revision": "1", "sha256": "{sha256}"}
    ),
    f"GET {_P}/gates": LOOKS,
    f"GET {_P}/gates/{{event}}": LOOKS,
    f"POST {_P}/gates/{{event}}": Route(sent={"/reason": "No budget.", "key": "0" * 32}),
    f"POST {_P}/gates/{{event}}/waivers/{{code}}": Route(
        "city-sponsor", path={"event": "begin_evaluation", "code": "E1"}, sent={"/reason": "Agreed by all."}
    ),
    f"GET {_P}/promises": LOOKS,
    f"POST {_P}/promises/{{obligation}}/demands": Route(path={"obligation": "asked"}, sent={"seen": "0"}),
    f"GET {_ONE}": LOOKS,
    f"POST {_ONE}/report": Route(path=on(DUE), sent=said(DUE, outcome="kept")),
    f"POST {_ONE}/accept": Route(path=on(TOLD), sent=said(TOLD)),
    f"POST {_ONE}/dispute": Route(path=on(TOLD), sent=said(TOLD, reason="It came late.")),
    f"POST {_ONE}/waive": Route(path=on(TOLD), sent=said(TOLD, reason="No need any more.")),
    f"POST {_ONE}/restored": Route(path=on(BROKEN), sent=said(BROKEN, reason="It came since.")),
    f"POST {_ONE}/decide": Route(
        "city-sponsor", path=on(ARGUED), sent=said(ARGUED, outcome="kept", reason="Both were heard.")
    ),
    f"POST {_ONE}/signal": Route(path=on(TOLD), sent={"/signal": "It is thin."}),
    f"GET {_P}/reviews": LOOKS,
    f"GET {_P}/reviews/{{number}}": LOOKS,
    f"GET {_P}/reviews/{{number}}/answer": LOOKS,
    f"GET {_P}/reviews/actions/{{number}}": LOOKS,
    f"POST {_P}/reviews/actions/{{number}}/plan": Route(
        path={"number": "2"},
        sent={"/what": "Meet weekly.", "/owner": "city-primary", "/due_on": "2026-06-01"},
    ),
    f"POST {_P}/reviews/actions/{{number}}/verify": Route(),
}
"""Of one partnership, for whoever signed in: route → how a contact of it uses it."""

OF_ONESELF: Mapping[str, Route] = {
    "GET /": LOOKS,
    "GET /pictures": LOOKS,
    "GET /pictures/stages.svg": LOOKS,
    "GET /portfolio.csv": LOOKS,
    "GET /portfolio.json": LOOKS,
    "GET /account": LOOKS,
    "POST /account": Route(sent={"language": "es"}),
    "POST /sign-out": Route(),
}
"""For whoever signed in, about what they reach."""

PUBLIC = {
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/{secret}",
    "POST /sign-in/{secret}",
    "GET /sign-in/oidc",
    "GET /sign-in/oidc/callback",
    "GET /mailbox",
    "GET /mailbox/{name}",
    "GET /mailbox/{name}/html",
    "GET /static",
}
"""For everybody, or with tests of their own (`test_signing_in`, `test_oidc`, `test_mailbox`)."""

TABLE = {**LINKS, **MEMBERS, **OF_ONESELF}
POSTS = [name for name in TABLE if name.startswith("POST")]


def played(database: Database) -> None:
    """A partnership in which there is something to do on every page, and one of other people."""
    agreed = agreement(
        obligation(),
        obligation("told"),
        obligation("argued"),
        obligation("asked", due={"on_request_within_days": 5}),
        cases.ROOM,
    )
    in_force(
        database,
        cases.START,
        agreed | {"redress": cases.redress()},
        title=SECRET,
        partners=[organisation(one) for one in ("clinic", "city", "charity")],
    )
    reviewed(database, "harbour", cases.START, first_on="2026-03-25")
    monitor(database, cases.BROKEN)
    for name, outcome in ((BROKEN, "not_kept"), (TOLD, "kept"), (ARGUED, "kept")):
        promises.report(database, "harbour", name, {"outcome": outcome}, "clinic-primary", cases.BROKEN)
    promises.accept(database, "harbour", BROKEN, "city-primary", cases.BROKEN)
    promises.dispute(database, "harbour", ARGUED, "It was thin.", "city-primary", cases.BROKEN)
    cases.lodged(database)
    reviews.sweep_reviews(database, cases.BROKEN)
    reviews.respond(database, "harbour", 1, "clinic-primary", answer(1, q3=1, q4=1), cases.BROKEN)
    actions.plan_action(
        database, "harbour", 1, "Meet.", "clinic-primary", NOW.date(), "clinic-primary", cases.BROKEN
    )
    putting.put(database, "harbour", "exit_plan", {"data": "Kept."}, "city-primary", cases.BROKEN)
    until = NOW.date() + timedelta(days=9)
    absences.set_absence(
        database, "harbour", "city-sponsor", "city-deputy", until, "city-sponsor", cases.BROKEN
    )
    others = [organisation("mill"), organisation("weaver")]
    registered(
        database, NOW, "tidewell", "maintaining",
        title="Another", proposed_by="mill", coordinator="mill-primary", partners=others,
    )  # fmt: skip
    looks = {"email": "owner@main.example", "portfolio": "main", "created_at": NOW}
    elsewhere = {"email": "owner@north.example", "portfolio": "north", "created_at": NOW}
    with database.write() as connection:
        connection.execute(insert(account), [looks, elsewhere])
