"""What the service remembers and asks the database, and whose eyes it answers for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy
from graphql import build_client_schema, get_introspection_query

from tomoportal.api.graphql.execute import LONGEST_REMEMBERED, MOST_REMEMBERED, Request, Service
from tomoportal.catalog import Catalog

Ask = Callable[..., Any]


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
