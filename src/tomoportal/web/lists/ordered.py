"""Long lists in an order, page by page: which rows stand on a page is remembered, what is told of them is asked for on every visit."""

from __future__ import annotations

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Order, Select, Value
from tomoportal.web.kept import kept


@kept
def how_many(view: View, entity: str, where: query.Condition) -> int:
    """How many rows fulfil `where`."""
    return view.count(entity, where)


@kept
def ids_of_page(
    view: View, entity: str, where: query.Condition, order: tuple[Order, ...], most: int, first: int
) -> tuple[int, ...]:
    """The ids of the rows on the page that begins behind `first` others."""
    rows = view.rows(Select(entity, (Value("id", "id"),), where, order, most, first))
    return tuple(row["id"] for row in rows)
