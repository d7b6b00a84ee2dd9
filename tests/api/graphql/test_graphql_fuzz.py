"""Random documents, valid and invalid ones, made from our schema: each is answered or refused in a sentence with a code.

What is answered is checked by graphql-core: it executes the document over our answer, so that types, nulls, enumerations, names and
the order of keys are judged by another implementation.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from graphql import GraphQLResolveInfo, execute_sync, parse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fixtures_catalog import TODAY
from tomoportal.api import errors
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.api.graphql.schema import make_schema
from tomoportal.catalog import Catalog

hypothesis_graphql = pytest.importorskip("hypothesis_graphql")

WHOLE = bool(os.environ.get("TOMOPORTAL_TEST_ALL"))
SAMPLED = settings(
    max_examples=1500 if WHOLE else 15, deadline=None, database=None, derandomize=not WHOLE,
    phases=[Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip
SCHEMA = make_schema()
MOMENTS = st.sampled_from(["2024-05-23", "2024-05-23T00:00:00+00:00", "2024-05-23T12:00", "soon"])
CODES = {
    errors.SYNTAX, errors.INVALID, errors.OPERATION, errors.BAD_INPUT, errors.LIMITS["cost"], errors.LIMITS["depth"],
    errors.LIMITS["size"],
}  # fmt: skip


def documents(mode: Any) -> st.SearchStrategy[Any]:
    """Texts of queries."""
    scalars = {"DateTime": MOMENTS.map(hypothesis_graphql.nodes.String)}
    return hypothesis_graphql.queries(SCHEMA, custom_scalars=scalars, mode=mode)


def judged(portal: Catalog, service: Service, text: str) -> dict[str, Any]:
    """The answer, after everything that can be said about it."""
    answer = json.loads(service.answer(portal.view(today=TODAY), Request(text)))
    if "errors" in answer:
        assert answer["data"] is None
        for error in answer["errors"]:
            assert error["extensions"]["code"] in CODES, error
            assert len(error["message"]) > 15, error
            assert "Traceback" not in error["message"]
        return answer
    document = parse(text)
    again = execute_sync(SCHEMA, document, answer["data"], field_resolver=taken)
    assert again.errors is None, (text, again.errors)
    assert json.dumps(again.data) == json.dumps(answer["data"]), text
    return answer


def taken(source: dict[str, Any], info: GraphQLResolveInfo, **_: Any) -> Any:
    return source[str(info.path.key)]


@seed(5)
@SAMPLED
@given(data=st.data())
def test_valid_documents(portal: Catalog, service: Service, data: st.DataObject) -> None:
    judged(portal, service, data.draw(VALID))


@seed(5)
@SAMPLED
@given(data=st.data())
def test_invalid_documents(portal: Catalog, service: Service, data: st.DataObject) -> None:
    judged(portal, service, data.draw(INVALID))


@seed(5)
@SAMPLED
@given(data=st.data())
def test_documents_with_a_piece_cut_out(portal: Catalog, service: Service, data: st.DataObject) -> None:
    text = data.draw(VALID)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    put = data.draw(
        st.sampled_from(
            ["", "{", "}", "null", '"', "$x", "9999999999", "...", "@skip(if: true)", "[", "é\U0001f9ec"]
        )
    )
    judged(portal, service, text[:start] + put + text[end:])


VALID, INVALID = documents(hypothesis_graphql.Mode.POSITIVE), documents(hypothesis_graphql.Mode.NEGATIVE)
