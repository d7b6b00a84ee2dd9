"""The form with which visitors get points in the format of a package, for a tomogram of their choice. Works without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tomoportal.exports.annotation import SHAPES
from tomoportal.formats.particles.writers import WRITERS
from tomoportal.model.reconstruction import Tomogram
from tomoportal.web import formats, urls


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a list."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class ExportForm:
    """Where it leads, which shape it is about, and what can be chosen. Without tomograms the points stay as they are published."""

    action: str
    shape: str
    formats: tuple[Choice, ...]
    tomograms: tuple[Choice, ...]


def export_form(
    annotation: int, shape: dict[str, Any], spacing: float | None, fitting: Iterable[dict[str, Any]]
) -> ExportForm | None:
    """The form for a shape of an annotation; None when it has no points. `fitting` are rows of the tomograms of its alignment; those of
    its own voxel spacing come first."""
    if shape["shape_type"] not in SHAPES or not any(file["format"] == "ndjson" for file in shape["files"]):
        return None
    ordered = sorted(
        fitting, key=lambda row: (row["voxel_spacing"] != spacing, row["voxel_spacing"], row["id"])
    )
    tomograms = tuple(
        Choice(
            str(row["id"]),
            f"{Tomogram.names.number(row['id'])}, {formats.quantity(row['voxel_spacing'], 'Å')}, {formats.words(row['processing'])}",
        )
        for row in ordered
    )
    kinds = tuple(Choice(name, writer.title) for name, writer in WRITERS.items() if name != "ndjson")
    return ExportForm(urls.export(annotation), shape["shape_type"], kinds, tomograms)
