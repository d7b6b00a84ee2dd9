"""What one source adds to an annotation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.ingest.task import Work
from tomoportal.layout.paths import folder
from tomoportal.problems import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """`entries` of the sidecar's file list, `files` with their sizes, a viewer `layer` (None: nothing to be drawn), how many objects
    (None: not known)."""

    entries: list[dict[str, Any]]
    files: dict[str, dict[str, Any]]
    layer: dict[str, Any] | None
    count: int | None
    problems: tuple[Problem, ...]


def stem(work: Work) -> str:
    """Path of the annotation's files up to the shape."""
    return f"{folder(work.task.key)}/{work.task.parameters['stem']}"


def entry(source: dict[str, Any], shape: str, kind: str, path: str, size: int) -> dict[str, Any]:
    """One file of the sidecar's list."""
    return {
        "format": kind,
        "path": path,
        "shape": shape,
        "file_size": size,
        "is_visualization_default": bool(source["visible"]),
    }
