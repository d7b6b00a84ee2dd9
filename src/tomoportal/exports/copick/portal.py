"""A copick configuration that opens a selection where it lies: nothing is copied, copick asks the portal.

Format: copick's `cryoet_data_portal` project (https://copick.github.io/copick/). copick takes whole datasets; which of their runs were
chosen stands in the description, since a configuration has no place for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from tomoportal.catalog import View
from tomoportal.errors import UsageError
from tomoportal.exports.annotation import SHAPES
from tomoportal.exports.copick.pickable import Pickable, listed, told_radius
from tomoportal.exports.selection import Selection
from tomoportal.formats.particles.writers.copick import copick_name
from tomoportal.model import query
from tomoportal.model.idsets import written
from tomoportal.model.query import Compare, GroupKey, Groups, Order, Select, Value
from tomoportal.viewer.colours import colours

_OF_RUN = {
    "datasets": ("dataset_id",),
    "runs": ("id",),
    "tomograms": ("tomograms", "id"),
    "annotations": ("annotations", "id"),
    "tiltseries": ("tiltseries", "id"),
}
"""From a run to what is chosen."""


def portal_project(
    view: View, selection: Selection, title: str, read: Callable[[str], bytes]
) -> dict[str, Any]:
    """The configuration; its overlay for new picks is the folder `overlay` beside where copick runs. `read` gives the published sidecar
    at a path; `view` has the addresses `PLAIN`. Raises `UsageError` when nothing of it is annotated."""
    runs = chosen_runs(view, selection)
    objects = _objects(view, tuple(id for id, _ in runs), read)
    if not objects:
        raise UsageError("No object is annotated in the runs of this selection; copick needs at least one.")
    return {
        "config_type": "cryoet_data_portal",
        "name": title,
        "description": f"Runs {written(id for id, _ in runs)} of {title}",
        "version": "1.0.0",
        "pickable_objects": objects,
        "overlay_root": "local://overlay",
        "overlay_fs_args": {"auto_mkdir": True},
        "dataset_ids": sorted({dataset for _, dataset in runs}),
    }


def chosen_runs(view: View, selection: Selection) -> tuple[tuple[int, int], ...]:
    """The runs (id, id of the dataset) that are chosen, or that something chosen lies in."""
    fields = (Value("id", "id"), Value("dataset", "dataset_id"))
    rows = view.rows(Select("Run", fields, selection.where(**_OF_RUN), (Order(("id",)),)))
    return tuple((row["id"], row["dataset"]) for row in rows)


def _objects(view: View, runs: tuple[int, ...], read: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """Each identifier once, since copick finds annotations by it; particles where any annotation of it has points."""
    groups = Groups("groups", tuple(GroupKey(name, (name,)) for name in ("object_id", "object_name")))
    mine = Compare("run_id", "in", runs)
    found = json.loads(view.json(query.Aggregate("Annotation", (groups,), mine)))["groups"]
    names = {group["object_id"]: group["object_name"] for group in found}
    ordered = sorted(names, key=lambda id: names[id].casefold())
    points = _with_points(view, runs)
    taken: dict[str, int] = {}
    called = [_unique(copick_name(names[id]), taken) for id in ordered]
    objects = [Pickable(id, id in points, _radius(view, runs, id, read)) for id in ordered]
    return listed(zip(called, objects, colours(names[id] for id in ordered), strict=True))


def _with_points(view: View, runs: tuple[int, ...]) -> set[str]:
    points = query.all_of(
        (
            Compare("run_id", "in", runs),
            query.Related("annotation_shapes", Compare("shape_type", "in", SHAPES)),
        )
    )
    groups = Groups("groups", (GroupKey("object_id", ("object_id",)),))
    found = json.loads(view.json(query.Aggregate("Annotation", (groups,), points)))["groups"]
    return {group["object_id"] for group in found}


def _unique(name: str, taken: dict[str, int]) -> str:
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name}-{taken[name]}"


def _radius(view: View, runs: Iterable[int], object: str, read: Callable[[str], bytes]) -> float:
    """The radius (Å) that the first annotation of an object tells."""
    where = query.all_of((Compare("run_id", "in", tuple(runs)), Compare("object_id", "eq", object)))
    row = view.rows(
        Select("Annotation", (Value("sidecar", "https_metadata_path"),), where, (Order(("id",)),), 1)
    )[0]
    return told_radius(read, row["sidecar"])
