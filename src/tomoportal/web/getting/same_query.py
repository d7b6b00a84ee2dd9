"""What a list shows, asked for in other ways: GraphQL, the Python client, the command line. Each gives the rows of all its pages.

A list is narrowed by its filters; here they become one query tree, which is printed. What a notation cannot say is said by the ids of
the rows, as long as they are few.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Iterator
from functools import partial

from tomoportal.client.document import camel, where_object
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.registry import entity
from tomoportal.web.context import Visit
from tomoportal.web.entities.downloads import Command
from tomoportal.web.getting import python_code
from tomoportal.web.lists.filter_kinds import AllOf, Chosen, Filter, OneOf, Range, Written, bounds
from tomoportal.web.lists.filters import Choice, Sort
from tomoportal.web.lists.listing import Listing
from tomoportal.web.lists.numbers import bounded

MOST_IDS = 200
"""Rows that are named by their ids where nothing else is possible."""
MOST_TARGETS = 50
"""Rows that a command to download names."""
Writer = Callable[[type[Entity], query.Condition, Sort], str]


def condition(choice: Choice) -> query.Condition:
    """What the rows of a list fulfil, the search box included. Filters about what is inside rows speak of the same one."""
    inside = [part for item, part in _parts(choice) if choice.of.inner and _is_inside(item, choice.of.inner)]
    outside = [
        part for item, part in _parts(choice) if not (choice.of.inner and _is_inside(item, choice.of.inner))
    ]
    if choice.text:
        outside.insert(0, choice.of.text(choice.text))
    if inside:
        outside.append(query.Related(choice.of.inner, query.all_of(inside)))
    return query.all_of(outside)


def same_query(visit: Visit, listing: Listing) -> tuple[Command, ...]:
    """The ways to ask for the rows of a list, and to download them where they are few."""
    kind = entity(listing.choice.of.entity)
    is_few = listing.found.bit_count() <= MOST_IDS
    ids = listing.members.places.ids(listing.found) if is_few else ()
    where = query.all_of([listing.members.within, condition(listing.choice)])
    by_ids = query.Compare("id", "in", ids) if is_few else None
    sort = listing.choice.sort
    graphql = _said(_graphql, kind, (where, by_ids), sort)
    python = _said(partial(_python, visit.base), kind, (where, by_ids), sort)
    forms = []
    if graphql:
        forms += [Command("GraphQL", graphql), Command("Command line", _query(visit, graphql))]
    if python:
        forms.append(Command("Python", python))
    if 0 < len(ids) <= MOST_TARGETS and not kind.__name__.startswith("Dep"):
        words = [
            "tomoportal",
            "download",
            kind.__name__.lower(),
            *map(str, ids),
            "--url",
            visit.base,
            "--to",
            "downloads",
        ]
        forms.append(Command("Download all of them", shlex.join(words)))
    return tuple(forms)


def _parts(choice: Choice) -> Iterator[tuple[Filter, query.Condition]]:
    for item in choice.of.filters:
        if item.parameter in choice.chosen:
            yield item, _meant(item, choice)


def _is_inside(item: Filter, inner: str) -> bool:
    return item.path[0] == inner if isinstance(item, OneOf) else bool(getattr(item, "inside", False))


def _meant(item: Filter, choice: Choice) -> query.Condition:
    values, chosen = choice.chosen[item.parameter], choice.chosen
    match item:
        case OneOf():
            return _any_value(item, values, choice)
        case AllOf():
            return query.all_of(demand.condition for demand in item.demands if demand.value in values)
        case Written():
            return item.meaning(values)
        case Range():
            return _between(item, *bounds(values), choice.of.inner, chosen)
    raise QueryError(f"The filter {item.parameter} has no condition.")


def _any_value(item: OneOf, values: tuple[str, ...], choice: Choice) -> query.Condition:
    wanted = tuple(item.kind_of_value(value) for value in values)
    paths = [item.path]
    if item.counted and item.counted.parameter in choice.chosen:
        low, high = bounds(choice.chosen[item.counted.parameter])
        ranged = bounded(item.counted.measured.field, low, high)
        one = query.all_of([*ranged, query.Compare(item.path[-1], "in", wanted)])
        return query.Related(item.counted.measured.relation, one)
    if item.other_path and item.only_path not in choice.chosen:
        paths.append(item.other_path)
    inner = choice.of.inner if _is_inside(item, choice.of.inner) else ""
    either = tuple(
        query.through(way[:-1], query.Compare(way[-1], "in", wanted))
        for way in (path[1:] if inner else path for path in paths)
    )
    return either[0] if len(either) == 1 else query.Or(either)


def _between(item: Range, low: float, high: float, inner: str, chosen: Chosen) -> query.Condition:
    measured = item.measured
    if not measured.field:
        counts = (("gte", low), ("lte", high))
        return query.all_of(
            query.RelatedCount(inner, query.EVERYTHING, operator, int(bound))  # type: ignore[arg-type]
            for operator, bound in counts
            if math.isfinite(bound)
        )
    parts = list(bounded(measured.field, low, high))
    parameter, field = item.of_value
    if parameter in chosen:
        parts.append(query.Compare(field, "in", chosen[parameter]))
    return query.Related(measured.relation, query.all_of(parts)) if measured.relation else query.all_of(parts)


def _said(write: Writer, kind: type[Entity], asked: tuple[query.Condition | None, ...], sort: Sort) -> str:
    """The first of the conditions that can be written; empty when none can."""
    for where in asked:
        try:
            if where is not None:
                return write(kind, where, sort)
        except QueryError:
            continue
    return ""


def _title(kind: type[Entity]) -> str:
    return "title" if "title" in kind.fields else "name"


def _graphql(kind: type[Entity], where: query.Condition, sort: Sort) -> str:
    parts = where.conditions if isinstance(where, query.And) else (where,)
    searched = [part for part in parts if isinstance(part, query.Search)]
    plain = where_object(kind, query.all_of(part for part in parts if not isinstance(part, query.Search)))
    if searched:
        said = f"search: {json.dumps(searched[0].text, ensure_ascii=False)}"
        plain = f"{{{said}{', ' if plain != '{}' else ''}{plain[1:]}"
    orders = ", ".join(_ordered(_path(kind, order), order.direction) for order in sort.order)
    arguments = [f"where: {plain}"] if plain != "{}" else []
    arguments += [f"orderBy: [{orders}]"] if orders else []
    called = f"({', '.join(arguments)})" if arguments else ""
    return f"{{ {kind.names.root}{called} {{ id {_title(kind)} }} }}"


def _path(kind: type[Entity], order: query.Order) -> tuple[str, ...]:
    """The way to what rows are put in order by; keys of other rows are their ids."""
    *before, last = order.path
    relation = last.removesuffix("_id")
    return (relation, "id") if not before and last != relation and relation in kind.relations else order.path


def _ordered(path: tuple[str, ...], direction: str) -> str:
    said = direction
    for name in reversed(path):
        said = f"{{{camel(name)}: {said}}}"
    return said


def _query(visit: Visit, graphql: str) -> str:
    return f"tomoportal query {shlex.quote(graphql)} --url {shlex.quote(visit.base)}"


def _python(base: str, kind: type[Entity], where: query.Condition, sort: Sort) -> str:
    filters = python_code.filters(kind, where)
    imported = ", ".join(["Client", *python_code.classes(kind, where)])
    order = [("-" if one.direction == "desc" else "") + ".".join(_path(kind, one)) for one in sort.order]
    arguments = ["client"]
    arguments += [f"[{', '.join(filters)}]"] if filters else []
    arguments += [f"order_by={order}"] if order else []
    lines = [
        f"from tomoportal import {imported}",
        "",
        f"client = Client({json.dumps(base)})",
        f"for item in {kind.__name__}.find({', '.join(arguments)}):",
        f"    print(item.id, item.{_title(kind)})",
    ]
    return "\n".join(lines)
