"""What a contact prefers of what they read, and what a registration says of it."""

from datetime import datetime
from typing import Any

import pytest

from lifecycle.audit.queries import trail
from lifecycle.db import Database
from lifecycle.errors import Invalid, NotFound
from lifecycle.partnerships import preferences, registration
from lifecycle.partnerships.people import Contact, people_of
from tests.builders import contents, organisation, registered

CHOSEN = {"language": "es", "time_zone": "America/New_York", "digest": "monthly"}


def primary(database: Database, contact_id: str = "city-primary") -> Contact:
    with database.read() as connection:
        return people_of(connection, "harbour")["harbour"].get(contact_id)


def test_what_is_preferred_is_kept_and_the_trail_says_that_it_was_not_what(
    database: Database, now: datetime
) -> None:
    registered(database, now)
    preferences.prefer(database, "harbour", "city-primary", now, **CHOSEN)
    found = primary(database)
    assert {name: getattr(found, name) for name in CHOSEN} == CHOSEN
    assert primary(database, "city-deputy").language == "en", "it is one contact's alone"
    with database.read() as connection:
        last = trail(connection, "harbour")[-1]
    assert (last.type, last.actor, last.payload) == ("preferences_set", "city-primary", "{}")


def test_every_fault_is_named_and_nothing_is_kept(database: Database, now: datetime) -> None:
    registered(database, now)
    before = contents(database)
    with pytest.raises(Invalid) as refused:
        preferences.prefer(
            database, "harbour", "city-primary", now, language="xx", time_zone="Mars/Base", digest="hourly"
        )
    assert [fault.pointer for fault in refused.value.faults] == ["/language", "/time_zone", "/digest"]
    assert contents(database) == before


def test_nobody_unknown_has_preferences(database: Database, now: datetime) -> None:
    registered(database, now)
    with pytest.raises(NotFound):
        preferences.prefer(database, "harbour", "nobody", now, **CHOSEN)
    with pytest.raises(NotFound):
        preferences.unsubscribe(database, "harbour", "nobody", now)


def test_unsubscribing_ends_the_digest_alone_and_only_once(database: Database, now: datetime) -> None:
    registered(database, now)
    preferences.prefer(database, "harbour", "city-primary", now, **CHOSEN)
    preferences.unsubscribe(database, "harbour", "city-primary", now)
    found = primary(database)
    assert (found.digest, found.language, found.time_zone) == ("never", "es", "America/New_York")
    before = contents(database)
    preferences.unsubscribe(database, "harbour", "city-primary", now)
    assert contents(database) == before


def speaking(**languages: str) -> dict[str, Any]:
    """The city's entry, with languages by contact."""
    entry = organisation("city")
    for one in entry["contacts"]:
        if (language := languages.get(one["id"].replace("-", "_"))) is not None:
            one["language"] = language
    return entry


def test_a_registration_says_the_language_or_it_is_english(database: Database, now: datetime) -> None:
    registered(database, now, partners=[organisation("clinic"), speaking(city_primary="es")])
    assert (primary(database).language, primary(database, "city-deputy").language) == ("es", "en")


def test_a_put_changes_the_language_that_it_says_and_keeps_the_others(
    database: Database, now: datetime
) -> None:
    registered(database, now)
    preferences.prefer(database, "harbour", "city-primary", now, **CHOSEN)
    entry = speaking(city_deputy="es")
    registration.put_partner(database, "harbour", entry, "city-sponsor", now)
    found = {id_: primary(database, f"city-{id_}").language for id_ in ("primary", "deputy", "sponsor")}
    assert found == {"primary": "es", "deputy": "es", "sponsor": "en"}
    assert primary(database).digest == "monthly"
    registration.put_partner(database, "harbour", speaking(city_primary="en"), "city-sponsor", now)
    assert primary(database).language == "en"


def test_a_contact_who_comes_later_reads_english_unless_said(database: Database, now: datetime) -> None:
    registered(database, now)
    entry = speaking()
    for id_, more in (("ana", {"language": "es"}), ("bo", {})):
        entry["contacts"].append(
            {"id": id_, "role": "member", "name": id_, "email": f"{id_}@city.example", **more}
        )
    registration.put_partner(database, "harbour", entry, "city-sponsor", now)
    assert (primary(database, "ana").language, primary(database, "bo").language) == ("es", "en")


def test_a_language_that_there_is_not_is_refused_at_its_field(database: Database, now: datetime) -> None:
    registered(database, now)
    with pytest.raises(Invalid) as refused:
        registration.put_partner(database, "harbour", speaking(city_primary="fr"), "city-sponsor", now)
    assert [fault.pointer for fault in refused.value.faults] == ["/contacts/0/language"]
