"""The JSON twin of a page: the same context that its template gets, as data. `/datasets/10001` has it at `/datasets/10001.json`, the
front page at `/index.json`; the query string is the page's.

Addresses without a host are relative to `url`. What a page only computes with (conditions, sets of rows, functions) is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from tomoportal.model import query
from tomoportal.web.context import Head, Visit
from tomoportal.web.lists.filters import Choice

_OF_LISTS = frozenset({"members", "found", "where"})
"""What lists compute with."""
_NOTHING = object()


def twin(visit: Visit, context: Any) -> str:
    """JSON text. `page` names the kind of page."""
    url = visit.request.url
    address = url.path.removesuffix(".json") if url.path != "/index.json" else "/"
    about = {
        "page": type(context).__name__,
        "url": visit.absolute(address + (f"?{url.query}" if url.query else "")),
    }
    return json.dumps(about | _plain(context), ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case date():
            return value.isoformat()
        case Head():
            return {"title": value.title, "description": value.description, "image": value.image or None}
        case Choice():
            return {"search": value.text, "chosen": _plain(value.chosen), "sort": value.sort.value}
        case query.Condition() | type():
            return _NOTHING
        case Mapping():
            return {str(key): plain for key, item in value.items() if (plain := _plain(item)) is not _NOTHING}
        case list() | tuple() | set() | frozenset():
            return [plain for item in value if (plain := _plain(item)) is not _NOTHING]
    return dict(_fields(value)) if is_dataclass(value) else _NOTHING


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    names = [field.name for field in fields(value)]
    hidden = _OF_LISTS if "choice" in names else frozenset[str]()
    for name in names:
        if name not in hidden and (plain := _plain(getattr(value, name))) is not _NOTHING:
            yield name, plain
