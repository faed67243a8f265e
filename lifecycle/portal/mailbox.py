"""The mailbox of a trial installation: every email that was written into its folder, in both forms, to this machine alone.

Whoever reads it can act as everybody. It is there only where `LIFECYCLE_EMBEDDED` says so, where emails go into a folder,
and for a browser on the same machine that asks for it by the name of that machine: a page of another site that had its own
name point here would be asked for by that name.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from lifecycle.config import Settings
from lifecycle.notices.letter import zone_named
from lifecycle.portal import pages
from lifecycle.portal.guard import CONFINED

router = APIRouter(prefix="/mailbox")

PAGE = 50
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,250}\.eml", re.ASCII)
# Nothing runs, nothing is loaded; links may leave the frame when somebody clicks them.
ALONE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation"
)
_FRAMING = f"{CONFINED['Content-Security-Policy']}; frame-src 'self'"
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_OUT_OF_THE_FRAME = '<base target="_top">'


@dataclass(frozen=True)
class Email:
    """One email of the folder."""

    name: str
    subject: str
    to: str
    sent_at: datetime | None
    text: str
    html: str
    attachments: list[str]


def is_shown_to(request: Request) -> bool:
    """Whether this reader may see the mailbox."""
    settings: Settings = request.app.state.settings
    if not settings.embedded or settings.mail_transport != "file" or request.client is None:
        return False
    asked_for = request.url.hostname
    named = asked_for == urlsplit(settings.public_url).hostname or _is_this_machine(asked_for or "")
    return _is_this_machine(request.client.host) and named


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _folder(request: Request) -> Path:
    if not is_shown_to(request):
        raise HTTPException(404)
    mailbox: Path = request.app.state.settings.mailbox
    return mailbox


Folder = Annotated[Path, Depends(_folder)]
"""The folder, for whoever may read it; for others there is no such page."""


@router.get("")
def overview(request: Request, folder: Folder, page: int = 1) -> Response:
    """The emails, newest first."""
    names = _names(folder)
    pages_there = max(1, -(-len(names) // PAGE))
    if not 1 <= page <= pages_there:
        raise HTTPException(404)
    shown = [_read(folder, name) for name in names[(page - 1) * PAGE : page * PAGE]]
    language = pages.language_of(request)
    values: dict[str, Any] = {"emails": shown, "count": len(names), "page": page, "pages": pages_there}
    return pages.render(request, "mailbox.html", language, zone_named(), **values)


@router.get("/{name}")
def email(request: Request, folder: Folder, name: str) -> Response:
    """One email: what it says as text, and, in a frame of its own, as a mail program shows it."""
    found = _read(folder, _known(folder, name))
    response = pages.render(
        request, "mailbox_email.html", pages.language_of(request), zone_named(), email=found
    )
    response.headers["Content-Security-Policy"] = _FRAMING
    return response


@router.get("/{name}/html")
def html_form(folder: Folder, name: str) -> Response:
    """The HTML form as a document of its own, confined more than ours are."""
    found = _read(folder, _known(folder, name)).html
    head = _HEAD.search(found)
    at = head.end() if head else 0
    shown = f"{found[:at]}{_OUT_OF_THE_FRAME}{found[at:]}"
    return HTMLResponse(shown, headers={"Content-Security-Policy": ALONE})


def _names(folder: Path) -> list[str]:
    """Newest first: a name begins with its time."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted((one.name for one in entries if _is_email(one)), reverse=True)


def _is_email(entry: "os.DirEntry[str]") -> bool:
    return _NAME.fullmatch(entry.name) is not None and entry.is_file(follow_symlinks=False)


def _known(folder: Path, name: str) -> str:
    """A name of an email in the folder, and of nothing elsewhere."""
    path = folder / name
    if not _NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
        raise HTTPException(404)
    return name


def _read(folder: Path, name: str) -> Email:
    found = message_from_bytes((folder / name).read_bytes(), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return Email(
        name,
        subject=str(found["subject"] or ""),
        to=str(found["to"] or ""),
        sent_at=_sent_at(found),
        text=_form(found, "plain"),
        html=_form(found, "html"),
        attachments=[one.get_filename() or one.get_content_type() for one in found.iter_attachments()],
    )


def _sent_at(found: EmailMessage) -> datetime | None:
    date = getattr(found["date"], "datetime", None)
    if not isinstance(date, datetime):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _form(found: EmailMessage, kind: str) -> str:
    body = found.get_body((kind,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except LookupError:  # Of an encoding that there is not.
        return bytes(body.get_payload(decode=True)).decode(errors="replace")
