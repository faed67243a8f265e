"""What the email provider reports: whether emails arrived."""

import asyncio

from fastapi import APIRouter, Request, Response

from lifecycle import clock
from lifecycle.api import shapes
from lifecycle.api.calls import respond
from lifecycle.api.problems import documented
from lifecycle.partnerships import delivery

router = APIRouter(tags=["hooks"])


@router.post(
    "/hooks/sendgrid",
    response_model=shapes.EventsTaken,
    responses=documented(),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "SendGrid's Event Webhook: a list of events, signed in its headers (ECDSA over timestamp and raw body).",
            "content": {
                "application/json": {
                    "schema": {"type": "array", "items": {"type": "object"}},
                    "example": [
                        {"event": "delivered", "email": "amira.haddad@harbour-clinic.example", "timestamp": 1741599000,
                         "sg_event_id": "ZGVsaXZlcmVk", "sg_message_id": "14c5d75ce93", "notice": "9f86d081884c7d659a2feaa0"}
                    ],
                }
            },
        }
    },
)  # fmt: skip
async def take_sendgrid_events(request: Request) -> Response:
    """Take SendGrid's word on what became of emails. Signed by it: what is not, or is stale, is 403."""
    body, state = await request.body(), request.app.state
    # The events have their own idempotency: SendGrid repeats a post until it is answered 2xx, and events come twice.
    taken = await asyncio.to_thread(
        delivery.take_events, state.database, state.settings, request.headers, body, clock.now()
    )
    return respond(shapes.EventsTaken.model_validate(taken))
