"""A copick project of a selection of the portal: `copick.json` beside a read-only `static` folder and an `overlay` for new picks.

    static/ExperimentRuns/[run]/VoxelSpacing[%.3f]/[tomogram].zarr            links to the volumes, or copies
                                Picks/[user]_[session]_[object].json          points, in Å
                                Segmentations/[%.3f]_[user]_[session]_[object].zarr

Format: copick's `filesystem` project (https://copick.github.io/copick/). The session of an annotation is its id.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from tomoportal.catalog import View
from tomoportal.errors import UsageError
from tomoportal.exports.annotation import SHAPES
from tomoportal.exports.copick.pickable import RADIUS, Pickable, listed, told_radius
from tomoportal.formats.particles import read_ndjson
from tomoportal.formats.particles.writers import WRITERS, Destination
from tomoportal.formats.particles.writers.copick import copick_name
from tomoportal.layout.paths import spacing_name
from tomoportal.model.query import And, Compare, Condition, Many, One, Select, Selection, Value
from tomoportal.storage import Storage
from tomoportal.viewer.colours import colours

USER = "portal"

_RUN: tuple[Selection, ...] = (
    *(Value(name, name) for name in ("id", "name", "dataset_id")),
    Many("tomograms", "tomograms", (
        Value("id", "id"), Value("spacing", "voxel_spacing"), Value("method", "reconstruction_method"),
        Value("processing", "processing"), Value("zarr", "https_omezarr_dir"),
    )),
    Many("annotations", "annotations", (
        Value("id", "id"), Value("object", "object_name"), Value("object_id", "object_id"),
        Value("sidecar", "https_metadata_path"),
        One("spacing", "tomogram_voxel_spacing", (Value("voxel_spacing", "voxel_spacing"),)),
        Many("shapes", "annotation_shapes", (
            Value("shape", "shape_type"),
            Many("files", "annotation_files", (Value("path", "https_path"), Value("format", "format"))),
        )),
    )),
)  # fmt: skip


class Volumes(StrEnum):
    """What becomes of tomograms and masks, whose files may be large."""

    LINK = "link"
    COPY = "copy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to export: ids of datasets, names of runs, one voxel spacing (Å), names of objects; all where nothing is named."""

    datasets: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()
    spacing: float | None = None
    objects: tuple[str, ...] = ()


@dataclass(slots=True)
class Project:
    """What has been written so far into `folder`."""

    folder: Path
    storage: Storage
    volumes: Volumes
    objects: dict[str, Pickable] = field(default_factory=dict)
    runs: int = 0
    tomograms: int = 0
    picks: int = 0
    masks: int = 0


def write_project(view: View, storage: Storage, folder: Path, wish: Wish, volumes: Volumes) -> Project:
    """Write the project into `folder`, which must be absent or empty. `view` has the addresses `PLAIN`.

    Raises `UsageError` when nothing is chosen, when the folder is in use, and for links into a remote storage.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; name a new folder for the project.")
    if volumes is Volumes.LINK and storage.local_path("") is None:
        raise UsageError(
            f"the volumes of {storage.url} are not on this machine and cannot be linked; copy them (--volumes copy) "
            "or leave them out (--volumes none)."
        )
    rows = view.rows(Select("Run", _RUN, _where(wish)))
    if not rows:
        raise UsageError(
            "no published run is chosen; expected ids of datasets and names of runs as on the pages."
        )
    project = Project(folder, storage, volumes)
    several = len({row["dataset_id"] for row in rows}) > 1
    for row in rows:
        name = f"{row['dataset_id']}_{row['name']}" if several else row["name"]
        _run(project, row, name, wish)
    if not project.objects:
        raise UsageError("the chosen runs have no annotation of points or masks that was asked for.")
    (folder / "overlay").mkdir(parents=True)
    config = json.dumps(_config(project), indent=2, ensure_ascii=False)
    (folder / "copick.json").write_text(config + "\n", encoding="utf-8")
    return project


def _where(wish: Wish) -> Condition:
    asked: list[Condition] = []
    if wish.datasets:
        asked.append(Compare("dataset_id", "in", wish.datasets))
    if wish.runs:
        asked.append(Compare("name", "in", wish.runs))
    return And(tuple(asked))


def _run(project: Project, row: dict[str, Any], name: str, wish: Wish) -> None:
    home = project.folder / "static" / "ExperimentRuns" / name
    home.mkdir(parents=True)
    project.runs += 1
    if project.volumes is not Volumes.NONE:
        chosen = (one for one in row["tomograms"] if one["zarr"] and wish.spacing in (None, one["spacing"]))
        for path, tomogram in _named(chosen):
            _place(project, tomogram["zarr"], home / path)
            project.tomograms += 1
    for annotation in row["annotations"]:
        spacing = annotation["spacing"]["voxel_spacing"]
        if wish.spacing in (None, spacing) and (not wish.objects or annotation["object"] in wish.objects):
            _annotation(project, annotation, home, Destination(
                name, row["id"], spacing, object=annotation["object"], user=USER, session=str(annotation["id"])
            ))  # fmt: skip


def _named(tomograms: Iterable[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each tomogram lies in its run; the id tells apart what is called the same."""
    taken: set[str] = set()
    for row in tomograms:
        words = copick_name(f"{row['method']}-{row['processing']}").lower()
        place = f"VoxelSpacing{spacing_name(row['spacing'])}/{words}"
        if place in taken:
            place = f"{place}-{row['id']}"
        taken.add(place)
        yield f"{place}.zarr", row


def _annotation(project: Project, row: dict[str, Any], home: Path, destination: Destination) -> None:
    shapes = {item["shape"]: item["files"] for item in row["shapes"]}
    points = next(
        (file["path"] for shape in SHAPES for file in shapes.get(shape, ()) if file["format"] == "ndjson"),
        None,
    )
    mask = next(
        (file["path"] for file in shapes.get("SegmentationMask", ()) if file["format"] == "zarr"), None
    )
    if points is None and mask is None:
        return
    known = _told(project, row)
    name = copick_name(destination.object)
    stem = f"{USER}_{destination.session}_{name}"
    if points is not None:
        particles = read_ndjson(project.storage.read(points), points).of(None)
        target = home / "Picks" / f"{stem}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(WRITERS["copick"].write(particles, destination))
        known.is_particle = True
        project.picks += 1
    if mask is not None and project.volumes is not Volumes.NONE:
        spacing = spacing_name(destination.spacing)
        _place(project, mask, home / "Segmentations" / f"{spacing}_{stem}.zarr")
        project.masks += 1


def _told(project: Project, row: dict[str, Any]) -> Pickable:
    """The object of an annotation; the first annotation that says how large it is decides."""
    known = project.objects.setdefault(copick_name(row["object"]), Pickable(row["object_id"]))
    if known.radius == RADIUS:
        known.radius = told_radius(project.storage.read, row["sidecar"])
    return known


def _place(project: Project, path: str, target: Path) -> None:
    """Link or copy a folder of the layout."""
    path = path.rstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    local = project.storage.local_path(path)
    if project.volumes is Volumes.LINK and local is not None:
        target.symlink_to(local.absolute(), target_is_directory=True)
        return
    for entry in project.storage.list(path):
        copy = target / entry.path.removeprefix(f"{path}/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        with project.storage.fetch(entry.path) as file:
            shutil.copyfile(file, copy)


def _config(project: Project) -> dict[str, Any]:
    home = project.folder.absolute()
    names = sorted(project.objects)
    return {
        "config_type": "filesystem",
        "name": "Tomoportal",
        "description": f"{project.runs} runs of a Tomoportal",
        "version": "1.0.0",
        "pickable_objects": listed(
            zip(names, map(project.objects.__getitem__, names), colours(names), strict=True)
        ),
        "overlay_root": f"local://{home / 'overlay'}",
        "overlay_fs_args": {"auto_mkdir": True},
        "static_root": f"local://{home / 'static'}",
        "static_fs_args": {},
    }
