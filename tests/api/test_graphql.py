"""GraphQL requests as clients and front ends send them, against the invented portal."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy
from graphql import build_client_schema, get_introspection_query

from fixtures_catalog import TODAY, small_portal
from fixtures_postgres import Backend
from tomoportal.api.graphql.execute import LONGEST_REMEMBERED, MOST_REMEMBERED, Request, Service
from tomoportal.catalog import Addresses, Catalog
from tomoportal.model.registry import ENTITIES
from tomoportal.settings import QueryLimits

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def portal(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with small_portal(backend.url(tmp_path_factory.mktemp("graphql"))) as catalog:
        yield catalog


@pytest.fixture(scope="module")
def service() -> Service:
    return Service()


@pytest.fixture
def answer(portal: Catalog, service: Service) -> Ask:
    def ask(query: str, today: date = TODAY, operation: str | None = None, **variables: Any) -> Any:
        view = portal.view(today=today, addresses=Addresses("http://portal.test/files/", "s3://bucket/"))
        return json.loads(service.answer(view, Request(query, variables or None, operation)))

    return ask


@pytest.fixture
def ask(answer: Ask) -> Ask:
    def good(query: str, **rest: Any) -> Any:
        response = answer(query, **rest)
        assert "errors" not in response, response["errors"]
        return response["data"]

    return good


@pytest.fixture
def error(answer: Ask) -> Ask:
    def bad(query: str, **rest: Any) -> str:
        response = answer(query, **rest)
        assert response["data"] is None
        return response["errors"][0]["message"]

    return bad


def test_the_request_of_the_official_client(ask: Ask) -> None:
    found = ask(
        'query { runs(where: {name: {_ilike: "%ts%"}, tomogramVoxelSpacings: {tomograms: {sizeX: {_gt: 900}}}})'
        " { id datasetId name s3Prefix httpsPrefix } }"
    )
    assert [run["id"] for run in found["runs"]] == [300011, 300012, 300021, 300022]
    assert found["runs"][0] == {
        "id": 300011, "datasetId": 30001, "name": "TS_01", "s3Prefix": "s3://bucket/30001/TS_01/",
        "httpsPrefix": "http://portal.test/files/30001/TS_01/",
    }  # fmt: skip


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.names.root)
def test_every_scalar_of_every_type(ask: Ask, service: Service, entity: Any) -> None:
    """What the official client selects; non-null fields are not null."""
    fields = service.words[entity.__name__].fields
    rows = ask(f"{{ {entity.names.root} {{ {' '.join(fields)} }} }}")[entity.names.root]
    assert rows
    for row in rows:
        assert list(row) == list(fields)
        assert all(row[name] is not None for name, field in fields.items() if not field.nullable)


def test_names_of_types_and_global_ids(ask: Ask) -> None:
    run = ask("{ runs(limitOffset: {limit: 1}) { __typename _id dataset { __typename _id } } __typename }")
    assert run["__typename"] == "Query"
    assert run["runs"][0]["__typename"] == "Run"
    assert base64.b64decode(run["runs"][0]["_id"]) == b"Run:300011"
    assert run["runs"][0]["dataset"] == {
        "__typename": "Dataset",
        "_id": base64.b64encode(b"Dataset:30001").decode(),
    }


def test_connections(ask: Ask) -> None:
    text = """query ($first: Int, $after: String, $last: Int, $before: String) { datasets(limitOffset: {limit: 1}) {
      runs(first: $first, after: $after, last: $last, before: $before, orderBy: {name: asc}) {
        __typename pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { __typename cursor node { name } } } } }"""

    def page(**variables: Any) -> tuple[list[str], dict[str, Any], list[str]]:
        runs = ask(text, **variables)["datasets"][0]["runs"]
        return (
            [e["node"]["name"] for e in runs["edges"]],
            runs["pageInfo"],
            [e["cursor"] for e in runs["edges"]],
        )

    names, info, cursors = page()
    assert names == ["TS_01", "TS_02"]
    assert info == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": cursors[0],
        "endCursor": cursors[1],
    }
    assert base64.b64decode(cursors[1]) == b"arrayconnection:1"
    names, info, _ = page(first=1)
    assert (names, info["hasNextPage"], info["hasPreviousPage"]) == (["TS_01"], True, False)
    names, info, _ = page(first=5, after=cursors[0])
    assert (names, info["hasNextPage"], info["hasPreviousPage"]) == (["TS_02"], False, True)
    assert page(last=1)[0] == ["TS_02"]
    assert page(last=1)[2] == [cursors[1]]
    assert page(before=cursors[1])[0] == ["TS_01"]
    assert page(first=0)[1] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


def test_no_silent_limit_of_connections(ask: Ask) -> None:
    found = ask(
        "{ depositions(where: {id: {_eq: 20001}}) { frames { edges { node { id } } } framesAggregate { aggregate { count } } } }"
    )
    deposition = found["depositions"][0]
    assert len(deposition["frames"]["edges"]) == deposition["framesAggregate"]["aggregate"][0]["count"] == 8


def test_the_same_relation_twice_with_different_filters(ask: Ask) -> None:
    run = ask("""{ runs(limitOffset: {limit: 1}) {
      points: annotations(where: {objectName: {_like: "%ribosome"}}, orderBy: {objectName: asc}) { edges { node { objectName } } }
      others: annotations(where: {objectName: {_eq: "membrane"}}, orderBy: {objectName: asc}) { edges { node { objectName } } } } }""")[
        "runs"
    ][0]
    assert [e["node"]["objectName"] for e in run["points"]["edges"]] == ["cytosolic ribosome"]
    assert [e["node"]["objectName"] for e in run["others"]["edges"]] == ["membrane"]


def test_four_levels_of_selection_and_of_conditions(ask: Ask) -> None:
    where = 'runs: {annotations: {annotationShapes: {annotationFiles: {format: {_eq: "ndjson"}}}}}'
    found = ask(f"""{{ datasets(where: {{{where}}}, limitOffset: {{limit: 1}}) {{ id runs {{ edges {{ node {{
      annotations {{ edges {{ node {{ annotationShapes {{ edges {{ node {{ shapeType annotationFiles {{ edges {{ node {{ format
      alignment {{ tiltseries {{ pixelSpacing }} }} }} }} }} }} }} }} }} }} }} }} }} }} }} }}""")["datasets"]
    run = found[0]["runs"]["edges"][0]["node"]
    shapes = [s["node"] for a in run["annotations"]["edges"] for s in a["node"]["annotationShapes"]["edges"]]
    assert [s["shapeType"] for s in shapes] == ["Point", "SegmentationMask"]
    files = [f["node"] for f in shapes[1]["annotationFiles"]["edges"]]
    assert [f["format"] for f in files] == ["mrc", "zarr"]
    assert files[0]["alignment"]["tiltseries"]["pixelSpacing"] == 13.479999542236328


@pytest.mark.parametrize(
    ("comparator", "count"),
    [
        ("_eq: null", 4),
        ("_neq: null", 4),
        ("_is_null: true", 4),
        ("_is_null: false", 4),
        ("_neq: 7", 4),
        ("_in: []", 0),
        ("_in: [120, 7]", 4),
        ("_nin: [120]", 0),
        ("_gt: 100, _lt: 200", 4),
        ("", 8),
    ],
)
def test_null_semantics(ask: Ask, comparator: str, count: int) -> None:
    assert (
        len(ask(f"{{ annotations(where: {{objectCount: {{{comparator}}}}}) {{ id }} }}")["annotations"])
        == count
    )


def test_variables_that_are_not_given_do_not_filter(ask: Ask) -> None:
    text = "query ($id: Int) { datasets(where: {id: {_eq: $id}}) { id } }"
    assert len(ask(text)["datasets"]) == 2
    assert ask(text, id=None)["datasets"] == []
    assert ask(text, id=30002)["datasets"] == [{"id": 30002}]


def test_whole_clauses_as_variables(ask: Ask) -> None:
    text = """query ($where: RunWhereClause, $order: [RunOrderByClause!], $page: LimitOffsetClause) {
      runs(where: $where, orderBy: $order, limitOffset: $page) { id } }"""
    where = {"dataset": {"organismName": {"_in": ["Saccharomyces cerevisiae"]}}}
    found = ask(text, where=where, order=[{"name": "desc"}], page={"limit": 1})
    assert found["runs"] == [{"id": 300022}]
    assert len(ask(text)["runs"]) == 4


def test_orders_apply_in_the_order_written(ask: Ask) -> None:
    def order(clause: str) -> list[int]:
        return [run["id"] for run in ask(f"{{ runs(orderBy: {clause}) {{ id }} }}")["runs"]]

    assert order("{name: desc, id: asc}") == [300012, 300022, 300011, 300021]
    assert order("{id: desc, name: asc}") == [300022, 300021, 300012, 300011]
    assert order("[{dataset: {title: desc}}, {name: desc}]") == [300022, 300021, 300012, 300011]
    assert order("[]") == [300011, 300012, 300021, 300022]


def test_orders_by_very_many_fields(ask: Ask, answer: Ask, service: Service) -> None:
    """What has stood before decides nothing; SQLite crashes when it is told to sort by 64 fields."""
    again = ", ".join(["{dataset: {title: asc}}", "{name: desc}"] * 60)
    for field in (
        "runs(orderBy: [{}]) {{ id }}",
        "datasets {{ runs(orderBy: [{}]) {{ edges {{ node {{ id }} }} }} }}",
    ):
        assert ask(f"{{ {field.format(again)} }}") == ask(
            f"{{ {field.format('{dataset: {title: asc}}, {name: desc}')} }}"
        )
    behind = ", ".join(
        f"{{id: asc}}, {{dataset: {{{name}: asc}}}}" for name in service.words["Dataset"].plain()
    )
    assert len(ask(f"{{ runs(orderBy: [{behind}]) {{ id }} }}")["runs"]) == 4
    fields = service.words["Tomogram"].plain()
    many = " ".join(f"{name}: asc" for name in fields if name != "id")
    related = " ".join(f"{name}: asc" for name in service.words["Alignment"].plain())
    (error,) = answer(f"{{ tomograms(orderBy: [{{{many} alignment: {{{related}}}}}]) {{ id }} }}")["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_LARGE"
    assert "at most 40 can be sorted by" in error["message"]


def test_groups_by_very_many_fields(answer: Ask, service: Service) -> None:
    """An answer or a sentence, never a broken server."""

    def fields(name: str, depth: int) -> str:
        words = service.words[name]
        inner = [
            f"{relation} {{ {fields(words.relations[relation].target, depth - 1)} }}"
            for relation in words.relations
            if depth and not words.relations[relation].many
        ]
        return " ".join([*words.plain(), *inner])

    response = answer(
        f"{{ annotationFilesAggregate {{ aggregate {{ count groupBy {{ {fields('AnnotationFile', 4)} }} }} }} }}"
    )
    if "errors" in response:
        assert response["errors"][0]["extensions"]["code"] in ("QUERY_TOO_LARGE", "QUERY_TOO_COSTLY")
    else:
        assert response["data"]["annotationFilesAggregate"]["aggregate"]


def test_orders_of_nulls(ask: Ask) -> None:
    def first(direction: str) -> Any:
        text = f"{{ annotations(orderBy: {{objectCount: {direction}}}, limitOffset: {{limit: 1}}) {{ objectCount }} }}"
        return ask(text)["annotations"][0]["objectCount"]

    assert [first(d) for d in ("asc", "desc", "asc_nulls_first", "desc_nulls_last")] == [120, None, None, 120]


def test_and_or_not_and_search(ask: Ask) -> None:
    def runs(where: str) -> list[int]:
        return [run["id"] for run in ask(f"{{ runs(where: {where}) {{ id }} }}")["runs"]]

    assert runs('{_or: [{id: {_eq: 300011}}, {name: {_eq: "TS_02"}}]}') == [300011, 300012, 300022]
    assert runs('{_not: {name: {_eq: "TS_02"}}}') == [300011, 300021]
    assert runs('{_and: [{name: {_eq: "TS_02"}}, {dataset: {search: "yeast"}}]}') == [300022]
    assert runs("{_or: []}") == []
    assert runs("{dataset: null}") == [300011, 300012, 300021, 300022]
    assert runs("{tomograms: {}}") == [300011, 300012, 300021, 300022]


def test_numbers_of_related_rows_as_conditions(ask: Ask) -> None:
    def runs(count: str) -> int:
        return len(
            ask(f"{{ runs(where: {{annotationsAggregate: {{count: {{{count}}}}}}}) {{ id }} }}")["runs"]
        )

    assert runs("predicate: {_eq: 2}") == 4
    assert runs('filter: {objectName: {_eq: "thylakoid"}}, predicate: {_eq: 0}') == 4
    assert runs("arguments: objectCount, predicate: {_eq: 1}") == 4
    assert runs("arguments: releaseDate, distinct: true, predicate: {_gte: 1, _lt: 2}") == 4
    assert runs('filter: {objectName: {_eq: "thylakoid"}}') == 4


def test_aggregates(ask: Ask) -> None:
    found = ask("""{ datasetsAggregate { __typename aggregate { count all: count species: count(columns: organismTaxid, distinct: true)
      max { title releaseDate organismTaxid } sum { organismTaxid fileSize } avg { organismTaxid } exactAvg { organismTaxid } } } }""")
    assert found["datasetsAggregate"] == {
        "__typename": "DatasetAggregate",
        "aggregate": [{
            "count": 2, "all": 2, "species": 2,
            "max": {"title": "Ribosomes of yeast", "releaseDate": "2025-02-01T00:00:00+00:00", "organismTaxid": 4932},
            "sum": {"organismTaxid": 7987, "fileSize": 1e11}, "avg": {"organismTaxid": 3994}, "exactAvg": {"organismTaxid": 3993.5},
        }],
    }  # fmt: skip


def test_groups_through_relations(ask: Ask) -> None:
    found = ask("""{ datasets(limitOffset: {limit: 1}) { runsAggregate {
      aggregate { count groupBy { annotations { objectName groundTruthStatus } } } } }
      annotationsAggregate { aggregate { count groupBy { run { dataset { id } } } } } }""")
    assert found["datasets"][0]["runsAggregate"]["aggregate"] == [
        {
            "count": 2,
            "groupBy": {"annotations": {"objectName": "cytosolic ribosome", "groundTruthStatus": False}},
        },
        {"count": 2, "groupBy": {"annotations": {"objectName": "membrane", "groundTruthStatus": True}}},
    ]
    assert [g["count"] for g in found["annotationsAggregate"]["aggregate"]] == [4, 4]


def test_aggregates_of_nothing_are_zero(ask: Ask) -> None:
    none = 'where: {name: {_eq: "nothing"}}'
    found = ask(f"""{{ runsAggregate({none}) {{ aggregate {{ count }} }}
      grouped: runsAggregate({none}) {{ aggregate {{ count groupBy {{ name }} }} }}
      datasets(limitOffset: {{limit: 1}}) {{ runsAggregate({none}) {{ aggregate {{ count }} }} }} }}""")
    assert found["runsAggregate"]["aggregate"] == [{"count": 0}]
    assert found["grouped"]["aggregate"] == []
    assert found["datasets"][0]["runsAggregate"]["aggregate"] == [{"count": 0}]


def test_fragments_directives_and_merged_fields(ask: Ask) -> None:
    text = """query Q($no: Boolean!, $yes: Boolean!) { runs(limitOffset: {limit: 1}) {
      ...R id @skip(if: $yes) label: name @include(if: $yes) ... on Run { dataset { title } } ... @include(if: $no) { s3Prefix }
      ... on Node { _id } dataset { id } } }
      fragment R on Run { name dataset { ...D } } fragment D on Dataset { organismName }"""
    run = ask(text, no=False, yes=True)["runs"][0]
    assert list(run) == ["name", "dataset", "label", "_id"]
    assert run["dataset"] == {
        "organismName": "Chlamydomonas reinhardtii",
        "title": "Chloroplasts, frozen",
        "id": 30001,
    }


def test_operations_by_name(ask: Ask, error: Ask) -> None:
    text = "query A { runs { id } } query B { datasets { id } }"
    assert list(ask(text, operation="B")) == ["datasets"]
    assert "say which one" in error(text)
    assert "no operation 'C'" in error(text, operation="C")


def test_limits(ask: Ask) -> None:
    assert ask("{ runs(limitOffset: {limit: 0}) { id } }")["runs"] == []
    assert [r["id"] for r in ask("{ runs(limitOffset: {offset: 3}) { id } }")["runs"]] == [300022]
    assert len(ask("{ runs(limitOffset: {limit: null}) { id } }")["runs"]) == 4


def cursor(place: str) -> str:
    code = base64.b64encode(f"arrayconnection:{place}".encode()).decode()
    return f'{{ runs {{ tomograms(after: "{code}") {{ edges {{ node {{ id }} }} }} }} }}'


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ runs { colour } }", "Cannot query field 'colour' on type 'Run'"),
        ("{ runs(where: {nam: {_eq: 1}}) { id } }", "Did you mean 'name'"),
        ("{ runs(where: {name: {_eq: 1}}) { id } }", "String cannot represent a non string value"),
        ("{ runs(where: {name: null}) { id } }", "null comparator"),
        ("{ runs(where: {name: {_gt: null}}) { id } }", "is_null"),
        ("{ runs(where: {name: {_in: [null]}}) { id } }", "Expected value of non-null type"),
        ('{ runs(where: {name: {_regex: "("}}) { id } }', "RE2"),
        ("{ runs(limitOffset: {limit: -1}) { id } }", "limit must be 0 or more"),
        ("{ runs { tomograms(first: -1) { edges { node { id } } } } }", "first must be 0 or more"),
        ('{ runs { tomograms(after: "x") { edges { node { id } } } } }', "not a cursor"),
        (cursor("9" * 30), "not a cursor"),
        (cursor("9" * 5000), "not a cursor"),
        ('{ runs { tomograms(after: "é") { edges { node { id } } } } }', "not a cursor"),
        (f'{{ runs(where: {{name: {{_like: "{"%a" * 50_000}"}}}}) {{ id }} }}', "too large for the database"),
        ("{ runsAggregate { aggregate { __typename } } }", "no aggregate functions selected"),
        ("{ runs(where: {id: {_eq: 99999999999}}) { id } }", "32-bit"),
        ('{ datasets(where: {releaseDate: {_gt: "soon"}}) { id } }', "ISO 8601"),
        ("{ runs ", "Syntax Error"),
        ("mutation { deleteRun(where: {}) { id } }", "mutation"),
        ("fragment A on Run { id }", "never used"),
    ],
)
def test_errors_are_sentences(error: Ask, query: str, words: str) -> None:
    assert words in error(query)


def test_errors_tell_the_place(answer: Ask) -> None:
    response = answer("{ a: runs { id }\n  b: runs(limitOffset: {limit: -1}) { id } }")
    assert response["data"] is None
    assert response["errors"][0]["path"] == ["b"]
    assert response["errors"][0]["locations"] == [{"line": 2, "column": 3}]


def test_deep_documents_are_refused_and_not_fatal(error: Ask) -> None:
    deep = "{ runs(where: " + "{_not: " * 3000 + "{}" + "}" * 3000 + ") { id } }"
    assert "nested too deeply" in error(deep) or "too large" in error(deep)
    far = "{ runs { " + "dataset { runs { edges { node { " * 20 + "id" + " } } } }" * 20 + " } }"
    assert "12 relations" in error(far)


def test_fragments_that_double_each_other_are_no_danger(ask: Ask, answer: Ask) -> None:
    """Fields by fragments: linear where they are the same, refused soon where each is asked for under another name."""
    chain = " ".join(f"fragment F{n} on Run {{ id ...F{n + 1} ...F{n + 1} }}" for n in range(30))
    assert ask(f"{{ runs {{ ...F0 }} }} {chain} fragment F30 on Run {{ name }}")["runs"][0]["name"] == "TS_01"
    pairs = " ".join(
        f"fragment G{n} on Dataset {{ deposition {{ a: datasets {{ edges {{ node {{ ...G{n + 1} }} }} }} "
        f"b: datasets {{ edges {{ node {{ ...G{n + 1} }} }} }} }} }}"
        for n in range(30)
    )
    (error,) = answer(f"{{ datasets {{ ...G0 }} }} {pairs} fragment G30 on Dataset {{ id }}")["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COSTLY"
    assert "20,000 fields" in error["message"]


def test_no_list_is_longer_than_the_portal_allows(portal: Catalog) -> None:
    """Counted, not guessed: whatever would be longer is an error, in root lists, connections and groups."""
    service = Service(QueryLimits(rows=2))

    def asked(text: str) -> dict[str, Any]:
        return json.loads(service.answer(portal.view(today=TODAY), Request(text)))

    connection = "{{ runs(where: {{id: {{_eq: 300011}}}}) {{ frames{} {{ edges {{ node {{ id }} }} }} }} }}"
    for text in (
        "{ runs(limitOffset: {limit: 2}) { id dataset { title } } }",
        "{ datasets { id } }",
        "{ runsAggregate { aggregate { count } } }",
        connection.format(""),
        connection.format("(last: 1)"),
        "{ annotationsAggregate { aggregate { count groupBy { objectName } } } }",
        "{ runs(where: {id: {_in: [1, 2, 3, 300011]}}) { id } }",
    ):
        assert "errors" not in asked(text), text
    frames = "{ depositions(where: {id: {_eq: 20001}}) { frames%s { edges { node { id } } } } }"
    for text in (
        "{ runs { id } }",
        "{ runs(limitOffset: {limit: 3}) { id tomograms { edges { node { id } } } } }",
        frames % "",
        frames % "(last: 3)",
        frames % "(first: 3)",
        "{ annotationsAggregate { aggregate { count groupBy { id } } } }",
    ):
        (error,) = asked(text)["errors"]
        assert error["extensions"]["code"] == "TOO_MANY_ROWS", text
        assert "more than 2 rows" in error["message"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ runs ", "GRAPHQL_PARSE_FAILED"),
        ("{ runs { colour } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ runs { " + "id " * 2000 + "} }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: Int!) { runs(where: {id: {_eq: $id}}) { id } }", "BAD_USER_INPUT"),
        ("{ runs(limitOffset: {limit: -1}) { id } }", "BAD_USER_INPUT"),
        ("query A { runs { id } } query B { runs { id } }", "OPERATION_RESOLUTION_FAILURE"),
        ("{ runs(where: " + "{_not: " * 3000 + "{}" + "}" * 3000 + ") { id } }", "GRAPHQL_PARSE_FAILED"),
        (f'{{ runs(where: {{name: {{_like: "{"%a" * 50_000}"}}}}) {{ id }} }}', "QUERY_TOO_LARGE"),
    ],
)  # fmt: skip
def test_errors_have_codes(answer: Ask, query: str, code: str) -> None:
    response = answer(query)
    assert response["data"] is None
    assert {error["extensions"]["code"] for error in response["errors"]} == {code}
    assert all(len(error["message"]) > 20 for error in response["errors"])


def test_the_last_documents_are_kept_and_long_ones_are_not(ask: Ask, service: Service) -> None:
    long, new = "{ runs { id } }" + "#" * LONGEST_REMEMBERED, "{ runs { id } } # a new one"
    ask(long)
    ask(new)
    assert long not in service._remembered
    assert new in service._remembered
    for number in range(MOST_REMEMBERED):
        ask(f"{{ __typename }} # {number}")
    assert new not in service._remembered
    assert len(service._remembered) == MOST_REMEMBERED


def test_what_may_take_long_to_understand_waits_with_the_costly(
    ask: Ask, service: Service, request: pytest.FixtureRequest
) -> None:
    new = f"# not asked before {request.node.name}"
    long = f"{{ runs {{ id }} }} {new}" + "x" * 3000
    assert service.is_soon_understood(Request("{ runs { id } }"))
    assert not service.is_soon_understood(Request(long))
    ask(long)
    assert service.is_soon_understood(Request(long))
    schema = f"{{ __schema {{ types {{ name }} }} }} {new}"
    assert not service.is_soon_understood(Request(schema))
    ask(schema)
    assert service.is_soon_understood(Request(schema))


def test_introspection(ask: Ask) -> None:
    schema = build_client_schema(ask(get_introspection_query()))
    assert schema.get_type("Tomogram")
    both = ask('{ __type(name: "Run") { name } runs { id } t: __typename }')
    assert list(both) == ["__type", "runs", "t"]
    assert both["__type"] == {"name": "Run"}


def test_one_statement_for_each_root_field(portal: Catalog, ask: Ask) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    ask("{ runs { id } }")  # the sizes of the tables are asked for once in each version of the catalogue
    sqlalchemy.event.listen(portal.database.reader, "before_cursor_execute", note)
    try:
        ask("""{ datasets { id runs { edges { node { tomograms { edges { node { id } } } } } } runsAggregate { aggregate { count } } }
          runsAggregate { aggregate { count } } }""")
    finally:
        sqlalchemy.event.remove(portal.database.reader, "before_cursor_execute", note)
    selects = [s for s in statements if s.startswith("SELECT") and "FROM catalog" not in s]
    assert len(selects) == 2


def test_nothing_of_the_future(ask: Ask) -> None:
    text = """{ datasets { id } runs(where: {dataset: {id: {_eq: 30003}}}) { id } annotations { objectName }
      deposition: depositions { datasets { edges { node { id } } } datasetsAggregate { aggregate { count } } }
      annotationsAggregate { aggregate { count groupBy { objectName } } } }"""
    now, later = ask(text), ask(text, today=date(2031, 1, 1))
    assert "30003" not in json.dumps(now)
    assert "thylakoid" not in json.dumps(now)
    assert "30003" in json.dumps(later)
    assert "thylakoid" in json.dumps(later)


def test_viewer_states_name_no_layer_of_the_future(ask: Ask) -> None:
    text = "{ tomograms(where: {id: {_eq: 1601}}) { neuroglancerConfig } }"
    wanted = '{ tomograms(where: {neuroglancerConfig: {_like: "%thylakoid%"}}) { id } }'

    def layers(**rest: Any) -> list[str]:
        (tomogram,) = ask(text, **rest)["tomograms"]
        return [json.dumps(layer) for layer in json.loads(tomogram["neuroglancerConfig"])["layers"]]

    now, later = layers(), layers(today=date(2031, 1, 1))
    assert now == later[:3]
    assert not any("102" in layer for layer in now)
    assert all("102" in layer for layer in later[3:])
    assert len(later) == 5
    assert ask(wanted)["tomograms"] == []
    assert ask(wanted, today=date(2031, 1, 1))["tomograms"]
