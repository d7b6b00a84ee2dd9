"""A GraphQL request → the text of its answer. The catalogue's JSON is passed through as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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

from tomoportal.api.errors import told
from tomoportal.api.graphql.schema import make_schema
from tomoportal.api.graphql.translate import Selected, Translator, Variables
from tomoportal.api.graphql.vocabulary import Words, vocabulary
from tomoportal.catalog import View
from tomoportal.errors import CatalogError, QueryError

MOST_TOKENS = 200_000
"""Longer documents are refused; five thousand ids in a list are well below."""
LONGEST_REMEMBERED = 16_000
"""Letters of a document that is kept once it has been checked; a parsed document takes many times its length in memory."""
MOST_INTROSPECTIONS = 32
"""Answers about the schema that are kept; tools ask the same few."""
INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends."""

    query: str
    variables: Mapping[str, Any] | None = None
    operation: str | None = None


class Service:
    """Answers requests against the schema of the model. Safe to use from several threads."""

    def __init__(self) -> None:
        self.schema: GraphQLSchema = make_schema()
        self.words: dict[str, Words] = vocabulary()
        self._introspected: dict[tuple[str, str | None, str], str] = {}
        self._remembered = lru_cache(maxsize=256)(self._check)

    def answer(self, view: View, request: Request) -> str:
        """The JSON text of the response. Errors are part of it, in sentences; then `data` is null."""
        try:
            return self._data(view, request)
        except GraphQLError as error:
            return _errors([error])
        except RecursionError:
            return _errors([GraphQLError("this document is nested too deeply")])
        except _Invalid as invalid:
            return _errors(invalid.errors)

    def _data(self, view: View, request: Request) -> str:
        is_usual = len(request.query) <= LONGEST_REMEMBERED
        document = (self._remembered if is_usual else self._check)(request.query)
        if isinstance(document, list):
            raise _Invalid(document)
        operation = _operation(document, request.operation)
        translator = Translator(
            self.schema, self.words, _fragments(document), self._variables(operation, request)
        )
        roots = translator.roots(operation.selection_set)
        asked = {}
        for selected in roots:
            if not selected.name.startswith("__"):
                with _located(selected):
                    asked[selected.key] = translator.root(selected)
        answers = self._ask(view, roots, asked)
        parts = []
        for selected in roots:
            text = answers.get(selected.key) or self._meta(document, operation, selected, request)
            parts.append(f"{json.dumps(selected.key)}:{text}")
        return f'{{"data":{{{",".join(parts)}}}}}'

    def _ask(self, view: View, roots: list[Selected], asked: dict[str, Any]) -> dict[str, str]:
        answers = {}
        with view.snapshot() as ask:
            for selected in roots:
                if selected.key in asked:
                    with _located(selected):
                        answers[selected.key] = ask(asked[selected.key])
        return answers

    def _check(self, text: str) -> DocumentNode | list[GraphQLError]:
        try:
            document = parse(text, max_tokens=MOST_TOKENS)
        except GraphQLError as error:
            return [error]
        return validate(self.schema, document, max_errors=20) or document

    def _variables(self, operation: OperationDefinitionNode, request: Request) -> Variables:
        given = dict(request.variables or {})
        definitions = operation.variable_definitions or ()
        coerced = get_variable_values(self.schema, definitions, given)
        if isinstance(coerced, list):
            raise _Invalid(coerced)
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
            raise _Invalid(result.errors)
        text = json.dumps((result.data or {})[selected.key])
        if not request.variables and len(self._introspected) < MOST_INTROSPECTIONS:
            self._introspected[cached] = text
        return text


class _Invalid(Exception):
    """The request cannot be answered; `errors` says why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


class _located:
    """Tells errors of a root field with its place in the document."""

    def __init__(self, selected: Selected) -> None:
        self.selected = selected

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (QueryError, CatalogError)):
            raise GraphQLError(told(error), self.selected.nodes[0], path=[self.selected.key]) from error


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name:
        operations = [d for d in operations if d.name and d.name.value == name]
    if not operations:
        raise GraphQLError(
            f"this document has no operation {name!r}" if name else "this document has no operation"
        )
    if len(operations) > 1:
        raise GraphQLError("this document has several operations; say which one with operationName")
    return operations[0]


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def _errors(errors: list[GraphQLError]) -> str:
    return json.dumps({"data": None, "errors": [error.formatted for error in errors]}, ensure_ascii=False)
