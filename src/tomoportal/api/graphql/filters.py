"""Where clauses and orders, as plain values, → conditions of the query tree."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import Undefined

from tomoportal.api.graphql.vocabulary import Words
from tomoportal.errors import QueryError
from tomoportal.model import query

Vocabulary = Mapping[str, Words]

_PLACE = re.compile(r"[0-9]{1,18}")


def condition(vocabulary: Vocabulary, words: Words, where: Mapping[str, Any] | None) -> query.Condition:
    """Everything that a where clause demands; an empty or null clause demands nothing."""
    return query.all_of(
        part for name, value in (where or {}).items() for part in _clause(vocabulary, words, name, value)
    )


def _clause(vocabulary: Vocabulary, words: Words, name: str, value: Any) -> list[query.Condition]:
    if name in words.fields:
        if value is None:
            raise QueryError(
                f"{words.type}.{name}: a null comparator says nothing; ask {{_is_null: true}} for rows without a value"
            )
        return [query.Compare(words.fields[name].name, _operator(word), item) for word, item in value.items()]
    if value is None:
        return []
    match name:
        case "_and":
            return [condition(vocabulary, words, part) for part in value]
        case "_or":
            return [query.Or(tuple(condition(vocabulary, words, part) for part in value))]
        case "_not":
            return [query.Not(condition(vocabulary, words, value))]
        case "search":
            return [query.Search(value)]
    if relation := words.related(name):
        return _counted(vocabulary, vocabulary[relation.target], relation.name, value["count"])
    relation = words.relations[name]
    return [query.Related(relation.name, condition(vocabulary, vocabulary[relation.target], value))]


def _counted(
    vocabulary: Vocabulary, target: Words, relation: str, count: Mapping[str, Any]
) -> list[query.Condition]:
    where = condition(vocabulary, target, count.get("filter"))
    argument = count.get("arguments")
    column = target.fields[argument].name if argument else None
    return [
        query.RelatedCount(relation, where, _operator(word), value, column, bool(count.get("distinct")))
        for word, value in (count.get("predicate") or {}).items()
    ]


def _operator(word: str) -> Any:
    return word.removeprefix("_")


def orders(
    vocabulary: Vocabulary, words: Words, clauses: Any, path: tuple[str, ...] = ()
) -> tuple[query.Order, ...]:
    """Orders in the order written. `clauses` is one clause or a list of them."""
    if clauses is None or clauses is Undefined:
        return ()
    if isinstance(clauses, Sequence) and not isinstance(clauses, (str, Mapping)):
        return tuple(order for clause in clauses for order in orders(vocabulary, words, clause, path))
    found: list[query.Order] = []
    for name, value in clauses.items():
        if value is None or value is Undefined:
            continue
        if name in words.fields:
            direction, _, nulls = value.partition("_nulls_")
            found.append(query.Order((*path, words.fields[name].name), direction, nulls or None))
        else:
            relation = words.relations[name]
            target = vocabulary[relation.target]
            found += orders(vocabulary, target, value, (*path, relation.name))
    return tuple(found)


def place(cursor: str | None) -> int | None:
    """The place, from 0, that a cursor stands for."""
    if cursor is None:
        return None
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
    except ValueError:
        word = number = ""
    if word != "arrayconnection" or not _PLACE.fullmatch(number):
        raise QueryError(f"{cursor!r} is not a cursor of this portal")
    return int(number)


def natural(name: str, number: int | None) -> int | None:
    """A number of rows. Raises `QueryError` when it is negative."""
    if number is not None and number < 0:
        raise QueryError(f"{name} must be 0 or more, not {number}")
    return number
