"""What goes into the GraphQL schema: scalars, enumerations, where clauses, orders, comparators."""

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
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
)

from tomoportal.api.graphql.vocabulary import AGGREGATE, Words, comparators_of_enum, vocabulary
from tomoportal.catalog.search.passages import is_searchable
from tomoportal.model.fields import Field, Kind

DIRECTIONS = ("asc", "asc_nulls_first", "asc_nulls_last", "desc", "desc_nulls_first", "desc_nulls_last")
EQUALITY = ("_eq", "_neq", "_in", "_nin")
SIZE = ("_gt", "_gte", "_lt", "_lte")
PATTERNS = ("_like", "_nlike", "_ilike", "_nilike", "_regex", "_nregex", "_iregex", "_niregex")


def some(inner: Any) -> Any:
    """Not null."""
    return GraphQLNonNull(inner)


def list_of(inner: Any) -> Any:
    """A list without nulls."""
    return GraphQLList(GraphQLNonNull(inner))


class Inputs:
    """Makes every named type once."""

    def __init__(self) -> None:
        self.words = vocabulary()
        self.types: dict[str, Any] = {}
        self.moment = GraphQLScalarType(
            "DateTime",
            description="Date with time (ISO 8601); without a zone UTC is meant.",
            parse_value=_parse_moment,
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

    def named(self, name: str, make: Any) -> Any:
        """The type of this name, made when it is first asked for."""
        if name not in self.types:
            self.types[name] = make()
        return self.types[name]

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
                return list_of(list_of(GraphQLFloat))
            case Kind.ENUM:
                assert field.enum is not None
                return self.enum(field.enum)
            case _:
                return GraphQLString

    def enum(self, enum: type[StrEnum]) -> GraphQLEnumType:
        """An enumeration of the model."""
        values = {word.value: GraphQLEnumValue(word.value) for word in enum}
        return self.named(
            enum.__name__, lambda: GraphQLEnumType(enum.__name__, values, description=enum.__doc__)
        )

    def count_columns(self, words: Words) -> GraphQLEnumType:
        """The columns that can be counted."""
        name = f"{words.type}CountColumns"
        values = {column: GraphQLEnumValue(column) for column in words.plain()}
        return self.named(name, lambda: GraphQLEnumType(name, values))

    def where_argument(self, words: Words) -> dict[str, GraphQLArgument]:
        """`where`."""
        return {"where": GraphQLArgument(self.where(words), default_value=None)}

    def order_argument(self, words: Words) -> dict[str, GraphQLArgument]:
        """`orderBy`."""
        return {"orderBy": GraphQLArgument(list_of(self.order(words)), default_value=[])}

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
            made["_and"] = GraphQLInputField(list_of(own), description="All of these.")
            made["_or"] = GraphQLInputField(list_of(own), description="Any of these.")
            made["_not"] = GraphQLInputField(own, description="Not this.")
            if is_searchable(words.entity):
                made["search"] = GraphQLInputField(
                    GraphQLString,
                    description="Every word occurs in names, titles, descriptions or identifiers; the last may be a beginning.",
                )
            return made

        return self.named(name, lambda: GraphQLInputObjectType(name, fields))

    def order(self, words: Words) -> GraphQLInputObjectType:
        """Fields to sort by, in the order written."""
        name = f"{words.type}OrderByClause"

        def fields() -> dict[str, GraphQLInputField]:
            made = {column: GraphQLInputField(self.direction) for column in words.plain()}
            for column, relation in words.relations.items():
                if not relation.many:
                    made[column] = GraphQLInputField(self.order(self.words[relation.target]))
            return made

        return self.named(name, lambda: GraphQLInputObjectType(name, fields))

    def _aggregate_where(self, words: Words) -> GraphQLInputObjectType:
        outer, inner = f"{words.type}AggregateWhereClause", f"{words.type}AggregateWhereClauseCount"

        def count() -> GraphQLInputObjectType:
            return GraphQLInputObjectType(
                inner,
                lambda: {
                    "arguments": GraphQLInputField(
                        self.count_columns(words), description="Count where this is not null."
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

        return self.named(
            outer,
            lambda: GraphQLInputObjectType(
                outer, lambda: {"count": GraphQLInputField(some(self.named(inner, count)))}
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
        fields = {m: GraphQLInputField(list_of(type_) if m in ("_in", "_nin") else type_) for m in members}
        fields["_is_null"] = GraphQLInputField(GraphQLBoolean)
        return self.named(name, lambda: GraphQLInputObjectType(name, fields))


def _parse_moment(value: Any) -> str:
    try:
        return datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise GraphQLError(
            f"DateTime cannot be {value!r}; expected ISO 8601 such as 2024-05-23 or 2024-05-23T00:00:00+00:00"
        ) from None
