"""The two pages of redress, lodging and one complaint: the same for who came by link and for who signed in."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.db import Database
from lifecycle.errors import Invalid, LifecycleError, NotAllowed, Stale
from lifecycle.languages import Language
from lifecycle.notices import words
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.people import Contact, People
from lifecycle.portal import complaint_forms as forms
from lifecycle.portal import complaint_lodging, complaint_steps
from lifecycle.portal.complaint_cases import Record, case_of
from lifecycle.portal.pages import status_of
from lifecycle.portal.visits import text

Page = Literal["lodging", "case"]


@dataclass(frozen=True)
class Reader(ABC):
    """Who reads a page and acts on it: who they are, and where the pages lie for them."""

    database: Database
    partnership: Partnership
    people: People
    me: Contact | None
    """The contact that they are; None for who may only look."""
    now: datetime
    language: Language

    @abstractmethod
    def show(self, page: Page, status: int, values: Mapping[str, Any]) -> Response:
        """A page in their frame."""

    @abstractmethod
    def address(self, number: int | None = None) -> str:
        """Where the page of one complaint lies, and its forms post to; without a number, that of lodging one."""

    @abstractmethod
    def after_lodging(self, number: int) -> str:
        """Where they go after they have lodged a complaint."""

    @property
    @abstractmethod
    def acting(self) -> Contact:
        """The contact in whose name they act.

        Raises:
            Forbidden: they may only look.
        """

    def record(self, connection: Connection) -> Record:
        """What is read to show them complaints."""
        return Record(connection, self.partnership, self.people, self.now)


def show_lodging(
    reader: Reader, sent: FormData | None = None, error: LifecycleError | None = None, lodged: int = 0
) -> Response:
    """The page to lodge a complaint.

    Args:
        sent: a form that was not lodged, to be shown again as it was filled in.
        error: why not; None where another piece of evidence was asked for.
        lodged: the number of a complaint of theirs that they have just lodged.
    """
    sent = sent or FormData()
    evidence = forms.pieces_of(sent)
    blank = not evidence or (error is None and text(sent, "more"))
    with reader.database.read() as connection:
        lodging = complaint_lodging.lodging_of(reader.record(connection), reader.acting, reader.language)
        values = _of_form(reader, "complaint", sent, error) | {
            "lodging": lodging,
            "evidence": [
                {"reference": "", "sha256": ""} | piece for piece in (*evidence, *([{}] if blank else []))
            ],
            "coordinator": reader.people.contacts.get(reader.partnership.coordinator),
            "lodged": next((line for line in lodging.ours if line.one.number == lodged), None),
            "post_to": reader.address(),
        }
        return reader.show("lodging", 200 if error is None else status_of(error), values)


def lodge(reader: Reader, sent: FormData) -> Response:
    """Lodge what a form describes; or show it again, with its faults or with another piece of evidence."""
    if text(sent, "more"):
        return show_lodging(reader, sent)
    by, partnership_id = reader.acting.id, reader.partnership.id
    try:
        one = complaint_lodging.lodge(reader.database, partnership_id, sent, by, reader.now)
    except (Invalid, NotAllowed) as error:
        return show_lodging(reader, sent, error)
    return RedirectResponse(reader.after_lodging(one.number), 303)


def show_case(
    reader: Reader,
    number: int,
    action: str = "",
    sent: FormData | None = None,
    error: LifecycleError | None = None,
) -> Response:
    """The page of one complaint.

    Args:
        action: what was refused.
        sent: its form, to be shown again as it was filled in.
        error: why.

    Raises:
        NotFound: there is no such complaint.
    """
    with reader.database.read() as connection:
        case = case_of(reader.record(connection), number)
        values = _of_form(reader, "complaint_proposal", sent or FormData(), error, action) | {
            "case": case,
            "me": reader.me,
            "acts": () if reader.me is None else case.openings.open_to(reader.me),
            "redress_words": words.REDRESS,
            "refused_act": action,
            "post_to": reader.address(number),
        }
        return reader.show("case", 200 if error is None else status_of(error), values)


def act(reader: Reader, number: int, action: str, sent: FormData) -> Response:
    """Take a step in a complaint; or show it again with what is wrong, or with why that is not possible any more.

    Raises:
        NotFound: there is no such complaint, or no such step.
    """
    database, by = reader.database, reader.acting.id
    try:
        complaint_steps.take(database, reader.partnership.id, number, action, sent, by, reader.now)
    except (Invalid, NotAllowed, Stale) as error:
        return show_case(reader, number, action, sent, error)
    return RedirectResponse(f"{reader.address(number)}?said={action}", 303)


def _of_form(
    reader: Reader, kind: str, sent: FormData, error: LifecycleError | None, action: str = ""
) -> dict[str, Any]:
    """What the pages need of a form: its words, what was typed, and what is wrong."""
    invalid = error if isinstance(error, Invalid) else None
    return {
        "words": forms.words_of(kind),
        "values": {name: text(sent, name) for name in sent},
        "faults": forms.faults_of(invalid, reader.language, reader.people, kind, action),
        "refused": None if invalid is not None else error,
    }
