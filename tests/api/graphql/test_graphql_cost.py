"""What queries are estimated at, for a portal of 500 datasets, 20,000 runs and 100,000 annotations."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from tomoportal.api.graphql.cost import Estimator, depth
from tomoportal.api.graphql.execute import CHEAP
from tomoportal.api.graphql.schema import make_schema
from tomoportal.api.graphql.translate import Translator, Variables
from tomoportal.api.graphql.vocabulary import vocabulary
from tomoportal.model import query
from tomoportal.model.registry import ENTITIES
from tomoportal.settings import QueryLimits

SIZES = {entity.__name__: 0 for entity in ENTITIES} | {
    "Deposition": 250, "Dataset": 500, "DatasetAuthor": 3_500, "Run": 20_000, "Tomogram": 20_000, "TomogramVoxelSpacing": 20_000,
    "Tiltseries": 20_000, "Annotation": 100_000, "AnnotationShape": 130_000, "AnnotationFile": 160_000, "AnnotationAuthor": 300_000,
}  # fmt: skip
SCHEMA, WORDS = make_schema(), vocabulary()


def trees(text: str) -> list[query.Select | query.Aggregate]:
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    translator = Translator(SCHEMA, WORDS, {}, Variables({}, {}))
    return [translator.root(selected) for selected in translator.roots(operation.selection_set)]


def cost(text: str) -> float:
    return sum(Estimator(SIZES).cost(tree) for tree in trees(text))


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("{ datasets(where: {id: {_eq: 1}}) { id title } }", 1, 5),
        ("{ runs(where: {id: {_in: [1, 2, 3]}}) { id } }", 3, 10),
        ("{ runs { id name datasetId } }", 20_000, 60_000),
        ("{ runs(limitOffset: {limit: 10, offset: 100}) { id } }", 100, 150),
        ("{ runs(orderBy: {name: asc}, limitOffset: {limit: 10}) { id } }", 20_000, 20_100),
        ("{ runs(where: {datasetId: {_eq: 1}}) { id } }", 40, 100),
        ("{ tomograms(where: {run: {datasetId: {_eq: 1}}}) { id } }", 40, 200),
        ("{ runs(where: {annotations: {id: {_eq: 1}}}) { id } }", 1, 10),
        ('{ runs(where: {name: {_eq: "x"}}) { id } }', 20_000, 50_000),
        ('{ runs(where: {annotations: {objectName: {_ilike: "%x%"}}}) { id } }', 200_000, 300_000),
        ("{ runs(where: {annotationsAggregate: {count: {predicate: {_gt: 3}}}}) { id } }", 120_000, 150_000),
        ("{ runs(where: {_or: [{id: {_eq: 1}}, {id: {_eq: 2}}]}) { id } }", 2, 10),
        ("{ runs(where: {_not: {id: {_eq: 1}}}) { id } }", 20_000, 50_000),
        ("{ annotationAuthors { id name orcid email authorListOrder } }", 600_000, 1_000_000),
        ("{ annotationsAggregate { aggregate { count groupBy { objectName } } } }", 100_000, 130_000),
        ("{ runsAggregate { aggregate { count groupBy { annotations { objectName } } } } }", 100_000, 130_000),
        ("{ datasets { runs { edges { node { annotations { edges { node { id } } } } } } } }", 200_000, 300_000),
        ("{ datasets(limitOffset: {limit: 1}) { runs(first: 2) { edges { node { id } } pageInfo { hasNextPage } } } }", 80, 100),
    ],
)  # fmt: skip
def test_estimates(text: str, least: float, most: float) -> None:
    assert least <= cost(text) <= most


def test_every_field_under_another_name_counts() -> None:
    one = cost("{ runs { id } }")
    assert cost("{ a: runs { id } b: runs { id } c: runs { id } }") == pytest.approx(3 * one)


def test_going_back_and_forth_is_refused_before_it_is_long() -> None:
    text = "{ runs { " + "dataset { runs { edges { node { " * 3 + "id" + " } } } }" * 3 + " } }"
    assert cost(text) > 10**9 > QueryLimits().cost
    assert max(depth(tree) for tree in trees(text)) == 6 < QueryLimits().depth


def test_what_pages_ask_is_cheap_and_what_archives_ask_is_allowed() -> None:
    run_page = """{ runs(where: {id: {_eq: 1}}) { id name dataset { title authors { edges { node { name } } } }
      annotations { edges { node { objectName authors { edges { node { name } } }
        annotationShapes { edges { node { annotationFiles { edges { node { format httpsPath } } } } } } } } }
      annotationsAggregate { aggregate { count groupBy { objectName } } } } }"""
    assert cost(run_page) < CHEAP / 10
    browse = """{ datasets(orderBy: {releaseDate: desc}, limitOffset: {limit: 20}) { id title
      runsAggregate { aggregate { count groupBy { annotations { objectName } } } } } datasetsAggregate { aggregate { count } } }"""
    assert cost(browse) < CHEAP
    everything = f"{{ annotations {{ {' '.join(WORDS['Annotation'].fields)} }} }}"
    assert CHEAP < cost(everything) < QueryLimits().cost / 10


def test_depth() -> None:
    def deepest(text: str) -> int:
        return max(depth(tree) for tree in trees(text))

    assert deepest("{ runs { id } }") == 0
    assert deepest("{ runs { dataset { deposition { id } } } }") == 2
    assert deepest("{ runs { dataset(where: {deposition: {authors: {}}}) { id } } }") == 3
    assert deepest("{ runs(orderBy: {dataset: {deposition: {id: asc}}}) { id } }") == 2
    assert (
        deepest(
            "{ runsAggregate(where: {_not: {tomograms: {}}}) { aggregate { groupBy { dataset { id } } } } }"
        )
        == 1
    )
    assert (
        deepest("{ runs(where: {annotationsAggregate: {count: {filter: {run: {id: {_eq: 1}}}}}}) { id } }")
        == 0
    )
    where = "annotationsAggregate: {count: {predicate: {_gt: 1}, filter: {run: {id: {_eq: 1}}}}}"
    assert deepest(f"{{ runs(where: {{{where}}}) {{ id }} }}") == 2
