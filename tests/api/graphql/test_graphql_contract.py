"""The read contract point by point, against plain Python over the same rows: comparators with nulls, pages, orders, figures."""

from __future__ import annotations

import base64
import itertools
import json
import re
import statistics
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from fixtures_catalog import PAST, TODAY, fill, row
from fixtures_postgres import Backend
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import Catalog, open_catalog

Ask = Callable[[str], Any]
EARLY, LATE = "2020-01-01T00:00:00+00:00", "2025-12-31T23:59:59+00:00"
COUNTS = (None, 0, 3, 3, 7, 2**31 - 1, 2**31 - 1, -5)
FLOATS = (None, 0.0, 0.1, 1e-7, 99.5, 99.5, -2.5, 100.0)
TEXTS = (None, "", "Straße", "STRASSE 1", "100% (a_b)", "ribosome", "Ribosome", "back\\slash")
DATES = (EARLY, PAST, PAST, LATE, EARLY, PAST, LATE, PAST)
TRUTHS = (None, True, False, True, None, False, True, True)
METHODS = ("manual", "automated", "hybrid", "simulated", "manual", "manual", "hybrid", "automated")


def annotations() -> list[dict[str, Any]]:
    """Eight annotations: two in the first run, six in the second; the last two belong to no deposition."""
    made = []
    for number, values in enumerate(zip(COUNTS, FLOATS, TEXTS, DATES, TRUTHS, METHODS, strict=True), 1):
        count, precision, text, day, truth, method = values
        made.append(
            row(
                "Annotation", id=number, run_id=11 if number < 3 else 12, deposition_id=1 if number < 7 else None, object_count=count,
                confidence_precision=precision, object_description=text, release_date=PAST, deposition_date=day,
                ground_truth_status=truth, method_type=method, folder="x",
            )
        )  # fmt: skip
    return made


ROWS = annotations()


@pytest.fixture(scope="module")
def catalog(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with open_catalog(backend.url(tmp_path_factory.mktemp("contract")), create=True) as catalog:
        runs = [
            row("Run", id=number, dataset_id=100, name=f"r{number}", folder="x") for number in (11, 12, 13)
        ]
        deposition = row("Deposition", id=1, release_date=PAST, title="One", folder="x")
        dataset = row("Dataset", id=100, deposition_id=1, release_date=PAST, title="Hundred", folder="x")
        rows = {"Deposition": [deposition], "Dataset": [dataset], "Run": runs, "Annotation": ROWS}
        fill(catalog, rows)
        yield catalog


@pytest.fixture(scope="module")
def ask(catalog: Catalog) -> Ask:
    service = Service()

    def answer(text: str) -> Any:
        found = json.loads(service.answer(catalog.view(today=TODAY), Request(text)))
        assert "errors" not in found, (text, found["errors"])
        return found["data"]

    return answer


def like(pattern: str, *, any_case: bool = False) -> Callable[[str], bool]:
    parts, letters = [], iter(pattern)
    for letter in letters:
        parts.append(
            {"%": ".*", "_": "."}.get(letter) or re.escape(next(letters) if letter == "\\" else letter)
        )
    compiled = re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if any_case else 0))
    return lambda text: compiled.fullmatch(text) is not None


def literal(value: Any, *, bare: bool) -> str:
    if isinstance(value, list):
        return f"[{', '.join(literal(item, bare=bare) for item in value)}]"
    return str(value) if bare else json.dumps(value)


SIMPLE: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "_eq": lambda v: lambda x: x == v,
    "_neq": lambda v: lambda x: x != v,
    "_in": lambda v: lambda x: x in v,
    "_nin": lambda v: lambda x: x not in v,
}
ORDERED = SIMPLE | {
    "_gt": lambda v: lambda x: x > v,
    "_gte": lambda v: lambda x: x >= v,
    "_lt": lambda v: lambda x: x < v,
    "_lte": lambda v: lambda x: x <= v,
}
PATTERNS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "_like": like,
    "_nlike": lambda v: lambda x: not like(v)(x),
    "_ilike": lambda v: like(v, any_case=True),
    "_nilike": lambda v: lambda x: not like(v, any_case=True)(x),
    "_regex": lambda v: lambda x: re.search(v, x) is not None,
    "_nregex": lambda v: lambda x: re.search(v, x) is None,
    "_iregex": lambda v: lambda x: re.search(v, x, re.IGNORECASE) is not None,
    "_niregex": lambda v: lambda x: re.search(v, x, re.IGNORECASE) is None,
}
LIKES = [
    "%ribo%",
    "ribosome",
    "100\\% (a\\_b)",
    "R_bosome",
    "%",
    "",
    "%straße%",
    "back\\\\slash",
    "*",
    "[R]ibosome",
]
REGEXES = ["^ribo", "some$", "[RS]", "a_b", "ß", "1.0", "^$", "(ribo|back)"]

FIELDS: list[tuple[str, str, Any, list[Any]]] = [
    ("objectCount", "object_count", ORDERED, [0, 3, -5, 2**31 - 1, 4]),
    ("confidencePrecision", "confidence_precision", ORDERED, [0.1, 1e-7, 99.5, -2.5, 100]),
    ("objectDescription", "object_description", ORDERED, ["", "Ribosome", "Straße", "back\\slash", "S"]),
    ("groundTruthStatus", "ground_truth_status", SIMPLE, [True, False]),
    ("methodType", "method_type", SIMPLE, ["manual", "hybrid"]),
    ("depositionDate", "deposition_date", ORDERED, [EARLY, PAST, LATE, "2024-05-23T02:00:00+02:00"]),
    ("depositionId", "deposition_id", ORDERED, [1, 2]),
]


def cases() -> Iterator[Any]:
    for field, column, operators, values in FIELDS:
        for operator, value in itertools.product(operators, values):
            given = [value] if operator in ("_in", "_nin") else value
            yield pytest.param(
                field, column, operators[operator], operator, given, id=f"{field}-{operator}-{value}"
            )
        for operator in ("_in", "_nin"):
            yield pytest.param(
                field, column, operators[operator], operator, values, id=f"{field}-{operator}-all"
            )
            yield pytest.param(
                field, column, operators[operator], operator, [], id=f"{field}-{operator}-none"
            )
    for operator, make in PATTERNS.items():
        for value in LIKES if "like" in operator else REGEXES:
            yield pytest.param(
                "objectDescription", "object_description", make, operator, value, id=f"{operator}-{value}"
            )


def moment(value: Any) -> Any:
    return value.replace("T02:00:00+02:00", "T00:00:00+00:00") if isinstance(value, str) else value


@pytest.mark.parametrize(("field", "column", "make", "operator", "value"), list(cases()))
def test_comparators(ask: Ask, field: str, column: str, make: Any, operator: str, value: Any) -> None:
    """Null fulfils no comparison, and `_nin` of nothing is fulfilled by everything."""
    text = literal(value, bare=field == "methodType")
    found = ask(f"{{ annotations(where: {{{field}: {{{operator}: {text}}}}}) {{ id }} }}")["annotations"]
    wanted = [moment(item) for item in value] if isinstance(value, list) else moment(value)
    holds = make(wanted)
    nothing = operator == "_nin" and value == []
    expected = [r["id"] for r in ROWS if nothing or (r[column] is not None and holds(r[column]))]
    assert [item["id"] for item in found] == expected


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field[0])
@pytest.mark.parametrize("comparator", ["_eq: null", "_is_null: true", "_neq: null", "_is_null: false"])
def test_null(ask: Ask, field: Any, comparator: str) -> None:
    wanted = comparator in ("_eq: null", "_is_null: true")
    found = ask(f"{{ annotations(where: {{{field[0]}: {{{comparator}}}}}) {{ id }} }}")["annotations"]
    assert [item["id"] for item in found] == [r["id"] for r in ROWS if (r[field[1]] is None) == wanted]


def test_several_members_of_a_comparator_all_hold(ask: Ask) -> None:
    found = ask(
        "{ annotations(where: {objectCount: {_gte: 0, _lt: 100, _neq: 3, _is_null: false}}) { objectCount } }"
    )
    assert [a["objectCount"] for a in found["annotations"]] == [0, 7]


@pytest.mark.parametrize(
    "direction", ["asc", "asc_nulls_first", "asc_nulls_last", "desc", "desc_nulls_first", "desc_nulls_last"]
)
@pytest.mark.parametrize(
    ("field", "column"), [("objectCount", "object_count"), ("objectDescription", "object_description")]
)
def test_orders(ask: Ask, direction: str, field: str, column: str) -> None:
    found = ask(f"{{ annotations(orderBy: {{{field}: {direction}}}) {{ id }} }}")["annotations"]
    full = sorted((r for r in ROWS if r[column] is not None), key=lambda r: r["id"])
    full.sort(key=lambda r: r[column], reverse=direction.startswith("desc"))
    empty = [r for r in ROWS if r[column] is None]
    first = direction.endswith("first") or direction == "desc"
    assert [item["id"] for item in found] == [r["id"] for r in (empty + full if first else full + empty)]


def test_an_order_through_a_relation_keeps_rows_without_it(ask: Ask) -> None:
    text = "{{ annotations(orderBy: [{{deposition: {{title: {}}}}}, {{id: desc}}]) {{ id }} }}"
    assert [a["id"] for a in ask(text.format("asc"))["annotations"]] == [6, 5, 4, 3, 2, 1, 8, 7]
    assert [a["id"] for a in ask(text.format("desc"))["annotations"]] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [a["id"] for a in ask(text.format("desc_nulls_last"))["annotations"]] == [6, 5, 4, 3, 2, 1, 8, 7]


def cursor(place: int) -> str:
    return base64.b64encode(f"arrayconnection:{place}".encode()).decode()


def test_all_pages_of_a_connection(ask: Ask) -> None:
    """Every choice of before, after, first and last, one request for all of them."""
    places = (None, 0, 2, 5, 9)
    choices = list(itertools.product(places, places, (None, 0, 2, 20), (None, 0, 1, 20)))
    parts = []
    for number, (after, before, first, last) in enumerate(choices):
        given = {"after": after, "before": before}
        words = [f'{name}: "{cursor(place)}"' for name, place in given.items() if place is not None]
        words += [f"{name}: {size}" for name, size in (("first", first), ("last", last)) if size is not None]
        arguments = f"({', '.join(words)})" if words else ""
        facts = "hasNextPage hasPreviousPage startCursor endCursor"
        parts.append(
            f"p{number}: annotations{arguments} {{ edges {{ cursor node {{ id }} }} pageInfo {{ {facts} }} }}"
        )
    run = {}
    for group in range(0, len(parts), 50):
        run |= ask(f"{{ runs(where: {{id: {{_eq: 12}}}}) {{ {' '.join(parts[group : group + 50])} }} }}")[
            "runs"
        ][0]
    ids = [r["id"] for r in ROWS if r["run_id"] == 12]
    for number, (after, before, first, last) in enumerate(choices):
        begin, end = 0 if after is None else after + 1, len(ids) if before is None else min(before, len(ids))
        kept = list(range(begin, end))
        kept = kept if first is None else kept[:first]
        kept = kept if last is None else kept[max(0, len(kept) - last) :]
        page = run[f"p{number}"]
        assert [edge["node"]["id"] for edge in page["edges"]] == [ids[place] for place in kept], choices[
            number
        ]
        assert [edge["cursor"] for edge in page["edges"]] == [cursor(place) for place in kept]
        info = page["pageInfo"]
        if kept:
            assert (info["startCursor"], info["endCursor"]) == (cursor(kept[0]), cursor(kept[-1]))
            assert (info["hasPreviousPage"], info["hasNextPage"]) == (kept[0] > 0, kept[-1] < len(ids) - 1)
        else:
            assert (info["startCursor"], info["endCursor"]) == (None, None)


def test_windows_of_root_lists(ask: Ask) -> None:
    for limit, offset in itertools.product((None, 0, 1, 3, 100), (None, 0, 2, 100)):
        words = ", ".join(f"{n}: {v}" for n, v in (("limit", limit), ("offset", offset)) if v is not None)
        found = ask(f"{{ annotations(limitOffset: {{{words}}}) {{ id }} }}")["annotations"]
        ids = [r["id"] for r in ROWS][offset or 0 :]
        assert [item["id"] for item in found] == (ids if limit is None else ids[:limit])


def test_figures(ask: Ask) -> None:
    found = ask("""{ annotationsAggregate { aggregate {
      count some: count(columns: objectCount) kinds: count(columns: objectCount, distinct: true)
      sum { objectCount confidencePrecision } avg { objectCount confidencePrecision } exactAvg { objectCount }
      min { objectCount objectDescription depositionDate } max { objectCount objectDescription depositionDate }
      stddev { objectCount confidencePrecision } exactStddev { objectCount } variance { confidencePrecision } exactVariance { objectCount }
    } } }""")["annotationsAggregate"]["aggregate"]  # fmt: skip
    counts, floats = [c for c in COUNTS if c is not None], [f for f in FLOATS if f is not None]
    texts = [t for t in TEXTS if t is not None]
    (figures,) = found
    assert (figures["count"], figures["some"], figures["kinds"]) == (8, 7, 5)
    assert figures["sum"]["objectCount"] == sum(counts) == 4294967302 > 2**32
    assert figures["sum"]["confidencePrecision"] == pytest.approx(sum(floats))
    assert figures["avg"]["objectCount"] == round(statistics.mean(counts))
    assert figures["exactAvg"]["objectCount"] == pytest.approx(statistics.mean(counts))
    assert figures["avg"]["confidencePrecision"] == pytest.approx(statistics.mean(floats))
    assert figures["min"] == {"objectCount": -5, "objectDescription": min(texts), "depositionDate": EARLY}
    assert figures["max"] == {
        "objectCount": 2**31 - 1,
        "objectDescription": max(texts),
        "depositionDate": LATE,
    }
    assert figures["stddev"]["objectCount"] == round(statistics.stdev(counts))
    assert figures["exactStddev"]["objectCount"] == pytest.approx(statistics.stdev(counts))
    assert figures["stddev"]["confidencePrecision"] == pytest.approx(statistics.stdev(floats))
    assert figures["variance"]["confidencePrecision"] == pytest.approx(statistics.variance(floats))
    assert figures["exactVariance"]["objectCount"] == pytest.approx(statistics.variance(counts))


def test_figures_of_nothing_and_of_one(ask: Ask) -> None:
    text = """{{ annotationsAggregate(where: {{id: {{_in: {}}}}}) {{ aggregate {{
      count sum {{ objectCount }} avg {{ objectCount }} max {{ objectCount }} stddev {{ objectCount }} }} }} }}"""
    empty = {"objectCount": None}
    none = ask(text.format("[]"))["annotationsAggregate"]["aggregate"]
    assert none == [{"count": 0, "sum": empty, "avg": empty, "max": empty, "stddev": empty}]
    one = ask(text.format("[3]"))["annotationsAggregate"]["aggregate"]
    three = {"objectCount": 3}
    assert one == [{"count": 1, "sum": three, "avg": three, "max": three, "stddev": empty}]


def test_groups_through_five_relations(ask: Ask) -> None:
    found = ask("""{ annotationsAggregate { aggregate { count
      groupBy { run { dataset { deposition { annotations { run { id } } } } } } } } }""")
    groups = found["annotationsAggregate"]["aggregate"]
    ids = [g["groupBy"]["run"]["dataset"]["deposition"]["annotations"]["run"]["id"] for g in groups]
    assert (ids, [g["count"] for g in groups]) == ([11, 12], [16, 32])


def test_groups_of_null_are_groups(ask: Ask) -> None:
    found = ask("{ annotationsAggregate { aggregate { count groupBy { groundTruthStatus } } } }")
    groups = {
        g["groupBy"]["groundTruthStatus"]: g["count"] for g in found["annotationsAggregate"]["aggregate"]
    }
    assert groups == {None: 2, False: 2, True: 4}


@pytest.mark.parametrize(
    "predicate", ["_eq: 0", "_gt: 0", "_lt: 3", "_in: [2, 6]", "_neq: 2", "_gte: 1, _lte: 5"]
)
@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("", lambda rows: len(rows)),
        ("filter: {methodType: {_eq: manual}}, ", lambda rows: sum(r["method_type"] == "manual" for r in rows)),
        ("arguments: objectCount, ", lambda rows: sum(r["object_count"] is not None for r in rows)),
        ("arguments: objectCount, distinct: true, ", lambda rows: len({r["object_count"] for r in rows} - {None})),
    ],
    ids=["rows", "filter", "column", "distinct"],
)  # fmt: skip
def test_conditions_on_numbers_of_related_rows(ask: Ask, predicate: str, given: str, counted: Any) -> None:
    clause = f"annotationsAggregate: {{count: {{{given}predicate: {{{predicate}}}}}}}"
    found = ask(f"{{ runs(where: {{{clause}}}) {{ id }} }}")["runs"]
    checks = {
        "_eq: 0": lambda n: n == 0, "_gt: 0": lambda n: n > 0, "_lt: 3": lambda n: n < 3, "_in: [2, 6]": lambda n: n in (2, 6),
        "_neq: 2": lambda n: n != 2, "_gte: 1, _lte: 5": lambda n: 1 <= n <= 5,
    }  # fmt: skip
    numbers = {run: counted([r for r in ROWS if r["run_id"] == run]) for run in (11, 12, 13)}
    assert [item["id"] for item in found] == [run for run, n in numbers.items() if checks[predicate](n)]


def test_conditions_through_one_relation_speak_of_one_row(ask: Ask) -> None:
    def runs(where: str) -> list[int]:
        return [run["id"] for run in ask(f"{{ runs(where: {{{where}}}) {{ id }} }}")["runs"]]

    manual, three = "methodType: {_eq: manual}", "objectCount: {_eq: 3}"
    assert runs(f"annotations: {{{manual}, {three}}}") == []
    assert runs(f"_and: [{{annotations: {{{manual}}}}}, {{annotations: {{{three}}}}}]") == [12]
    assert runs("annotations: {}") == [11, 12]
    assert runs("_not: {annotations: {}}") == [13]
    assert runs("dataset: {deposition: {annotations: {methodType: {_eq: simulated}}}}") == [11, 12, 13]


def test_a_to_one_relation_can_be_left_out_by_a_condition(ask: Ask) -> None:
    found = ask(
        '{ annotations(where: {id: {_in: [1, 8]}}) { deposition(where: {title: {_eq: "Two"}}) { id } d: deposition { id } } }'
    )
    assert found["annotations"] == [{"deposition": None, "d": {"id": 1}}, {"deposition": None, "d": None}]


def test_moments_are_told_with_their_zone_and_days_of_the_future_are_not_there(ask: Ask) -> None:
    assert ask("{ annotations(limitOffset: {limit: 1}) { depositionDate } }")["annotations"] == [
        {"depositionDate": EARLY}
    ]
    assert date.fromisoformat(PAST[:10]) < TODAY
