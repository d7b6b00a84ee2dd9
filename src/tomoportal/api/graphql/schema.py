"""The GraphQL types, made from the model.

Everything that the schema inside the official client 4.9.0 has under `Query` is here with the same types. Ours besides: `_and`,
`_or`, `_not` and `search` in where clauses, `exact…` figures, the root field `search`. There are no mutations.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from tomoportal.api.graphql.inputs import Inputs, list_of, some
from tomoportal.api.graphql.search import SEARCH, search_field
from tomoportal.api.graphql.vocabulary import AGGREGATE, Words
from tomoportal.model.fields import Field


def make_schema() -> GraphQLSchema:
    """The schema of the model as it is now."""
    return _Builder().schema()


class _Builder(Inputs):
    """Makes the types that come out, besides those that go in."""

    def __init__(self) -> None:
        super().__init__()
        self.node, self.interface = self._interfaces()
        self.page_info = GraphQLObjectType(
            "PageInfo",
            {
                "hasNextPage": GraphQLField(
                    some(GraphQLBoolean), description="There are rows after this page."
                ),
                "hasPreviousPage": GraphQLField(
                    some(GraphQLBoolean), description="There are rows before this page."
                ),
                "startCursor": GraphQLField(GraphQLString, description="Cursor of the first row."),
                "endCursor": GraphQLField(GraphQLString, description="Cursor of the last row."),
            },
            description="What is known about a page of a connection.",
        )

    def schema(self) -> GraphQLSchema:
        """Everything under `Query`."""
        roots: dict[str, GraphQLField] = {}
        for words in self.words.values():
            roots[words.entity.names.root] = self._root_list(words)
        for words in self.words.values():
            aggregate = GraphQLField(some(self.aggregate(words)), args=self.where_argument(words))
            roots[f"{words.entity.names.root}{AGGREGATE}"] = aggregate
        roots[SEARCH] = search_field()
        query = GraphQLObjectType("Query", roots, description="Everything that is public in this portal.")
        return GraphQLSchema(query=query, types=[self.interface, self.node])

    def _interfaces(self) -> tuple[GraphQLInterfaceType, GraphQLInterfaceType]:
        def field() -> dict[str, GraphQLField]:
            return {
                "_id": GraphQLField(some(GraphQLID), description="Opaque identifier, unique over all types.")
            }

        node = GraphQLInterfaceType("Node", field, description="Whatever has a global identifier.")
        return node, GraphQLInterfaceType(
            "EntityInterface", field, interfaces=[node], description="Every entity."
        )

    def _root_list(self, words: Words) -> GraphQLField:
        arguments = {**self.where_argument(words), **self.order_argument(words)}
        arguments["limitOffset"] = GraphQLArgument(self.limit_offset, default_value=None)
        return GraphQLField(
            some(list_of(some(self.object(words)).of_type)), args=arguments, description=words.entity.__doc__
        )

    def object(self, words: Words) -> GraphQLObjectType:
        """The type of an entity."""

        def fields() -> dict[str, GraphQLField]:
            made = {"_id": self.interface.fields["_id"]}
            for name, field in words.fields.items():
                made[name] = GraphQLField(self.output(field), description=_described(field))
            for name, relation in words.relations.items():
                target = self.words[relation.target]
                arguments = {**self.where_argument(target), **self.order_argument(target)}
                if relation.many:
                    made[name] = GraphQLField(
                        some(self.connection(target)),
                        args={**arguments, **_page_arguments()},
                        description=relation.description,
                    )
                    made[f"{name}{AGGREGATE}"] = GraphQLField(
                        self.aggregate(target),
                        args=self.where_argument(target),
                        description=f"Figures about {relation.description}.",
                    )
                else:
                    made[name] = GraphQLField(
                        self.object(target), args=arguments, description=relation.description
                    )
            return made

        return self.named(
            words.type,
            lambda: GraphQLObjectType(
                words.type, fields, interfaces=[self.interface, self.node], description=words.entity.__doc__
            ),
        )

    def connection(self, words: Words) -> GraphQLObjectType:
        """A page of related rows."""
        edge = self.named(
            f"{words.type}Edge",
            lambda: GraphQLObjectType(
                f"{words.type}Edge",
                lambda: {
                    "cursor": GraphQLField(
                        some(GraphQLString), description="The place of this row, for `after` and `before`."
                    ),
                    "node": GraphQLField(some(self.object(words)), description="The row."),
                },
            ),
        )
        return self.named(
            f"{words.type}Connection",
            lambda: GraphQLObjectType(
                f"{words.type}Connection",
                {
                    "pageInfo": GraphQLField(some(self.page_info), description="Facts about this page."),
                    "edges": GraphQLField(
                        some(list_of(edge)), description="The rows; all of them without `first` or `last`."
                    ),
                },
            ),
        )

    def output(self, field: Field) -> Any:
        """The type of a scalar, non-null where the model says so."""
        plain = self.scalar(field)
        return plain if field.nullable else some(plain)

    # ---- figures ------------------------------------------------------------------------------------------------

    def aggregate(self, words: Words) -> GraphQLObjectType:
        """Figures about rows, one object for every group."""
        return self.named(
            f"{words.type}Aggregate",
            lambda: GraphQLObjectType(
                f"{words.type}Aggregate", lambda: {"aggregate": GraphQLField(list_of(self._functions(words)))}
            ),
        )

    def _functions(self, words: Words) -> GraphQLObjectType:
        typed = self._columns(words, "NumericalColumns", words.numeric())
        exact = self._columns(words, "ExactColumns", words.numeric(), GraphQLFloat)
        extreme = self._columns(words, "MinMaxColumns", words.ordered())
        rounded = (
            "Whole-number fields are rounded to whole numbers, as their type says; `exact{}` does not round."
        )
        fields = {
            "sum": GraphQLField(typed),
            "avg": GraphQLField(typed, description=rounded.format("Avg")),
            "stddev": GraphQLField(typed, description=f"Of a sample. {rounded.format('Stddev')}"),
            "variance": GraphQLField(typed, description=f"Of a sample. {rounded.format('Variance')}"),
            "min": GraphQLField(extreme),
            "max": GraphQLField(extreme),
            "exactAvg": GraphQLField(exact),
            "exactStddev": GraphQLField(exact, description="Of a sample."),
            "exactVariance": GraphQLField(exact, description="Of a sample."),
            "groupBy": GraphQLField(
                self._group_by(words),
                description="One object for every combination of these values. Through a relation, rows without a related row are "
                "left out and a row counts once for each related row.",
            ),
            "count": GraphQLField(
                GraphQLInt,
                args={
                    "distinct": GraphQLArgument(GraphQLBoolean, default_value=False),
                    "columns": GraphQLArgument(self.count_columns(words), default_value=None),
                },
                description="Rows; with `columns` those where it is not null, with `distinct` its different values.",
            ),
        }
        name = f"{words.type}AggregateFunctions"
        return self.named(name, lambda: GraphQLObjectType(name, fields))

    def _columns(
        self, words: Words, suffix: str, columns: dict[str, Field], type_: Any = None
    ) -> GraphQLObjectType:
        name = f"{words.type}{suffix}"
        fields = {column: GraphQLField(type_ or self.scalar(field)) for column, field in columns.items()}
        return self.named(name, lambda: GraphQLObjectType(name, fields))

    def _group_by(self, words: Words) -> GraphQLObjectType:
        def fields() -> dict[str, GraphQLField]:
            made = {name: GraphQLField(self.scalar(field)) for name, field in words.plain().items()}
            for name, relation in words.relations.items():
                made[name] = GraphQLField(self._group_by(self.words[relation.target]))
            return made

        name = f"{words.type}GroupByOptions"
        return self.named(name, lambda: GraphQLObjectType(name, fields))


def _described(field: Field) -> str:
    return f"{field.description} ({field.unit})" if field.unit else field.description


def _page_arguments() -> dict[str, GraphQLArgument]:
    return {
        "before": GraphQLArgument(GraphQLString, default_value=None, description="Rows before this cursor."),
        "after": GraphQLArgument(GraphQLString, default_value=None, description="Rows after this cursor."),
        "first": GraphQLArgument(GraphQLInt, default_value=None, description="So many from the beginning."),
        "last": GraphQLArgument(GraphQLInt, default_value=None, description="So many from the end."),
    }
