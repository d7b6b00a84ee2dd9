"""All points of a selection in one STAR file.

Points are those of the annotations that were chosen, or that lie in a chosen run or dataset; of a chosen tomogram, those that fit it,
unless annotations of its run are chosen. Each run has one tomogram for each alignment, in whose voxels its points are counted: a chosen
one, else what the depositors show first, else the finest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tomoportal.catalog import View
from tomoportal.errors import UsageError
from tomoportal.exports.annotation import SHAPES
from tomoportal.exports.selection import Selection
from tomoportal.formats.particles import read_ndjson
from tomoportal.formats.particles.writers import Destination, at_spacing
from tomoportal.formats.particles.writers.collected import COLLECTED, Part
from tomoportal.model import query
from tomoportal.model.query import Compare, Many, One, Order, Select, Value

_Frame = tuple[int, int | None, float]
"""What tomograms must agree in for points to be comparable: run, alignment and, where no alignment is known, voxel spacing (else 0)."""

MOST_LOOKED_AT = 20_000
"""Annotations among which lists are looked for."""
MOST_LISTS = 2000
"""Lists of points in one file."""
LARGEST = 64 << 20
"""Bytes of published points in one file: some 250,000 oriented points, or 900,000 points."""

_RUN = One("run", "run", (Value("id", "id"), Value("name", "name"), Value("dataset", "dataset_id")))
_ANNOTATION: tuple[query.Selection, ...] = (
    *(Value(name, name) for name in ("id", "object_name", "object_count", "ground_truth_status")),
    _RUN,
    One("spacing", "tomogram_voxel_spacing", (Value("voxel_spacing", "voxel_spacing"),)),
    Many("shapes", "annotation_shapes", (
        Value("shape", "shape_type"),
        Many("files", "annotation_files", (
            *(Value(name, name) for name in ("format", "file_size", "alignment_id")), Value("path", "https_path"),
        ), where=Compare("format", "eq", "ndjson")),
    )),
)  # fmt: skip
_SCOPE = One("series", "tiltseries", (
    Value("pixel", "pixel_spacing"), Value("voltage", "acceleration_voltage"), Value("aberration", "spherical_aberration_constant"),
))  # fmt: skip
_TOMOGRAM: tuple[query.Selection, ...] = (
    *(Value(name, name) for name in ("id", "run_id", "alignment_id", "voxel_spacing", "size_x", "size_y", "size_z")),
    One("alignment", "alignment", (_SCOPE,)),
)  # fmt: skip
_BEST = (Order(("is_visualization_default",), "desc", "last"), Order(("voxel_spacing",)), Order(("id",)))


@dataclass(frozen=True, slots=True)
class PointList:
    """The points of an annotation: published at `path` in voxels of `spacing` Å (`size` bytes, when known), `count` of them when known,
    to be written for `destination`. `tomogram` is its id, if there is one."""

    annotation: int
    path: str
    size: float | None
    count: int | None
    spacing: float
    destination: Destination
    tomogram: int | None
    is_truth: bool

    @property
    def object(self) -> str:
        """What the points are."""
        return self.destination.object


@dataclass(frozen=True, slots=True)
class _Points:
    """A row of an annotation with its file of points."""

    row: dict[str, Any]
    file: dict[str, Any]

    @property
    def run(self) -> int:
        return int(self.row["run"]["id"])

    @property
    def spacing(self) -> float:
        return float(self.row["spacing"]["voxel_spacing"])

    @property
    def key(self) -> _Frame:
        """The frame of its coordinates."""
        alignment = self.file["alignment_id"]
        return self.run, alignment, self.spacing if alignment is None else 0.0


def point_lists(
    view: View, selection: Selection, objects: Iterable[str] = (), *, truth: bool = False
) -> tuple[PointList, ...]:
    """The lists of points of a selection, of these objects (all when none is named), of ground truth alone with `truth`; in the order of
    runs and annotations. Addresses are those of the view; ask with `PLAIN` for paths. Raises `UsageError` for too many annotations."""
    count = count_annotations(view, selection)
    if count > MOST_LOOKED_AT:
        raise UsageError(
            f"{count:,} annotations are chosen; points are taken of at most {MOST_LOOKED_AT:,}. Choose fewer runs."
        )
    found = [points for row in view.rows(_select(selection)) if (points := _points(row))]
    frames = _frames(view, selection, {points.run for points in found})
    wanted = list(_wanted(selection, found, frames))
    names, only = _names(wanted), set(objects)
    lists = (_list(points, frames.get(points.key), names[points.key]) for points in wanted)
    return tuple(item for item in lists if (not only or item.object in only) and (item.is_truth or not truth))


def count_annotations(view: View, selection: Selection) -> int:
    """How many annotations may have points for a selection."""
    return view.count("Annotation", _mine(selection))


def particles(lists: Iterable[PointList], format: str, read: Callable[[str], bytes]) -> bytes:
    """The STAR file; `read` gives what is published at a path. Raises `UsageError`, `FormatError`."""
    if format not in COLLECTED:
        raise UsageError(
            f"{format[:40] or 'nothing'} is no format of particles; expected one of {', '.join(COLLECTED)}."
        )
    chosen = tuple(lists)
    if not chosen:
        raise UsageError(
            "This selection has no points: none of its annotations is a list of points that fits a tomogram."
        )
    if len(chosen) > MOST_LISTS:
        raise UsageError(
            f"These are {len(chosen):,} lists of points; one file takes {MOST_LISTS:,}. Choose fewer objects or runs."
        )
    if format == "relion5_star":
        _check_sizes(chosen)
    return COLLECTED[format].write(list(_parts(chosen, read)))


def _check_sizes(lists: tuple[PointList, ...]) -> None:
    bare = next((item for item in lists if item.tomogram is None), None)
    if bare is not None:
        raise UsageError(
            f"Annotation {bare.annotation} ({bare.object}) has no tomogram of its alignment, and RELION 5 counts from the centre of one. "
            "Take it out of the selection, or take another format."
        )


def _parts(lists: tuple[PointList, ...], read: Callable[[str], bytes]) -> Iterator[Part]:
    told = sum(item.size or 0 for item in lists)
    size = 0
    for item in lists:
        data = read(item.path) if told <= LARGEST else b""
        size += len(data)
        if max(size, told) > LARGEST:
            raise UsageError(
                f"These lists have more than {LARGEST >> 20} MiB of points, the most that one file takes. Choose fewer objects or runs."
            )
        found = read_ndjson(data, item.path).of(None)
        moved = at_spacing(found, item.spacing, item.destination.spacing)
        yield Part(moved, item.destination, f"annotation {item.annotation} ({item.object})")


def _select(selection: Selection) -> Select:
    return Select("Annotation", _ANNOTATION, _mine(selection), (Order(("run_id",)), Order(("id",))))


def _mine(selection: Selection) -> query.Condition:
    return selection.where(
        annotations=("id",),
        runs=("run_id",),
        datasets=("run", "dataset_id"),
        tomograms=("run", "tomograms", "id"),
    )


def _points(row: dict[str, Any]) -> _Points | None:
    files = {shape["shape"]: shape["files"][0] for shape in row["shapes"] if shape["files"]}
    file = next((files[shape] for shape in SHAPES if shape in files), None)
    return _Points(row, file) if file else None


def _frames(view: View, selection: Selection, runs: set[int]) -> dict[_Frame, dict[str, Any]]:
    """The tomogram of each run and alignment (and voxel spacing, where no alignment is known)."""
    rows = view.rows(Select("Tomogram", _TOMOGRAM, Compare("run_id", "in", tuple(runs)), _BEST))
    chosen = set(selection.of("tomograms"))
    frames: dict[_Frame, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["id"] not in chosen):
        alignment = row["alignment_id"]
        frames.setdefault((row["run_id"], alignment, row["voxel_spacing"] if alignment is None else 0.0), row)
    return frames


def _wanted(
    selection: Selection, found: list[_Points], frames: dict[_Frame, dict[str, Any]]
) -> Iterator[_Points]:
    named = {points.run for points in found if selection.holds("annotations", points.row["id"])}
    for points in found:
        run, frame = points.row["run"], frames.get(points.key)
        whole = selection.holds("runs", run["id"]) or selection.holds("datasets", run["dataset"])
        fits = frame is not None and selection.holds("tomograms", frame["id"]) and points.run not in named
        if whole or fits or selection.holds("annotations", points.row["id"]):
            yield points


def _names(found: Iterable[_Points]) -> dict[_Frame, str]:
    """A name for each frame that no other one has: that of the run, if need be with dataset, alignment, and number of the run."""
    runs = {points.key: points.row["run"] for points in found}
    same = Counter(name for _, name in {(run["id"], run["name"]) for run in runs.values()})
    frames = Counter(key[0] for key in runs)
    names = {}
    for (id, alignment, spacing), run in runs.items():
        name = f"{run['dataset']}_{run['name']}" if same[run["name"]] > 1 else run["name"]
        if frames[id] > 1:
            name += f"_AL-{alignment}" if alignment is not None else f"_{spacing:g}A"
        names[id, alignment, spacing] = name
    twice = Counter(names.values())
    return {key: f"{name}_RN-{key[0]}" if twice[name] > 1 else name for key, name in names.items()}


def _list(points: _Points, frame: dict[str, Any] | None, name: str) -> PointList:
    row, file = points.row, points.file
    here = Destination(name, points.run, points.spacing, object=row["object_name"], session=str(row["id"]))
    return PointList(
        row["id"], file["path"], file["file_size"], row["object_count"], points.spacing,
        _in_frame(here, frame) if frame else here, frame["id"] if frame else None, bool(row["ground_truth_status"]),
    )  # fmt: skip


def _in_frame(here: Destination, frame: dict[str, Any]) -> Destination:
    series = (frame["alignment"] or {}).get("series") or {}
    voltage = series.get("voltage")
    return replace(
        here,
        spacing=frame["voxel_spacing"],
        size=(frame["size_x"], frame["size_y"], frame["size_z"]),
        pixel=series.get("pixel"),
        voltage=voltage / 1000 if voltage else None,
        aberration=series.get("aberration"),
    )


def file_name(format: str) -> str:
    """What the file should be called."""
    return f"particles_{re.sub('_star$', '', format)}.star"
