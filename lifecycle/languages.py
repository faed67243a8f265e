"""The reader's language, at the edge: gettext for words, CLDR (Babel) for dates and numbers.

What the record says stays English, as it was decided, hashed and signed. `Language.sentence` says it in the reader's
language: the domain's sentences are messages whose `{gaps}` are filled, and are found again by their form.
"""

import gettext as gnu
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache, cached_property, lru_cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent

LANGUAGES = {"en": "English", "es": "Español"}
"""Code → its own name. English is what the messages are written in."""

DEFAULT = "en"
LOCALES = Path(__file__).with_name("locales")
DOMAINS = ("portal", "emails", "domain", "schemas")
"""A catalogue each: `locales/<language>/LC_MESSAGES/<domain>.po`, compiled beside it by `python -m lifecycle.catalogue`."""

# British English, as the messages are; its full date as CLDR has had it since 42.
_REGIONS = {"en": "en_GB"}
_DAYS = {"en": "EEEE d MMMM y", "es": "EEEE, d 'de' MMMM 'de' y"}
_GAP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Language:
    """One language, with its catalogues."""

    code: str
    first: str = "portal"
    """The domain whose words count before the others': `To` is said otherwise of an email than of a field."""

    @cached_property
    def catalogue(self) -> gnu.NullTranslations:
        """All catalogues in one; what is in none is given as it is."""
        found = gnu.NullTranslations()
        if self.code != DEFAULT:
            for domain in (*(one for one in DOMAINS if one != self.first), self.first):
                path = LOCALES / self.code / "LC_MESSAGES" / f"{domain}.mo"
                with path.open("rb") as file:
                    one = gnu.GNUTranslations(file)
                one.add_fallback(found)
                found = one
        return found

    @cached_property
    def locale(self) -> Locale:
        """CLDR's data."""
        return Locale.parse(_REGIONS.get(self.code, self.code))

    def gettext(self, message: str) -> str:
        """A message in this language."""
        # The empty message is a catalogue's header.
        return self.catalogue.gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """A message that depends on a number."""
        return self.catalogue.ngettext(singular, plural, number)

    def label(self, english: str) -> str:
        """A title, a description or a choice of a JSON Schema."""
        return of(self.code, "schemas").gettext(english)

    def sentence(self, english: str) -> str:
        """What the domain says, in this language; as it is where it is not of the domain's sentences."""
        return english if self.code == DEFAULT or len(english) > _LONGEST else _said(self, english)

    def day(self, value: date) -> str:
        """A date with its weekday, e.g. `Friday 27 November 2026`."""
        return format_date(value, _DAYS[self.code], locale=self.locale)

    def short_day(self, value: date) -> str:
        """A date where there is little room, e.g. `27 Nov 2026`."""
        return format_date(value, "medium", locale=self.locale)

    def month(self, value: date) -> str:
        """A month, e.g. `Nov 2026`."""
        return format_date(value, "LLL y", locale=self.locale)

    def time(self, value: datetime) -> str:
        """The time of day of an instant that is in the reader's zone already, e.g. `17:00`."""
        return format_time(value, "HH:mm", locale=self.locale)

    def when(self, instant: datetime, zone: tzinfo) -> str:
        """An instant in the reader's zone, e.g. `Friday 27 November 2026, 17:00 (Europe/London)`.

        In the hour that a clock change repeats, the offset from UTC tells the two apart.
        """
        local = instant.astimezone(zone)
        repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        offset = f" UTC{local:%z}" if repeated else ""
        return f"{self.day(local.date())}, {self.time(local)}{offset} ({zone})"

    def number(self, value: float, pattern: str = "#,##0.##") -> str:
        """A number, e.g. `1,250.5`."""
        return format_decimal(value, pattern, locale=self.locale)

    def percent(self, share: float) -> str:
        """A ratio as whole per cent, e.g. `92%`."""
        return format_percent(share, locale=self.locale)

    def listed(self, parts: Iterable[str]) -> str:
        """`a, b and c`; a repeated part once."""
        *most, last = dict.fromkeys(parts) or [""]
        return f"{', '.join(most)} {self.joint} {last}" if most else last

    @property
    def joint(self) -> str:
        """What stands before the last of several."""
        return self.gettext("and")


def of(code: str, first: str = "portal") -> Language:
    """A language by its code, the default for one that there is not; `first` is the domain that is asked first."""
    return _one(code if code in LANGUAGES else DEFAULT, first)


# Of known codes alone: what anybody writes into a cookie would be kept for ever.
_one = cache(Language)


ENGLISH = of(DEFAULT)


def accepted(header: str) -> str:
    """Which of our languages an Accept-Language header (RFC 9110, section 12.5.4) likes best."""
    wishes = []
    for part in header.split(",")[:20]:
        tag, _, weight = part.partition(";q=")
        try:
            wishes.append((-float(weight or 1), tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next((tag for weight, tag in sorted(wishes) if tag in LANGUAGES and weight < 0), DEFAULT)


_LONGEST = 4000
"""Characters; what is longer is no sentence of the domain's."""

_LONGEST_FILLING = 500
"""Characters; what is longer is the partners' own text: it is not looked into, however much it looks like ours."""


@cache
def _forms(code: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Each of the domain's messages with gaps as (its longest fixed part, what it matches, what it becomes).

    The most specific stands first.
    """
    with (LOCALES / code / "LC_MESSAGES" / "domain.mo").open("rb") as file:
        messages: dict[object, str] = gnu.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    found = []
    for message, said in messages.items():
        if isinstance(message, str) and said and _GAP.search(message):
            fixed = _GAP.split(message)[::2]
            known = sum(map(len, fixed))
            found.append((max(fixed, key=len), re.compile(_pattern(message), re.DOTALL), said, known))
    found.sort(key=lambda form: -form[3])
    return [form[:3] for form in found]


_SHORT = 5
"""Letters: of a message that has fewer besides its gaps, such as `{count} of {all}`, each gap is one word."""


def _pattern(message: str) -> str:
    seen: set[str] = set()
    filling = r"\S+?" if sum(map(str.isalpha, _GAP.sub("", message))) < _SHORT else ".*?"
    first, *rest = _GAP.split(message)
    gaps = []
    for name, fixed in zip(rest[::2], rest[1::2], strict=True):
        gap = f"(?P={name})" if name in seen else f"(?P<{name}>{filling})"
        seen.add(name)
        gaps.append(gap + re.escape(fixed))
    # A gap ends where what follows it stands first, for good (atomic groups): tried again and again, a text of a
    # partner's that looks like the message would take minutes.
    *inner, last = gaps
    return re.escape(first) + "".join(f"(?>{one})" for one in inner) + last


@lru_cache(4096)
def _said(language: Language, english: str) -> str:
    known = of(language.code, "domain").gettext(english)
    if known != english:
        return known
    return _composed(language, english) or _filled(language, english) or english


def _composed(language: Language, english: str) -> str | None:
    """A task and its problems, as criteria put them: `Name the priorities: list at least one; and 2 more.`"""
    task, mark, problems = english.partition(": ")
    if not mark or not problems.endswith(".") or language.gettext(task) == task:
        return None
    said = [
        language.sentence(f"; {one}")[2:] if one.startswith("and ") else language.sentence(one)
        for one in problems[:-1].split("; ")
    ]
    return f"{language.gettext(task)}: {'; '.join(said)}."


def _filled(language: Language, english: str) -> str | None:
    """A message whose gaps are filled; what fills them is said in this language where it is known."""
    for fixed, pattern, said in _forms(language.code):
        if fixed in english and (match := pattern.fullmatch(english)):
            return _GAP.sub(lambda gap: _filling(language, match[gap[1]]), said)
    return None


def _filling(language: Language, english: str) -> str:
    """A sentence's part, or a list of names: `measure, unit and target`."""
    if len(english) > _LONGEST_FILLING:
        return english
    said = language.sentence(english)
    parts = re.split(r"(, | and )", english)
    if said != english or any(name.count(" ") > 3 for name in parts[::2]):
        return said
    marks = {" and ": f" {language.joint} "}
    return "".join(
        marks.get(part, part) if place % 2 else _name(language, part) for place, part in enumerate(parts)
    )


def _name(language: Language, english: str) -> str:
    """A field's name, which stands in the catalogue as a title."""
    title = english.capitalize()
    said = language.gettext(title)
    return said.lower() if said != title else language.gettext(english)
