"""What the domain says is said in pages without commands, and with names."""

import pytest
from fastapi.testclient import TestClient

from lifecycle.partnerships.people import Contact, People
from lifecycle.portal import pages

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
