"""`check`, `transition`, `waive`: gates."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import By, Event, Id, Json, Reason
from lifecycle.cli.output import print_json, say, table


def check(
    id: Id,
    event: Event,
    by: Annotated[str | None, typer.Option(metavar="CONTACT", help="Who would ask for it.")] = None,
    reason: Reason = None,
    json: Json = False,
) -> None:
    """Say what a transition still needs.

    Changes nothing. Exit status 1 if the gate is shut."""
    from lifecycle.partnerships import service

    with opened() as (database, _):
        report = service.check(database, id, event, clock.now(), by, reason)
    if json:
        print_json(report.as_json())
    else:
        show_report(report.as_json())
    if not report.open:
        raise typer.Exit(1)


def show_report(report: Mapping[str, Any]) -> None:
    """Print a gate report as a table: what blocks first, then advice, then what is met."""
    order = {("unmet", "blocking"): 0, ("unmet", "advisory"): 1, ("waived", "blocking"): 2}
    findings = sorted(report["findings"], key=lambda f: order.get((f["outcome"], f["severity"]), 3))
    rows = [(f["code"], f["name"], _outcome(f), _what_to_do(f)) for f in findings]
    table(["code", "criterion", "outcome", "what to do"], rows)
    blocking = sum(f["blocks"] for f in findings)
    if blocking:
        verb = "blocks" if blocking == 1 else "block"
        say(f"The gate of “{report['event']}” is shut: {blocking} of {len(findings)} criteria {verb} it.")
    else:
        say(f"The gate of “{report['event']}” is open.")


def _outcome(finding: Mapping[str, Any]) -> str:
    if finding["outcome"] == "unmet":
        return "UNMET" if finding["blocks"] else "advice"
    return str(finding["outcome"])


def _what_to_do(finding: Mapping[str, Any]) -> str:
    if finding["outcome"] == "waived":
        return f"Waived by {', '.join(finding['waived_by'])}: {'; '.join(finding['waiver_reasons'])}"
    if finding["outcome"] == "met":
        return ""
    return f"{finding['to_do']}{_where(finding['evidence'])}"


def _where(evidence: Any) -> str:
    places = [f"{one['document']}{one['pointer']}" for one in evidence if one["pointer"]]
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return f" ({', '.join(places[:3])}{more})" if places else ""


def transition(
    id: Id,
    event: Event,
    by: By,
    reason: Reason = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency key: the same key asks for the same thing once.")
    ] = None,
    queue: Annotated[
        bool,
        typer.Option("--queue", help="Keep the request for the gate-check flow instead of deciding it now."),
    ] = False,
    json: Json = False,
) -> None:
    """Ask for a transition and have it decided. Exit status 1 if it is refused."""
    from lifecycle.partnerships import service

    with opened() as (database, _):
        if queue:
            request_id = service.request_transition(database, id, event, by, clock.now(), reason, key)
        else:
            decision = service.transition(database, id, event, by, clock.now(), reason, key)
    if queue:
        _show_queued(id, event, request_id, json)
        return
    if json:
        print_json(decision)
    else:
        _show_decision(decision)
    if decision.state != "taken":
        raise typer.Exit(1)


def _show_queued(id: str, event: str, request_id: str, json: bool) -> None:
    if json:
        print_json({"request_id": request_id, "partnership_id": id, "event": event, "state": "pending"})
    else:
        say(
            f"Kept request {request_id} for “{event}” of {id}. The gate-check flow decides it: `lifecycle run gate-check`."
        )


def _show_decision(decision: Any) -> None:
    if decision.state == "taken":
        say(f"Taken: {decision.partnership_id} is in stage {decision.stage}.")
        return
    if decision.report is not None:
        show_report(decision.report)
    else:
        say(str(decision.detail))
    say(f"Refused: {decision.partnership_id} stays in stage {decision.stage}.")


def waive(
    id: Id,
    event: Event,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The criterion, e.g. T4.", show_default=False)],
    by: Annotated[str, typer.Option("--by", metavar="SPONSOR", help="The sponsor who consents.")],
    reason: Annotated[
        str, typer.Option(help="Why it may be passed over; it goes into the report and the trail.")
    ],
    json: Json = False,
) -> None:
    """Consent to waive a blocking criterion.

    It takes effect once the sponsors of all partners agree."""
    from lifecycle.partnerships import service

    with opened() as (database, _):
        service.waive(database, id, event, code, by, reason, clock.now())
    if json:
        print_json({"partnership_id": id, "event": event, "criterion": code, "by": by, "reason": reason})
    else:
        say(
            f"{by} consents to waive {code} for “{event}” of {id}. `lifecycle check {id} {event}` says whether it counts."
        )
