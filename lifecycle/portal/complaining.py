"""By link: lodge a complaint, follow one and act in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from lifecycle.partnerships.people import Contact
from lifecycle.portal import complaint_pages
from lifecycle.portal.complaint_pages import Page, Reader
from lifecycle.portal.visits import Sent, Visit, by_link

router = APIRouter()

ToLodge = Annotated[Visit, Depends(by_link("complain"))]
ToFollow = Annotated[Visit, Depends(by_link("complaint"))]

_TEMPLATES: Mapping[Page, str] = {"lodging": "complain.html", "case": "complaint.html"}


@dataclass(frozen=True)
class _ByLink(Reader):
    """Who came by a link."""

    visit: Visit

    def show(self, page: Page, status: int, values: Mapping[str, Any]) -> Response:
        return self.visit.page(_TEMPLATES[page], status, depth=2, me_signed_in=False, **values)

    def address(self, number: int | None = None) -> str:
        # A link opens what it was made for, and one complaint at most.
        return self.visit.address

    def after_lodging(self, number: int) -> str:
        return f"{self.visit.address}?lodged={number}"

    @property
    def acting(self) -> Contact:
        return self.visit.holder


def _reader(visit: Visit) -> Reader:
    holder, language = visit.holder, visit.language
    return _ByLink(visit.database, visit.record, visit.people, holder, visit.now, language, visit)


@router.get("/complain/{token}")
def show_lodging(visit: ToLodge, lodged: str = "") -> Response:
    """What the agreed procedure is, and the form of a complaint; after lodging, its number."""
    number = int(lodged) if lodged.isdecimal() and len(lodged) < 10 else 0
    return complaint_pages.show_lodging(_reader(visit), lodged=number)


@router.post("/complain/{token}")
def lodge(visit: ToLodge, sent: Sent) -> Response:
    """Lodge it."""
    return complaint_pages.lodge(_reader(visit), sent)


@router.get("/complaint/{token}")
def show(visit: ToFollow) -> Response:
    """How one complaint stands, and what its reader can do."""
    return complaint_pages.show_case(_reader(visit), visit.door.subject["number"])


@router.post("/complaint/{token}/{action}")
def act(visit: ToFollow, action: str, sent: Sent) -> Response:
    """Take a step in it."""
    return complaint_pages.act(_reader(visit), visit.door.subject["number"], action, sent)
