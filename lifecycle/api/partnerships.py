"""Partnerships: the list, one of them, registering, its people, its trail and its dossier."""

import json
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime

from lifecycle.api import paging, shapes
from lifecycle.api.bodies import body_of
from lifecycle.api.calls import SLUG, Id, Reads, Writes, answer, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.audit import queries as audit
from lifecycle.errors import Fault, Invalid
from lifecycle.evaluation import dossier as dossiers
from lifecycle.partnerships import queries, registration
from lifecycle.partnerships.health import Level
from lifecycle.partnerships.models import MAIN_PORTFOLIO
from lifecycle.stages import STAGES

router = APIRouter(tags=["partnerships"])

Field = Literal[
    "id", "title", "stage", "stage_entered_at", "coordinator", "time_zone", "version", "next_due", "health"
]
Stage = Literal[STAGES]  # type: ignore[valid-type]
Portfolio = Annotated[
    str | None,
    Query(
        description="The portfolio; a token confined to one need not name it.",
        pattern=r"^[a-z0-9]{1,32}$",
    ),
]

PartnerId = Annotated[
    str,
    Path(description="The organisation's id.", pattern=SLUG, max_length=64, examples=["harbour-clinic"]),
]


@router.get("/partnerships", response_model=shapes.Page[shapes.PartnershipSummary], responses=documented(404))
def list_partnerships(
    call: Reads,
    stage: Annotated[Stage | None, Query(description="Only those in this stage.")] = None,
    partner: Annotated[
        str | None,
        Query(
            description="Only those of this organisation.",
            max_length=64,
            pattern=SLUG,
        ),
    ] = None,
    health: Annotated[Level | None, Query(description="Only those that fare so.")] = None,
    due_before: Annotated[
        AwareDatetime | None,
        Query(
            description="Only those in which something is due before this instant.",
            examples=["2026-12-01T00:00:00Z"],
        ),
    ] = None,
    fields: Annotated[
        str | None,
        Query(
            description="Only these, with commas between.",
            max_length=200,
            pattern=r"^[a-z_]+(,[a-z_]+)*$",
            examples=["title,stage"],
        ),
    ] = None,
    portfolio: Portfolio = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List the partnerships that the token reaches, by their ids."""
    identity = call.identity
    identity.require("read")
    wanted = _fields(fields)
    if identity.portfolio is not None and portfolio not in {None, identity.portfolio}:
        return respond(shapes.Page[shapes.PartnershipSummary](items=[], next_cursor=None))
    with call.database.read() as connection:
        found = queries.portfolio(
            connection, stage, paging.place_of(cursor), limit + 1, portfolio=identity.portfolio or portfolio,
            partnership_id=identity.partnership_id, partner=partner, due_before=due_before, health=health,
        )  # fmt: skip
    page = paging.page(found, limit, lambda one: one["id"], lambda one: _summary(one, wanted))
    return Response(
        json.dumps(page.model_dump(mode="json", exclude_unset=True), ensure_ascii=False),
        media_type="application/json",
    )


def _fields(text: str | None) -> frozenset[str]:
    known = shapes.PartnershipSummary.model_fields.keys()
    wanted = frozenset(known if text is None else {"id", *text.split(",")})
    faults = [
        Fault("fields", "enum", f"There is no field “{name[:40]}”: use some of {', '.join(known)}.")
        for name in sorted(wanted - known)
    ]
    if faults:
        raise Invalid(faults, "The request")
    return wanted


def _summary(one: dict[str, Any], wanted: frozenset[str]) -> shapes.PartnershipSummary:
    return shapes.PartnershipSummary.model_validate(
        {name: value for name, value in one.items() if name in wanted}
    )


@router.post(
    "/partnerships",
    status_code=201,
    response_model=shapes.Registered,
    responses=documented(409),
    openapi_extra=body_of("partnership"),
)
def register_partnership(write: Writes, portfolio: Portfolio = None) -> Response:
    """Register a partnership with its partners and contacts, in its first stage."""
    identity = write.call.identity
    identity.require("register")
    into = identity.portfolio or portfolio or MAIN_PORTFOLIO
    identity.require_whole(into if portfolio is None else portfolio)
    content = write.document()
    return write.once(
        "register",
        lambda database, _: answer(
            shapes.Registered(
                id=registration.create(
                    database, content, write.call.settings, write.call.now, portfolio=into
                ),
                stage="need_definition",
            ),
            201,
            Location=f"/v1/partnerships/{content['id']}",
        ),
    )


@router.get("/partnerships/{id}", response_model=shapes.PartnershipRecord, responses=documented())
def get_partnership(call: Reads, id: Id) -> Response:
    """One partnership with its people, its documents' newest revisions, and what needs attention."""
    with call.reading(id) as (connection, record):
        found = queries.overview(connection, id, call.now)
        found["documents"] = [one for one in found["documents"] if one["kind"] != "review_response"]
        if not call.identity.may("read_people"):
            for contact in (contact for partner in found["partners"] for contact in partner["contacts"]):
                contact["email"] = None
        return respond(shapes.PartnershipRecord.model_validate(found), record.version)


@router.put(
    "/partnerships/{id}/partners/{partner}",
    response_model=shapes.PartnerPut,
    responses=documented(409, 412, 428),
    openapi_extra=body_of("partner"),
)
def put_partner(write: Writes, id: Id, partner: PartnerId) -> Response:
    """Add or change a partner and its contacts. Contacts that it leaves out stay."""
    content = write.document()
    if not isinstance(content, dict) or content.get("id") != partner:
        raise Invalid([Fault("/id", "const", f"Write the id in the address: {partner}.")], "The partner")
    return write.to(
        id,
        lambda database, by, now: registration.put_partner(database, id, content, by, now),
        lambda _, __: shapes.PartnerPut(partnership_id=id, partner=partner),
        status=200,
    )


@router.get(
    "/partnerships/{id}/events", response_model=shapes.Page[shapes.DomainEvent], responses=documented()
)
def list_events(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The audit trail, oldest first: ids, codes and hashes, never personal data. Each hash covers the one before it."""
    with call.reading(id) as (connection, record):
        found = audit.page(connection, id, paging.number_of(cursor), limit + 1)
    page = paging.page(
        found,
        limit,
        lambda one: one.seq,
        lambda one: shapes.DomainEvent.model_validate(vars(one) | {"payload": json.loads(one.payload)}),
    )
    return respond(page, record.version)


@router.get("/partnerships/{id}/dossier", response_model=dict[str, Any], responses=documented())
def get_dossier(call: Reads, id: Id) -> Response:
    """The evaluation dossier: what the record says of the partnership, for those who decide how it goes on."""
    with call.reading(id) as (connection, _):
        found = dossiers.gather(connection, id, call.now)
    return Response(orjson.dumps(found, default=dict), media_type="application/json")
