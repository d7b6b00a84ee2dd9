"""The selections of a validated document → query trees, one for every root field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionSetNode,
    value_from_ast_untyped,
)
from graphql.execution import get_argument_values, get_directive_values

from tomoportal.api.graphql import filters, search
from tomoportal.api.graphql.vocabulary import AGGREGATE, Words
from tomoportal.errors import QueryError, TooMuch
from tomoportal.model import query
from tomoportal.model.fields import Field, Kind, Relation

INTERFACES = ("EntityInterface", "Node")
ROUNDED = ("avg", "stddev", "variance")


@dataclass(frozen=True, slots=True)
class Variables:
    """Values of the operation's variables: as graphql-core wants them, and as they were sent (in the order written)."""

    coerced: Any
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Selected:
    """One key of an answer: the field, and every place where the document asks for it under this key."""

    key: str
    name: str
    nodes: list[FieldNode]


MOST_FIELDS = 20_000
"""Fields that a request may select once its fragments are put in; cost is known only afterwards."""


class Translator:
    """Translates one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        vocabulary: filters.Vocabulary,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Variables,
    ) -> None:
        self.schema, self.vocabulary, self.fragments, self.variables = (
            schema,
            vocabulary,
            fragments,
            variables,
        )
        self._roots = {words.entity.names.root: words for words in vocabulary.values()}
        self._selections = 0

    def roots(self, selection_set: SelectionSetNode) -> list[Selected]:
        """The root fields."""
        return self._selected([selection_set], "Query")

    def root(self, selected: Selected) -> query.Select | query.Aggregate | query.Ranked:
        """The query tree of a root field (not of `__typename` or introspection)."""
        arguments = self._arguments("Query", selected.nodes[0])
        if selected.name == search.SEARCH:
            return search.asked(arguments)
        if selected.name in self._roots:
            return self._root_list(self._roots[selected.name], selected, arguments)
        words = self._roots[selected.name.removesuffix(AGGREGATE)]
        where = filters.condition(self.vocabulary, words, arguments["where"])
        return query.Aggregate(words.entity.__name__, tuple(self._aggregate(words, selected.nodes)), where)

    def shape(self, selected: Selected) -> search.Shape:
        """What is selected of the results of a search."""

        def below(nodes: list[FieldNode], type_name: str) -> Iterator[tuple[str, str, list[FieldNode]]]:
            for found in self._selected(_sets(nodes), type_name):
                yield found.key, found.name, found.nodes

        return search.shape(below, selected.nodes)

    def _root_list(self, words: Words, selected: Selected, arguments: dict[str, Any]) -> query.Select:
        window = arguments.get("limitOffset") or {}
        return query.Select(
            words.entity.__name__,
            tuple(self._fields(words, selected.nodes)),
            filters.condition(self.vocabulary, words, arguments["where"]),
            self._orders(words, selected.nodes[0]),
            filters.natural("limit", window.get("limit")),
            filters.natural("offset", window.get("offset")) or 0,
        )

    # ---- rows ---------------------------------------------------------------------------------------------------

    def _fields(self, words: Words, nodes: list[FieldNode]) -> Iterator[query.Selection]:
        for selected in self._selected(_sets(nodes), words.type):
            if selected.name == "__typename":
                yield query.Constant(selected.key, words.type)
            elif selected.name == "_id":
                yield query.GlobalId(selected.key, words.type)
            elif selected.name in words.fields:
                yield query.Value(selected.key, words.fields[selected.name].name)
            elif relation := words.related(selected.name):
                yield self._related_aggregate(words, relation, selected)
            else:
                yield self._relation(words, words.relations[selected.name], selected)

    def _relation(self, words: Words, relation: Relation, selected: Selected) -> query.Selection:
        target = self.vocabulary[relation.target]
        arguments = self._arguments(words.type, selected.nodes[0])
        where = filters.condition(self.vocabulary, target, arguments["where"])
        if not relation.many:
            return query.One(selected.key, relation.name, tuple(self._fields(target, selected.nodes)), where)
        after = filters.place(arguments["after"])
        return query.Page(
            selected.key,
            relation.name,
            tuple(self._connection(target, selected.nodes)),
            where,
            self._orders(target, selected.nodes[0]),
            start=0 if after is None else after + 1,
            stop=filters.place(arguments["before"]),
            first=filters.natural("first", arguments["first"]),
            last=filters.natural("last", arguments["last"]),
        )

    def _connection(
        self, words: Words, nodes: list[FieldNode]
    ) -> Iterator[query.Edges | query.PageInfo | query.Constant]:
        for selected in self._selected(_sets(nodes), f"{words.type}Connection"):
            if selected.name == "edges":
                yield query.Edges(selected.key, tuple(self._edge(words, selected.nodes)))
            elif selected.name == "pageInfo":
                yield query.PageInfo(selected.key, tuple(self._page_info(selected.nodes)))
            else:
                yield query.Constant(selected.key, f"{words.type}Connection")

    def _edge(
        self, words: Words, nodes: list[FieldNode]
    ) -> Iterator[query.Node | query.Cursor | query.Constant]:
        for selected in self._selected(_sets(nodes), f"{words.type}Edge"):
            if selected.name == "node":
                yield query.Node(selected.key, tuple(self._fields(words, selected.nodes)))
            elif selected.name == "cursor":
                yield query.Cursor(selected.key)
            else:
                yield query.Constant(selected.key, f"{words.type}Edge")

    def _page_info(self, nodes: list[FieldNode]) -> Iterator[Any]:
        for selected in self._selected(_sets(nodes), "PageInfo"):
            is_type = selected.name == "__typename"
            yield query.Constant(selected.key, "PageInfo") if is_type else (selected.key, selected.name)

    # ---- figures ------------------------------------------------------------------------------------------------

    def _related_aggregate(
        self, words: Words, relation: Relation, selected: Selected
    ) -> query.RelatedAggregate:
        target = self.vocabulary[relation.target]
        arguments = self._arguments(words.type, selected.nodes[0])
        where = filters.condition(self.vocabulary, target, arguments["where"])
        parts = tuple(self._aggregate(target, selected.nodes))
        return query.RelatedAggregate(selected.key, relation.name, parts, where)

    def _aggregate(self, words: Words, nodes: list[FieldNode]) -> Iterator[query.Groups | query.Constant]:
        for selected in self._selected(_sets(nodes), f"{words.type}Aggregate"):
            if selected.name == "__typename":
                yield query.Constant(selected.key, f"{words.type}Aggregate")
            else:
                yield query.Groups(selected.key, tuple(self._functions(words, selected.nodes)))

    def _functions(self, words: Words, nodes: list[FieldNode]) -> Iterator[query.GroupSelection]:
        type_name = f"{words.type}AggregateFunctions"
        chosen = self._selected(_sets(nodes), type_name)
        if all(selected.name == "__typename" for selected in chosen):
            raise QueryError(
                f"{type_name}: no aggregate functions selected; select count, sum, avg, min, max or others"
            )
        for selected in chosen:
            if selected.name == "__typename":
                yield query.Constant(selected.key, type_name)
            elif selected.name == "count":
                yield self._count(words, type_name, selected)
            elif selected.name == "groupBy":
                yield query.Nested(selected.key, tuple(self._keys(words, selected.nodes, ())))
            else:
                yield query.Nested(selected.key, tuple(self._figures(words, selected)))

    def _count(self, words: Words, type_name: str, selected: Selected) -> query.Figure:
        arguments = self._arguments(type_name, selected.nodes[0])
        column = words.fields[arguments["columns"]].name if arguments["columns"] else None
        return query.Figure(selected.key, "count", column, bool(arguments["distinct"]))

    def _figures(self, words: Words, chosen: Selected) -> Iterator[query.GroupSelection]:
        exact = chosen.name.startswith("exact")
        function: Any = chosen.name.removeprefix("exact").lower()
        suffix = (
            "ExactColumns" if exact else "MinMaxColumns" if function in ("min", "max") else "NumericalColumns"
        )
        for selected in self._selected(_sets(chosen.nodes), f"{words.type}{suffix}"):
            if selected.name == "__typename":
                yield query.Constant(selected.key, f"{words.type}{suffix}")
            else:
                field = words.fields[selected.name]
                whole = function in ROUNDED and not exact and field.kind is Kind.INT
                yield query.Figure(selected.key, function, field.name, rounded=whole)

    def _keys(
        self, words: Words, nodes: list[FieldNode], path: tuple[str, ...]
    ) -> Iterator[query.GroupSelection]:
        type_name = f"{words.type}GroupByOptions"
        for selected in self._selected(_sets(nodes), type_name):
            if selected.name == "__typename":
                yield query.Constant(selected.key, type_name)
            elif selected.name in words.fields:
                field: Field = words.fields[selected.name]
                yield query.GroupKey(selected.key, (*path, field.name))
            else:
                relation = words.relations[selected.name]
                target = self.vocabulary[relation.target]
                inner = self._keys(target, selected.nodes, (*path, relation.name))
                yield query.Nested(selected.key, tuple(inner))

    # ---- documents ----------------------------------------------------------------------------------------------

    def _orders(self, words: Words, node: FieldNode) -> tuple[query.Order, ...]:
        """Out of the document itself: graphql-core would put the keys of a clause into the order of the schema."""
        given = next((a.value for a in node.arguments or () if a.name.value == "orderBy"), None)
        clauses = None if given is None else value_from_ast_untyped(given, dict(self.variables.raw))
        return filters.orders(self.vocabulary, words, clauses)

    def _arguments(self, type_name: str, node: FieldNode) -> dict[str, Any]:
        parent = self.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType)
        return get_argument_values(parent.fields[node.name.value], node, self.variables.coerced)

    def _selected(self, sets: list[SelectionSetNode], type_name: str) -> list[Selected]:
        found: dict[str, Selected] = {}
        seen: set[str] = set()
        for selection_set in sets:
            for node in self._flat(selection_set, type_name, seen):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, Selected(key, node.name.value, [])).nodes.append(node)
        return list(found.values())

    def _flat(self, selection_set: SelectionSetNode, type_name: str, seen: set[str]) -> Iterator[FieldNode]:
        """The fields; a fragment counts where it is first met (CollectFields of the GraphQL specification)."""
        for node in selection_set.selections:
            if not self._wanted(node):
                continue
            match node:
                case FieldNode():
                    self._count_field()
                    yield node
                case FragmentSpreadNode() if node.name.value not in seen:
                    seen.add(node.name.value)
                    fragment = self.fragments[node.name.value]
                    if fragment.type_condition.name.value in (type_name, *INTERFACES):
                        yield from self._flat(fragment.selection_set, type_name, seen)
                case InlineFragmentNode():
                    condition = node.type_condition
                    if condition is None or condition.name.value in (type_name, *INTERFACES):
                        yield from self._flat(node.selection_set, type_name, seen)

    def _count_field(self) -> None:
        self._selections += 1
        if self._selections > MOST_FIELDS:
            reason = f"this query selects more than {MOST_FIELDS:,} fields once its fragments are put in; ask for fewer at a time"
            raise TooMuch("cost", reason)

    def _wanted(self, node: Any) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables.coerced)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables.coerced)
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))


def _sets(nodes: list[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set is not None]
