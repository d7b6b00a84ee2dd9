"""OBO graphs: an ontology as JSON, as the OBO Foundry publishes it beside OBO files (`go.json`).

Format: https://github.com/geneontology/obographs. Only nodes are looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from tomoportal.errors import FormatError
from tomoportal.formats.obo import MAX_TERMS, MAX_TEXT
from tomoportal.formats.text import shortened
from tomoportal.model.ontology import Ontology, Term

_REPLACED = "http://purl.obolibrary.org/obo/IAO_0100001"
_CONSIDER = "http://www.geneontology.org/formats/oboInOwl#consider"
_ADDRESS = re.compile(r"^https?://purl\.obolibrary\.org/obo/([A-Za-z]+)_([A-Za-z0-9]+)$")


def read_obo_graph(file: BinaryIO, name: str) -> Ontology:
    """The first graph of an open file. Raises `FormatError` for anything else, and for files above `MAX_TEXT` bytes."""
    data = file.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise FormatError(
            name, f"the file has more than {MAX_TEXT:,} bytes.", "Use the OBO file, or a slim of it."
        )
    try:
        graph = json.loads(data)["graphs"][0]
        terms = {term.id: term for node in graph["nodes"] if (term := _term(node))}
        about = graph.get("meta") or {}
        called = str(graph.get("id") or name).rpartition("/")[2].partition(".")[0]
        version = str(about.get("version") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(
            name, f"this is no OBO graph ({error}).", "Expected JSON such as go.json."
        ) from None
    if not 0 < len(terms) <= MAX_TERMS:
        raise FormatError(name, f"there are {len(terms):,} terms in this graph; expected 1 to {MAX_TERMS:,}.")
    return Ontology(called, version, terms)


def _term(node: Mapping[str, Any]) -> Term | None:
    """The term of a node; None for properties, and for what has no identifier of the form `GO:0005840`."""
    number = _compact(node["id"])
    if number is None or node.get("type", "CLASS") != "CLASS":
        return None
    about = node.get("meta") or {}
    synonyms = (str(synonym["val"]) for synonym in about.get("synonyms") or ())
    instead = dict.fromkeys(_instead(about))
    return Term(
        number,
        str(node.get("lbl") or ""),
        tuple(dict.fromkeys(synonyms)),
        bool(about.get("deprecated")),
        tuple(instead),
    )


def _instead(about: Mapping[str, Any]) -> Iterator[str]:
    values = about.get("basicPropertyValues") or ()
    for wanted in (_REPLACED, _CONSIDER):
        yield from (
            _compact(value["val"]) or str(value["val"]) for value in values if value["pred"] == wanted
        )


def _compact(address: Any) -> str | None:
    if not isinstance(address, str):
        raise TypeError(f"{shortened(str(address))} is no identifier")
    match = _ADDRESS.match(address)
    return f"{match[1]}:{match[2]}" if match else None
