"""The pages on which a report is accepted or disputed, a dispute is decided, and a repair is confirmed."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from lifecycle.obligations import service
from lifecycle.portal import promised
from lifecycle.portal.visits import Sent, Visit, by_link, text

router = APIRouter()
VERDICT = "judging.html"
DECISION = "deciding.html"

Judging = Annotated[Visit, Depends(by_link("verdict"))]
Deciding = Annotated[Visit, Depends(by_link("decision"))]


@router.get("/verdict/{token}")
def show(visit: Judging) -> Response:
    """The report in its words, the standard, and the two choices while they are open."""
    return promised.page(visit, VERDICT)


@router.post("/verdict/{token}/accept")
def accept(visit: Judging, sent: Sent) -> Response:
    """It is as reported."""
    return promised.act(
        visit,
        sent,
        VERDICT,
        "accepted",
        lambda database, name, by: service.accept(database, visit.record.id, name, by, visit.now),
    )


@router.post("/verdict/{token}/dispute")
def dispute(visit: Judging, sent: Sent) -> Response:
    """It is not as reported, and why."""
    return promised.act(
        visit,
        sent,
        VERDICT,
        "disputed",
        lambda database, name, by: service.dispute(
            database, visit.record.id, name, promised.plain(sent, "/reason"), by, visit.now
        ),
    )


@router.post("/verdict/{token}/restored")
def confirm_restored(visit: Judging, sent: Sent) -> Response:
    """What was broken has been put right, and how."""
    return promised.act(
        visit,
        sent,
        VERDICT,
        "restored",
        lambda database, name, by: service.confirm_restored(
            database, visit.record.id, name, promised.plain(sent, "/reason"), by, visit.now
        ),
    )


@router.post("/verdict/{token}/signal")
def signal(visit: Judging, sent: Sent) -> Response:
    """Send an early word."""
    return promised.signal(visit, sent, VERDICT)


@router.get("/decision/{token}")
def show_dispute(visit: Deciding) -> Response:
    """What each side says, and the form for whom the agreement names."""
    return promised.page(visit, DECISION)


@router.post("/decision/{token}")
def decide(visit: Deciding, sent: Sent) -> Response:
    """Decide it, and say why."""
    outcome = text(sent, "/outcome")
    return promised.act(
        visit,
        sent,
        DECISION,
        "decided",
        lambda database, name, by: service.decide(
            database, visit.record.id, name, outcome, promised.plain(sent, "/reason"), by, visit.now
        ),
    )
