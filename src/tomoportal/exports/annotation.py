"""The points of one annotation, for one tomogram, in the format of a package."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from tomoportal import __version__
from tomoportal.catalog import Addresses, View
from tomoportal.errors import NotFound, UsageError
from tomoportal.formats.particles import read_ndjson
from tomoportal.formats.particles.writers import WRITERS, Destination, at_spacing
from tomoportal.model.query import And, Compare, Many, One, Order, Select, Selection, Value

SHAPES = ("OrientedPoint", "InstanceSegmentation", "Point")
"""Shapes of points; the first that an annotation has is taken unless another is asked for."""
PLAIN = Addresses(files="", s3="")
"""Ask for a view with these, so that addresses are paths of the layout."""

_SCOPE = One("series", "tiltseries", (
    Value("pixel", "pixel_spacing"), Value("voltage", "acceleration_voltage"), Value("aberration", "spherical_aberration_constant"),
))  # fmt: skip
_TOMOGRAM: tuple[Selection, ...] = (
    *(Value(name, name) for name in ("id", "run_id", "alignment_id", "voxel_spacing", "size_x", "size_y", "size_z")),
    One("alignment", "alignment", (_SCOPE,)),
)  # fmt: skip
_ANNOTATION: tuple[Selection, ...] = (
    Value("object", "object_name"),
    Value("spacing_id", "tomogram_voxel_spacing_id"),
    One("run", "run", (Value("id", "id"), Value("name", "name"))),
    One("spacing", "tomogram_voxel_spacing", (Value("voxel_spacing", "voxel_spacing"),)),
    Many("shapes", "annotation_shapes", (
        Value("shape", "shape_type"),
        Many("files", "annotation_files", (Value("path", "https_path"), Value("format", "format"), Value("alignment", "alignment_id"))),
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnnotationExport:
    """How an export is made: from the published points at `path`, which are voxels of `spacing` Å, for `destination`; `file_name` is what
    it should be called."""

    path: str
    format: str
    spacing: float
    destination: Destination
    file_name: str

    @property
    def media_type(self) -> str:
        """The content type."""
        return WRITERS[self.format].media_type

    def make(self, data: bytes) -> bytes:
        """The export of the published points `data`. Raises `FormatError`, `UsageError`."""
        if self.format == "ndjson" and self.spacing == self.destination.spacing:
            return data
        particles = read_ndjson(data, self.path).of(None)
        moved = at_spacing(particles, self.spacing, self.destination.spacing)
        return WRITERS[self.format].write(moved, self.destination)

    def tag(self, version: str) -> str:
        """Changes whenever the bytes may: with the version of the published file, what is asked for, and the program."""
        return hashlib.sha256(repr((version, self, __version__)).encode()).hexdigest()[:32]


def annotation_export(
    view: View, id: int, *, format: str, tomogram: int | None = None, shape: str | None = None
) -> AnnotationExport:
    """How to export the annotation with this id in the coordinates of a tomogram of the same alignment; without one, of the tomogram of its
    own voxel spacing. `view` has the addresses `PLAIN`.

    Raises `NotFound` for what this reader may not see, `UsageError` for a format, shape or tomogram that does not fit.
    """
    if format not in WRITERS:
        raise UsageError(
            f"{format or 'nothing'} is no format of exports; expected one of {', '.join(WRITERS)}."
        )
    row = view.one("Annotation", id, _ANNOTATION)
    if row is None:
        raise NotFound(f"annotation {id}", "there is no such annotation here")
    file = _points(row, id, shape)
    spacing = row["spacing"]["voxel_spacing"]
    target = _tomogram(view, row, file["alignment"], tomogram)
    stem = f"{row['run']['name']}_AN-{id}_{row['object']}" + (f"_TM-{tomogram}" if tomogram else "")
    return AnnotationExport(
        file["path"], format, spacing, _destination(row, id, target, spacing), _safe(stem) + WRITERS[format].ending
    )  # fmt: skip


def mask_path(view: View, id: int) -> str:
    """The MRC file of the mask of an annotation. `view` has the addresses `PLAIN`. Raises `NotFound`, `UsageError`."""
    row = view.one("Annotation", id, _ANNOTATION)
    if row is None:
        raise NotFound(f"annotation {id}", "there is no such annotation here")
    found = [file["path"] for item in row["shapes"] for file in item["files"] if file["format"] == "mrc"]
    if not found:
        raise UsageError(f"annotation {id} has no mask.")
    return found[0]


def _points(row: dict[str, Any], id: int, shape: str | None) -> dict[str, Any]:
    """The file of points of a shape."""
    if shape is not None and shape not in SHAPES:
        raise UsageError(f"{shape} is no shape of points; expected one of {', '.join(SHAPES)}.")
    found = {
        item["shape"]: file
        for item in row["shapes"]
        for file in item["files"]
        if item["shape"] in SHAPES and file["format"] == "ndjson"
    }
    wanted = next((name for name in ([shape] if shape else SHAPES) if name in found), None)
    if wanted is None:
        has = ", ".join(sorted({str(item["shape"]) for item in row["shapes"]})) or "nothing"
        raise UsageError(
            f"annotation {id} holds {has}; only points can be exported{f', and it has no {shape}' if shape else ''}. "
            "Masks and meshes are downloaded as they are."
        )
    return found[wanted]


def _tomogram(
    view: View, row: dict[str, Any], alignment: int | None, wanted: int | None
) -> dict[str, Any] | None:
    """The tomogram asked for, if the points fit it; else the first one of their own voxel spacing and alignment, if there is one."""
    if wanted is None:
        own = [
            Compare("tomogram_voxel_spacing_id", "eq", row["spacing_id"]),
            Compare("alignment_id", "eq", alignment),
        ]
        order = (Order(("is_visualization_default",), "desc", "last"), Order(("id",)))
        found = view.rows(Select("Tomogram", _TOMOGRAM, And(tuple(own)), order, 1))
        return found[0] if found else None
    target = view.one("Tomogram", wanted, _TOMOGRAM)
    if target is None:
        raise NotFound(f"tomogram {wanted}", "there is no such tomogram here")
    if target["run_id"] != row["run"]["id"]:
        raise UsageError(f"tomogram {wanted} is of another run; the annotation is of {row['run']['name']}.")
    same_voxels = target["voxel_spacing"] == row["spacing"]["voxel_spacing"]
    if target["alignment_id"] != alignment or (alignment is None and not same_voxels):
        raise UsageError(
            f"tomogram {wanted} was made with another alignment than the annotation; its coordinates are not comparable."
        )
    return target


def _destination(row: dict[str, Any], id: int, target: dict[str, Any] | None, spacing: float) -> Destination:
    run = row["run"]
    if target is None:
        return Destination(run["name"], run["id"], spacing, object=row["object"], session=str(id))
    series = (target["alignment"] or {}).get("series") or {}
    voltage = series.get("voltage")
    return Destination(
        run["name"],
        run["id"],
        target["voxel_spacing"],
        (target["size_x"], target["size_y"], target["size_z"]),
        row["object"],
        series.get("pixel"),
        voltage / 1000 if voltage else None,
        series.get("aberration"),
        session=str(id),
    )


def _safe(stem: str) -> str:
    """A file name that every system takes."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", stem).strip("._") or "points"
