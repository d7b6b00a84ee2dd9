"""The root field `search`: its types, its query tree, and the catalogue's answer in the shape that was asked for.

At most `MOST_HITS` results are given at once, so the answer is small and is put together here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLString,
)

from tomoportal.api.graphql.inputs import list_of, some
from tomoportal.catalog.compile.search import MOST_HITS
from tomoportal.catalog.search.passages import SUBJECTS
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.registry import entity as entity_named

SEARCH = "search"
USUAL = 20
"""Results without `limit`."""

Shape = tuple[tuple[str, str, "Shape | None"], ...]
"""(key, name of the field, shape of what lies in it)."""
Below = Callable[[list[FieldNode], str], Iterator[tuple[str, str, list[FieldNode]]]]
"""The (key, name, nodes) that nodes select of a type."""

_TYPES = {entity_named(name).names.graphql: name for name in SUBJECTS}


def search_field() -> GraphQLField:
    """`search(text, types, limit, offset)`."""
    kinds = GraphQLEnumType(
        "SearchType",
        {type: GraphQLEnumValue(name) for type, name in _TYPES.items()},
        description="What can be searched for.",
    )
    arguments = {
        "text": GraphQLArgument(
            some(GraphQLString),
            description='Words, of which each must occur or begin a word; "words in quotes" stand side by side; -word must not occur.',
        ),
        "types": GraphQLArgument(list_of(kinds), default_value=None, description="All when left out."),
        "limit": GraphQLArgument(GraphQLInt, default_value=USUAL, description=f"Up to {MOST_HITS}."),
        "offset": GraphQLArgument(GraphQLInt, default_value=0),
    }
    return GraphQLField(
        some(_results()), args=arguments, description="Rows of several types that fit words, best first."
    )


def _results() -> GraphQLObjectType:
    part = GraphQLObjectType(
        "SearchPart", {"text": _text("A piece of the text."), "isMatch": GraphQLField(some(GraphQLBoolean))}
    )
    match = GraphQLObjectType(
        "SearchMatch",
        {
            "label": _text("Kind of text: identifier, title, object, organism, author, …"),
            "snippet": _text("The text around what matches."),
            "parts": GraphQLField(
                some(list_of(part)), description="The same, in pieces that match or do not."
            ),
        },
        description="A text in which words were found.",
    )
    hit = GraphQLObjectType(
        "SearchHit",
        {
            "type": _text("GraphQL type of the row."),
            "id": GraphQLField(some(GraphQLInt)),
            "title": GraphQLField(GraphQLString, description="Its title, or its name or object."),
            "score": GraphQLField(some(GraphQLInt), description="Comparable within one search."),
            "matchedIn": GraphQLField(some(list_of(GraphQLString)), description="Labels of the matches."),
            "snippet": _text("The text of the best match."),
            "matches": GraphQLField(some(list_of(match)), description="Where words were found, best first."),
        },
        description="A row that fits.",
    )  # fmt: skip
    count = GraphQLObjectType(
        "SearchCount", {"type": _text("GraphQL type."), "count": GraphQLField(some(GraphQLInt))}
    )
    return GraphQLObjectType(
        "SearchResults",
        {
            "total": GraphQLField(some(GraphQLInt), description="Rows that fit."),
            "counts": GraphQLField(some(list_of(count)), description="The same by type, without zeros."),
            "hits": GraphQLField(some(list_of(hit)), description="Ties: later release, then smaller id."),
        },
    )


def _text(description: str) -> GraphQLField:
    return GraphQLField(some(GraphQLString), description=description)


def asked(arguments: dict[str, Any]) -> query.Ranked:
    """The query tree. Raises `QueryError`."""
    for name in ("limit", "offset"):
        if (arguments[name] or 0) < 0:
            raise QueryError(f"{name} must be 0 or more, not {arguments[name]}")
    limit = USUAL if arguments["limit"] is None else arguments["limit"]
    return query.Ranked(
        arguments["text"],
        tuple(dict.fromkeys(arguments["types"] or ())),
        limit=limit,
        offset=arguments["offset"] or 0,
    )


_INSIDE = {
    ("SearchResults", "counts"): "SearchCount",
    ("SearchResults", "hits"): "SearchHit",
    ("SearchHit", "matches"): "SearchMatch",
    ("SearchMatch", "parts"): "SearchPart",
}


def shape(below: Below, nodes: list[FieldNode], type: str = "SearchResults") -> Shape:
    """What is selected of the results."""
    made: list[tuple[str, str, Shape | None]] = []
    for key, name, inner in below(nodes, type):
        target = _INSIDE.get((type, name))
        made.append(
            (
                key,
                json.dumps(type) if name == "__typename" else name,
                shape(below, inner, target) if target else None,
            )
        )
    return tuple(made)


def shaped(answer: str, wanted: Shape) -> str:
    """The catalogue's answer to the query tree in this shape."""
    found = json.loads(answer)
    for item in found["counts"]:
        item["type"] = entity_named(item["entity"]).names.graphql
    for hit in found["hits"]:
        hit["type"] = entity_named(hit["entity"]).names.graphql
        hit["matchedIn"] = [match["label"] for match in hit["matches"]]
        hit["snippet"] = hit["matches"][0]["text"]
        for match in hit["matches"]:
            match["snippet"] = match["text"]
    return json.dumps(_cut(found, wanted), ensure_ascii=False, separators=(",", ":"))


def _cut(found: Any, wanted: Shape | None) -> Any:
    if wanted is None:
        return found
    if isinstance(found, list):
        return [_cut(item, wanted) for item in found]
    return {
        key: json.loads(name) if name.startswith('"') else _cut(found[name], inner)
        for key, name, inner in wanted
    }
