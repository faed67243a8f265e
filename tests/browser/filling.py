"""Filling a form as somebody does who has the document beside it: fields are found by their names, which are JSON pointers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect


def fill_document(page: Page, content: Mapping[str, Any]) -> None:
    """Fill a document's form and save it; of a long document, part after part.

    Args:
        page: at the form, or at the list of its parts.
    """
    if not page.locator("ul.parts").count():
        fill(page, content)
        save(page)
        return
    names = page.locator("ul.parts > li").evaluate_all("items => items.map(one => one.id)")
    loose = {key: value for key, value in content.items() if key not in names}
    for name in names:
        fill_part(page, name, loose if name == "basics" else content.get(name))


def fill_part(page: Page, name: str, content: Any) -> None:
    """Fill one part of a long document from the list of its parts, save it, and be back at the list."""
    if not content:
        return
    part = page.locator(f"ul.parts > li[id='{name}']")
    if not part.get_by_role("link", name="Add one", exact=False).count():
        part.get_by_role("heading").get_by_role("link").click()
        fill(page, content, "" if name == "basics" else f"/{name}")
        save(page)
        return
    for one in content:
        part.get_by_role("link", name="Add one", exact=False).click()
        fill(page, one, f"/{name}/-")
        save(page)


def save(page: Page) -> None:
    """Save the form; it is taken."""
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    assert parse_qs(urlsplit(page.url).query)["said"] == ["saved"]


def fill(page: Page, content: Any, pointer: str = "") -> None:
    """Fill the fields below a pointer; “Add another” is pressed where there are too few.

    Raises:
        AssertionError: the form has no field for something of the content.
    """
    _Filling(page).fill(content, pointer)


class _Filling:
    """A form, and the fields that it has at present."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._look()

    def _look(self) -> None:
        """Unfold everything, and read which fields there are."""
        for folded in self.page.locator("form.document details.fold:not([open])").all()[::-1]:
            folded.locator("summary").first.click()
        found = self.page.locator("form.document [name]").evaluate_all(
            "all => all.map(one => [one.name, one.type])"
        )
        self.fields: dict[str, str] = dict(found)

    def fill(self, content: Any, pointer: str) -> None:
        if isinstance(content, Mapping):
            for key, value in content.items():
                self.fill(value, f"{pointer}/{key}")
        elif isinstance(content, list) and pointer not in self.fields:
            for index, value in enumerate(content):
                self._make_room(pointer, f"{pointer}/{index}")
                self.fill(value, f"{pointer}/{index}")
        else:
            self._enter(pointer, content)

    def _make_room(self, pointer: str, item: str) -> None:
        if any(name == item or name.startswith(f"{item}/") for name in self.fields):
            return
        self.page.locator(f'button[name="add"][value="{pointer}"]').click()
        fresh = self.page.locator(f'form.document [name^="{item}/"], form.document [name="{item}"]')
        expect(fresh.first).to_be_attached()
        self._look()

    def _enter(self, pointer: str, content: Any) -> None:
        kind, field = self.fields.get(pointer), self.page.locator(f'form.document [name="{pointer}"]')
        assert kind is not None, f"no field for {pointer}"
        written = [_written(one) for one in content] if isinstance(content, list) else [_written(content)]
        if kind in {"radio", "checkbox"}:
            for value in written:
                field.and_(self.page.locator(f'[value="{value}"]')).check()
        elif kind == "select-one":
            field.select_option(written)
        else:
            field.fill("\n".join(written))


def _written(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
