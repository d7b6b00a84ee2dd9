"""Query tree → GraphQL document, as the portal's `/graphql` understands it. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind
from tomoportal.model.registry import entity


def camel(name: str) -> str:
    """`size_x` → `sizeX`: how fields are spelled in GraphQL."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def list_document(select: query.Select) -> str:
    """The document that asks for the rows of `select`, scalars only."""
    kind = entity(select.entity)
    arguments = [f"where: {where_object(kind, select.where)}"]
    if select.order_by:
        arguments.append(f"orderBy: [{', '.join(_order(item) for item in select.order_by)}]")
    if select.limit is not None:
        arguments.append(f"limitOffset: {{limit: {select.limit}, offset: {select.offset}}}")
    fields = " ".join(camel(value.field) for value in select.fields if isinstance(value, query.Value))
    return f"query {{ {kind.names.root}({', '.join(arguments)}) {{ {fields} }} }}"


def count_document(kind: type[Entity], where: query.Condition) -> str:
    """The document that asks how many rows there are."""
    return f"query {{ {kind.names.root}Aggregate(where: {where_object(kind, where)}) {{ aggregate {{ count }} }} }}"


def where_object(kind: type[Entity], condition: query.Condition) -> str:
    """A condition as a GraphQL input object. `And`, `Or` and `Not` use the portal's `_and`, `_or`, `_not`."""
    match condition:
        case query.And(()):
            return "{}"
        case query.And(parts):
            return f"{{_and: [{', '.join(where_object(kind, part) for part in parts)}]}}"
        case query.Or(parts):
            return f"{{_or: [{', '.join(where_object(kind, part) for part in parts)}]}}"
        case query.Not(part):
            return f"{{_not: {where_object(kind, part)}}}"
        case query.Compare(name, operator, value):
            text = json.dumps(value) if operator == "is_null" else literal(kind.fields[name], value)
            return f"{{{camel(name)}: {{_{operator}: {text}}}}}"
        case query.Related(name, part):
            return f"{{{camel(name)}: {where_object(entity(kind.relations[name].target), part)}}}"
    raise QueryError(f"{condition!r} cannot be said in GraphQL.")


def literal(field: Field, value: Any) -> str:
    """A value as a GraphQL literal of the field's type. Raises `QueryError` for a value of another type."""
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(literal(field, item) for item in value)}]"
    if field.kind is Kind.ENUM:
        words = list(field.enum or ())
        if value not in words:
            raise QueryError(
                f"{field.owner.__name__}.{field.name} is one of {', '.join(words)}, not {value!r}."
            )
        return str(value)
    wanted, convert = _TYPES.get(field.kind, ("text", _text))
    converted = convert(value)
    if converted is None:
        raise QueryError(f"{field.owner.__name__}.{field.name} is {wanted}; {value!r} is not.")
    return json.dumps(converted)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    """Also of other libraries' integers, and of digits."""
    if isinstance(value, str):
        return int(value) if value.removeprefix("-").isdecimal() else None
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, Integral) else float(value)


_TYPES: dict[Kind, tuple[str, Callable[[Any], Any]]] = {
    Kind.INT: ("a whole number", _whole),
    Kind.FLOAT: ("a number", _number),
    Kind.BOOL: ("True or False", _truth),
    Kind.DATE: ("a date", _text),
}


def _order(item: query.Order) -> str:
    *relations, name = item.path
    direction = item.direction + (f"_nulls_{item.nulls}" if item.nulls else "")
    text = f"{{{camel(name)}: {direction}}}"
    for relation in reversed(relations):
        text = f"{{{camel(relation)}: {text}}}"
    return text
