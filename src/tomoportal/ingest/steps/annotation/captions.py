"""Captions: texts about a run or about what another annotation shows, as the SABER program writes them."""

from __future__ import annotations

import json
from typing import Any

from tomoportal.errors import FormatError
from tomoportal.ingest.steps.annotation.part import Part, entry, stem
from tomoportal.ingest.task import Input, Work

_LISTS = {"GlobalCaption": "captions", "AnnotationCaption": "objects"}
"""Shape → the list whose items are counted."""


def make_caption(work: Work, file: Input, source: dict[str, Any]) -> Part:
    """The file as it is, after a look whether it is what it should be."""
    shape, data = source["shape"], work.source.read(file.path)
    items = _items(data, file.path, _LISTS[shape])
    companion = source["parameters"].get("companion_shape")
    word = f"{companion.lower()}_caption" if companion else shape.lower()
    path = f"{stem(work)}_{word}.json"
    files = work.put(path, data)
    listed = entry(source, shape, "json", path, len(data)) | {"is_visualization_default": False}
    return Part([listed], files, None, len(items), ())


def _items(data: bytes, name: str, key: str) -> list[Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(name, f"this is not JSON ({error}); expected captions.") from None
    items = content.get(key) if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise FormatError(
            name, f"there is no list '{key}' in this file; expected captions as SABER writes them."
        )
    return items
