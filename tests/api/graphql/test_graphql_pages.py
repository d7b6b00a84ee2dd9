"""Orders, limits and connections of a GraphQL answer."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tomoportal.api.graphql.execute import Service

Ask = Callable[..., Any]


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


def test_orders_of_nulls(ask: Ask) -> None:
    def first(direction: str) -> Any:
        text = f"{{ annotations(orderBy: {{objectCount: {direction}}}, limitOffset: {{limit: 1}}) {{ objectCount }} }}"
        return ask(text)["annotations"][0]["objectCount"]

    assert [first(d) for d in ("asc", "desc", "asc_nulls_first", "desc_nulls_last")] == [120, None, None, 120]


def test_limits(ask: Ask) -> None:
    assert ask("{ runs(limitOffset: {limit: 0}) { id } }")["runs"] == []
    assert [r["id"] for r in ask("{ runs(limitOffset: {offset: 3}) { id } }")["runs"]] == [300022]
    assert len(ask("{ runs(limitOffset: {limit: null}) { id } }")["runs"]) == 4
