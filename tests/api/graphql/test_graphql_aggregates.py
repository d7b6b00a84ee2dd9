"""Figures and groups of a GraphQL answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tomoportal.api.graphql.execute import Service

Ask = Callable[..., Any]


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
