"""Examples of the OpenAPI document: one for each body and each answer, built from what its fields are called."""

from collections.abc import Mapping
from typing import Any

AT = "2025-03-10T09:30:00Z"
_OBJECTION = "The list has to come on Wednesday, not on Thursday."
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

FIELDS: Mapping[str, Any] = {
    "about": {"obligation": "breakfast", "performance": "breakfast/3"},
    "act": "Serves breakfast on every school day.",
    "actor": "amira-haddad",
    "agreed_lag_days": 7,
    "answers": 4,
    "asked": ["amira-haddad", "lewis-baird"],
    "asked_by": "amira-haddad",
    "author": "amira-haddad",
    "baseline": {"value": 41, "on": "2025-01-31"},
    "by": "amira-haddad",
    "by_partner": {"harbour-city": 4.0, "harbour-clinic": 3.0},
    "change": 0.5,
    "code": "T3",
    "comment": "Counted from the register.",
    "complainant": "harbour-clinic",
    "contact_id": "amira-haddad",
    "content": {"note": "The list came two weeks late."},
    "coordinator": "amira-haddad",
    "criterion": "T3",
    "detail": None,
    "dimensions": {"school": "quay-street"},
    "document": "agreement",
    "email": "amira.haddad@harbour-clinic.example",
    "errors": [],
    "event": "activate",
    "events_allowed": ["begin_evaluation", "suspend", "amend", "terminate"],
    "evidence": [{"document": "agreement", "revision": 2, "pointer": "/obligations/0"}],
    "evidence_sha256": _SHA256,
    "hash": _SHA256,
    "hidden": [],
    "highest": 5,
    "hints": ["No report on breakfast/3, due on 2025-03-07: harbour-city owes it to harbour-clinic."],
    "holidays": "GB-SCT",
    "id": "harbour-healthy-start",
    "indicator": "breakfasts-served",
    "kind": "agreement",
    "level": 1,
    "lodged_by": "amira-haddad",
    "lowest": 1,
    "matter": "performance",
    "mean": 3.5,
    "mend": "Correct each of the errors and repeat.",
    "missing_sign_offs": ["harbour-city"],
    "name": "Amira Haddad",
    "next_cursor": None,
    "note": "Two of five mornings had no staff.",
    "number": 3,
    "obligation": "breakfast",
    "obligee": "harbour-clinic",
    "obligor": "harbour-city",
    "outcome": "kept",
    "owner": "amira-haddad",
    "partner": "harbour-clinic",
    "partner_id": "harbour-clinic",
    "partnership_id": "harbour-healthy-start",
    "payload": {"event": "activate", "source": "setting_up", "target": "maintaining", "waived": []},
    "pointer": "/obligations/0",
    "portfolio": "main",
    "prefix": "0a1b2c3d4e",
    "proposed_by": "harbour-clinic",
    "question": "q3",
    "questionnaire": None,
    "quorate": True,
    "reason": "The budget is frozen until April.",
    "reasons": {"promise_overdue": "A promise is overdue."},
    "report": None,
    "requested_by": "amira-haddad",
    "respondent": "harbour-city",
    "revision": 2,
    "role": "primary",
    "scopes": None,
    "sha256": _SHA256,
    "signed_by": ["harbour-clinic"],
    "spread": 1.0,
    "stage": "maintaining",
    "subject": "",
    "suspended_from": None,
    "targets": [{"value": 80, "starts_on": "2025-01-01", "ends_on": "2025-12-31"}],
    "time_zone": "Europe/London",
    "title": "Harbour Healthy Start",
    "to": "lewis-baird",
    "to_do": "",
    "token": "plc_0a1b2c3d4e_…",
    "transition": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "type": "stage_changed",
    "unit": "breakfasts",
    "url": "https://partnerships.example/v1/partnerships/harbour-healthy-start/timeline.ics?key=plc_0a1b2c3d4e_…",
    "value": 62.0,
    "version": 7,
    "what": "Meet every Monday until the list is complete.",
}  # fmt: skip
"""What a field of this name holds."""

MODELS: Mapping[tuple[str, str], Any] = {
    ("Token", "name"): "Grants system",
    ("Token", "role"): "viewer",
    ("Token", "partnership_id"): None,
    ("Token", "contact_id"): None,
    ("TokenAsked", "name"): "Grants system",
    ("TokenAsked", "role"): "viewer",
    ("TokenAsked", "partnership_id"): None,
    ("TokenAsked", "contact_id"): None,
    ("PartnerRecord", "id"): "harbour-clinic",
    ("PartnerRecord", "name"): "Harbour Clinic",
    ("Contact", "id"): "amira-haddad",
    ("Finding", "name"): "verifiable",
    ("Finding", "question"): "Can each side see whether the promise was kept?",
    ("Finding", "outcome"): "met",
    ("Health", "level"): "watch",
    ("Indicator", "id"): "breakfasts-served",
    ("Indicator", "title"): "Breakfasts served a day",
    ("Obligation", "id"): "breakfast",
    ("Performance", "name"): "breakfast/3",
    ("Entry", "evidence"): "Shared folder, counts, 2025-03.csv",
    ("Entry", "kind"): "report",
    ("ComplaintEntry", "kind"): "answer",
    ("Registered", "stage"): "need_definition",
    ("Results", "asked"): 4,
    ("Results", "questionnaire"): "default",
    ("Score", "id"): "q3",
    ("Score", "title"): "We tell each other early when something goes wrong.",
    ("Signal", "number"): 1,
    ("Objection", "reason"): _OBJECTION,
    ("Objection", "state"): "open",
    ("ObjectionAsked", "reason"): _OBJECTION,
    ("Stream", "state"): "waiting",
    ("Stream", "detail"): "The receiver answered 500.",
    ("Subscription", "id"): "5f0c1d2e3a4b5968",
    ("Subscription", "partnership_id"): None,
    ("Subscription", "url"): "https://grants.example/hooks/partnerships",
    ("SubscriptionAsked", "url"): "https://grants.example/hooks/partnerships",
    ("SubscriptionAsked", "partnership_id"): None,
    ("SubscriptionMade", "id"): "5f0c1d2e3a4b5968",
    ("SubscriptionMade", "secret"): "whsec_…",
    ("Transition", "id"): "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    ("Transition", "state"): "taken",
    ("VerdictAsked", "outcome"): None,
    ("VerdictAsked", "verdict"): "dispute",
    ("WithholdAsked", "complaint"): 1,
    ("Document", "content"): {"purpose": "…"},
}
"""The same, where it differs by what it is a field of."""


def add_examples(document: dict[str, Any]) -> None:
    """Give every body, answer and error of an OpenAPI document an example that its schema accepts."""
    schemas = document["components"]["schemas"]
    for methods in document["paths"].values():
        for operation in methods.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in bodies:
                for media in body.get("content", {}).values():
                    if "example" not in media and "schema" in media:
                        media["example"] = _example(schemas, media["schema"], "", "")


def _example(schemas: Mapping[str, Any], schema: Mapping[str, Any], owner: str, name: str) -> Any:
    """An example of a schema; `owner` and `name` say which field it is."""
    if "$ref" in schema:
        owner = schema["$ref"].rpartition("/")[2]
        return _example(schemas, schemas[owner], owner, name)
    if "properties" in schema:
        return {field: _field(schemas, child, owner, field) for field, child in schema["properties"].items()}
    if "anyOf" in schema:
        return _example(schemas, schema["anyOf"][0], owner, name)
    if schema.get("type") == "array":
        return [_example(schemas, schema["items"], owner, name)]
    return _plain(schema)


def _plain(schema: Mapping[str, Any]) -> Any:
    named = [*schema.get("examples", ()), *schema.get("enum", ()), schema.get("const")]
    by_format = {"date-time": AT, "date": "2025-03-31"}.get(schema.get("format", ""))
    by_type = {"integer": 1, "number": 1.0, "boolean": False, "object": {}, "string": "…"}
    return named[0] or by_format or by_type.get(schema.get("type", ""))


def _field(schemas: Mapping[str, Any], schema: Mapping[str, Any], owner: str, name: str) -> Any:
    if (owner, name) in MODELS:
        return MODELS[owner, name]
    holds_shapes = "$ref" in str(schema)
    if name in FIELDS and not holds_shapes:
        return FIELDS[name]
    return _example(schemas, schema, owner, name)
