"""The viewer page: Neuroglancer on one tomogram of a run, with the way back and to the other tomograms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tomoportal.exports.viewing import viewer_state
from tomoportal.model import query
from tomoportal.model.query import Many, Value
from tomoportal.model.reconstruction import Tomogram
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb, Head, PageError, Visit
from tomoportal.web.entities.tomograms import TOMOGRAM_ORDER
from tomoportal.web.entities.withdrawn import Gone, withdrawn_in
from tomoportal.web.entities.within_run import DATASET, dataset_crumb, run_crumb
from tomoportal.web.looking.viewer_menus import (
    ANNOTATIONS,
    TOMOGRAM,
    Overlay,
    OverlayGroup,
    Seen,
    TomogramGroup,
    overlay_groups,
    seen,
    tomogram_groups,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ViewerPage:
    """`address` is that of the Neuroglancer client with the state in it; `data` is what the scripts want to know. `overlays` are drawn over
    the tomogram, `misfits` are not."""

    head: Head
    run: Crumb
    dataset: Crumb
    current: Seen
    tomograms: tuple[TomogramGroup, ...]
    overlays: tuple[OverlayGroup, ...]
    misfits: tuple[Overlay, ...]
    address: str
    slices: str
    data: str


_FIELDS: tuple[query.Selection, ...] = (
    Value("id", "id"),
    Value("name", "name"),
    DATASET,
    Many("tomograms", "tomograms", TOMOGRAM, order_by=TOMOGRAM_ORDER),
    ANNOTATIONS,
)


def viewer_page(visit: Visit) -> ViewerPage:
    """The viewer on the tomogram that the parameter `tomogram` names, or the first that can be shown."""
    id = visit.id()
    row = visit.row("Run", _FIELDS)
    wanted = _wanted(visit, row)
    state = viewer_state(visit.view, wanted["id"])
    if state is None:
        raise PageError(404, f"Tomogram {wanted['id']} has just been withdrawn.")
    current = seen(id, wanted, wanted["id"])
    overlays, misfits = overlay_groups(
        row["annotations"], json.loads(state), wanted, visit.view.addresses.files
    )
    return ViewerPage(
        head=_head(visit, row, current),
        run=run_crumb(row),
        dataset=dataset_crumb(row),
        current=current,
        tomograms=tomogram_groups(id, row["tomograms"], current.id),
        overlays=overlays,
        misfits=misfits,
        address=urls.viewer(state),
        slices=urls.tomogram(current.id),
        data=_data(current, wanted),
    )  # fmt: skip


def _head(visit: Visit, row: dict[str, Any], current: Seen) -> Head:
    return Head(
        title=f"{row['name']}, {current.label}, {formats.quantity(current.spacing, 'Å')} · {visit.settings.title}",
        description=f"Look at tomogram {current.id} of run {row['name']} of “{row['dataset']['title']}”.",
        canonical=urls.view_run(row["id"], current.id),
        section="datasets",
    )


def _data(current: Seen, row: dict[str, Any]) -> str:
    """What the scripts want to know, as JSON; sizes are x, y, z."""
    told = {
        "tomogram": current.id, "frame": current.frame, "spacing": current.spacing,
        "size": [row[f"size_{axis}"] for axis in "xyz"], "client": urls.VIEWER, "slices": urls.tomogram(current.id),
    }  # fmt: skip
    return json.dumps(told, separators=(",", ":"))


def _wanted(visit: Visit, row: dict[str, Any]) -> dict[str, Any]:
    rows = [item for item in row["tomograms"] if item["https_omezarr_dir"] and item["voxel_spacing"] > 0]
    asked = visit.request.query_params.get("tomogram")
    found = next((item for item in rows if asked is None or _is_called(item["id"], asked)), None)
    if found is not None:
        return dict(found)
    _stop_at_withdrawn(visit, row, asked)
    if asked is None or not rows:
        raise PageError(404, f"Run {row['name']} has no tomogram that can be looked at in the browser.")
    raise PageError(404, f"Run {row['name']} has no tomogram “{asked[:40]}” that can be looked at.")


def _is_called(id: int, asked: str) -> bool:
    return asked.upper() in (str(id), Tomogram.names.number(id))


def _stop_at_withdrawn(visit: Visit, row: dict[str, Any], asked: str | None) -> None:
    """Raises `Gone` when the tomogram that is asked for was withdrawn; when none is, for the last one that was."""
    for stone in withdrawn_in(visit, row["dataset"]["id"], row["name"]):
        is_asked = stone.number is not None and (asked is None or _is_called(stone.number, asked))
        if stone.kind == "tomogram" and is_asked:
            raise Gone(stone, (Crumb(f"Run {row['name']}", urls.run(row["id"])),))
