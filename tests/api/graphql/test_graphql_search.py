"""The root field `search`, against the invented portal."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy

from fixtures_catalog import TODAY
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import Catalog

SERVICE = Service()


def answer(portal: Catalog, text: str, **variables: Any) -> Any:
    return json.loads(SERVICE.answer(portal.view(today=TODAY), Request(text, variables)))


def test_results_in_the_shape_that_is_asked_for(portal: Catalog) -> None:
    text = """query ($words: String!) {
      found: search(text: $words, types: [Dataset], limit: 1) {
        __typename total counts { type count }
        hits { ...Hit title matches { __typename label parts { text isMatch } } } } }
      fragment Hit on SearchHit { kind: type id score matchedIn snippet }"""
    assert answer(portal, text, words="ribo yeast") == {
        "data": {
            "found": {
                "__typename": "SearchResults", "total": 1, "counts": [{"type": "Dataset", "count": 1}],
                "hits": [{
                    "kind": "Dataset", "id": 30002, "score": 81, "matchedIn": ["title", "object", "description"],
                    "snippet": "Ribosomes of yeast", "title": "Ribosomes of yeast",
                    "matches": [
                        {"__typename": "SearchMatch", "label": "title", "parts": [
                            {"text": "Ribosomes", "isMatch": True}, {"text": " of ", "isMatch": False},
                            {"text": "yeast", "isMatch": True}]},
                        {"__typename": "SearchMatch", "label": "object", "parts": [
                            {"text": "cytosolic ", "isMatch": False}, {"text": "ribosome", "isMatch": True}]},
                        {"__typename": "SearchMatch", "label": "description", "parts": [
                            {"text": "Ribosomes", "isMatch": True}, {"text": " of ", "isMatch": False},
                            {"text": "yeast", "isMatch": True}, {"text": ", imaged in tilt", "isMatch": False}]},
                    ],
                }],
            }
        }
    }  # fmt: skip


def test_all_types_and_pages(portal: Catalog) -> None:
    text = 'query ($n: Int) { search(text: "ribosome", limit: 5, offset: $n) { total hits { type id } } }'
    pages = [answer(portal, text, n=start)["data"]["search"] for start in (0, 5, 10)]
    hits = [(hit["type"], hit["id"]) for page in pages for hit in page["hits"]]
    assert {page["total"] for page in pages} == {12} == {len(set(hits))}
    assert {type for type, _ in hits} == {"Dataset", "Deposition", "Run", "Annotation"}


def test_one_statement(portal: Catalog) -> None:
    asked: list[str] = []
    service = Service()
    text = '{ search(text: "ribo yeast -x \\"of yeast\\" DS-30002", types: [Dataset]) { total hits { id matches { snippet } } } }'
    service.answer(portal.view(today=TODAY), Request(text))

    def note(*args: Any) -> None:
        asked.append(args[2])

    sqlalchemy.event.listen(portal.database.reader, "before_cursor_execute", note)
    try:
        answered = service.answer(portal.view(today=TODAY), Request(text))
    finally:
        sqlalchemy.event.remove(portal.database.reader, "before_cursor_execute", note)
    assert json.loads(answered)["data"]["search"]["total"] == 1
    assert len([statement for statement in asked if statement.startswith("WITH")]) == 1
    assert not [statement for statement in asked if statement.startswith("SELECT") and "search_" in statement]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("limit: 101", "at most 100"), ("limit: -1", "0 or more"), ("offset: -1", "0 or more"), ("types: [Frame]", "SearchType"),
        ('text: "a"', "only one argument named"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_told(portal: Catalog, arguments: str, sentence: str) -> None:
    (error, *_) = answer(portal, f'{{ search(text: "x", {arguments}) {{ total }} }}')["errors"]
    assert sentence in error["message"]
