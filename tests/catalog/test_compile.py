"""The compiler against a naive evaluation of the same trees over the same rows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures_catalog import TODAY, awkward_rows, fill, small_portal
from fixtures_postgres import Backend
from naive_queries import Naive
from tomoportal.catalog import Addresses, Catalog, View, open_catalog
from tomoportal.errors import QueryError
from tomoportal.model import query as q
from tomoportal.model.fields import Kind
from tomoportal.model.registry import ENTITIES
from tomoportal.model.registry import entity as entity_named

FILES, S3 = "http://portal.test/files/", "s3://bucket/"
MANY = 2000 if os.environ.get("TOMOPORTAL_TEST_ALL") else 120
ORDERED = ("eq", "neq", "in", "nin", "gt", "gte", "lt", "lte", "is_null")
UNORDERED = ("eq", "neq", "in", "nin", "is_null")
PATTERNS = ("like", "nlike", "ilike", "nilike", "regex", "nregex", "iregex", "niregex")
NAMES = [entity.__name__ for entity in ENTITIES]


ROWS = awkward_rows()


@pytest.fixture(scope="module")
def both(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Naive, View]]:
    with open_catalog(backend.url(tmp_path_factory.mktemp("compile")), create=True) as catalog:
        fill(catalog, ROWS)
        now = f"{TODAY.isoformat()}T00:00:00+00:00"
        yield Naive(ROWS, now, FILES, S3), catalog.view(today=TODAY, addresses=Addresses(FILES, S3))


def comparisons(name: str) -> st.SearchStrategy[q.Condition]:
    fields = [f for f in entity_named(name).public_fields() if f.kind is not Kind.MATRIX]
    return st.sampled_from(fields).flatmap(lambda field: _comparison(name, field))


def _comparison(name: str, field: Any) -> st.SearchStrategy[q.Condition]:
    naive = Naive(ROWS, "9", FILES, S3)
    values = [naive.value(entity_named(name), row, field.name) for row in ROWS[name]]
    known = st.sampled_from([value for value in values if value is not None] or [_other(field)])
    value = st.one_of(known, st.just(_other(field)))

    def of(operator: str) -> st.SearchStrategy[q.Condition]:
        if operator == "is_null":
            wanted: st.SearchStrategy[Any] = st.booleans()
        elif operator in ("in", "nin"):
            wanted = st.one_of(st.lists(value, max_size=4), st.lists(known, min_size=14, max_size=20)).map(
                tuple
            )
        elif operator in PATTERNS:
            wanted = _regex(operator) if "regex" in operator else value.flatmap(_pattern)
        else:
            wanted = st.one_of(value, st.none()) if operator in ("eq", "neq") else value
        return wanted.map(lambda given: q.Compare(field.name, operator, given))  # type: ignore[arg-type]

    operators = UNORDERED if field.kind is Kind.BOOL else ORDERED
    if field.kind in (Kind.STR, Kind.STATE):
        operators = (*ORDERED, *PATTERNS)
    return st.sampled_from(operators).flatmap(of)


def _other(field: Any) -> Any:
    match field.kind:
        case Kind.INT:
            return 2
        case Kind.FLOAT:
            return 12.5
        case Kind.BOOL:
            return True
        case Kind.DATE:
            return "2025-01-01T00:00:00+00:00"
        case Kind.ENUM:
            return list(field.enum)[-1].value
    return "something else"


def _pattern(text: str) -> st.SearchStrategy[str]:
    escaped = text.replace("\\", "\\\\")
    middle = escaped[1:-1] if escaped[1:-1].count("\\") % 2 == 0 and not escaped.endswith("\\") else "%"
    return st.sampled_from(
        [
            escaped,
            f"%{middle}%",
            f"_{middle}_",
            escaped.upper(),
            "%[1]*?",
            "%\\%%",
            "a\\%b\\_c",
            "%straße",
            "%",
        ]
    )


def _regex(operator: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["^TS", "o", "[A-Z]{2}", "e.*[0-9]$", r"\[1\]", "ribo|mem", "^$", "\\bÄ"])


def conditions(name: str, depth: int = 2) -> st.SearchStrategy[q.Condition]:
    plain = comparisons(name)
    if depth == 0:
        return plain
    relations = st.sampled_from(sorted(entity_named(name).relations.values(), key=lambda r: r.name))

    def related(relation: Any) -> st.SearchStrategy[q.Condition]:
        inner = conditions(relation.target, depth - 1)
        exists = inner.map(lambda where: q.Related(relation.name, where))
        if not relation.many:
            return exists
        columns = st.sampled_from(
            [None, *(f.name for f in entity_named(relation.target).columns() if not f.target)]
        )
        counted = st.builds(
            lambda where, op, n, column, distinct: q.RelatedCount(relation.name, where, op, n, column, distinct),
            inner, st.sampled_from(["eq", "gt", "lte", "neq"]), st.integers(0, 3), columns, st.booleans(),
        )  # fmt: skip
        return st.one_of(exists, counted)

    inner = conditions(name, depth - 1)
    return st.one_of(
        plain,
        relations.flatmap(related),
        st.lists(inner, max_size=3).map(lambda parts: q.And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: q.Or(tuple(parts))),
        inner.map(q.Not),
    )


@st.composite
def selects(draw: st.DrawFn) -> q.Select:
    name = draw(st.sampled_from(NAMES))
    limit = draw(st.one_of(st.none(), st.integers(0, 4)))
    offset = draw(st.integers(0, 2))
    return q.Select(name, _fields(draw, name, 2), draw(conditions(name)), _orders(draw, name), limit, offset)


def _orders(draw: st.DrawFn, name: str) -> tuple[q.Order, ...]:
    entity, path = entity_named(name), ()
    to_one = [r for r in entity.relations.values() if not r.many]
    if to_one and draw(st.booleans()):
        relation = draw(st.sampled_from(to_one))
        entity, path = entity_named(relation.target), (relation.name,)
    fields = [f.name for f in entity.columns() if f.kind not in (Kind.MATRIX, Kind.STATE)]
    direction = st.sampled_from(["asc", "desc"])
    nulls = st.sampled_from([None, "first", "last"])
    chosen = draw(st.lists(st.sampled_from(fields), max_size=2, unique=True))
    return tuple(q.Order((*path, field), draw(direction), draw(nulls)) for field in chosen)


def _fields(draw: st.DrawFn, name: str, depth: int) -> tuple[q.Selection, ...]:
    entity = entity_named(name)
    plain = [f for f in entity.public_fields() if f.kind is not Kind.MATRIX]
    chosen = draw(st.lists(st.sampled_from(plain), min_size=1, max_size=5, unique_by=lambda f: f.name))
    fields: list[q.Selection] = [q.Value(f"f{n}", field.name) for n, field in enumerate(chosen)]
    if depth and entity.relations:
        relation = draw(st.sampled_from(sorted(entity.relations.values(), key=lambda r: r.name)))
        where = draw(conditions(relation.target, 1))
        inner = _fields(draw, relation.target, depth - 1)
        if relation.many:
            limit = draw(st.one_of(st.none(), st.integers(0, 2)))
            fields.append(q.Many("m", relation.name, inner, where, _orders(draw, relation.target), limit))
            fields.append(q.RelatedTotal("n", relation.name, where))
        else:
            fields.append(q.One("o", relation.name, inner, where))
    return tuple(fields)


@given(asked=selects())
@settings(max_examples=MANY, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_same_answer_as_naive(both: tuple[Naive, View], asked: q.Select) -> None:
    naive, view = both
    assert view.rows(asked) == naive.select(asked)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_every_entity(both: tuple[Naive, View], name: str) -> None:
    naive, view = both
    fields = tuple(
        q.Value(f.name, f.name)
        for f in entity_named(name).fields.values()
        if f.stored and f.kind is not Kind.MATRIX
    )
    asked = q.Select(name, fields)
    answer = view.rows(asked)
    assert answer == naive.select(asked)
    assert all(list(row) == [field.name for field in fields] for row in answer)


def test_floats_are_exact_and_flags_are_flags(both: tuple[Naive, View]) -> None:
    _, view = both
    rows = view.rows(q.Select("TiltSeries", (q.Value("x", "pixel_spacing"), q.Value("b", "is_aligned"))))
    stored = {row["pixel_spacing"] for row in ROWS["TiltSeries"]}
    assert {row["x"] for row in rows} <= stored
    assert all(isinstance(row["b"], bool) for row in rows)


def test_matrix_is_a_list(view: View) -> None:
    rows = view.rows(q.Select("PerSectionAlignmentParameters", (q.Value("m", "in_plane_rotation"),), limit=1))
    assert rows == [{"m": [[0.5, -0.5], [0.5, 0.5]]}]


def test_more_members_than_a_function_of_sqlite_takes(view: View) -> None:
    fields = tuple(q.Value(f"k{n}", "id") for n in range(150))
    row = view.rows(q.Select("Run", fields, limit=1))[0]
    assert list(row) == [f"k{n}" for n in range(150)]


def test_deep_nesting(view: View) -> None:
    fields: tuple[q.Selection, ...] = (q.Value("id", "id"),)
    where: q.Condition = q.EVERYTHING
    for _ in range(3):
        fields = (q.One("r", "run", fields),)
        fields = (q.Many("t", "tomograms", fields),)
        where = q.Related("tomograms", q.Related("run", where))
    assert view.rows(q.Select("Run", fields, where, limit=1))[0]["t"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (q.Select("Run", (q.Value("x", "colour"),)), "no field 'colour'"),
        (q.Select("Run", (q.Many("x", "dogs", ()),)), "no relation 'dogs'"),
        (q.Select("Car", ()), "no entity 'Car'"),
        (q.Select("Run", (), q.Compare("id", "eq", "one")), "whole number"),
        (q.Select("Run", (), q.Compare("name", "eq", 3)), "expected text"),
        (q.Select("Run", (), q.Compare("id", "like", "1%")), "is not text"),
        (q.Select("Run", (), q.Compare("name", "gt", None)), "is_null"),
        (q.Select("Run", (), q.Compare("name", "in", (None,))), "expected text"),
        (q.Select("Run", (), q.Compare("name", "regex", "(")), "RE2"),
        (q.Select("Run", (), q.Compare("name", "like", "a\\")), "lone backslash"),
        (q.Select("Dataset", (), q.Compare("sample_type", "eq", "stone")), "one of cell"),
        (q.Select("Dataset", (), q.Compare("release_date", "gt", "yesterday")), "date such as"),
        (q.Select("Tomogram", (), q.Compare("ctf_corrected", "lt", True)), "no order"),
        (q.Select("Run", (), q.EVERYTHING, (q.Order(("tomograms", "id")),)), "many rows"),
        (q.Select("Run", (), limit=-1), "limit must be"),
        (q.Select("Frame", (), q.Search("x")), "cannot be searched"),
        (q.Select("Tomogram", (), q.RelatedCount("run", q.EVERYTHING, "gt", 0)), "leads to one row"),
    ],
)
def test_wrong_questions_get_sentences(view: View, asked: q.Select, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        view.json(asked)


def test_times_and_days_compare_as_moments(view: View) -> None:
    def found(operator: Any, value: str) -> int:
        return view.count("Dataset", q.Compare("release_date", operator, value))

    assert found("eq", "2024-05-23") == 1
    assert found("eq", "2024-05-23T02:00:00+02:00") == 1
    assert found("gt", "2024-05-23T00:00:01+00:00") == 1
    assert found("gte", "2024-05-23") == 2


def test_addresses_are_compared_by_path(view: View) -> None:
    def found(operator: Any, value: Any) -> int:
        return view.count("Run", q.Compare("https_prefix", operator, value))

    assert found("eq", "http://portal.test/files/30001/TS_01/") == 1
    assert found("eq", "http://elsewhere.test/files/30001/TS_01/") == 0
    assert found("neq", "http://elsewhere.test/files/30001/TS_01/") == 4
    assert found("like", "http://portal.test/%/TS_01/") == 2
    assert view.count("Run", q.Compare("s3_prefix", "in", ("s3://bucket/30001/TS_02/", "s3://other/x"))) == 1


@pytest.mark.parametrize("operator", ["in", "nin"])
@pytest.mark.parametrize(
    ("name", "field", "others"),
    [
        ("Run", "id", tuple(range(900_000, 900_150))), ("Run", "name", tuple(f"none {n}" for n in range(150))),
        ("Tomogram", "voxel_spacing", tuple(n + 0.123 for n in range(150))), ("Annotation", "ground_truth_status", (True,) * 150),
    ],
)  # fmt: skip
def test_long_lists_of_values(
    both: tuple[Naive, View], name: str, field: str, others: tuple[Any, ...], operator: Any
) -> None:
    naive, view = both
    known = tuple(row[field] for row in ROWS[name][::2] if row[field] is not None)
    asked = q.Select(name, (q.Value("id", "id"),), q.Compare(field, operator, (*known, *others)))
    assert view.rows(asked) == naive.select(asked)


@pytest.mark.parametrize(
    "where",
    [
        q.Related("run", q.Compare("dataset_id", "eq", 1)),
        q.Related("run", q.Related("dataset", q.Compare("organism_taxid", "eq", 1))),
    ],
)
def test_rows_of_few_others_are_found_without_reading_all(tmp_path: Path, where: q.Condition) -> None:
    with small_portal(tmp_path) as catalog:
        asked = catalog.view(today=TODAY)._statement(q.Select("Annotation", (q.Value("id", "id"),), where))
        with catalog.database.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.text}", asked.values).all()
    steps = [row[-1] for row in plan]
    assert any(re.match("SEARCH t0 .*INDEX ix_annotation_run_id", step) for step in steps), steps


def test_values_never_become_sql(portal: Catalog, view: View) -> None:
    nasty = "'; DROP TABLE run; --"
    assert view.count("Run", q.Compare("name", "eq", nasty)) == 0
    row = view.rows(q.Select("Run", (q.Constant(nasty, nasty),), limit=1))[0]
    assert row == {nasty: nasty}
