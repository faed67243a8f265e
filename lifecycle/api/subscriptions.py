"""Webhooks out: who is told of what happens, and where that stands."""

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from lifecycle.access import once
from lifecycle.api import paging, shapes
from lifecycle.api.calls import Call, Reads, Writes, answer, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.db import Database
from lifecycle.errors import NotFound
from lifecycle.subscriptions import service, targets

router = APIRouter(tags=["subscriptions"])

ONE = "/subscriptions/{subscription}"
Id = Annotated[
    str,
    Path(description="The subscription's id.", pattern=r"^[a-z0-9]{1,32}$", examples=["5f0c1d2e3a4b5968"]),
]


def _find(call: Call, connection: Connection, subscription: str) -> service.Subscription:
    """A subscription that the token reaches; as `service.find`."""
    found = service.find(connection, subscription, call.identity.portfolio)
    if call.identity.partnership_id not in {None, found.partnership_id}:
        raise NotFound(f"There is no subscription “{subscription}”.", mend="List those there are.")
    return found


@router.get("/subscriptions", response_model=shapes.Page[shapes.Subscription], responses=documented())
def list_subscriptions(call: Reads, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The subscriptions that the token reaches."""
    call.identity.require("subscribe")
    with call.database.read() as connection:
        found = service.overview(connection, call.identity.portfolio)
    only = call.identity.partnership_id
    reached = [one for one in found if only in {None, one.partnership_id}]
    return respond(paging.slice_of(reached, cursor, limit, shapes.Subscription.model_validate))


@router.post(
    "/subscriptions", status_code=201, response_model=shapes.SubscriptionMade, responses=documented()
)
def create_subscription(write: Writes, body: shapes.SubscriptionAsked) -> Response:
    """Have events sent to a URL from now on, signed by the Standard Webhooks scheme. The secret is shown once."""
    identity, settings = write.call.identity, write.call.settings
    identity.require("subscribe")
    # Before the transaction: whoever asks the resolver waits, and nobody else should wait for that.
    resolve = cache(targets.resolve)
    targets.check(body.url, settings.webhook_private_targets, resolve)

    def make(database: Database, _: Connection) -> once.Answer:
        if body.portfolio is not None:
            identity.require_portfolio(body.portfolio)
        id_, secret = service.subscribe(
            database, body.url, write.call.now, settings, identity.portfolio or body.portfolio,
            identity.partnership_id or body.partnership_id, body.event_types, body.description, identity.token, resolve,
        )  # fmt: skip
        return answer(
            shapes.SubscriptionMade(id=id_, secret=secret), 201, Location=f"/v1/subscriptions/{id_}"
        )

    def kept(given: once.Answer) -> once.Answer:
        made = shapes.SubscriptionMade.model_validate_json(given.body).model_copy(update={"secret": None})
        return once.Answer(given.status, given.headers, made.model_dump_json().encode())

    return write.once("subscribe", make, kept)


@router.get(ONE, response_model=shapes.Subscription, responses=documented())
def get_subscription(call: Reads, subscription: Id) -> Response:
    """One subscription, without its secret."""
    call.identity.require("subscribe")
    with call.database.read() as connection:
        found = _find(call, connection, subscription)
    return respond(shapes.Subscription.model_validate(found))


@router.delete(ONE, status_code=204, responses=documented())
def delete_subscription(write: Writes, subscription: Id) -> Response:
    """Send nothing there any more, and forget how far it had come."""

    def end(database: Database, connection: Connection) -> once.Answer:
        _find(write.call, connection, subscription)
        service.unsubscribe(database, subscription, write.call.identity.portfolio)
        return once.Answer(204, {}, b"")

    return write.once("subscribe", end)


@router.get(f"{ONE}/streams", response_model=shapes.Page[shapes.Stream], responses=documented())
def list_streams(call: Reads, subscription: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Where it lags behind, parked partnerships first. What is parked waits for a replay, in its order."""
    call.identity.require("subscribe")
    with call.database.read() as connection:
        _find(call, connection, subscription)
        begin = paging.number_of(cursor)
        found = service.streams(connection, subscription, call.identity.portfolio, begin + limit + 1)
    return respond(paging.slice_of(found, cursor, limit, shapes.Stream.model_validate))


@router.post(f"{ONE}/replays", status_code=201, response_model=shapes.Replayed, responses=documented(409))
def replay_stream(write: Writes, subscription: Id, body: shapes.ReplayAsked) -> Response:
    """Send a partnership's events on their way again: from the one that failed, or from any that you name."""

    def go_on(database: Database, connection: Connection) -> once.Answer:
        _find(write.call, connection, subscription)
        service.replay(
            database,
            subscription,
            body.partnership_id,
            write.call.now,
            body.from_seq,
            write.call.identity.portfolio,
        )
        return answer(shapes.Replayed(subscription=subscription, partnership_id=body.partnership_id), 201)

    return write.once("subscribe", go_on)
