"""What is new, as an Atom feed (RFC 4287): datasets and depositions, latest first, perhaps of an organism or with an object only."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.query import EVERYTHING, Compare, Many, Order, Select, Value, all_of, through
from tomoportal.web import urls
from tomoportal.web.context import Visit

ENTRIES = 50
_ATOM = "http://www.w3.org/2005/Atom"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


@dataclass(frozen=True, slots=True)
class _Kind:
    entity: str
    word: str
    address: Callable[[int], str]
    organism: tuple[str, ...]
    object: tuple[str, ...]


_KINDS = (
    _Kind("Dataset", "Dataset", urls.dataset, (), ("runs", "annotations")),
    _Kind("Deposition", "Deposition", urls.deposition, ("datasets",), ("annotations",)),
)
_FIELDS: tuple[query.Selection, ...] = (
    *(Value(name, name) for name in ("id", "title", "description", "release_date", "last_modified_date")),
    Many("authors", "authors", (Value("name", "name"),), order_by=(Order(("author_list_order",)),)),
)


def feed(visit: Visit) -> str:
    """The document; `organism` and `object` (name, or id as `GO:0005840`) of the query string narrow it."""
    entries = [(row, kind) for kind in _KINDS for row in visit.view.rows(_newest(visit, kind))]
    entries.sort(key=lambda entry: (entry[0]["release_date"], entry[0]["id"]), reverse=True)
    own = str(visit.request.url.path) + (f"?{visit.request.url.query}" if visit.request.url.query else "")
    root = xml.Element("feed", {"xmlns": _ATOM})
    _text(root, "id", visit.absolute(own))
    _text(root, "title", f"New at {visit.settings.title}")
    _text(
        root,
        "updated",
        max((row["last_modified_date"] for row, _ in entries), default="1970-01-01T00:00:00+00:00"),
    )
    xml.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": visit.absolute(own)})
    xml.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": visit.absolute(urls.HOME)})
    author = xml.SubElement(root, "author")
    _text(author, "name", visit.settings.title)
    for row, kind in entries[:ENTRIES]:
        _entry(root, visit, row, kind)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


def _newest(visit: Visit, kind: _Kind) -> Select:
    asked = visit.request.query_params
    parts = []
    if organism := asked.get("organism"):
        parts.append(through(kind.organism, Compare("organism_name", "eq", organism)))
    if named := asked.get("object"):
        field = "object_id" if re.fullmatch(r"\w+:\w+", named) else "object_name"
        parts.append(through(kind.object, Compare(field, "eq", named)))
    order = (Order(("release_date",), "desc"), Order(("id",), "desc"))
    return Select(kind.entity, _FIELDS, all_of(parts) if parts else EVERYTHING, order, limit=ENTRIES)


def _entry(root: xml.Element, visit: Visit, row: dict[str, Any], kind: _Kind) -> None:
    entry, address = xml.SubElement(root, "entry"), visit.absolute(kind.address(row["id"]))
    _text(entry, "id", address)
    _text(entry, "title", row["title"])
    _text(entry, "published", row["release_date"])
    _text(entry, "updated", row["last_modified_date"])
    xml.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": address})
    xml.SubElement(entry, "category", {"term": kind.word.lower(), "label": kind.word})
    for author in row["authors"]:
        _text(xml.SubElement(entry, "author"), "name", author["name"])
    _text(entry, "summary", row["description"] or row["title"])


def _text(parent: xml.Element, tag: str, text: str) -> None:
    xml.SubElement(parent, tag).text = _FORBIDDEN.sub(" ", text)
