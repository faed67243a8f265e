"""Every page of the portal, with how to get there: what looks at all of them reads this table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import Page
from sqlalchemy import select

from lifecycle.access import sessions
from lifecycle.partnerships import doors
from lifecycle.partnerships.doors import Purpose
from lifecycle.partnerships.models import transition_request
from lifecycle.portal.members import COOKIE
from tests.browser.conftest import House

Which = Literal["rich", "busy"]

FIONA = "fiona.kerr@city-of-harbour.example"
MARGARET = "margaret.innes@city-of-harbour.example"
CLINIC = "clinic-primary@clinic.example"
CITY = "city-primary@city.example"
SPONSOR = "city-sponsor@city.example"
HEALTHY = "/partnerships/harbour-healthy-start"


@dataclass(frozen=True)
class Place:
    """One page in one state."""

    name: str
    """Of its pictures."""
    route: str
    """The portal's route that answers."""
    path: Callable[[House], str]
    which: Which = "busy"
    email: str = ""
    """Who is signed in."""
    status: int = 200
    then: Callable[[Page], None] | None = None
    """What is done on it, such as sending an empty form; it changes nothing."""
    is_sandboxed: bool = False
    """No script runs in it, not even axe: its content is looked at in a document of its own."""


def sign_in(house: House, page: Page, email: str) -> None:
    """Have the browser signed in, without an email."""
    with house.database.write() as connection:
        secret = sessions.begin(connection, email, house.now)
    page.context.add_cookies([{"name": COOKIE, "value": secret, "url": house.host}])


def press(name: str) -> Callable[[Page], None]:
    """Send the form of this button as it stands, past what the browser itself would refuse."""

    def pressed(page: Page) -> None:
        page.evaluate("for (const one of document.forms) one.noValidate = true")
        with page.expect_navigation():
            page.get_by_role("button", name=name, exact=True).first.click()

    return pressed


def link(
    purpose: Purpose, partnership: str, contact: str, below: str = "", **subject: Any
) -> Callable[[House], str]:
    """The path of a link, and what follows it."""

    def path(house: House) -> str:
        whole = doors.address(house.settings, purpose, partnership, contact, house.now, subject)
        return whole.removeprefix(house.host) + below

    return path


def at(path: str) -> Callable[[House], str]:
    """A path that is the same in each house."""
    return lambda house: path


def _request(house: House) -> str:
    c = transition_request.c
    with house.database.read() as connection:
        found = connection.execute(select(c.id).where(c.event == "begin_evaluation", c.state == "refused"))
        return f"{HEALTHY}/gates/begin_evaluation?request={found.scalar_one()}"


def _first_email(house: House) -> str:
    return f"/mailbox/{sorted(house.settings.mailbox.glob('*.eml'))[-1].name}"


def _sign_in_link(house: House) -> str:
    secret = sessions.make_link(house.database, CLINIC, house.now)
    return f"/sign-in/{secret}"


REVIEW = {"partnership": "harbour", "contact": "city-primary", "round": 1}
AGREEMENT = {"partnership": "papers", "contact": "city-sponsor", "kind": "agreement", "subject": ""}

BY_LINK = (
    Place("review", "/review/{token}", link("review", **REVIEW)),
    Place("review-saved", "/review/{token}", link("review", **REVIEW), then=press("Save and go on later")),
    Place("review-faults", "/review/{token}", link("review", **REVIEW), then=press("Send my answer")),
    Place("review-answered", "/review/{token}", link("review", "harbour", "clinic-primary", round=1)),
    Place("review-of-another", "/review/{token}", link("review", "harbour", "clinic-deputy", round=1)),
    Place(
        "review-of-none", "/review/{token}", link("review", "harbour", "city-primary", round=9), status=404
    ),
    Place("review-pass-on", "/review/{token}/pass-on", link("review", **REVIEW, below="/pass-on")),
    Place("review-decline", "/review/{token}/decline", link("review", **REVIEW, below="/decline")),
    Place("report", "/report/{token}", link("report", "promises", "clinic-primary", performance="lists/1")),
    Place(
        "report-faults",
        "/report/{token}",
        link("report", "promises", "clinic-primary", performance="lists/1"),
        then=press("Send the report"),
    ),
    Place("verdict", "/verdict/{token}", link("verdict", "promises", "city-primary", performance="counts/1")),
    Place(
        "verdict-faults",
        "/verdict/{token}",
        link("verdict", "promises", "city-primary", performance="counts/1"),
        then=press("Dispute the report"),
    ),
    Place(
        "decision", "/decision/{token}", link("decision", "promises", "city-sponsor", performance="rooms/1")
    ),
    Place(
        "decision-faults",
        "/decision/{token}",
        link("decision", "promises", "city-sponsor", performance="rooms/1"),
        then=press("Send the decision"),
    ),
    Place("sign", "/sign/{token}", link("sign", **AGREEMENT, revision=2)),
    Place(
        "sign-faults", "/sign/{token}", link("sign", **AGREEMENT, revision=2), then=press("Sign revision 2")
    ),
    Place("sign-superseded", "/sign/{token}", link("sign", **AGREEMENT, revision=1)),
    Place("complain", "/complain/{token}", link("complain", "harbour", "city-primary")),
    Place(
        "complain-faults",
        "/complain/{token}",
        link("complain", "harbour", "city-primary"),
        then=press("Lodge the complaint"),
    ),
    Place("complaint", "/complaint/{token}", link("complaint", "harbour", "clinic-primary", number=1)),
    Place(
        "complaint-complainant", "/complaint/{token}", link("complaint", "harbour", "city-primary", number=1)
    ),
    Place("hand-over", "/hand-over/{token}", link("hand-over", "harbour", "city-primary")),
    Place(
        "hand-over-faults",
        "/hand-over/{token}",
        link("hand-over", "harbour", "city-primary"),
        then=press("Hand over"),
    ),
    Place("revoke", "/hand-over/{token}/revoke", link("hand-over", "harbour", "city-primary", "/revoke")),
    Place("preferences", "/preferences/{token}", link("preferences", "harbour", "city-primary")),
    Place(
        "unsubscribe",
        "/preferences/{token}/unsubscribe",
        link("preferences", "harbour", "city-primary", "/unsubscribe"),
    ),
    Place("link-forged", "/review/{token}", at("/review/made-up"), status=409),
)

SIGNING_IN = (
    Place("sign-in", "/sign-in", at("/sign-in")),
    Place("sign-in-faults", "/sign-in", at("/sign-in"), then=press("Send me a link")),
    Place("sign-in-link", "/sign-in/{secret}", _sign_in_link),
    Place("sign-in-spent", "/sign-in/{secret}", at("/sign-in/made-up"), status=409),
    Place("account", "/account", at("/account"), "rich", FIONA),
    Place("mailbox", "/mailbox", at("/mailbox"), "rich"),
    Place("mailbox-email", "/mailbox/{name}", _first_email, "rich"),
    Place(
        "mailbox-email-alone",
        "/mailbox/{name}/html",
        lambda house: f"{_first_email(house)}/html",
        "rich",
        is_sandboxed=True,
    ),
    Place("not-found", "", at("/nowhere"), status=404),
)


def _rich(name: str, path: str, route: str | None = None, **more: Any) -> Place:
    """A page about the partnership of the story that goes through everything."""
    return Place(
        name,
        f"/partnerships/{{id}}{path if route is None else route}",
        at(HEALTHY + path),
        "rich",
        FIONA,
        **more,
    )


def _busy(name: str, partnership: str, path: str, route: str, email: str = SPONSOR, **more: Any) -> Place:
    return Place(
        name, f"/partnerships/{{id}}{route}", at(f"/partnerships/{partnership}{path}"), "busy", email, **more
    )


PERFORMANCE = "/promises/{obligation}/{number}"
EDIT = "/documents/{kind}/edit"
MANAGERS = (
    Place("portfolio", "/", at("/"), "rich", FIONA),
    Place("portfolio-waiting", "/", at("/"), "busy", CITY),
    Place("portfolio-pictures", "/pictures", at("/pictures"), "rich", FIONA),
    _rich("partnership", ""),
    _busy("partnership-early", "papers", "", ""),
    _rich("dossier", "/dossier"),
    _rich("gates", "/gates"),
    _rich("gate-open", "/gates/amend", "/gates/{event}"),
    _busy("gate-shut", "papers", "/gates/activate", "/gates/{event}"),
    _busy("gate-ends", "harbour", "/gates/terminate", "/gates/{event}"),
    _busy(
        "gate-faults",
        "harbour",
        "/gates/terminate",
        "/gates/{event}",
        then=press("Ask to terminate the partnership"),
    ),
    Place("gate-decided", "/partnerships/{id}/gates/{event}", _request, "rich", FIONA),
    _rich("documents", "/documents"),
    _rich("document", "/documents/agreement", "/documents/{kind}"),
    _rich("document-need", "/documents/need_assessment", "/documents/{kind}"),
    _busy("document-to-sign", "papers", "/documents/agreement", "/documents/{kind}"),
    _rich(
        "differences",
        "/documents/evaluation/differences?from=1&to=2",
        "/documents/{kind}/differences",
    ),
    _busy("edit-parts", "papers", "/documents/agreement/edit", EDIT, CLINIC),
    _busy("edit-obligation", "papers", "/documents/agreement/edit?part=obligations/0", EDIT, CLINIC),
    _busy("edit-redress", "papers", "/documents/agreement/edit?part=redress", EDIT, CLINIC),
    _busy(
        "edit-faults",
        "papers",
        "/documents/agreement/edit?part=obligations/0",
        EDIT,
        then=lambda page: (
            page.locator('[name="/obligations/0/id"]').fill("Not an id"),
            press("Save")(page),
        )[-1],
    ),
    _rich("promises", "/promises"),
    _rich("promise-settled", "/promises/check-rooms/3", PERFORMANCE),
    _busy("promise-due", "promises", "/promises/lists/1", PERFORMANCE, CLINIC),
    _busy("promise-disputed", "promises", "/promises/rooms/1", PERFORMANCE),
    _rich("complaints", "/complaints"),
    _rich("complaint-closed", "/complaints/1", "/complaints/{number}"),
    _busy("complaint-open", "harbour", "/complaints/1", "/complaints/{number}", CITY),
    _rich("complaint-new", "/complaints/new"),
    _rich("reviews", "/reviews"),
    _rich("review-results", "/reviews/3", "/reviews/{number}"),
    _busy("review-answer", "harbour", "/reviews/1/answer", "/reviews/{number}/answer", CITY),
    _rich("action", "/reviews/actions/3", "/reviews/actions/{number}"),
    _rich("pictures", "/pictures"),
    _rich("timeline", "/timeline"),
    _rich("timeline-emails", "/timeline?show=emails", "/timeline"),
    Place(
        "partnership-of-others", "/partnerships/{id}", at("/partnerships/harbour"), "rich", FIONA, status=404
    ),
)

PLACES = (*BY_LINK, *SIGNING_IN, *MANAGERS)

NOT_PAGES: Mapping[str, str] = {
    "/portfolio.csv": "a file",
    "/portfolio.json": "a file",
    "/partnerships/{id}/pictures/promises.svg": "an image",
    "/partnerships/{id}/pictures/balance.svg": "an image",
    "/partnerships/{id}/pictures/review.svg": "an image",
    "/pictures/stages.svg": "an image",
    "/sign-in/oidc": "leads to the provider's page; tests/portal/test_oidc.py goes there",
    "/sign-in/oidc/callback": "leads to a page of ours; tests/portal/test_oidc.py comes back by it",
}
"""GET routes that show no page of ours, and why."""
