"""The viewer page: Neuroglancer on one tomogram of a run, with the way back and to the other tomograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.exports.viewing import viewer_state
from tomoportal.model import query
from tomoportal.model.query import Many, One, Value
from tomoportal.model.reconstruction import Tomogram
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb, Head, PageError, Visit
from tomoportal.web.pages.dataset import TOMOGRAM_ORDER
from tomoportal.web.run_rows import VIEWABLE
from tomoportal.web.withdrawn import Gone, withdrawn_in


@dataclass(frozen=True, slots=True)
class Seen:
    """A tomogram of the run that can be looked at."""

    id: int
    label: str
    detail: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ViewerPage:
    """`address` is that of the Neuroglancer client with the state in it."""

    head: Head
    run: Crumb
    dataset: Crumb
    tomograms: tuple[Seen, ...]
    current: Seen
    address: str


_TOMOGRAM = ("id", "voxel_spacing", "size_x", "size_y", "size_z", "reconstruction_method", "processing")

_FIELDS: tuple[query.Selection, ...] = (
    Value("id", "id"),
    Value("name", "name"),
    One("dataset", "dataset", (Value("id", "id"), Value("title", "title"))),
    Many(
        "tomograms",
        "tomograms",
        tuple(Value(name, name) for name in _TOMOGRAM),
        where=VIEWABLE,
        order_by=TOMOGRAM_ORDER,
    ),
)


def viewer_page(visit: Visit) -> ViewerPage:
    """The viewer on the tomogram that the parameter `tomogram` names, or the first."""
    id = visit.id()
    row = visit.view.one("Run", id, _FIELDS)
    if row is None:
        raise PageError(404, f"There is no run {id} here.")
    wanted = _wanted(visit, row)
    seen = tuple(_seen(id, tomogram, wanted) for tomogram in row["tomograms"])
    state = viewer_state(visit.view, wanted)
    if state is None:
        raise PageError(404, f"Tomogram {wanted} has just been withdrawn.")
    current = next(item for item in seen if item.is_current)
    head = Head(
        title=f"{row['name']}, {current.label} · {visit.settings.title}",
        description=f"Look at tomogram {wanted} of run {row['name']} of “{row['dataset']['title']}”.",
        canonical=urls.view_run(id, wanted),
        section="datasets",
    )
    run = Crumb(row["name"], urls.run(id))
    dataset = Crumb(row["dataset"]["title"], urls.dataset(row["dataset"]["id"]))
    return ViewerPage(head, run, dataset, seen, current, urls.viewer(state))


def _wanted(visit: Visit, row: dict[str, Any]) -> int:
    ids = [tomogram["id"] for tomogram in row["tomograms"]]
    asked = visit.request.query_params.get("tomogram")
    found = next((id for id in ids if asked is None or _is_called(id, asked)), None)
    if found is not None:
        return found
    _stop_at_withdrawn(visit, row, asked)
    if asked is None or not ids:
        raise PageError(404, f"Run {row['name']} has no tomogram that can be looked at in the browser.")
    raise PageError(404, f"Run {row['name']} has no tomogram “{asked[:40]}” that can be looked at.")


def _is_called(id: int, asked: str) -> bool:
    return asked.upper() in (str(id), f"{Tomogram.names.prefix}-{id}")


def _stop_at_withdrawn(visit: Visit, row: dict[str, Any], asked: str | None) -> None:
    """Raises `Gone` when the tomogram that is asked for was withdrawn; when none is, for the last one that was."""
    for stone in withdrawn_in(visit, row["dataset"]["id"], row["name"]):
        is_asked = stone.number is not None and (asked is None or _is_called(stone.number, asked))
        if stone.kind == "tomogram" and is_asked:
            raise Gone(stone, (Crumb(f"Run {row['name']}", urls.run(row["id"])),))


def _seen(run: int, row: dict[str, Any], wanted: int) -> Seen:
    size = " × ".join(formats.number(row[f"size_{axis}"]) for axis in "xyz")
    label = f"{formats.words(row['reconstruction_method'])}, {formats.words(row['processing'])}"
    spacing = formats.quantity(row["voxel_spacing"], "Å")
    return Seen(
        row["id"],
        f"{label}, {spacing}",
        f"{Tomogram.names.prefix}-{row['id']}, {size}\u202fpx",
        urls.view_run(run, row["id"]),
        row["id"] == wanted,
    )
