"""A GraphQL request → the text of its answer. The catalogue's JSON is passed through as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
    parse,
    validate,
    value_from_ast_untyped,
)
from graphql.execution.values import get_variable_values

from tomoportal.api.errors import BAD_INPUT, INVALID, LIMITS, OPERATION, SYNTAX, graphql_code
from tomoportal.api.graphql.cost import Estimator, depth
from tomoportal.api.graphql.schema import make_schema
from tomoportal.api.graphql.search import Shape, shaped
from tomoportal.api.graphql.translate import Selected, Translator, Variables
from tomoportal.api.graphql.vocabulary import Words, vocabulary
from tomoportal.catalog import View
from tomoportal.errors import QueryError, TooMuch
from tomoportal.model import query
from tomoportal.settings import QueryLimits

Query = query.Select | query.Aggregate | query.Ranked

MOST_TOKENS = 200_000
"""Longer documents are refused; five thousand ids in a list are well below."""
LONGEST_REMEMBERED = 16_000
"""Letters of a document that is kept once it has been checked; a parsed document takes many times its length in memory."""
MOST_REMEMBERED = 256
SHORT = 2_000
"""Letters of a document that is checked at once whatever is in it: the time for comparing its fields may grow with the square."""
MOST_INTROSPECTIONS = 32
"""Answers about the schema that are kept; tools ask the same few."""
INTROSPECTION = ("__schema", "__type")


FINE = '{"data":{'
"""How answers without errors begin."""
CHEAP = 20_000
"""Points below which a request need not wait for others."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that has been understood and may be answered: `roots` in their order; `asked`: query trees of those that ask the
    catalogue; `shapes`: what of the answers to searches; `meta`: answers of all others, by key; `cost` in points."""

    roots: list[Selected]
    asked: dict[str, Query]
    shapes: dict[str, Shape]
    meta: dict[str, str]
    cost: float


class Service:
    """Answers requests against the schema of the model, within limits. Safe to use from several threads."""

    def __init__(self, limits: QueryLimits | None = None) -> None:
        self.limits = limits or QueryLimits()
        self.schema: GraphQLSchema = make_schema()
        self.words: dict[str, Words] = vocabulary()
        self._introspected: dict[tuple[str, str | None, str], str] = {}
        self._remembered: dict[str, DocumentNode | list[GraphQLError]] = {}
        self._lock = Lock()
        self._sizes: tuple[tuple[str, ...], dict[str, int]] = ((), {})

    def answer(self, view: View, request: Request) -> str:
        """The JSON text of the response. Errors are part of it, in sentences; then `data` is null. Raises `CatalogError`."""
        prepared = self.prepare(view, request)
        return prepared if isinstance(prepared, str) else self.run(view, prepared)

    def prepare(self, view: View, request: Request) -> Prepared | str:
        """The request, understood, or the JSON text of an answer that says why it cannot be answered."""
        return _told(lambda: self._prepared(view, request))

    def run(self, view: View, prepared: Prepared) -> str:
        """The JSON text of the response."""
        return _told(lambda: self._data(view, prepared))

    def is_soon_understood(self, request: Request) -> bool:
        """Whether preparing it takes little: it is short or known, and asks nothing new about the schema."""
        if "__schema" in request.query and all(key[0] != request.query for key in [*self._introspected]):
            return False
        return len(request.query) <= SHORT or request.query in self._remembered

    def _prepared(self, view: View, request: Request) -> Prepared:
        document = self._understood(request.query)
        if isinstance(document, list):
            raise Invalid(document)
        operation = _operation(document, request.operation)
        translator = Translator(
            self.schema, self.words, _fragments(document), self._variables(operation, request)
        )
        with _located(None):
            roots = translator.roots(operation.selection_set)
        asked, shapes, meta, cost = {}, {}, {}, 0.0
        estimator = Estimator(self._sizes_of(view)) if any(not _is_meta(root) for root in roots) else None
        for selected in roots:
            with _located(selected):
                if estimator is None or _is_meta(selected):
                    meta[selected.key] = self._meta(document, operation, selected, request)
                else:
                    asked[selected.key] = tree = translator.root(selected)
                    cost += estimator.cost(tree)
                    self._admit(tree, cost)
                    if isinstance(tree, query.Ranked):
                        shapes[selected.key] = translator.shape(selected)
        return Prepared(roots, asked, shapes, meta, cost)

    def _admit(self, tree: Query, cost: float) -> None:
        """Raises `TooMuch` for what is too deep, or too costly with all that came before."""
        if (found := depth(tree)) > self.limits.depth:
            reason = f"{found} relations follow each other in this query; no more than {self.limits.depth} relations may"
            raise TooMuch("depth", reason)
        if cost > self.limits.cost:
            reason = (
                f"this query is estimated at {cost:,.0f} points, and this portal answers up to {self.limits.cost:,}: ask for fewer rows "
                "(limitOffset, first, where) or fewer relations at a time"
            )
            raise TooMuch("cost", reason)

    def _sizes_of(self, view: View) -> dict[str, int]:
        """Sizes of the tables, asked for once in each version of the catalogue."""
        known, sizes = self._sizes
        if known != view.key:
            sizes = view.sizes()
            self._sizes = (view.key, sizes)
        return sizes

    def _data(self, view: View, prepared: Prepared) -> str:
        texts = dict(prepared.meta)
        if prepared.asked:
            with view.snapshot(self.limits.seconds, self.limits.rows) as ask:
                for selected in prepared.roots:
                    if tree := prepared.asked.get(selected.key):
                        with _located(selected):
                            texts[selected.key] = ask(tree)
        for key, shape in prepared.shapes.items():
            texts[key] = shaped(texts[key], shape)
        parts = (f"{json.dumps(root.key)}:{texts[root.key]}" for root in prepared.roots)
        return f'{{"data":{{{",".join(parts)}}}}}'

    def _understood(self, text: str) -> DocumentNode | list[GraphQLError]:
        """The document, checked, or what is wrong with it; the last ones are remembered."""
        if (known := self._remembered.get(text)) is not None:
            return known
        found = self._check(text)
        if len(text) <= LONGEST_REMEMBERED:
            with self._lock:
                if len(self._remembered) >= MOST_REMEMBERED:
                    del self._remembered[next(iter(self._remembered))]
                self._remembered[text] = found
        return found

    def _check(self, text: str) -> DocumentNode | list[GraphQLError]:
        try:
            document = parse(text, max_tokens=MOST_TOKENS)
        except GraphQLError as error:
            return [_coded(error, SYNTAX)]
        found = validate(self.schema, document, max_errors=20)
        return [_coded(_plainer(error), INVALID) for error in found] or document

    def _variables(self, operation: OperationDefinitionNode, request: Request) -> Variables:
        given = dict(request.variables or {})
        definitions = operation.variable_definitions or ()
        coerced = get_variable_values(self.schema, definitions, given)
        if isinstance(coerced, list):
            raise Invalid([_coded(error, BAD_INPUT) for error in coerced])
        raw = {
            d.variable.name.value: value_from_ast_untyped(d.default_value)
            for d in definitions
            if d.default_value is not None
        }
        return Variables(coerced, {**raw, **given})

    def _meta(
        self, document: DocumentNode, operation: OperationDefinitionNode, selected: Selected, request: Request
    ) -> str:
        """`__typename`, and introspection as graphql-core answers it."""
        if selected.name not in INTROSPECTION:
            return '"Query"'
        cached = (request.query, request.operation, selected.key)
        if not request.variables and cached in self._introspected:
            return self._introspected[cached]
        alone = OperationDefinitionNode(
            operation=operation.operation,
            variable_definitions=operation.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(selected.nodes)),
        )
        fragments = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
        result = execute_sync(
            self.schema,
            DocumentNode(definitions=(alone, *fragments)),
            variable_values=dict(request.variables or {}),
        )
        if result.errors:
            raise Invalid([_coded(error, INVALID) for error in result.errors])
        text = json.dumps((result.data or {})[selected.key])
        if not request.variables and len(self._introspected) < MOST_INTROSPECTIONS:
            self._introspected[cached] = text
        return text


class Invalid(Exception):
    """The request cannot be answered; `errors` says why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


class _located:
    """Tells errors of a root field with its place in the document."""

    def __init__(self, selected: Selected | None) -> None:
        self.selected = selected

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, QueryError):
            nodes, path = (self.selected.nodes[0], [self.selected.key]) if self.selected else (None, None)
            extensions = {"code": graphql_code(error)}
            raise GraphQLError(str(error), nodes, path=path, extensions=extensions) from error
        if isinstance(error, GraphQLError):
            _coded(error, BAD_INPUT)


def _is_meta(selected: Selected) -> bool:
    return selected.name.startswith("__")


T = TypeVar("T")


def _told(work: Callable[[], T]) -> T | str:
    """What `work` gives, or the text of an answer that tells its errors."""
    try:
        return work()
    except GraphQLError as error:
        return _errors([error])
    except RecursionError:
        return _errors(
            [GraphQLError("this document is nested too deeply", extensions={"code": LIMITS["depth"]})]
        )
    except Invalid as invalid:
        return _errors(invalid.errors)


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error


def _plainer(error: GraphQLError) -> GraphQLError:
    """graphql-core says no more than this when comparing the fields of a document would take too long."""
    if error.message != "Validation aborted.":
        return error
    reason = (
        "this document has too many fields and fragments of one name to be checked; ask for each field once"
    )
    return GraphQLError(reason, error.nodes)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name:
        operations = [d for d in operations if d.name and d.name.value == name]
    if not operations:
        missing = f"this document has no operation {name!r}" if name else "this document has no operation"
        raise GraphQLError(missing, extensions={"code": OPERATION})
    if len(operations) > 1:
        several = "this document has several operations; say which one with operationName"
        raise GraphQLError(several, extensions={"code": OPERATION})
    return operations[0]


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def _errors(errors: list[GraphQLError]) -> str:
    return json.dumps({"data": None, "errors": [error.formatted for error in errors]}, ensure_ascii=False)
