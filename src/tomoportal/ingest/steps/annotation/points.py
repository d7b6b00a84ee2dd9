"""Points, oriented points and points of instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.formats.particles import (
    Particles,
    ParticleTable,
    TableForm,
    header_problems,
    in_voxels,
    outside,
    read_particles,
    to_ndjson,
    turned,
)
from tomoportal.ingest.steps.annotation.part import Part, entry, stem
from tomoportal.ingest.steps.volume import tomogram_shape
from tomoportal.ingest.task import Input, Work
from tomoportal.layout.paths import viewer_layer
from tomoportal.problems import Problem, Severity
from tomoportal.viewer.points import write_instance_layer, write_oriented_layer, write_point_layer

DIAMETER = 100.0
"""Å; how large an object is drawn whose deposition file does not say."""
_SPOKEN = 5


def make_points(work: Work, file: Input, source: dict[str, Any]) -> Part:
    """The points of this run in voxels of the voxel spacing, as the portal's lines of JSON and as a viewer layer."""
    shape, name = source["shape"], file.path
    table, problems = _table(work, file, source)
    picked, found = _of_this_run(table, source, name)
    volume, doubts = tomogram_shape(work) if len(picked) else (None, [])
    spacing = float(work.task.parameters["voxel_spacing"])
    binning = float(source["parameters"].get("binning") or 1)
    points = KINDS[shape](in_voxels(picked, binning=binning, spacing=spacing, shape_zyx=volume))
    problems += [
        *found,
        *doubts,
        *_strays(points, volume, spacing, binning),
        *_repeated(points),
        *_undrawn(source, name),
    ]
    path = f"{stem(work)}_{shape.lower()}.ndjson"
    files = work.put(path, to_ndjson(points))
    folder, layer_files = _layer(work, points, shape, spacing)
    layer = {"shape": shape, "path": folder, "points": path, "visible": source["visible"]}
    count = len(points) if points.instances is None else len(np.unique(points.instances))
    entries = [entry(source, shape, "ndjson", path, files[path]["size"])]
    return Part(entries, {**files, **layer_files}, layer, count, tuple(problems))


def _table(work: Work, file: Input, source: dict[str, Any]) -> tuple[ParticleTable, list[Problem]]:
    """All particles of the file, which is read once for all runs."""
    kind, form = source["format"], _form(source["format"], source["parameters"])
    oriented = kind == "mod" and source["shape"] == "OrientedPoint"

    def read() -> tuple[ParticleTable, list[Problem]]:
        data = work.source.read(file.path)
        problems = header_problems(data, file.path, form) if kind != "tardis" else ()
        return read_particles(data, file.path, kind, form, oriented=oriented), list(problems)

    table, problems = work.shared.once((file, kind, form, oriented), read, lambda made: made[0].nbytes)
    return table, list(problems)


def _form(kind: str, parameters: dict[str, Any]) -> TableForm:
    names = parameters.get("column_names")
    return TableForm(
        delimiter="\t" if kind == "tsv" else parameters.get("delimiter") or ",",
        has_header=kind in ("csv_with_header", "tsv"),
        order=parameters.get("columns") or "xyz",
        names=(names[0], names[1], names[2]) if names else None,
        group=parameters.get("filter_column") or "",
        instance=parameters.get("instance_column") or "",
    )


def _of_this_run(table: ParticleTable, source: dict[str, Any], name: str) -> tuple[Particles, list[Problem]]:
    """The particles that `filter_value` keeps, in the order x, y, z."""
    wanted = source["parameters"].get("filter_value")
    if wanted is None and source["format"] == "stopgap_star":
        message = "a STOPGAP list holds many tomograms, and no filter_value says which."
        raise FormatError(name, message, "Give filter_value, the tomo_num.")
    picked = table.of(None if wanted is None else str(wanted))
    if source["parameters"].get("order") == "zyx":
        picked = turned(picked)
    if wanted is None and len(table.groups) > 1:
        return picked, [_several(table, name)]
    return picked, [] if len(picked) else [_none(table, wanted, name)]


def _several(table: ParticleTable, name: str) -> Problem:
    message = f"the file holds particles of {len(table.groups)} tomograms ({_told(table)}), and all are taken for this one"
    hint = "Give filter_value, the name of the tomogram in the file."
    return Problem("several-tomograms", message, Severity.WARNING, file=name, hint=hint)


def _none(table: ParticleTable, wanted: Any, name: str) -> Problem:
    which = f" with {wanted!r} ({table.grouped_by} has {_told(table)})" if wanted is not None else ""
    message = f"there is no point in this file{which}; an annotation of 0 objects is published"
    hint = "Leave the run out with parent_filters unless none is what was found in it."
    return Problem("no-points", message, Severity.WARNING, file=name, hint=hint)


def _told(table: ParticleTable) -> str:
    more = ", …" if len(table.groups) > _SPOKEN else ""
    return f"{', '.join(table.groups[:_SPOKEN]) or 'nothing'}{more}"


def _as_points(particles: Particles) -> Particles:
    return Particles(particles.name, particles.positions, records=particles.records, record=particles.record)


def _as_oriented(particles: Particles) -> Particles:
    if particles.rotations is None and len(particles):
        raise FormatError(
            particles.name,
            "these particles have no orientations; expected angles or matrices.",
            "Use the shape Point, or add the angles.",
        )
    turns = particles.rotations if particles.rotations is not None else np.zeros((0, 3, 3))
    return Particles(
        particles.name, particles.positions, particles.unit, turns, None, particles.records, particles.record
    )


def _as_instances(particles: Particles) -> Particles:
    if particles.instances is None and len(particles):
        raise FormatError(
            particles.name, "these points say not which instance they belong to.", "Use the shape Point."
        )
    which = particles.instances if particles.instances is not None else np.zeros(0, np.int64)
    return Particles(
        particles.name, particles.positions, particles.unit, None, which, particles.records, particles.record
    )


KINDS: dict[str, Callable[[Particles], Particles]] = {
    "Point": _as_points,
    "OrientedPoint": _as_oriented,
    "InstanceSegmentation": _as_instances,
}


def _strays(
    points: Particles, shape: tuple[int, int, int] | None, spacing: float, binning: float
) -> list[Problem]:
    """A warning for points outside the volume, which says so when they would fit as Å."""
    if shape is None:
        return []
    strays = outside(points.positions, shape)
    if not len(strays):
        return []
    place = ", ".join(f"{value:g}" for value in points.positions[strays[0]])
    z, y, x = shape
    message = (
        f"{len(strays)} of {len(points)} points lie outside the volume of {x} × {y} × {z} voxels, "
        f"the first being that of {points.record} {points.records[strays[0]]} at ({place})"
    )
    hint = "Check `binning`, `columns` and the voxel spacing; the points are published as they are."
    if len(strays) * 2 > len(points) and not len(outside(points.positions / spacing, shape)):
        hint = f"They would all fit if they were in Å: set `binning: {binning * spacing:g}`. The points are published as they are."
    return [Problem("points-outside", message, Severity.WARNING, file=points.name, hint=hint)]


def _repeated(points: Particles) -> list[Problem]:
    """A warning for points that are the same as others of the list."""
    again, earlier = points.repeated()
    if not len(again):
        return []
    first, other = (points.records[numbers[0]] for numbers in (again, earlier))
    message = (
        f"{len(again)} of {len(points)} points are the same as one before them, the first being that of {points.record} {first}, "
        f"the same as {points.record} {other}"
    )
    hint = "Remove what is listed twice; the points are published, and counted, as they are."
    return [Problem("points-repeated", message, Severity.WARNING, file=points.name, hint=hint)]


def _undrawn(source: dict[str, Any], name: str) -> list[Problem]:
    """That a mesh is asked for at every point, which is not drawn."""
    mesh = source["parameters"].get("mesh_source_path")
    if not mesh:
        return []
    message = f"the mesh {mesh} is not drawn at the points; the viewer shows oriented points as axes"
    hint = "Leave mesh_source_path out, or give the surfaces in their places as a TriangularMesh."
    return [Problem("mesh-not-drawn", message, Severity.UNSUPPORTED, file=name, hint=hint)]


def _layer(
    work: Work, points: Particles, shape: str, spacing: float
) -> tuple[str, dict[str, dict[str, Any]]]:
    """Stage the viewer layer; gives its folder and the entry for `Outcome.files`."""
    described = work.task.metadata["annotation_object"]
    drawn: dict[str, Any] = {
        "spacing": spacing,
        "label": described["name"],
        "diameter": float(described.get("diameter") or DIAMETER),
    }
    if points.rotations is not None:
        files = write_oriented_layer(points.positions, points.rotations, **drawn)
    elif points.instances is not None:
        files = write_instance_layer(points.positions, points.instances, **drawn)
    else:
        files = write_point_layer(points.positions, **drawn)
    home = viewer_layer(work.task.key, shape)
    for piece, content in files.items():
        work.put(f"{home}/{piece}", content)
    size = sum(len(content) for content in files.values())
    return home, {home: {"size": size, "count": len(files), "probe": "info", "sha256": None}}
