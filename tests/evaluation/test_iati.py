"""Results leave as valid IATI 2.03, come back without loss, and a hostile file does nothing."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from lifecycle.db import Database
from lifecycle.errors import Invalid, NotAllowed
from lifecycle.evaluation import iati, service
from tests.builders import contents
from tests.evaluation.test_indicators import FALLS, NOW, START, record
from tests.obligations.agreements import agreement, in_force

ROOT = Path(__file__).parents[2]
PUBLISHED = Path(os.environ.get("IATI_203", ROOT.parent / "shared" / "data" / "iati-2.03"))
needs_schema = pytest.mark.skipif(
    not (PUBLISHED / "iati-activities-schema.xsd").is_file(),
    reason=f"no copy of IATI's schema: set IATI_203, or put it at {PUBLISHED}",
)
HEAD = '<iati-activities version="2.03"><iati-activity><iati-identifier>harbour</iati-identifier>'
TAIL = "</iati-activity></iati-activities>"
ONE = (
    '<result type="1" aggregation-status="1"><title><narrative xml:lang="fr">Chutes</narrative></title>'
    '<indicator measure="1"><title><narrative>Falls &amp; slips</narrative></title>'
    '<baseline year="2025" value="N=40"><comment><narrative> as counted </narrative></comment></baseline>'
    '<period><period-start iso-date="2026-01-01"/><period-end iso-date="2026-12-31"/>'
    '<target value="30"><location ref="AF-KAN"/><dimension name="sex" value="female"/></target>'
    '<actual value="31"><document-link format="text/html" url="http://a.example"><title><narrative>R</narrative></title>'
    '<category code="A01"/></document-link></actual></period></indicator></result>'
)


def file(*results: str, before: str = "") -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}{HEAD}{"".join(results)}{TAIL}'.encode()


@pytest.fixture
def agreed(database: Database) -> Database:
    in_force(database, START, agreement() | {"indicators": [FALLS]})
    return database


def load(database: Database, data: bytes, by: str = "city-primary") -> int:
    return service.import_iati(database, "harbour", data, by, NOW)


def export(database: Database) -> bytes:
    with database.read() as connection:
        return service.export_iati(connection, "harbour", NOW)


def results(data: bytes) -> list[Any]:
    (activity,) = iati.read(data)
    return activity.results


def test_what_was_imported_is_exported_again_whole_beside_what_is_ours(agreed: Database) -> None:
    record(agreed, 33, dimensions={"sex": "male"}, comment="Counted by the ward.")
    assert load(agreed, file(ONE)) == 1
    ours, theirs = results(export(agreed))
    assert theirs == results(file(ONE))[0]
    assert b"Counted by the ward." in export(agreed)
    assert iati.is_ours(ours, "harbour")


def test_what_is_ours_is_not_doubled_when_it_comes_back(agreed: Database) -> None:
    load(agreed, file(ONE))
    once = export(agreed)
    assert load(agreed, once) == 1
    assert results(export(agreed)) == results(once)


def test_a_newer_import_replaces_the_one_before(agreed: Database) -> None:
    load(agreed, file(ONE, ONE))
    assert load(agreed, file(ONE)) == 1
    assert len(results(export(agreed))) == 2


@needs_schema
def test_what_is_exported_fulfils_the_published_schema(agreed: Database) -> None:
    record(agreed, 33, dimensions={"sex": "male"}, comment="Counted by the ward.")
    load(agreed, file(ONE))
    schema = etree.XMLSchema(etree.parse(str(PUBLISHED / "iati-activities-schema.xsd")))
    schema.assertValid(etree.fromstring(export(agreed)))


@needs_schema
def test_the_published_example_of_results_comes_through_whole(agreed: Database) -> None:
    example = (PUBLISHED / "24-results.xml").read_bytes().replace(b'version="xx"', b'version="2.03"')
    taken = load(agreed, example)
    assert taken > 0
    assert results(export(agreed))[1:] == results(example)


TEXTS = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn")), min_size=1, max_size=30
).filter(lambda text: text.strip() and not any(ord(char) in {0xFFFE, 0xFFFF} for char in text))
NODES = st.recursive(
    st.builds(lambda text: ["narrative", {}, text, []], TEXTS),
    lambda inner: st.builds(
        lambda name, attributes, children: [name, attributes, "", children],
        st.sampled_from(["indicator", "period", "{https://other.example/ns}extra"]),
        st.dictionaries(
            st.sampled_from(["value", "code", "{http://www.w3.org/XML/1998/namespace}lang"]),
            TEXTS,
            max_size=2,
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(lambda children: ["result", {"type": "1"}, "", children], st.lists(NODES, max_size=3)),
        max_size=3,
    )
)
def test_whatever_results_are_written_are_read_again(nodes: list[Any]) -> None:
    about = iati.About(
        "harbour", "Falls", "Fewer falls", "en", ("city", "The City"), [], "2", [("1", "2026-03-01")]
    )
    assert results(iati.write(about, nodes, datetime(2026, 7, 1, tzinfo=UTC))) == nodes


BOMB = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1 or str()};" * 10}">' for n in range(1, 9))
    + "]>"
)
HOSTILE = {
    "an entity bomb": (
        file("<result><title>&lol8;</title></result>", before=BOMB),
        "document type|well-formed",
    ),
    "an external entity": (
        file("<result>&x;</result>", before='<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "document type",
    ),
    "an external document type": (
        file(ONE, before='<!DOCTYPE r SYSTEM "http://evil.example/r.dtd">'),
        "document type",
    ),
    "half a file": (file(ONE)[:-20], "line 1"),
    "no XML": (b"{}", "well-formed"),
    "nothing": (b"", "well-formed"),
    "another encoding than it says": (
        b'<?xml version="1.0" encoding="UTF-8"?><a>\xff\xfe</a>',
        "well-formed",
    ),
    "endless depth": (file("<result>" + "<a>" * 5000 + "</a>" * 5000 + "</result>"), "well-formed"),
    "too much": (b" " * (iati.MAX_BYTES + 1), "8 MiB"),
    "another kind of file": (b"<html/>", "IATI activity file"),
    "an older version": (
        b'<iati-activities version="1.05"><iati-activity/></iati-activities>',
        "2.01 to 2.03",
    ),
    "no activity": (b'<iati-activities version="2.03"/>', "IATI activity file"),
    "text among elements": (file("<result>words<title/></result>"), "not both"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_or_broken_file_is_refused_and_changes_nothing(agreed: Database, what: str) -> None:
    data, words = HOSTILE[what]
    before = contents(agreed)
    with pytest.raises(Invalid, match=words):
        load(agreed, data)
    assert contents(agreed) == before


def test_an_inclusion_is_kept_as_it_is_and_never_followed(agreed: Database) -> None:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    load(agreed, file(f'<result type="1">{include}</result>'))
    assert b"root:" not in export(agreed)


def test_of_several_activities_the_one_with_our_identifier_counts(agreed: Database) -> None:
    other = "<iati-activity><iati-identifier>other</iati-identifier></iati-activity>"
    data = file(ONE).replace(b"</iati-activities>", other.encode() + b"</iati-activities>")
    assert load(agreed, data) == 1
    with pytest.raises(Invalid, match="The file has: a, other"):
        load(agreed, data.replace(b">harbour<", b">a<"))


def test_a_member_imports_nothing(agreed: Database) -> None:
    from lifecycle.partnerships import registration
    from tests.builders import organisation, person

    entry = organisation("city") | {"contacts": [person("city-member", "member", "city")]}
    registration.put_partner(agreed, "harbour", entry, "city-primary", NOW)
    with pytest.raises(NotAllowed, match="cannot import results"):
        load(agreed, file(ONE), "city-member")
