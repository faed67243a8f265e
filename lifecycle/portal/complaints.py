"""For who signed in: a partnership's complaints, lodging one, and acting in one as the contact that they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from lifecycle.partnerships.people import Contact
from lifecycle.portal import complaint_pages
from lifecycle.portal.complaint_cases import Record, lines
from lifecycle.portal.complaint_pages import Page, Reader
from lifecycle.portal.members import Member, OwnForm, Signed, Standing

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

ALL = "/partnerships/{id}/complaints"
ONE = f"{ALL}/{{number}}"

_TEMPLATES: Mapping[Page, str] = {"lodging": "complaint_new.html", "case": "complaint_one.html"}


@dataclass(frozen=True)
class _SignedIn(Reader):
    """Who signed in."""

    member: Member
    standing: Standing

    def show(self, page: Page, status: int, values: Mapping[str, Any]) -> Response:
        frame = _frame(self.standing)
        return self.member.page(
            _TEMPLATES[page], self.standing, status, depth=3, me_signed_in=True, **frame, **values
        )

    def address(self, number: int | None = None) -> str:
        return f"{_all(self.standing)}/{number or 'new'}"

    def after_lodging(self, number: int) -> str:
        return f"{self.address(number)}?said=lodged"

    @property
    def acting(self) -> Contact:
        return self.standing.acting()


def _all(standing: Standing) -> str:
    return ALL.format(id=standing.record.id)


def _frame(standing: Standing) -> dict[str, Any]:
    return {"section": "complaints", "all": _all(standing)}


def _reader(member: Member, partnership_id: str) -> Reader:
    with member.database.read() as connection:
        standing = member.standing(connection, partnership_id)
    return _SignedIn(
        member.database,
        standing.record,
        standing.people,
        standing.me,
        member.now,
        member.language,
        member,
        standing,
    )


@router.get(ALL)
def list_complaints(member: Signed, id: str) -> Response:
    """Every complaint and how it stands."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        found = lines(Record(connection, standing.record, standing.people, member.now))
    return member.page("complaints.html", standing, lines=found, **_frame(standing))


@router.get(f"{ALL}/new")
def show_lodging(member: Signed, id: str) -> Response:
    """What the agreed procedure is, and the form of a complaint."""
    return complaint_pages.show_lodging(_reader(member, id))


@router.post(f"{ALL}/new")
def lodge(member: Signed, id: str, sent: OwnForm) -> Response:
    """Lodge it."""
    return complaint_pages.lodge(_reader(member, id), sent)


@router.get(ONE)
def show(member: Signed, id: str, number: Number) -> Response:
    """How one complaint stands, and what its reader can do."""
    return complaint_pages.show_case(_reader(member, id), number)


@router.post(f"{ONE}/{{action}}")
def act(member: Signed, id: str, number: Number, action: str, sent: OwnForm) -> Response:
    """Take a step in it."""
    return complaint_pages.act(_reader(member, id), number, action, sent)
