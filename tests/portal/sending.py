"""What a browser without JavaScript would send of a page's form."""

from typing import Any

from lxml import html
from lxml.html import HtmlElement

Pairs = list[tuple[str, str]]


def form_of(page: str, action: str = "") -> HtmlElement:
    """The page's form that posts to an address that contains `action`."""
    found = [form for form in html.fromstring(page).iter("form") if action in (form.get("action") or "")]
    assert len(found) == 1, [form.get("action") for form in found]
    return found[0]


def pairs_of(form: HtmlElement) -> Pairs:
    """The names and values of its fields, in their order (HTML, section 4.10.21.4), without its buttons."""
    return [pair for field in form.iter("input", "select", "textarea") for pair in _pairs(field)]


def _pairs(field: HtmlElement) -> Pairs:
    name = field.get("name")
    if name is None:
        return []
    if field.tag == "textarea":
        # The line break after the tag is no content; others are sent as CRLF.
        text = field.text or ""
        return [(name, text.removeprefix("\n").replace("\n", "\r\n"))]
    if field.tag == "select":
        chosen = field.xpath("./option[@selected]") or field.xpath("./option")[:1]
        return [(name, one.get("value")) for one in chosen]
    if field.get("type") in {"checkbox", "radio"} and field.get("checked") is None:
        return []
    return [(name, field.get("value") or "")]


def without(pairs: Pairs, *names: str) -> Pairs:
    """The pairs of other names."""
    return [pair for pair in pairs if pair[0] not in names]


def filled(pairs: Pairs, **values: Any) -> Pairs:
    """The pairs with other values; a name is a JSON pointer with `__` for its slashes."""
    named = {name.replace("__", "/"): str(value) for name, value in values.items()}
    return [*without(pairs, *named), *named.items()]
