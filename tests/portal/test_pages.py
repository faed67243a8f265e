"""What the domain says is said in pages without commands, and with names."""

import gc
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from lifecycle.languages import Language
from lifecycle.partnerships.people import Contact, People
from lifecycle.portal import pages
from tests.builders import registered
from tests.portal.conftest import sign_in

PEOPLE = People(
    {"harbour-clinic": "Harbour Clinic", "city": "The City"},
    {
        "amira-haddad": Contact(
            "p", "amira-haddad", "harbour-clinic", "primary", "Amira Haddad", "a@b.example", "UTC", False
        )
    },
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Put the agreement: `lifecycle put harbour agreement FILE --as CONTACT`.", "Put the agreement."),
        ("`lifecycle show ID` lists those there are.", ""),
        (
            "Say why the criterion may be passed over, with --reason.",
            "Say why the criterion may be passed over.",
        ),
        ('Give a reason: `--reason "…"`.', "Give a reason."),
        ("There is none. `lifecycle list` shows those there are.", "There is none."),
        ("A well-known thing stays as it is.", "A well-known thing stays as it is."),
    ],
)
def test_a_page_names_no_command(said: str, shown: str) -> None:
    assert pages.spoken(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Ask amira-haddad of harbour-clinic.", "Ask Amira Haddad of Harbour Clinic."),
        ("harbour-clinic-north stays.", "harbour-clinic-north stays."),
        (
            "See https://x.example/harbour-clinic and a@harbour-clinic.example.",
            "See https://x.example/harbour-clinic and a@harbour-clinic.example.",
        ),
    ],
)
def test_people_are_called_by_their_names(said: str, shown: str) -> None:
    assert pages.with_names(said, PEOPLE) == shown


def test_every_page_is_confined_whatever_it_says(site: TestClient) -> None:
    for address in ("/no-such-page", "/sign-in", "/static/portal.css"):
        headers = site.get(address).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


def test_what_another_site_posts_is_refused_before_anything_reads_it(site: TestClient) -> None:
    for site_said in (
        {"sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "same-site"},
    ):
        assert site.post("/sign-in", data={"email": "a@b.example"}, headers=site_said).status_code == 403


def test_an_address_of_the_api_that_is_none_is_a_problem_and_no_page(site: TestClient) -> None:
    answer = site.get("/v1/nothing-here")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_language_that_there_is_not_leaves_nothing_behind(site: TestClient) -> None:
    site.get("/sign-in")
    before = len([one for one in gc.get_objects() if isinstance(one, Language)])
    for number in range(20):
        site.get("/sign-in", headers={"Cookie": f"language=x{number}"})
    assert len([one for one in gc.get_objects() if isinstance(one, Language)]) == before


@pytest.mark.parametrize("charset", ["raw_unicode_escape", "utf_7", "none-such"])
def test_a_form_of_no_characters_is_refused_and_breaks_nothing(site: TestClient, charset: str) -> None:
    field = b'--x\r\nContent-Disposition: form-data; name="/email"\r\n\r\n\\ud800 +2AA-\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    answer = site.post("/sign-in", content=field, headers={"Content-Type": kind})
    assert answer.status_code in {400, 422}


def test_a_method_that_is_not_offered_is_answered_with_those_that_are(site: TestClient) -> None:
    answer = site.put("/sign-in")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_an_address_with_a_slash_too_many_leads_to_no_other_host(site: TestClient) -> None:
    for address in ("/sign-in/", "/partnerships/harbour/", "/report/token/"):
        answer = site.get(address, headers={"Host": "evil.example"}, follow_redirects=False)
        assert (answer.status_code, answer.headers.get("Location")) == (404, None)


def test_what_no_database_can_be_asked_for_is_not_found(both_sites: TestClient, now: datetime) -> None:
    registered(both_sites.app.state.database, now, stage="maintaining")  # type: ignore[attr-defined]
    sign_in(both_sites, "city-primary@city.example")
    for path in ("%00", "a%00b/documents", "harbour/promises/a%00/1", "harbour/gates/suspend?request=%00"):
        assert both_sites.get(f"/partnerships/{path}").status_code == 404, path
