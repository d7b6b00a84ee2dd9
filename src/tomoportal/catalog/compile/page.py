"""Connections: pages of related rows with edges, cursors and facts about the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tomoportal.catalog.compile.condition import all_conditions, related_rows
from tomoportal.catalog.compile.order import ordering, whole
from tomoportal.catalog.compile.shape import Members, Shape
from tomoportal.catalog.compile.writer import Source, Writer
from tomoportal.errors import QueryError
from tomoportal.model import query
from tomoportal.model.fields import Kind

MembersOf = Callable[[Writer, Source, Sequence[query.Selection], Shape], Members]


def page(writer: Writer, source: Source, selected: query.Page, shape: Shape, members_of: MembersOf) -> str:
    """The connection as a JSON object; `members_of` makes the members of a row."""
    if not source.relation(selected.relation).many:
        raise QueryError(f"{source.entity.__name__}.{selected.relation} leads to one row, not to many")
    for name in ("start", "stop", "first", "last"):
        if (number := getattr(selected, name)) is not None:
            whole(name, number)
    members = []
    for part in selected.fields:
        match part:
            case query.Constant():
                member = writer.dialect.constant(part.value)
            case query.Edges():
                edges = _edges(writer, source, selected, part, members_of)
                member = writer.dialect.nested(shape.put(edges, nested=True))
            case query.PageInfo():
                info = _page_info(writer, source, selected, part)
                member = writer.dialect.nested(shape.put(info, nested=True))
        members.append((part.name, member))
    return writer.dialect.json_object(members)


def _edges(
    writer: Writer, source: Source, asked: query.Page, edges: query.Edges, members_of: MembersOf
) -> str:
    target, _, join = writer.follow(source, asked.relation)
    order = ordering(writer, target, asked.order_by)
    place = f"row_number() OVER (ORDER BY {order.terms})"
    shape = Shape(writer)
    members = []
    for part in edges.fields:
        match part:
            case query.Constant():
                member = writer.dialect.constant(part.value)
            case query.Cursor():
                member = writer.dialect.shown(_cursor(writer, f"({shape.put(place)} - 1)"), Kind.STR)
            case query.Node():
                member = writer.dialect.json_object(members_of(writer, target, part.fields, shape))
        members.append((part.name, member))
    rows = (
        f"FROM {writer.table(target)}{order.joins} WHERE {all_conditions(writer, target, asked.where, join)}"
    )
    if asked.last is None:
        return shape.json_list(members, f"{rows} ORDER BY {order.terms}{_window(writer, asked)}")
    number, total = shape.put(place), shape.put("count(*) OVER ()")
    begin, end = _bounds(writer, asked, total)
    numbered = f"({shape.select()} {rows}) AS {shape.alias}"
    chosen = f"(SELECT * FROM {numbered} WHERE {number} > {begin} AND {number} <= {end} ORDER BY {number}) AS {shape.alias}"
    return writer.dialect.json_list(writer.dialect.json_object(members), chosen, writer.scope.most_rows)


def _window(writer: Writer, asked: query.Page) -> str:
    limits = [] if asked.first is None else [asked.first]
    if asked.stop is not None:
        limits.append(max(0, asked.stop - asked.start))
    limit = writer.bind(min(limits)) if limits else None
    return writer.dialect.window(limit, writer.bind(asked.start) if asked.start else None)


def _bounds(writer: Writer, asked: query.Page, total: str) -> tuple[str, str]:
    """The places where a page begins and ends, as SQL, for a number of rows."""
    ends = [
        total,
        *(
            writer.bind(n)
            for n in (asked.stop, None if asked.first is None else asked.start + asked.first)
            if n is not None
        ),
    ]
    end = f"{writer.dialect.least}({', '.join(ends)})" if len(ends) > 1 else total
    start = writer.bind(asked.start)
    if asked.last is None:
        return start, end
    return f"{writer.dialect.greatest}({start}, {end} - {writer.bind(asked.last)})", end


def _page_info(writer: Writer, source: Source, asked: query.Page, info: query.PageInfo) -> str:
    _, rows = related_rows(writer, source, asked.relation, asked.where)
    begin, end = _bounds(writer, asked, "total")
    shown = writer.dialect.shown
    facts = {
        "hasNextPage": shown("(last < total)", Kind.BOOL),
        "hasPreviousPage": shown("(begin > 0 AND total > 0)", Kind.BOOL),
        "startCursor": shown(f"CASE WHEN begin < last THEN {_cursor(writer, 'begin')} END", Kind.STR),
        "endCursor": shown(f"CASE WHEN begin < last THEN {_cursor(writer, '(last - 1)')} END", Kind.STR),
    }
    members = [
        (fact.name, writer.dialect.constant(fact.value))
        if isinstance(fact, query.Constant)
        else (fact[0], facts[fact[1]])
        for fact in info.facts
    ]
    bounds = (
        f"SELECT total, {begin} AS begin, {end} AS last FROM (SELECT count(*) AS total {rows}) AS counted"
    )
    return writer.dialect.nested(f"(SELECT {writer.dialect.json_object(members)} FROM ({bounds}) AS page)")


def _cursor(writer: Writer, place: str) -> str:
    return writer.dialect.base64(f"'arrayconnection:' || {place}")
