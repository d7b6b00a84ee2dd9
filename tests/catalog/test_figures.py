"""Figures about groups of rows, held against plain Python over the same rows."""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures_catalog import TODAY, awkward_rows, fill
from fixtures_postgres import Backend
from naive_queries import Naive
from tomoportal.catalog import Addresses, View, open_catalog
from tomoportal.model import query as q
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind
from tomoportal.model.registry import ENTITIES
from tomoportal.model.registry import entity as entity_named

MANY = 2000 if os.environ.get("TOMOPORTAL_TEST_ALL") else 100
FILES, S3 = "http://portal.test/files/", "s3://bucket/"
HUGE = 1e200
"""Squares of larger numbers are none."""
Row = dict[str, Any]


def _rows() -> dict[str, list[Row]]:
    """Without numbers whose squares do not fit."""
    rows = awkward_rows()
    for item in (item for items in rows.values() for item in items):
        item.update(
            {key: 77.25 for key, value in item.items() if isinstance(value, float) and abs(value) > HUGE}
        )
    return rows


ROWS = _rows()


@pytest.fixture(scope="module")
def both(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Naive, View]]:
    with open_catalog(backend.url(tmp_path_factory.mktemp("figures")), create=True) as catalog:
        fill(catalog, ROWS)
        now = f"{TODAY.isoformat()}T00:00:00+00:00"
        yield Naive(ROWS, now, FILES, S3), catalog.view(today=TODAY, addresses=Addresses(FILES, S3))


def figures(entity: type[Entity]) -> st.SearchStrategy[q.Figure]:
    fields = [field for field in entity.columns() if field.kind not in (Kind.MATRIX, Kind.STATE)]
    numbers = [field for field in fields if field.kind in (Kind.INT, Kind.FLOAT)]
    ordered = [field for field in fields if field.kind is not Kind.BOOL]

    def of(functions: list[str], among: list[Field]) -> st.SearchStrategy[q.Figure]:
        names = st.sampled_from([field.name for field in among])
        return st.builds(lambda f, name: q.Figure("x", f, name), st.sampled_from(functions), names)

    counted = st.builds(
        lambda name, distinct: q.Figure("x", "count", name, distinct=distinct),
        st.sampled_from([None, *(field.name for field in fields)]),
        st.booleans(),
    )
    return st.one_of(counted, of(["min", "max"], ordered), of(["sum", "avg", "stddev", "variance"], numbers))


@st.composite
def aggregates(draw: st.DrawFn) -> q.Aggregate:
    entity = draw(st.sampled_from(ENTITIES))
    keys = []
    for number in range(draw(st.integers(0, 2))):
        end, path = entity, ()
        relations = [name for name, relation in end.relations.items() if not relation.many]
        if relations and draw(st.booleans()):
            name = draw(st.sampled_from(relations))
            end, path = entity_named(end.relations[name].target), (name,)
        fields = [field.name for field in end.columns() if field.kind not in (Kind.MATRIX, Kind.STATE)]
        keys.append(q.GroupKey(f"k{number}", (*path, draw(st.sampled_from(fields)))))
    made = [
        q.Figure(f"f{n}", f.function, f.field, distinct=f.distinct)
        for n, f in enumerate(draw(st.lists(figures(entity), min_size=1, max_size=4)))
    ]
    where = draw(st.sampled_from([q.EVERYTHING, q.Compare("id", "gt", 30_000), q.Compare("id", "lt", 0)]))
    return q.Aggregate(entity.__name__, (q.Groups("g", (*keys, *made)),), where)


@given(asked=aggregates())
@settings(max_examples=MANY, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_same_figures(both: tuple[Naive, View], asked: q.Aggregate) -> None:
    naive, view = both
    found, expected = json.loads(view.json(asked))["g"], _expected(naive, asked)
    assert len(found) == len(expected)
    for group, wanted in zip(found, expected, strict=True):
        assert set(group) == set(wanted)
        assert all(_same(group[name], wanted[name]) for name in wanted), (group, wanted)


def _same(found: Any, wanted: Any) -> bool:
    """Sums of floating-point numbers depend on the order in their last digits; spreads of equal numbers are nearly nothing."""
    if isinstance(wanted, float) and isinstance(found, (int, float)):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-6)
    return found == wanted


def _expected(naive: Naive, asked: q.Aggregate) -> list[Row]:
    """Groups in the order of their keys, nulls first."""
    entity = entity_named(asked.entity)
    (groups,) = asked.fields
    assert isinstance(groups, q.Groups)
    keys = [part for part in groups.fields if isinstance(part, q.GroupKey)]
    made: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
    for row in naive.visible(entity):
        if naive.holds(entity, row, asked.where) and (key := _key(naive, entity, row, keys)) is not None:
            made.setdefault(key, []).append(row)
    found = []
    for key, rows in made.items():
        values = {part.name: value for part, value in zip(keys, key, strict=True)}
        values |= {part.name: _figure(rows, part) for part in groups.fields if isinstance(part, q.Figure)}
        found.append(values)
    return sorted(found, key=lambda item: [_rank(item[part.name]) for part in keys])


def _key(naive: Naive, entity: type[Entity], row: Row, keys: list[q.GroupKey]) -> tuple[Any, ...] | None:
    """None for rows without a related row."""
    values = []
    for part in keys:
        end, at = entity, row
        for step in part.path[:-1]:
            related = naive.related(end, at, step)
            if not related:
                return None
            end, at = entity_named(end.relations[step].target), related[0]
        values.append(at[part.path[-1]])
    return tuple(values)


def _rank(value: Any) -> tuple[bool, Any]:
    return value is not None, 0 if value is None else value


def _figure(rows: list[Row], part: q.Figure) -> Any:
    values = [row[part.field or "id"] for row in rows if row[part.field or "id"] is not None]
    if part.function == "count":
        return len(set(values)) if part.distinct else len(values)
    if not values:
        return None
    match part.function:
        case "min" | "max":
            return min(values) if part.function == "min" else max(values)
        case "sum":
            return sum(values)
        case "avg":
            return sum(values) / len(values)
    if len(values) < 2:
        return None
    spread = statistics.variance(map(float, values))
    return math.sqrt(spread) if part.function == "stddev" else float(spread)
