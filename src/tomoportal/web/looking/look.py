"""The slice viewer of a tomogram as a server-rendered picture: what an address asks for, and where everything stands. Pure.

The address is the state: `z`, `y`, `x` (voxels from 0), `slab` (slices on each side), `lo`, `hi` (grey values), `show` (keys of layers),
`view` (one panel alone), `zoom`. What makes no sense is left out or brought to the nearest that does: a link must not break.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tomoportal.exports.slices.layers import Drawn, Layer
from tomoportal.exports.slices.volume import MOST_SLAB, Extent
from tomoportal.web import urls
from tomoportal.web.formats import number

AXES = "zyx"
PLANES = {"z": "XY", "y": "XZ", "x": "YZ"}
ZOOMS = (1, 2, 4, 8)
_GAP = 0.012
"""Between panels, in widths of the whole."""
_MOST_PIXELS = {"z": 1024, "y": 1024, "x": 256}
"""Across the first pictures; across x only a coarse level is cheap."""
_BARS = (1, 2, 5)

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: `at` are z, y, x; None for limits stands for those of the portal, None for `show` for the layers that the 3-D
    viewer shows at first."""

    at: tuple[int, int, int]
    slab: int = 0
    low: float | None = None
    high: float | None = None
    show: tuple[str, ...] | None = None
    view: str = ""
    zoom: int = 1

    def moved(self, axis: str, steps: int, shape: tuple[int, int, int]) -> Look:
        """Some slices further along an axis, as far as there are any."""
        place = AXES.index(axis)
        at = list(self.at)
        at[place] = max(0, min(shape[place] - 1, at[place] + steps))
        return replace(self, at=(at[0], at[1], at[2]))

    def parameters(self) -> Parameters:
        """The state as parameters of an address."""
        told = [(axis, str(place)) for axis, place in zip(AXES, self.at, strict=True)]
        told += [("slab", str(self.slab))] if self.slab else []
        told += [
            (name, f"{value:g}") for name, value in (("lo", self.low), ("hi", self.high)) if value is not None
        ]
        told += [("show", ",".join(self.show))] if self.show is not None else []
        told += [("view", self.view)] if self.view else []
        return told + ([("zoom", str(self.zoom))] if self.zoom > 1 else [])


def look(parameters: Iterable[tuple[str, str]], drawn: Drawn) -> Look:
    """What the parameters of an address ask for."""
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        given.setdefault(name, []).append(value)
    last = {name: values[-1] for name, values in given.items()}
    z, y, x = (
        _whole(last.get(axis), 0, side - 1, side // 2) for axis, side in zip(AXES, drawn.shape, strict=True)
    )
    low, high = _number(last.get("lo")), _number(last.get("hi"))
    if low is not None and high is not None and not low < high:
        low = high = None
    view = last.get("view", "")
    zoom = _whole(last.get("zoom"), 1, ZOOMS[-1], 1)
    return Look(
        (z, y, x), _whole(last.get("slab"), 0, MOST_SLAB, 0), low, high, _show(given.get("show"), drawn),
        view if view in PLANES.values() else "", max(level for level in ZOOMS if level <= zoom),
    )  # fmt: skip


def _show(given: list[str] | None, drawn: Drawn) -> tuple[str, ...] | None:
    """Keys of layers; the number of an annotation stands for all its shapes."""
    if given is None:
        return None
    asked = {key for text in given for key in text.lower().removeprefix("an-").split(",") if key}
    return tuple(
        layer.key for layer in drawn.layers if layer.fits and {layer.key, str(layer.annotation)} & asked
    )


def _whole(text: str | None, least: int, most: int, otherwise: int) -> int:
    value = _number(text)
    return otherwise if value is None else max(least, min(most, round(value)))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Laid:
    """One picture laid over a panel."""

    href: str
    key: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A cut: where it stands (`x`, `y`, `width`, `height` in voxels of the whole), the box of voxels that is seen, and what is drawn."""

    axis: str
    plane: str
    index: int
    count: int
    x: float
    y: float
    width: int
    height: int
    box: str
    href: str
    pixels: int
    across: float
    down: float
    laid: tuple[Laid, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A scale bar: its length in units of the whole and in words, and where it begins."""

    length: float
    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Stage:
    """All panels in one drawing: the cut along z, that along y below it, that along x beside it, at one scale."""

    width: float
    height: float
    box: str
    panels: tuple[Panel, ...]
    bar: Bar


def stage(seen: Look, drawn: Drawn, version: str) -> Stage:
    """The drawing of a state. `version` marks pictures that may be kept."""
    x, y, z = drawn.size
    gap = round((x + z) * _GAP) + 1
    places = {"z": (0, 0), "y": (0, y + gap), "x": (x + gap, 0)}
    panels = tuple(_panel(axis, places[axis], seen, drawn, version) for axis in "zyx")
    width, height = x + gap + z, y + gap + z
    alone = next((panel for panel in panels if panel.plane == seen.view), None)
    box = f"{alone.x} {alone.y} {alone.width} {alone.height}" if alone else f"0 0 {width} {height}"
    return Stage(width, height, box, panels, _bar(alone or panels[0], seen.zoom, drawn.spacing))


def _panel(axis: str, place: tuple[int, int], seen: Look, drawn: Drawn, version: str) -> Panel:
    extent = Extent.of(drawn.shape, axis)
    index = seen.at[AXES.index(axis)]
    pixels = max(16, min(extent.columns, _MOST_PIXELS[axis]))
    cut: Parameters = [("axis", axis), ("index", str(index))]
    slab: Parameters = [("slab", str(seen.slab))] if seen.slab else []
    kept: Parameters = [("w", str(pixels)), ("v", version)]
    grey: Parameters = [
        (name, f"{value:g}") for name, value in (("lo", seen.low), ("hi", seen.high)) if value is not None
    ]
    of: Parameters = [("tomogram", str(drawn.tomogram))]
    laid = []
    for layer in shown(seen, drawn):
        shape: Parameters = [("shape", layer.shape)]
        file, more = ("mask.png", kept) if layer.is_mask else ("points.svg", [*slab, ("v", version)])
        laid.append(Laid(urls.overlay(layer.annotation, file, [*of, *cut, *shape, *more]), layer.key))
    across, down = _crossing(axis, seen)
    return Panel(
        axis, PLANES[axis], index, drawn.shape[AXES.index(axis)], *place, extent.columns, extent.rows,
        _box(extent, across, down, seen.zoom), urls.slice_picture(drawn.tomogram, [*cut, *slab, *grey, *kept]), pixels, across, down,
        tuple(laid),
    )  # fmt: skip


def _crossing(axis: str, seen: Look) -> tuple[int, int]:
    """Column and row of the cross-hair."""
    z, y, x = seen.at
    return {"z": (x, y), "y": (x, z), "x": (z, y)}[axis]


def _box(extent: Extent, across: float, down: float, zoom: int) -> str:
    """The voxels that are seen: around the cross-hair, inside the volume."""
    width, height = extent.columns / zoom, extent.rows / zoom
    left = max(-0.5, min(extent.columns - 0.5 - width, across - width / 2))
    top = max(-0.5, min(extent.rows - 0.5 - height, down - height / 2))
    return f"{left:g} {top:g} {width:g} {height:g}"


def shown(seen: Look, drawn: Drawn) -> Iterator[Layer]:
    """The layers that are on."""
    for layer in drawn.layers:
        if layer.fits and (layer.is_visible if seen.show is None else layer.key in seen.show):
            yield layer


def _bar(panel: Panel, zoom: int, spacing: float) -> Bar:
    """About a fifth of a panel's width, in a round number of nm."""
    aim = panel.width / zoom * spacing / 10 / 5
    step = 10 ** math.floor(math.log10(aim))
    length = max(part * step for part in _BARS if part * step <= aim)
    text = f"{number(length / 1000)}\u202fµm" if length >= 1000 else f"{number(length)}\u202fnm"
    return Bar(
        length * 10 / spacing * zoom, text, panel.x + panel.width * 0.03, panel.y + panel.height * 0.97
    )
