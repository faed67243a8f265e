"""Results that come from elsewhere and go there: IATI files of a partnership."""

from datetime import datetime

from sqlalchemy import Connection, insert

from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault, Invalid
from lifecycle.evaluation import iati, indicators, queries
from lifecycle.evaluation.models import iati_import
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of

STATUS = {
    "need_definition": "1",
    "starting": "1",
    "setting_up": "1",
    "maintaining": "2",
    "evaluating": "2",
    "suspended": "6",
    "closed": "4",
}
"""IATI's activity status of each stage; what ended before its time is cancelled (5)."""

ROLES = {"funder": "1", "lead": "2", "delivery": "4", "advisory": "4"}
"""IATI's role code of each role that a convening gives."""


def import_iati(database: Database, partnership_id: str, data: bytes, by: str, now: datetime) -> int:
    """Keep the results of an IATI file beside the partnership's own; a newer import replaces the one before, all are kept.

    Of several activities in the file the one counts whose identifier is the partnership's. Results that were exported
    from this partnership's own agreement are left out: they are here already.

    Returns:
        How many results were taken.

    Raises:
        Invalid: the file cannot be read, or it is not clear which of its activities is meant.
        NotFound, NotAllowed: as for `indicators.record_actual`.
    """
    activities = iati.read(data)
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people_of(connection, partnership_id)[partnership_id].entitled(by, BINDING_ROLES, "import results")
        chosen = _chosen(activities, partnership_id)
        results = [one for one in chosen.results if not iati.is_ours(one, partnership_id)]
        number = queries.imports(connection, partnership_id) + 1
        sha256 = document_rules.sha256(results)
        row = {"number": number, "results": results, "sha256": sha256, "imported_by": by}
        row |= {"partnership_id": partnership_id, "imported_at": change.now}
        connection.execute(insert(iati_import), row)
        change.log("results_imported", by, number=number, results=len(results), sha256=sha256)
        changes.write(connection, change)
        return len(results)


def _chosen(activities: list[iati.Activity], partnership_id: str) -> iati.Activity:
    if len(activities) == 1:
        return activities[0]
    found = [one for one in activities if one.identifier == partnership_id]
    if len(found) != 1:
        known = ", ".join(one.identifier or "(none)" for one in activities[:10])
        mend = f"Leave one activity, or let one have the identifier {partnership_id}. The file has: {known}."
        raise Invalid([Fault("/iati-activities", "one activity", mend)], "The IATI file")
    return found[0]


def export_iati(connection: Connection, partnership_id: str, now: datetime) -> bytes:
    """A partnership as an IATI activity file: its own indicators, and the results that were imported.

    Raises:
        NotFound: unknown partnership.
    """
    record = changes.find(connection, partnership_id)
    people = people_of(connection, partnership_id)[partnership_id]
    found = queries.actuals(connection, partnership_id)
    own = [
        iati.result_of(one, [a for a in found if a.indicator == one["id"]], partnership_id)
        for one in indicators.agreed(connection, partnership_id)
    ]
    results = [*own, *queries.imported(connection, partnership_id)]
    return iati.write(_about(connection, record, people), results, now)


def _about(connection: Connection, record: Partnership, people: People) -> iati.About:
    content = {
        one.kind: one.content
        for one in documents.latest(connection, record.id, ["need_assessment", "convening", "agreement"])
    }
    term = content.get("agreement", {}).get("term", {})
    dates = [(kind, term[name]) for kind, name in (("1", "starts_on"), ("3", "ends_on")) if name in term]
    began = record.calendar.local_date(record.created_at).isoformat()
    roles = {
        one["organisation"]: one.get("role", "") for one in content.get("convening", {}).get("partners", ())
        if "organisation" in one
    }  # fmt: skip
    return iati.About(
        identifier=record.id,
        title=record.title,
        description=content.get("need_assessment", {}).get("purpose") or record.title,
        language="en",
        reporting=(record.proposed_by, people.partners.get(record.proposed_by, record.proposed_by)),
        partners=[
            (partner_id, name, ROLES.get(roles.get(partner_id, ""), "4"))
            for partner_id, name in sorted(people.partners.items())
        ],
        status=STATUS.get(record.stage, "5"),
        dates=dates or [("1", began)],
    )
