"""The registry's look-alikes: other partnerships with the same purpose, goals, place and organisations (N5).

A declined need stays findable, so that the next look-alike meets it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle.gates.facts import LookAlike
from lifecycle.gates.models import registry_profile

PROFILE_WORDS = 20
"""So many distinct words of title, purpose and goals are compared: enough to tell, quick for 100,000 partnerships."""

ALIKE = 65
"""From this likeness (0–100) on, a partnership needs a disposition."""

_SHORTLIST = 50
_STOP_WORDS = frozenset(
    [
        "about",
        "after",
        "also",
        "among",
        "and",
        "are",
        "been",
        "before",
        "being",
        "between",
        "both",
        "but",
        "can",
        "could",
        "each",
        "for",
        "from",
        "further",
        "have",
        "into",
        "its",
        "more",
        "most",
        "new",
        "other",
        "our",
        "over",
        "own",
        "same",
        "should",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "under",
        "until",
        "upon",
        "very",
        "was",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "will",
        "with",
        "within",
        "without",
        "would",
        "year",
        "years",
        "partnership",
        "partnerships",
        "partners",
        "together",
        "people",
    ]
)


def profile(need_assessment: Mapping[str, Any]) -> dict[str, Any]:
    """What a need assessment is compared on: significant words, places and organisations, normalised. Pure."""
    goals = [goal.get("statement", "") for goal in need_assessment.get("goals", ())]
    text = " ".join([need_assessment.get("title", ""), need_assessment.get("purpose", ""), *goals])
    organisations = {
        item["organisation"]
        for part in ("benefits", "consultations", "commitments")
        for item in need_assessment.get(part, ())
        if "organisation" in item
    }
    return {
        "words": " ".join(_significant(text)),
        "places": sorted(_plain(place) for place in need_assessment.get("place", ())),
        "organisations": sorted(organisations),
    }


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _significant(text: str) -> list[str]:
    words = dict.fromkeys(re.findall(r"[^\W\d_]{3,}", _plain(text)))
    # Cut to seven letters: a crude stem, by which "preventing" meets "prevention".
    stems = dict.fromkeys(word[:7] for word in words if word not in _STOP_WORDS)
    return list(stems)[:PROFILE_WORDS]


def index(connection: Connection, partnership_id: str, need_assessment: Mapping[str, Any]) -> None:
    """Make a partnership findable by its newest need assessment."""
    row = {"partnership_id": partnership_id, **profile(need_assessment)}
    insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name]
    statement: Any = insert(registry_profile).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["partnership_id"], set_=row))


def find(connection: Connection, partnership_id: str, at_least: int = ALIKE) -> tuple[LookAlike, ...]:
    """The registry's partnerships that resemble this one, most alike first; none before its need is assessed.

    Args:
        at_least: the likeness, 0–100.
    """
    from rapidfuzz import fuzz, process

    own = connection.execute(
        select(registry_profile).where(registry_profile.c.partnership_id == partnership_id)
    ).one_or_none()
    if own is None:
        return ()
    others = connection.execute(select(registry_profile.c.partnership_id, registry_profile.c.words)).all()
    words = {row[0]: row[1] for row in others if row[0] != partnership_id}
    close = process.extract(own.words, words, scorer=fuzz.token_set_ratio, score_cutoff=50, limit=_SHORTLIST)
    return _rank(connection, own, {other: score for _, score, other in close}, at_least)


def _rank(
    connection: Connection, own: Row[Any], wording: Mapping[str, float], at_least: int
) -> tuple[LookAlike, ...]:
    from lifecycle.partnerships.models import partnership

    rows = connection.execute(
        select(registry_profile, partnership.c.title, partnership.c.stage)
        .join(partnership, partnership.c.id == registry_profile.c.partnership_id)
        .where(registry_profile.c.partnership_id.in_(list(wording)))
    )
    found = [_compare(own, row, wording[row.partnership_id]) for row in rows]
    return tuple(
        sorted((f for f in found if f.likeness >= at_least), key=lambda f: (-f.likeness, f.partnership_id))
    )


def _compare(own: Row[Any], other: Row[Any], wording: float) -> LookAlike:
    """Wording alone can make two partnerships alike; so can half the wording with the same place and organisations."""
    place = _overlap(own.places, other.places)
    organisations = _overlap(own.organisations, other.organisations)
    likeness = round(max(wording, wording / 2 + 25 * place + 25 * organisations))
    alike = {"purpose and goals": wording >= ALIKE, "place": place > 0, "organisations": organisations > 0}
    return LookAlike(
        other.partnership_id,
        other.title,
        other.stage,
        likeness,
        tuple(name for name, holds in alike.items() if holds),
    )


def _overlap(a: Sequence[str], b: Sequence[str]) -> float:
    """Szymkiewicz–Simpson overlap: 1 when the smaller set lies within the larger."""
    smaller = min(len(a), len(b))
    return len(set(a) & set(b)) / smaller if smaller else 0.0
