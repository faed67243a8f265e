"""The page on which somebody says that they are away and who reads their emails; and that their links are lost."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.responses import Response

from lifecycle.documents.formats import is_date
from lifecycle.errors import Invalid, LifecycleError, NotAllowed
from lifecycle.notices import words
from lifecycle.partnerships import absences, doors
from lifecycle.partnerships.people import Contact
from lifecycle.partnerships.standing_in import reader_of
from lifecycle.portal import pages
from lifecycle.portal.forms import by_field
from lifecycle.portal.visits import Sent, Visit, by_link, text

router = APIRouter()

HandingOver = Annotated[Visit, Depends(by_link("hand-over"))]


@router.get("/hand-over/{token}")
def show(visit: HandingOver) -> Response:
    """Who reads the emails now, and the form."""
    return _page(visit)


@router.post("/hand-over/{token}")
def hand_over(visit: HandingOver, sent: Sent) -> Response:
    """Be away until a day, and have a colleague read the emails."""
    me, until = visit.holder.id, text(sent, "/until")
    # A day that is none is refused by the service as one that is over.
    day = date.fromisoformat(until) if is_date(until) else date.min
    deputy = text(sent, "/deputy") or None
    try:
        absences.set_absence(visit.database, visit.record.id, me, deputy, day, me, visit.now)
    except (Invalid, NotAllowed) as error:
        return _page(visit, sent, error)
    return visit.again("handed-over")


@router.post("/hand-over/{token}/end")
def end(visit: HandingOver) -> Response:
    """Be back."""
    me = visit.holder.id
    try:
        absences.set_absence(visit.database, visit.record.id, me, None, None, me, visit.now)
    except NotAllowed as error:
        return _page(visit, error=error)
    return visit.again("back")


@router.get("/hand-over/{token}/revoke")
def ask_to_revoke(visit: HandingOver) -> Response:
    """What it means to make all links good for nothing, and the button."""
    return visit.page("revoking.html", revoked=False)


@router.post("/hand-over/{token}/revoke")
def revoke(visit: HandingOver) -> Response:
    """Make all links good for nothing, the one that this is done by included: so the answer is the page itself."""
    me = visit.holder.id
    doors.revoke(visit.database, visit.record.id, me, me, visit.now)
    return visit.page("revoking.html", revoked=True)


def _page(visit: Visit, sent: FormData | None = None, error: LifecycleError | None = None) -> Response:
    today = visit.record.calendar.local_date(visit.now)
    me = visit.holder
    faults = by_field(error if isinstance(error, Invalid) else None, visit.language)
    typed = {name: text(sent, name) for name in ("/until", "/deputy")} if sent is not None else {}
    return visit.page(
        "handing_over.html",
        200 if error is None else pages.status_of(error),
        away=me.is_absent(today),
        reader=reader_of(visit.people, me.id, today).contact,
        colleagues=_colleagues(visit),
        today=today,
        typed=typed,
        faults=faults,
        refused=None if faults else error,
        ROLES=words.ROLES,
    )


def _colleagues(visit: Visit) -> list[Contact]:
    """Whoever of the same partner can be reached, the best placed to stand in first."""
    order = {"deputy": 0, "primary": 1, "sponsor": 2}
    same = [
        one
        for one in visit.people.contacts.values()
        if one.partner_id == visit.holder.partner_id and one.id != visit.holder.id and not one.undeliverable
    ]
    return sorted(same, key=lambda one: (order.get(one.role, 3), one.name))
