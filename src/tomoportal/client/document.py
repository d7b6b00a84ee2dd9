"""Query tree → GraphQL document, as the portal's `/graphql` understands it. Pure.

Conjunctions, and negations of single comparisons, are said without `_and`, `_or` and `_not`, which only portals like ours know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tomoportal.client.values import checked
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind
from tomoportal.model.registry import ENTITIES, entity

Words = Mapping[str, frozenset[str]]
"""GraphQL type → names of its fields."""

LONG = 200
"""Lists of more values travel beside the text, which the portal has to parse."""

_OPPOSITE: dict[str, query.Operator] = {
    "eq": "neq", "in": "nin", "lt": "gte", "gt": "lte", "like": "nlike", "ilike": "nilike", "regex": "nregex", "iregex": "niregex",
}  # fmt: skip
_OPPOSITE |= {opposite: operator for operator, opposite in _OPPOSITE.items()}  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Document:
    """A GraphQL query and the values of its variables."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)


def camel(name: str) -> str:
    """`size_x` → `sizeX`: how fields are spelled in GraphQL."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def list_document(select: query.Select, words: Words | None = None) -> Document:
    """Asks for the rows of `select`; to-many relations as connections, with whether there is more. Without fields that `words` lacks."""
    kind = entity(select.entity)
    lists = _Lists()
    arguments = [f"where: {where_object(kind, select.where, lists)}"]
    if select.order_by:
        arguments.append(f"orderBy: [{', '.join(_order(item) for item in select.order_by)}]")
    if select.limit is not None:
        arguments.append(f"limitOffset: {{limit: {select.limit}, offset: {select.offset}}}")
    fields = _fields(kind, select.fields, words)
    text = f"query{lists.declared} {{ {kind.names.root}({', '.join(arguments)}) {{ {fields} }} }}"
    return Document(text, lists.values)


def count_document(kind: type[Entity], where: query.Condition) -> Document:
    """Asks how many rows there are."""
    lists = _Lists()
    root = f"{kind.names.root}Aggregate(where: {where_object(kind, where, lists)})"
    return Document(f"query{lists.declared} {{ {root} {{ aggregate {{ count }} }} }}", lists.values)


def known_words(ask: Callable[[str], Mapping[str, Any]]) -> Words | None:
    """What a portal knows, when it lacks a field that the model has; `ask` answers a document."""
    answer = ask("query { __schema { types { name fields { name } } } }")
    types = {one["name"]: one["fields"] or [] for one in answer["__schema"]["types"]}
    words = {name: frozenset(one["name"] for one in fields) for name, fields in types.items()}
    ours = {kind.names.graphql: {camel(one.name) for one in kind.public_fields()} for kind in ENTITIES}
    return words if any(names - words.get(name, frozenset()) for name, names in ours.items()) else None


def where_object(kind: type[Entity], condition: query.Condition, lists: _Lists | None = None) -> str:
    """A condition as a GraphQL input object; long lists go to `lists`."""
    return _text(_clause(kind, condition, lists or _Lists(longest=None)))


@dataclass
class _Lists:
    """The variables of a document: long lists of values."""

    longest: int | None = LONG
    values: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def said(self, of: Field, value: Any) -> str:
        """A checked value as a literal, or the variable that stands for it."""
        if not isinstance(value, list) or self.longest is None or len(value) <= self.longest:
            return _literal(of, value)
        name = f"list{len(self.values)}"
        self.values[name] = value
        self.types[name] = f"[{of.enum.__name__ if of.enum else of.kind.value}!]"
        return f"${name}"

    @property
    def declared(self) -> str:
        """What stands between `query` and the braces."""
        return f"({', '.join(f'${name}: {type}' for name, type in self.types.items())})" if self.types else ""


_Clause = dict[str, Any]
"""Names → clauses, lists of clauses (`_and`, `_or`) or GraphQL text."""


def _clause(kind: type[Entity], condition: query.Condition, lists: _Lists) -> _Clause:
    match condition:
        case query.And(parts):
            return _conjunction([_clause(kind, part, lists) for part in parts], kind)
        case query.Or(parts):
            return {"_or": [_clause(kind, part, lists) for part in parts]}
        case query.Not(query.Compare() as part) if (opposite := _opposite(part)) is not None:
            return _clause(kind, opposite, lists)
        case query.Not(part):
            return {"_not": _clause(kind, part, lists)}
        case query.Compare(name, operator, value):
            of = kind.fields[name]
            said = json.dumps(value) if operator == "is_null" else lists.said(of, checked(of, value))
            return {camel(name): {f"_{operator}": said}}
        case query.Related(name, part):
            return {camel(name): _clause(entity(kind.relations[name].target), part, lists)}
    raise QueryError(f"{condition!r} cannot be said in GraphQL.")


def _conjunction(clauses: list[_Clause], kind: type[Entity]) -> _Clause:
    """One clause, with what does not fit into it below `_and`: another row of the same relation, the same comparator of the same field."""
    scalars = {camel(one.name) for one in kind.public_fields()}
    whole: _Clause = {}
    rest: list[_Clause] = []
    for clause in clauses:
        common = clause.keys() & whole.keys()
        if any(name not in scalars or clause[name].keys() & whole[name].keys() for name in common):
            rest.append(clause)
        else:
            whole |= {
                name: {**whole[name], **clause[name]} if name in common else clause[name] for name in clause
            }
    if not rest:
        return whole
    return {"_and": [whole, *rest]}


def _opposite(part: query.Compare) -> query.Compare | None:
    """The comparison that holds where `part` is false, neither holding for rows without a value."""
    if part.operator == "is_null":
        return query.Compare(part.field, "is_null", not part.value)
    if part.operator not in _OPPOSITE or part.value == ():
        return None
    return query.Compare(part.field, _OPPOSITE[part.operator], part.value)


def _text(clause: Any) -> str:
    if isinstance(clause, dict):
        return f"{{{', '.join(f'{name}: {_text(part)}' for name, part in clause.items())}}}"
    if isinstance(clause, list):
        return f"[{', '.join(_text(part) for part in clause)}]"
    return str(clause)


def _literal(of: Field, value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(of, item) for item in value)}]"
    return str(value) if of.kind is Kind.ENUM and value is not None else json.dumps(value)


def _fields(kind: type[Entity], selections: tuple[query.Selection, ...], words: Words | None) -> str:
    known = words.get(kind.names.graphql) if words is not None else None
    said: list[str] = []
    for one in selections:
        match one:
            case query.Value(_, name):
                said += [camel(name)] if known is None or camel(name) in known else []
            case query.One(_, relation, inner):
                said.append(f"{camel(relation)} {{ {_fields(_target(kind, relation), inner, words)} }}")
            case query.Many(_, relation, inner):
                nodes = _fields(_target(kind, relation), inner, words)
                said.append(
                    f"{camel(relation)} {{ edges {{ node {{ {nodes} }} }} pageInfo {{ hasNextPage }} }}"
                )
            case _:
                raise QueryError(f"{one!r} cannot be asked for by the client.")
    return " ".join(said)


def _target(kind: type[Entity], relation: str) -> type[Entity]:
    return entity(kind.relations[relation].target)


def _order(item: query.Order) -> str:
    *relations, name = item.path
    direction = item.direction + (f"_nulls_{item.nulls}" if item.nulls else "")
    text = f"{{{camel(name)}: {direction}}}"
    for relation in reversed(relations):
        text = f"{{{camel(relation)}: {text}}}"
    return text
