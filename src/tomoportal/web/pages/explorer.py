"""The page on which people try GraphQL queries. It works as a plain form; scripts make an editor of it."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.settings import Settings
from tomoportal.web import render
from tomoportal.web.context import Head


@dataclass(frozen=True, slots=True)
class Example:
    """A query that any portal answers."""

    title: str
    query: str
    variables: str = ""


@dataclass(frozen=True, slots=True)
class Explorer:
    """What stands on the page: the form as it was sent, and the answer."""

    head: Head
    query: str
    variables: str
    answer: str
    examples: tuple[Example, ...]

    @property
    def queries(self) -> list[dict[str, str]]:
        """The examples, for scripts."""
        return [{"query": example.query, "variables": example.variables} for example in self.examples]


EXAMPLES = (
    Example(
        "Newest datasets",
        """{
  datasets(orderBy: {releaseDate: desc}, limitOffset: {limit: 10}) {
    id
    title
    organismName
    releaseDate
    runsAggregate { aggregate { count } }
  }
}
""",
    ),
    Example(
        "A dataset with its runs and volumes",
        """query ($dataset: IntComparators) {
  datasets(where: {id: $dataset}, limitOffset: {limit: 1}) {
    title
    runs(first: 5, orderBy: {name: asc}) {
      pageInfo { hasNextPage endCursor }
      edges {
        node {
          name
          tomograms(orderBy: {voxelSpacing: asc}) {
            edges { node { name voxelSpacing sizeX sizeY sizeZ httpsOmezarrDir } }
          }
        }
      }
    }
  }
}
""",
        '{\n  "dataset": {"_is_null": false}\n}',
    ),
    Example(
        "How often is each object annotated?",
        """{
  annotationsAggregate {
    aggregate {
      count
      groupBy { objectName groundTruthStatus }
      sum { objectCount }
    }
  }
}
""",
    ),
    Example(
        "Runs with ground truth, or with many annotations",
        """{
  runs(
    where: {_or: [
      {annotations: {groundTruthStatus: {_eq: true}}}
      {annotationsAggregate: {count: {predicate: {_gte: 3}}}}
    ]}
    orderBy: [{dataset: {id: asc}}, {name: asc}]
    limitOffset: {limit: 20}
  ) {
    id
    name
    dataset { id title }
    annotationsAggregate { aggregate { count } }
  }
}
""",
    ),
    Example(
        "Files of points, with their addresses",
        """query ($shape: annotation_file_shape_type_enum = Point) {
  annotationFiles(
    where: {annotationShape: {shapeType: {_eq: $shape}}}
    limitOffset: {limit: 10}
  ) {
    format
    fileSize
    httpsPath
    annotationShape { annotation { objectName objectId run { name } } }
  }
}
""",
        '{\n  "shape": "Point"\n}',
    ),
    Example(
        "Microscopes and cameras",
        """{
  tiltseriesAggregate {
    aggregate {
      count
      groupBy { microscopeModel cameraModel }
      exactAvg { tiltRange pixelSpacing }
    }
  }
}
""",
    ),
)


def explorer_page(query: str, variables: str, answer: str, settings: Settings) -> str:
    """The HTML; `query` and `variables` as they were sent, the first example when nothing was."""
    head = Head(
        title=f"GraphQL · {settings.title}",
        description=f"Try queries on everything that is public in {settings.title}.",
        section="graphql",
    )
    page = Explorer(head, query or EXAMPLES[0].query, variables, answer, EXAMPLES)
    return render.explorer(page, settings)
