"""The page on which somebody says whether a promise was kept, and what shows it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.responses import Response

from lifecycle.obligations import service
from lifecycle.portal import promised
from lifecycle.portal.visits import Sent, Visit, by_link, text

router = APIRouter()
TEMPLATE = "reporting.html"

Reporting = Annotated[Visit, Depends(by_link("report"))]


@router.get("/report/{token}")
def show(visit: Reporting) -> Response:
    """What was promised, what was said of it, and the form while it can be reported."""
    return promised.page(visit, TEMPLATE)


@router.post("/report/{token}")
def report(visit: Reporting, sent: Sent) -> Response:
    """Say whether it was kept."""
    return promised.act(
        visit,
        sent,
        TEMPLATE,
        "reported",
        lambda database, name, by: service.report(
            database, visit.record.id, name, content_of(sent), by, visit.now
        ),
    )


@router.post("/report/{token}/signal")
def signal(visit: Reporting, sent: Sent) -> Response:
    """Send an early word instead."""
    return promised.signal(visit, sent, TEMPLATE)


def content_of(sent: FormData) -> dict[str, Any]:
    """The report as its schema has it; what was left empty is left out."""
    evidence = text(sent, "/evidence/reference")
    fields = {
        "outcome": text(sent, "/outcome"),
        "note": text(sent, "/note"),
        "evidence": {"reference": evidence} if evidence else None,
    }
    return {name: value for name, value in fields.items() if value}
