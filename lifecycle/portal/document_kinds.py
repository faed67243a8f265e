"""The documents that members read and put, and who may put them."""

from typing import Annotated, Literal

from fastapi import Path, Query

from lifecycle.access.roles import Forbidden
from lifecycle.documents import rules, service
from lifecycle.errors import NotAllowed
from lifecycle.partnerships.people import BINDING_ROLES
from lifecycle.portal.members import Standing

READABLE = tuple(kind for kind in rules.KINDS if kind != "review_response")
"""Answers to reviews are read as results alone: rounds may be anonymous."""

Kind = Annotated[Literal[READABLE], Path()]  # type: ignore[valid-type]
Subject = Annotated[str, Query(max_length=64, pattern="^[a-z_]*$")]
"""Of a decision record: its event."""


def can_put(standing: Standing, kind: str) -> bool:
    """Whether who reads this may put a document of this kind now; the service decides again when they do."""
    try:
        may_put(standing, kind)
    except (Forbidden, NotAllowed):
        return False
    return True


def may_put(standing: Standing, kind: str) -> None:
    """Refuse to open a form whose document would be refused in the end.

    Raises:
        Forbidden: the reader is no contact here.
        NotAllowed: it is the wrong stage, or the reader cannot bind their organisation.
    """
    me = standing.acting()
    if standing.record.stage not in service.WRITABLE_IN[kind]:
        raise NotAllowed(
            "This document cannot be changed in the stage that the partnership is in.",
            mend="An agreement in force is changed after the event “amend”; the page of gates has it.",
        )
    if kind in service.SIGNED_BY:
        standing.people.entitled(me.id, BINDING_ROLES, f"put a {kind}")


def can_sign(standing: Standing, kind: str) -> bool:
    """Whether who reads this can sign documents of this kind for their organisation."""
    return standing.me is not None and standing.me.role in service.SIGNED_BY.get(kind, ())
