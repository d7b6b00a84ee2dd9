"""What a search found, as pages tell it: where it matched, with the words marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.catalog.search.terms import terms
from tomoportal.model import query

Parts = tuple[tuple[str, bool], ...]
"""A text in pieces, with whether they match."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text in which words were found, and what it is."""

    where: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found; `matches` besides those in its title."""

    entity: str
    id: int
    title: Parts
    matches: tuple[Match, ...] = ()


def best(
    view: View, entity: str, text: str, where: query.Condition, limit: int, offset: int = 0
) -> tuple[Hit, ...]:
    """Rows of an entity that fulfil `where`, best match first; none when the text has no words to look for."""
    if not terms(text).wanted:
        return ()
    found = view.search(query.Ranked(text, (entity,), where, limit, offset))
    return tuple(hit_of(hit) for hit in found["hits"])


def hit_of(hit: dict[str, Any]) -> Hit:
    """A result as the catalogue answers it."""
    shown, matches = hit["title"] or "", hit["matches"]
    in_title = next((match for match in matches if match["text"] == shown), None)
    title = _parts(in_title) if in_title else ((shown, False),)
    others = (Match(match["words"], _parts(match)) for match in matches if match is not in_title)
    return Hit(hit["entity"], hit["id"], title, tuple(others))


def hits_of(view: View, entity: str, text: str, ids: Sequence[int]) -> dict[int, Hit]:
    """Where these rows match, by id."""
    return {hit.id: hit for hit in best(view, entity, text, query.Compare("id", "in", tuple(ids)), len(ids))}


def _parts(match: dict[str, Any]) -> Parts:
    return tuple((part["text"], part["isMatch"]) for part in match["parts"])
