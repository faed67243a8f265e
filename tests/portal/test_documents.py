"""The pages of a partnership's documents: read, signed, objected to, edited in forms."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from lxml import html
from sqlalchemy import update

from lifecycle.access import accounts
from lifecycle.db import Database
from lifecycle.documents import queries, rules, service
from lifecycle.partnerships import registration
from lifecycle.partnerships.models import partnership
from lifecycle.portal.document_kinds import READABLE
from tests.builders import SETTINGS, contents, organisation, registered
from tests.examples import reading as examples
from tests.obligations.agreements import agreement, obligation
from tests.portal.conftest import sign_in
from tests.portal.sending import Pairs, filled, form_of, pairs_of, without

CLINIC, CITY = "clinic-primary@clinic.example", "city-primary@city.example"
ALL = "/partnerships/harbour/documents"
EVIL = "<script>alert(1)</script>"
ORGANISATIONS = [
    organisation("clinic") | {"name": "The Clinic"},
    organisation("city"),
]


def put(
    database: Database, content: Any, now: datetime, kind: str = "agreement", by: str = "clinic-primary"
) -> queries.Revision:
    return service.put(database, "harbour", kind, content, by, now)


def newest(database: Database, kind: str = "agreement", subject: str = "") -> Any:
    with database.read() as connection:
        found = queries.find(connection, "harbour", kind, subject)
    return found.revision, found.content


def sent(page: Response, action: str = "/edit", **values: Any) -> Pairs:
    """What a browser would send of the page's form."""
    assert page.status_code == 200, page.text
    return filled(pairs_of(form_of(page.text, action)), **values)


def post(site: TestClient, path: str, pairs: Pairs) -> Response:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return site.post(path, data=fields, follow_redirects=False)


@pytest.fixture
def setting_up(store: Database, now: datetime) -> str:
    return registered(store, now, stage="setting_up")


def test_every_kind_is_listed_with_what_it_is_for_and_who_has_not_signed(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, agreement(obligation()), now)
    service.sign(store, "harbour", "agreement", 1, "city-sponsor", now)
    sign_in(site, CLINIC)
    page = html.fromstring(site.get(ALL).text)
    (card,) = page.xpath("//section[.//h3='Agreement']")
    assert "Revision 1" in card.text_content()
    assert "Clinic Primary" in card.text_content()
    facts = [one.text_content() for one in card.xpath(".//dt | .//dd")]
    assert facts == ["Signed by", "The City", "Not signed yet by", "The Clinic"]
    assert len(page.xpath("//section")) == len(READABLE)
    assert not page.xpath("//a[contains(@href, 'review_response')]")


def test_only_what_can_be_put_in_this_stage_can_be_begun(
    site: TestClient, store: Database, setting_up: str
) -> None:
    sign_in(site, CLINIC)
    begun = html.fromstring(site.get(ALL).text).xpath("//a[contains(@href, '/edit')]/@href")
    assert begun == [f"{ALL}/agreement/edit", f"{ALL}/decision_record/edit"]
    assert site.get(f"{ALL}/convening/edit").status_code == 409


def test_a_document_is_read_with_its_revisions_and_an_older_one_says_so(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["First aim."]}, now)
    put(store, {"aims": ["Second aim."]}, now + timedelta(seconds=1))
    sign_in(site, CITY)
    page = site.get(f"{ALL}/agreement").text
    assert "Second aim." in page
    assert "First aim." not in page
    older = site.get(f"{ALL}/agreement?revision=1").text
    assert "First aim." in older
    assert "older revision" in older
    assert not html.fromstring(older).xpath(
        "//form[contains(@action, '/sign')][contains(@action, 'documents')]"
    )
    changed = site.get(f"{ALL}/agreement/differences?from=1&to=2").text
    assert "First" in changed
    assert "Second" in changed


@pytest.mark.parametrize(
    "path", ["/agreement", "/agreement?revision=7", "/nonsense", "/review_response", "/agreement/differences?from=1&to=9",
             "/agreement/edit?part=nonsense", "/agreement/edit?part=obligations/5", "/agreement/edit?part=obligations/²",
             "/decision_record?subject=terminate"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(site: TestClient, setting_up: str, path: str) -> None:
    sign_in(site, CLINIC)
    assert site.get(ALL + path).status_code == 404


def test_answers_to_reviews_are_no_documents_here(site: TestClient, setting_up: str) -> None:
    token = sign_in(site, CLINIC)
    for path in ("", "/edit", "/differences?from=1&to=1"):
        assert site.get(f"{ALL}/review_response{path}").status_code == 404
    assert site.post(f"{ALL}/review_response/edit", data={"csrf": token}).status_code == 404


def test_whoever_is_not_signed_in_or_of_another_partnership_learns_nothing(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["Secret aim."]}, now)
    paths = (
        "",
        "/agreement",
        "/agreement/edit",
        "/agreement/edit?part=aims",
        "/agreement/differences?from=1&to=1",
    )
    for path in paths:
        assert site.get(ALL + path, follow_redirects=False).status_code == 303
    registered(
        store,
        now,
        "port",
        partners=[organisation("port"), organisation("bay")],
        proposed_by="port",
        coordinator="port-primary",
    )
    token = sign_in(site, "port-primary@port.example")
    for path in paths:
        assert site.get(ALL + path).status_code == 404
    before = contents(store)
    for path in ("/agreement/edit?part=aims", "/agreement/sign", "/agreement/object"):
        assert site.post(ALL + path, data={"csrf": token, "/aims/0": "x"}).status_code == 404
    assert contents(store) == before


def test_a_form_of_another_session_changes_nothing(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["An aim."]}, now)
    sign_in(site, CLINIC)
    before = contents(store)
    for path in ("/agreement/edit?part=aims", "/agreement/sign", "/agreement/object"):
        assert site.post(ALL + path, data={"csrf": "0" * 64, "/aims/0": "x"}).status_code == 403
    assert contents(store) == before


def test_looking_changes_nothing(site: TestClient, store: Database, setting_up: str, now: datetime) -> None:
    put(store, agreement(obligation()), now)
    sign_in(site, CLINIC)
    before = contents(store)
    for path in ("", "/agreement", "/agreement/edit", "/agreement/edit?part=obligations/-", "/agreement/edit?part=obligations/0",
                 "/decision_record/edit", "/agreement/differences?from=1&to=1"):  # fmt: skip
        assert site.get(ALL + path).status_code == 200, path
    assert contents(store) == before


def test_a_part_is_saved_into_the_whole_and_the_same_again_is_no_new_revision(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    registered(database, now, stage="setting_up")
    content = agreement(obligation())
    put(database, content, now)
    sign_in(both_sites, CITY)
    where = f"{ALL}/agreement/edit?part=vision"
    pairs = sent(both_sites.get(where), __vision__statement="Nobody falls.")
    answer = post(both_sites, where, pairs)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ALL}/agreement/edit?said=saved")
    assert newest(database) == (2, content | {"vision": {"statement": "Nobody falls."}})
    again = post(both_sites, where, sent(both_sites.get(where)))
    assert again.headers["location"].endswith("said=same")
    assert newest(database)[0] == 2


@pytest.mark.parametrize("name", ["term", "feedback", "obligations/0"])
def test_a_part_that_nobody_touched_leaves_the_document_as_it_is(
    site: TestClient, store: Database, setting_up: str, now: datetime, name: str
) -> None:
    put(store, agreement(obligation()), now)
    sign_in(site, CLINIC)
    where = f"{ALL}/agreement/edit?part={name}"
    assert post(site, where, sent(site.get(where))).headers["location"].endswith("said=same")
    assert newest(store)[0] == 1


def test_an_obligation_is_added_changed_and_taken_out_by_itself(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, agreement(obligation("lists"), obligation("beds")), now)
    sign_in(site, CLINIC)
    new = f"{ALL}/agreement/edit?part=obligations/-"
    values = {
        "__obligations__-__id": "calls",
        "__obligations__-__act": "Calls.",
        "__obligations__-__weight": "3",
    }
    assert post(site, new, sent(site.get(new), **values)).status_code == 303
    first = f"{ALL}/agreement/edit?part=obligations/0"
    post(site, first, [*sent(site.get(first)), ("take_out", "1")])
    _, content = newest(store)
    assert [one["id"] for one in content["obligations"]] == ["beds", "calls"]
    assert content["obligations"][1] == {"id": "calls", "act": "Calls.", "weight": 3}


def test_a_whole_document_of_every_kind_can_be_begun_in_its_form(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now, stage="starting")
    sign_in(site, CLINIC)
    where = f"{ALL}/convening/edit"
    pairs = sent(site.get(where), __purpose_agreed="Fewer falls.", __lead__organisation="clinic")
    answer = post(site, where, pairs)
    assert answer.headers["location"] == f"{ALL}/convening?said=saved"
    assert newest(store, "convening") == (
        1,
        {"purpose_agreed": "Fewer falls.", "lead": {"organisation": "clinic"}},
    )
    assert "Saved." in site.get(answer.headers["location"]).text


def test_a_decision_record_is_kept_under_its_event(
    site: TestClient, store: Database, setting_up: str
) -> None:
    sign_in(site, CLINIC)
    where = f"{ALL}/decision_record/edit"
    pairs = sent(site.get(where), __event="withdraw", __reason="The need is gone.")
    answer = post(site, where, pairs)
    assert answer.headers["location"] == f"{ALL}/decision_record?subject=withdraw&said=saved"
    assert newest(store, "decision_record", "withdraw") == (
        1,
        {"event": "withdraw", "reason": "The need is gone."},
    )
    assert "The need is gone." in site.get(f"{ALL}/decision_record?subject=withdraw").text
    # Whoever begins another one for the same event is shown that there is one.
    assert post(site, where, filled(pairs, __reason="Another.")).status_code == 409


def test_faults_are_shown_at_their_fields_and_everything_typed_is_kept(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["An aim."]}, now)
    sign_in(site, CLINIC)
    where = f"{ALL}/agreement/edit?part=targets"
    added = post(site, where, [*sent(site.get(where)), ("add", "/targets")])
    pairs = sent(
        added,
        __targets__0__id="No Slug",
        __targets__0__baseline="twelve",
        __targets__0__by="31 May",
        __targets__0__measure=EVIL,
    )
    before = contents(store)
    answer = post(site, where, pairs)
    assert answer.status_code == 422
    assert contents(store) == before
    page = html.fromstring(answer.text)
    assert page.xpath("string(//title)").startswith("Error: ")
    linked = page.xpath("//div[@data-faults]//a/@href")
    assert linked == [f"#f-targets-0-{name}" for name in ("id", "statement", "baseline", "by")]
    for one in linked:
        (field,) = page.xpath(f"//*[@id='{one[1:]}']")
        assert field.get("aria-invalid") == "true"
    kept = dict(pairs_of(form_of(answer.text, "/edit")))
    assert {name: kept[f"/targets/0/{name}"] for name in ("id", "baseline", "by", "measure")} == {
        "id": "No Slug", "baseline": "twelve", "by": "31 May", "measure": EVIL,
    }  # fmt: skip
    assert EVIL not in answer.text


def test_faults_of_a_new_entry_stand_in_its_form(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, agreement(obligation()), now)
    sign_in(site, CLINIC)
    where = f"{ALL}/agreement/edit?part=obligations/-"
    answer = post(site, where, sent(site.get(where), **{"__obligations__-__weight": "9"}))
    assert answer.status_code == 422
    linked = html.fromstring(answer.text).xpath("//div[@data-faults]//a/@href")
    assert linked == [f"#f-obligations---{name}" for name in ("id", "act", "weight")]


def test_what_rules_beyond_the_schema_say_is_shown_too(
    site: TestClient, store: Database, setting_up: str
) -> None:
    sign_in(site, CLINIC)
    where = f"{ALL}/agreement/edit?part=resources"
    values = [("/resources/0/organisation", "nobody"), ("/resources/0/kind", "money")]
    answer = post(site, where, [*sent(site.get(where)), *values])
    assert answer.status_code == 422
    assert "register this partner" in answer.text
    (chosen,) = html.fromstring(answer.text).xpath(
        "//*[@name='/resources/0/organisation']//option[@selected] | //input[@name='/resources/0/organisation'][@checked]"
    )
    assert chosen.get("value") == "nobody"


def test_an_entry_more_or_fewer_saves_nothing(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"plan": [{"id": "a", "milestone": "A."}, {"id": "b", "milestone": "B."}]}, now)
    sign_in(site, CLINIC)
    before = contents(store)
    where = f"{ALL}/agreement/edit?part=plan"
    more = post(site, where, [*sent(site.get(where), __plan__0__milestone="Typed."), ("add", "/plan")])
    assert more.status_code == 200
    values = dict(pairs_of(form_of(more.text, "/edit")))
    assert values["/plan/0/milestone"] == "Typed."
    assert values["/plan/2/id"] == ""
    assert html.fromstring(more.text).xpath("//*[@autofocus]/@name") == ["/plan/2/id"]
    fewer = post(site, where, [*sent(more), ("remove", "/plan/0")])
    assert dict(pairs_of(form_of(fewer.text, "/edit")))["/plan/0/id"] == "b"
    assert html.fromstring(fewer.text).xpath("//*[@autofocus]/@value") == ["/plan"]
    assert contents(store) == before
    post(site, where, sent(fewer))
    assert newest(store)[1]["plan"] == [{"id": "b", "milestone": "B."}]


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    registered(database, now, stage="setting_up")
    put(database, {"vision": {"statement": "One."}, "aims": ["An aim."]}, now)
    sign_in(both_sites, CLINIC)
    where = f"{ALL}/agreement/edit?part=vision"
    mine = sent(both_sites.get(where), __vision__statement="Mine.")
    put(database, {"vision": {"statement": "Theirs."}, "aims": ["Another."]}, now, by="city-primary")
    refused = post(both_sites, where, mine)
    assert refused.status_code == 409
    assert "City Primary" in refused.text
    assert f"{ALL}/agreement/differences?from=1&amp;to=2" in refused.text
    assert newest(database)[0] == 2
    kept = pairs_of(form_of(refused.text, "/edit"))
    assert ("/vision/statement", "Mine.") in kept
    assert post(both_sites, where, kept).status_code == 303
    assert newest(database) == (3, {"vision": {"statement": "Mine."}, "aims": ["Another."]})


def test_adding_an_entry_does_not_hide_that_somebody_else_saved(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["One."]}, now)
    sign_in(site, CLINIC)
    where = f"{ALL}/agreement/edit?part=aims"
    mine = sent(site.get(where))
    put(store, {"aims": ["Theirs."]}, now, by="city-primary")
    added = post(site, where, [*mine, ("add", "/aims")])
    assert post(site, where, sent(added)).status_code == 409


def test_changes_of_other_parts_are_no_matter(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, agreement(obligation("lists"), obligation("beds")), now)
    sign_in(site, CLINIC)
    where = f"{ALL}/agreement/edit?part=obligations/1"
    mine = sent(site.get(where), __obligations__1__act="Mine.")
    put(store, agreement(obligation("beds")) | {"aims": ["New."]}, now, by="city-primary")
    assert post(site, where, mine).status_code == 303
    _, content = newest(store)
    assert content["aims"] == ["New."]
    assert [(one["id"], one["act"]) for one in content["obligations"]] == [("beds", "Mine.")]


def test_who_cannot_bind_their_organisation_cannot_put_an_agreement(
    site: TestClient, store: Database, now: datetime
) -> None:
    clinic = organisation("clinic")
    clinic["contacts"].append({"id": "watcher", "role": "observer", "name": "W", "email": "w@clinic.example"})
    registered(store, now, stage="setting_up", partners=[clinic, organisation("city")])
    put(store, {"aims": ["An aim."]}, now)
    token = sign_in(site, "w@clinic.example")
    assert not html.fromstring(site.get(ALL).text).xpath("//a[contains(@href, 'agreement/edit')]")
    before = contents(store)
    assert site.get(f"{ALL}/agreement/edit").status_code == 409
    assert (
        site.post(f"{ALL}/agreement/edit?part=aims", data={"csrf": token, "/aims/0": "x"}).status_code == 409
    )
    page = site.get(f"{ALL}/agreement").text
    assert "documents/agreement/sign" not in page
    given = {"csrf": token, "revision": "1", "sha256": rules.sha256({"aims": ["An aim."]}), "/read": "true"}
    assert site.post(f"{ALL}/agreement/sign", data=given).status_code == 409
    assert contents(store) == before


def test_the_exact_revision_that_was_read_is_signed(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    registered(database, now, stage="setting_up")
    put(database, {"aims": ["An aim."]}, now)
    sign_in(both_sites, CITY)
    pairs = sent(both_sites.get(f"{ALL}/agreement"), "/agreement/sign")
    unread = post(both_sites, f"{ALL}/agreement/sign", pairs)
    assert unread.status_code == 422
    assert html.fromstring(unread.text).xpath("//div[@data-faults]//a/@href") == ["#f-read"]
    answer = post(both_sites, f"{ALL}/agreement/sign", [*pairs, ("/read", "true")])
    assert answer.headers["location"] == f"{ALL}/agreement?said=signed"
    with database.read() as connection:
        assert [(one.contact_id, one.revision) for one in queries.sign_offs(connection, "harbour")] == [
            ("city-primary", 1)
        ]
    page = both_sites.get(f"{ALL}/agreement").text
    assert "agreement/sign" not in page


@pytest.mark.parametrize("wrong", [("sha256", "0" * 64), ("revision", "7"), ("revision", "x")])
def test_nothing_else_than_what_was_shown_is_signed(
    site: TestClient, store: Database, setting_up: str, now: datetime, wrong: tuple[str, str]
) -> None:
    put(store, {"aims": ["An aim."]}, now)
    sign_in(site, CITY)
    pairs = [*sent(site.get(f"{ALL}/agreement"), "/agreement/sign"), ("/read", "true")]
    before = contents(store)
    for action in ("sign", "object"):
        answer = post(
            site, f"{ALL}/agreement/{action}", [*without(pairs, wrong[0]), wrong, ("/reason", "No.")]
        )
        assert answer.status_code in {404, 409}
    assert contents(store) == before


def test_a_revision_that_was_superseded_while_it_was_read_is_not_signed(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["An aim."]}, now)
    sign_in(site, CITY)
    pairs = [*sent(site.get(f"{ALL}/agreement"), "/agreement/sign"), ("/read", "true")]
    put(store, {"aims": ["Another."]}, now)
    assert post(site, f"{ALL}/agreement/sign", pairs).status_code == 409


def test_an_objection_is_kept_with_its_reason_and_shown(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["An aim."]}, now)
    sign_in(site, CITY)
    pairs = sent(site.get(f"{ALL}/agreement"), "/agreement/object")
    empty = post(site, f"{ALL}/agreement/object", pairs)
    assert empty.status_code == 422
    answer = post(site, f"{ALL}/agreement/object", filled(pairs, __reason=f"Too vague. {EVIL}"))
    assert answer.headers["location"] == f"{ALL}/agreement?said=objected"
    for page in (site.get(f"{ALL}/agreement").text, site.get(ALL).text):
        assert "Too vague." in page
        assert EVIL not in page


def test_the_list_of_parts_says_what_the_gate_still_wants_of_each(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, agreement(obligation()), now)
    sign_in(site, CLINIC)
    page = html.fromstring(site.get(f"{ALL}/agreement/edit").text)
    (redress,) = page.xpath("//li[@id='redress']")
    assert "R1" in redress.text_content()
    (obligations,) = page.xpath("//li[@id='obligations']")
    assert obligations.xpath(".//ol//a/@href") == [f"{ALL}/agreement/edit?part=obligations%2F0"]


def test_whoever_may_only_look_sees_no_way_to_change(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, {"aims": ["An aim."]}, now)
    accounts.add(store, "owner@north.example", "main", now)
    token = sign_in(site, "owner@north.example")
    for path in ("", "/agreement"):
        page = site.get(ALL + path)
        assert page.status_code == 200
        assert "/edit" not in page.text
        assert "agreement/sign" not in page.text
    before = contents(store)
    shown = {
        "csrf": token,
        "revision": "1",
        "sha256": rules.sha256({"aims": ["An aim."]}),
        "/read": "true",
        "/reason": "No.",
    }
    for path in ("edit?part=aims", "sign", "object"):
        assert site.post(f"{ALL}/agreement/{path}", data=shown).status_code == 403
    assert contents(store) == before


def test_user_text_is_escaped_on_every_page(
    site: TestClient, store: Database, setting_up: str, now: datetime
) -> None:
    put(store, agreement(obligation(act=EVIL)) | {"aims": [EVIL], "vision": {"statement": EVIL}}, now)
    put(store, agreement(obligation(act=f"{EVIL}2")) | {"aims": [EVIL * 2]}, now)
    sign_in(site, CLINIC)
    for path in ("", "/agreement", "/agreement/edit", "/agreement/edit?part=aims", "/agreement/edit?part=obligations/0",
                 "/agreement/differences?from=1&to=2"):  # fmt: skip
        assert "<script>alert" not in site.get(ALL + path).text


@pytest.fixture
def example(store: Database, now: datetime) -> Callable[[str], None]:
    """The largest example, in the stage that is named."""
    id_ = "harbour-healthy-start"
    registration.create(store, examples.read(id_, "partnership"), SETTINGS, now)

    def to(stage: str) -> None:
        with store.write() as connection:
            connection.execute(update(partnership).values(stage=stage))

    for stage, kind, name in (
        ("need_definition", "need_assessment", "need_assessment"), ("starting", "convening", "convening"),
        ("setting_up", "agreement", "agreement"), ("evaluating", "evaluation", "evaluation-r2"),
        ("evaluating", "exit_plan", "exit_plan"),
    ):  # fmt: skip
        to(stage)
        service.put(store, id_, kind, examples.read(id_, name), "margaret-innes", now)
    return to


def test_every_page_of_the_largest_example_is_under_100_kb_and_names_no_other_host(
    site: TestClient, example: Callable[[str], None]
) -> None:
    sign_in(site, "margaret.innes@city-of-harbour.example")
    stages = {"need_assessment": "need_definition", "convening": "starting", "agreement": "setting_up", "evaluation": "evaluating",
              "exit_plan": "evaluating", "decision_record": "evaluating"}  # fmt: skip
    seen: set[str] = set()
    waiting = [
        f"/partnerships/harbour-healthy-start/documents{path}"
        for path in ("", *(f"/{kind}/edit" for kind in stages))
    ]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        kind = path.partition("/documents/")[2].partition("/")[0].partition("?")[0]
        example(stages.get(kind, "setting_up"))
        page = site.get(path)
        assert page.status_code == 200, path
        assert len(page.content) < 100_000, path
        tree = html.fromstring(page.text)
        waiting += [link for link in tree.xpath("//a/@href") if "/documents" in link and link.startswith("/")]
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids)), path
        assert not tree.xpath("//*[@style] | //style | //script[not(@src)]"), path
    assert sum("part=obligations" in path for path in seen) == 10
