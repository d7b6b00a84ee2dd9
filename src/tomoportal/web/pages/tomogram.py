"""A tomogram: its slices with the annotations drawn over them, and what is known of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tomoportal.exports.slices.layers import Drawn, Layer, drawn
from tomoportal.exports.slices.volume import MOST_SLAB
from tomoportal.model import query
from tomoportal.model.query import Many, One, Value
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.cards import Picture
from tomoportal.web.entities.downloads import Download, download, local_name
from tomoportal.web.entities.facts import Facts, facts, files, selected
from tomoportal.web.entities.people import AUTHORS, Person, people
from tomoportal.web.entities.tomograms import TOMOGRAM_ORDER, tomogram_name
from tomoportal.web.entities.within_run import crumbs, dataset_crumb, its_run, run_crumb
from tomoportal.web.looking.look import AXES, PLANES, ZOOMS, Look, Stage, look, shown, stage

_SHAPES = {
    "Point": "points", "OrientedPoint": "oriented points", "InstanceSegmentation": "instances", "SegmentationMask": "segmentation",
    "InstanceSegmentationMask": "segmented instances",
}  # fmt: skip
_WINDOW = 0.75
"""How far the sliders of the contrast reach beyond the usual limits, in widths of these."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The control of one axis; `previous` and `next` are the addresses of the neighbouring slices, or of the same at the ends."""

    name: str
    index: int
    last: int
    previous: str
    next: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to look."""

    value: str
    text: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Toggle:
    """A layer that can be drawn; `note` says why it cannot."""

    key: str
    name: str
    shape: str
    count: int | None
    colour: str
    is_truth: bool
    is_on: bool
    note: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """Grey values of black and white, and how far they can be moved."""

    low: float
    high: float
    least: float
    most: float
    step: float


@dataclass(frozen=True, slots=True)
class TomogramPage:
    """Everything on the page of a tomogram. `stage` is None when it has no volume to cut; `data` is what the script wants to know."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    name: str
    run: Crumb
    dataset: Crumb
    lines: tuple[tuple[str, str], ...]
    look: Look | None
    stage: Stage | None
    views: tuple[Choice, ...]
    zooms: tuple[Choice, ...]
    axes: tuple[Axis, ...]
    toggles: tuple[Toggle, ...]
    contrast: Contrast | None
    most_slab: int
    data: str
    viewer: str
    others: tuple[Crumb, ...]
    facts: Facts
    alignment: Facts | None
    authors: tuple[Person, ...]
    downloads: tuple[Download, ...]


_WIDEST = 1e6
"""Å; a voxel of a tenth of a millimetre is none."""
_NEIGHBOUR = ("id", "voxel_spacing", "reconstruction_method", "processing")


def _fields() -> tuple[query.Selection, ...]:
    """Asked for anew on every visit, so that whatever the model holds is there."""
    neighbour = tuple(Value(name, name) for name in _NEIGHBOUR)
    return (
        *selected(Tomogram),
        AUTHORS,
        One("alignment", "alignment", selected(Alignment)),
        its_run(Many("tomograms", "tomograms", neighbour, order_by=TOMOGRAM_ORDER)),
    )  # fmt: skip


def tomogram_page(visit: Visit) -> TomogramPage:
    """The page of the tomogram whose number stands in the path."""
    id = visit.id()
    row = visit.row("Tomogram", _fields())
    found = _drawable(visit, row)
    seen = look(visit.request.query_params.multi_items(), found) if found else None
    run = row["run"]
    name = tomogram_name(row)
    return TomogramPage(
        head=_head(visit, row, name),
        crumbs=crumbs(run, Tomogram.names.number(id)),
        id=id,
        name=name,
        run=run_crumb(run),
        dataset=dataset_crumb(run),
        lines=_lines(row),
        look=seen,
        stage=stage(seen, found, _version(visit)) if seen and found else None,
        views=tuple(_views(id, seen)) if seen else (),
        zooms=tuple(_zooms(id, seen)) if seen else (),
        axes=tuple(_axis(name, seen, found) for name in AXES) if seen and found else (),
        toggles=tuple(_toggle(layer, seen, found) for layer in found.layers) if seen and found else (),
        contrast=_contrast(seen, found) if seen and found else None,
        most_slab=MOST_SLAB,
        data=_data(visit, seen, found) if seen and found else "",
        viewer=urls.view_run(run["id"], id) if row["https_omezarr_dir"] else "",
        others=tuple(
            Crumb(f"{tomogram_name(other)}, {formats.quantity(other['voxel_spacing'], 'Å')}", urls.tomogram(other["id"]))
            for other in run["tomograms"]
            if other["id"] != id
        ),
        facts=facts(Tomogram, row, ("name",)),
        alignment=facts(Alignment, row["alignment"]) if row["alignment"] else None,
        authors=people(row),
        downloads=tuple(
            download(visit, file, local_name(run["name"], Tomogram.names.number(id), file))
            for file in files(Tomogram, row)
        ),
    )  # fmt: skip


def _drawable(visit: Visit, row: dict[str, Any]) -> Drawn | None:
    """What can be drawn, if there is a volume of a known size, with voxels that can be drawn to scale."""
    is_there = row["https_omezarr_dir"] or row["https_mrc_file"]
    is_sized = all((row[f"size_{axis}"] or 0) > 0 for axis in AXES) and 0 < row["voxel_spacing"] < _WIDEST
    return drawn(visit.view, row["id"]) if is_there and is_sized else None


def _lines(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    sides = [row[f"size_{axis}"] for axis in "xyz"]
    spacing = row["voxel_spacing"]
    physical = " × ".join(f"{side * spacing / 10:,.0f}" for side in sides)
    return (
        ("Voxels", " × ".join(formats.number(side) for side in sides)),
        ("Voxel spacing", formats.quantity(spacing, "Å")),
        ("Size", f"{physical}\u202fnm"),
    )


def _axis(name: str, seen: Look, found: Drawn) -> Axis:
    place = AXES.index(name)
    index, last = seen.at[place], found.shape[place] - 1

    def address(step: int) -> str:
        return urls.tomogram(found.tomogram, seen.moved(name, step, found.shape).parameters())

    return Axis(name, index, last, address(-1), address(1))


def _views(id: int, seen: Look) -> Iterator[Choice]:
    for plane in ("", *PLANES.values()):
        other = replace(seen, view=plane)
        yield Choice(plane, plane or "All", urls.tomogram(id, other.parameters()), other == seen)


def _zooms(id: int, seen: Look) -> Iterator[Choice]:
    for zoom in ZOOMS:
        other = replace(seen, zoom=zoom)
        yield Choice(str(zoom), f"{zoom}×", urls.tomogram(id, other.parameters()), other == seen)


def _toggle(layer: Layer, seen: Look, found: Drawn) -> Toggle:
    note = "" if layer.fits else "made with another alignment: its coordinates are not those of this tomogram"
    is_on = any(layer is other for other in shown(seen, found))
    return Toggle(
        layer.key, layer.name, _SHAPES[layer.shape], layer.count, layer.colour, layer.is_truth, is_on, note
    )


def _contrast(seen: Look, found: Drawn) -> Contrast | None:
    if found.limits is None:
        return None
    low, high = found.limits
    wide = high - low
    mine = low if seen.low is None else seen.low, high if seen.high is None else seen.high
    least, most = min(low - _WINDOW * wide, mine[0]), max(high + _WINDOW * wide, mine[1])
    return Contrast(*(float(f"{value:.4g}") for value in (*mine, least, most, wide / 250)))


def _version(visit: Visit) -> str:
    return hashlib.sha256("".join(visit.view.key).encode()).hexdigest()[:10]


def _data(visit: Visit, seen: Look, found: Drawn) -> str:
    """What the script wants to know, as JSON."""
    layers = [
        {
            "key": layer.key,
            "id": layer.annotation,
            "shape": layer.shape,
            "mask": layer.is_mask,
            "colour": layer.colour,
        }
        for layer in found.layers
        if layer.fits
    ]
    told = {
        "tomogram": found.tomogram, "size": found.size, "spacing": found.spacing, "limits": found.limits, "version": _version(visit),
        "layers": layers, "first": [layer.key for layer in shown(Look(seen.at), found)],
    }  # fmt: skip
    return json.dumps(told, separators=(",", ":"))


def _head(visit: Visit, row: dict[str, Any], name: str) -> Head:
    picture = Picture.of(row)
    run = row["run"]
    return Head(
        title=f"{name} · {run['name']} · {visit.settings.title}",
        description=f"Slices of tomogram {row['id']} ({name}) of run {run['name']} of “{run['dataset']['title']}”.",
        canonical=urls.tomogram(row["id"]),
        image=picture.large if picture else "",
        section="datasets",
    )
