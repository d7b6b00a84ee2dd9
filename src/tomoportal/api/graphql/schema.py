"""The GraphQL types, made from the model.

Everything that the schema inside the official client 4.9.0 has under `Query` is here with the same types. Ours besides: `_and`,
`_or`, `_not` and `search` in where clauses, `exact…` figures. There are no mutations.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
)

from tomoportal.api.graphql.vocabulary import AGGREGATE, Words, comparators_of_enum, vocabulary
from tomoportal.catalog.tables import is_searchable
from tomoportal.model.fields import Field, Kind

DIRECTIONS = ("asc", "asc_nulls_first", "asc_nulls_last", "desc", "desc_nulls_first", "desc_nulls_last")
EQUALITY = ("_eq", "_neq", "_in", "_nin")
SIZE = ("_gt", "_gte", "_lt", "_lte")
PATTERNS = ("_like", "_nlike", "_ilike", "_nilike", "_regex", "_nregex", "_iregex", "_niregex")


def make_schema() -> GraphQLSchema:
    """The schema of the model as it is now."""
    return _Builder().schema()


def _some(inner: Any) -> Any:
    return GraphQLNonNull(inner)


def _list(inner: Any) -> Any:
    return GraphQLList(GraphQLNonNull(inner))


def _parse_moment(value: Any) -> str:
    try:
        return datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise GraphQLError(
            f"DateTime cannot be {value!r}; expected ISO 8601 such as 2024-05-23 or 2024-05-23T00:00:00+00:00"
        ) from None


class _Builder:
    """Makes every named type once."""

    def __init__(self) -> None:
        self.words = vocabulary()
        self.types: dict[str, Any] = {}
        self.moment = GraphQLScalarType(
            "DateTime",
            description="Date with time (ISO 8601); without a zone UTC is meant.",
            parse_value=_parse_moment,
        )
        self.node, self.interface = self._interfaces()
        self.page_info = GraphQLObjectType(
            "PageInfo",
            {
                "hasNextPage": GraphQLField(
                    _some(GraphQLBoolean), description="There are rows after this page."
                ),
                "hasPreviousPage": GraphQLField(
                    _some(GraphQLBoolean), description="There are rows before this page."
                ),
                "startCursor": GraphQLField(GraphQLString, description="Cursor of the first row."),
                "endCursor": GraphQLField(GraphQLString, description="Cursor of the last row."),
            },
            description="What is known about a page of a connection.",
        )
        self.direction = GraphQLEnumType(
            "orderBy",
            {name: GraphQLEnumValue(name) for name in DIRECTIONS},
            description="Without a word on nulls, they come last when ascending and first when descending.",
        )
        self.limit_offset = GraphQLInputObjectType(
            "LimitOffsetClause",
            {
                "limit": GraphQLInputField(GraphQLInt, description="At most so many rows; 0 gives none."),
                "offset": GraphQLInputField(GraphQLInt, description="So many rows are left out first."),
            },
        )

    def schema(self) -> GraphQLSchema:
        """Everything under `Query`."""
        roots: dict[str, GraphQLField] = {}
        for words in self.words.values():
            roots[words.entity.names.root] = self._root_list(words)
        for words in self.words.values():
            aggregate = GraphQLField(_some(self.aggregate(words)), args=self._where_argument(words))
            roots[f"{words.entity.names.root}{AGGREGATE}"] = aggregate
        query = GraphQLObjectType("Query", roots, description="Everything that is public in this portal.")
        return GraphQLSchema(query=query, types=[self.interface, self.node])

    def _interfaces(self) -> tuple[GraphQLInterfaceType, GraphQLInterfaceType]:
        def field() -> dict[str, GraphQLField]:
            return {
                "_id": GraphQLField(_some(GraphQLID), description="Opaque identifier, unique over all types.")
            }

        node = GraphQLInterfaceType("Node", field, description="Whatever has a global identifier.")
        return node, GraphQLInterfaceType(
            "EntityInterface", field, interfaces=[node], description="Every entity."
        )

    def _named(self, name: str, make: Any) -> Any:
        if name not in self.types:
            self.types[name] = make()
        return self.types[name]

    # ---- what comes out -----------------------------------------------------------------------------------------

    def _root_list(self, words: Words) -> GraphQLField:
        arguments = {**self._where_argument(words), **self._order_argument(words)}
        arguments["limitOffset"] = GraphQLArgument(self.limit_offset, default_value=None)
        return GraphQLField(
            _some(_list(_some(self.object(words)).of_type)), args=arguments, description=words.entity.__doc__
        )

    def object(self, words: Words) -> GraphQLObjectType:
        """The type of an entity."""

        def fields() -> dict[str, GraphQLField]:
            made = {"_id": self.interface.fields["_id"]}
            for name, field in words.fields.items():
                made[name] = GraphQLField(self.output(field), description=_described(field))
            for name, relation in words.relations.items():
                target = self.words[relation.target]
                arguments = {**self._where_argument(target), **self._order_argument(target)}
                if relation.many:
                    made[name] = GraphQLField(
                        _some(self.connection(target)),
                        args={**arguments, **_page_arguments()},
                        description=relation.description,
                    )
                    made[f"{name}{AGGREGATE}"] = GraphQLField(
                        self.aggregate(target),
                        args=self._where_argument(target),
                        description=f"Figures about {relation.description}.",
                    )
                else:
                    made[name] = GraphQLField(
                        self.object(target), args=arguments, description=relation.description
                    )
            return made

        return self._named(
            words.type,
            lambda: GraphQLObjectType(
                words.type, fields, interfaces=[self.interface, self.node], description=words.entity.__doc__
            ),
        )

    def connection(self, words: Words) -> GraphQLObjectType:
        """A page of related rows."""
        edge = self._named(
            f"{words.type}Edge",
            lambda: GraphQLObjectType(
                f"{words.type}Edge",
                lambda: {
                    "cursor": GraphQLField(
                        _some(GraphQLString), description="The place of this row, for `after` and `before`."
                    ),
                    "node": GraphQLField(_some(self.object(words)), description="The row."),
                },
            ),
        )
        return self._named(
            f"{words.type}Connection",
            lambda: GraphQLObjectType(
                f"{words.type}Connection",
                {
                    "pageInfo": GraphQLField(_some(self.page_info), description="Facts about this page."),
                    "edges": GraphQLField(
                        _some(_list(edge)), description="The rows; all of them without `first` or `last`."
                    ),
                },
            ),
        )

    def output(self, field: Field) -> Any:
        """The type of a scalar, non-null where the model says so."""
        plain = self.scalar(field)
        return plain if field.nullable else _some(plain)

    def scalar(self, field: Field) -> Any:
        """The nullable type of a scalar."""
        match field.kind:
            case Kind.INT:
                return GraphQLInt
            case Kind.FLOAT:
                return GraphQLFloat
            case Kind.BOOL:
                return GraphQLBoolean
            case Kind.DATE:
                return self.moment
            case Kind.MATRIX:
                return _list(_list(GraphQLFloat))
            case Kind.ENUM:
                assert field.enum is not None
                return self.enum(field.enum)
            case _:
                return GraphQLString

    def enum(self, enum: type[StrEnum]) -> GraphQLEnumType:
        """An enumeration of the model."""
        values = {word.value: GraphQLEnumValue(word.value) for word in enum}
        return self._named(
            enum.__name__, lambda: GraphQLEnumType(enum.__name__, values, description=enum.__doc__)
        )

    # ---- figures ------------------------------------------------------------------------------------------------

    def aggregate(self, words: Words) -> GraphQLObjectType:
        """Figures about rows, one object for every group."""
        return self._named(
            f"{words.type}Aggregate",
            lambda: GraphQLObjectType(
                f"{words.type}Aggregate", lambda: {"aggregate": GraphQLField(_list(self._functions(words)))}
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
                    "columns": GraphQLArgument(self._count_columns(words), default_value=None),
                },
                description="Rows; with `columns` those where it is not null, with `distinct` its different values.",
            ),
        }
        name = f"{words.type}AggregateFunctions"
        return self._named(name, lambda: GraphQLObjectType(name, fields))

    def _columns(
        self, words: Words, suffix: str, columns: dict[str, Field], type_: Any = None
    ) -> GraphQLObjectType:
        name = f"{words.type}{suffix}"
        fields = {column: GraphQLField(type_ or self.scalar(field)) for column, field in columns.items()}
        return self._named(name, lambda: GraphQLObjectType(name, fields))

    def _group_by(self, words: Words) -> GraphQLObjectType:
        def fields() -> dict[str, GraphQLField]:
            made = {name: GraphQLField(self.scalar(field)) for name, field in words.plain().items()}
            for name, relation in words.relations.items():
                made[name] = GraphQLField(self._group_by(self.words[relation.target]))
            return made

        name = f"{words.type}GroupByOptions"
        return self._named(name, lambda: GraphQLObjectType(name, fields))

    def _count_columns(self, words: Words) -> GraphQLEnumType:
        name = f"{words.type}CountColumns"
        values = {column: GraphQLEnumValue(column) for column in words.plain()}
        return self._named(name, lambda: GraphQLEnumType(name, values))

    # ---- what goes in -------------------------------------------------------------------------------------------

    def _where_argument(self, words: Words) -> dict[str, GraphQLArgument]:
        return {"where": GraphQLArgument(self.where(words), default_value=None)}

    def _order_argument(self, words: Words) -> dict[str, GraphQLArgument]:
        return {"orderBy": GraphQLArgument(_list(self.order(words)), default_value=[])}

    def where(self, words: Words) -> GraphQLInputObjectType:
        """Conditions about a row; all of them must hold."""
        name = f"{words.type}WhereClause"

        def fields() -> dict[str, GraphQLInputField]:
            made = {
                column: GraphQLInputField(self._comparators(f)) for column, f in words.comparable().items()
            }
            for column, relation in words.relations.items():
                target = self.words[relation.target]
                made[column] = GraphQLInputField(
                    self.where(target), description="There is such a related row."
                )
                if relation.many:
                    made[f"{column}{AGGREGATE}"] = GraphQLInputField(self._aggregate_where(target))
            own = self.where(words)
            made["_and"] = GraphQLInputField(_list(own), description="All of these.")
            made["_or"] = GraphQLInputField(_list(own), description="Any of these.")
            made["_not"] = GraphQLInputField(own, description="Not this.")
            if is_searchable(words.entity):
                made["search"] = GraphQLInputField(
                    GraphQLString,
                    description="Every word occurs in names, titles, descriptions or identifiers; the last may be a beginning.",
                )
            return made

        return self._named(name, lambda: GraphQLInputObjectType(name, fields))

    def order(self, words: Words) -> GraphQLInputObjectType:
        """Fields to sort by, in the order written."""
        name = f"{words.type}OrderByClause"

        def fields() -> dict[str, GraphQLInputField]:
            made = {column: GraphQLInputField(self.direction) for column in words.plain()}
            for column, relation in words.relations.items():
                if not relation.many:
                    made[column] = GraphQLInputField(self.order(self.words[relation.target]))
            return made

        return self._named(name, lambda: GraphQLInputObjectType(name, fields))

    def _aggregate_where(self, words: Words) -> GraphQLInputObjectType:
        outer, inner = f"{words.type}AggregateWhereClause", f"{words.type}AggregateWhereClauseCount"

        def count() -> GraphQLInputObjectType:
            return GraphQLInputObjectType(
                inner,
                lambda: {
                    "arguments": GraphQLInputField(
                        self._count_columns(words), description="Count where this is not null."
                    ),
                    "distinct": GraphQLInputField(
                        GraphQLBoolean, description="Count different values of `arguments`."
                    ),
                    "filter": GraphQLInputField(self.where(words)),
                    "predicate": GraphQLInputField(
                        self._comparators_named("IntComparators", GraphQLInt, (*EQUALITY, *SIZE)),
                        description="What the number must be; anything when absent.",
                    ),
                },
            )

        return self._named(
            outer,
            lambda: GraphQLInputObjectType(
                outer, lambda: {"count": GraphQLInputField(_some(self._named(inner, count)))}
            ),
        )

    def _comparators(self, field: Field) -> GraphQLInputObjectType:
        every = (*EQUALITY, *SIZE)
        match field.kind:
            case Kind.INT:
                return self._comparators_named("IntComparators", GraphQLInt, every)
            case Kind.FLOAT:
                return self._comparators_named("FloatComparators", GraphQLFloat, every)
            case Kind.DATE:
                return self._comparators_named("DatetimeComparators", self.moment, every)
            case Kind.BOOL:
                return self._comparators_named("BoolComparators", GraphQLBoolean, EQUALITY)
            case Kind.ENUM:
                assert field.enum is not None
                return self._comparators_named(comparators_of_enum(field.enum), self.enum(field.enum), every)
            case _:
                return self._comparators_named("StrComparators", GraphQLString, (*every, *PATTERNS))

    def _comparators_named(self, name: str, type_: Any, members: tuple[str, ...]) -> GraphQLInputObjectType:
        fields = {m: GraphQLInputField(_list(type_) if m in ("_in", "_nin") else type_) for m in members}
        fields["_is_null"] = GraphQLInputField(GraphQLBoolean)
        return self._named(name, lambda: GraphQLInputObjectType(name, fields))


def _described(field: Field) -> str:
    return f"{field.description} ({field.unit})" if field.unit else field.description


def _page_arguments() -> dict[str, GraphQLArgument]:
    return {
        "before": GraphQLArgument(GraphQLString, default_value=None, description="Rows before this cursor."),
        "after": GraphQLArgument(GraphQLString, default_value=None, description="Rows after this cursor."),
        "first": GraphQLArgument(GraphQLInt, default_value=None, description="So many from the beginning."),
        "last": GraphQLArgument(GraphQLInt, default_value=None, description="So many from the end."),
    }
