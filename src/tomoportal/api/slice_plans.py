"""What the pictures of `api.slices` are made of and how, decided from the catalogue and the parameters before anything is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.requests import Request

from tomoportal.api.asked import Asked, id_in_path
from tomoportal.api.errors import Refused
from tomoportal.api.portal import Portal, withdrawn
from tomoportal.catalog import View
from tomoportal.errors import NotFound, UsageError
from tomoportal.exports import PLAIN
from tomoportal.exports.slices.layers import MASKS, POINTS, Drawn, Layer, drawn, fitting_layer
from tomoportal.exports.slices.levels import Shape, metadata_path
from tomoportal.exports.slices.masks import mask_picture
from tomoportal.exports.slices.picture import MEDIA_TYPES, Limits, encoded, grey, limits_of, sized
from tomoportal.exports.slices.points import Points, as_json, as_svg, read_points
from tomoportal.exports.slices.pyramid import open_pyramid
from tomoportal.exports.slices.stacks import Stack
from tomoportal.exports.slices.volume import AXES, MOST_SLAB, Cut, Volume

WIDEST, NARROWEST = 4096, 16
WIDTH = 1024
"""Pixels across a picture when neither `w` nor `level` is given."""
MOST_POINTS, POINTS_SHOWN = 50_000, 5000
LARGEST_LIST = 64 << 20
"""Bytes of published points that are read for a picture."""
_SECTION_SHARE = 0.005
"""Of the pixels of a section, at either end, that its contrast leaves out."""
_STORED = ("size_x", "size_y", "size_z", "https_omezarr_dir", "https_mrc_file")


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer before it is made: `path` is the stored file whose version stands for all that is read, `parameters` what else decides the
    bytes; `make` takes the version of the file."""

    path: str
    parameters: tuple[object, ...]
    media_type: str
    make: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Stored:
    """A published volume: its shape (z, y, x) and where it lies; an empty path stands for a file that is not there."""

    shape: Shape
    zarr: str
    mrc: str


class Plans:
    """Plans of answers. Safe to use from several threads."""

    def __init__(self, portal: Portal) -> None:
        self._storage, self._portal = portal.storage, portal
        self._drawn = lru_cache(maxsize=256)(lambda tomogram, _: drawn(portal.view(PLAIN), tomogram))
        self._volume = lru_cache(maxsize=128)(self._opened)
        self._limits = lru_cache(maxsize=128)(self._measured)
        self._points = lru_cache(maxsize=16)(self._read)
        self._described = lru_cache(maxsize=1024)(lambda zarr, _: metadata_path(portal.storage, zarr))

    def slice(self, view: View, request: Request) -> Planned:
        """A cut of a tomogram in grey."""
        id, kind = id_in_path(request, "tomogram"), _kind(request)
        asked = Asked(request, ("axis", "index", "slab", "level", "w", "lo", "hi", "v"))
        stored = _stored(view, "Tomogram", id, "tomogram")
        cut = _cut(asked, stored.shape)
        level, width = asked.whole("level", 0, None), asked.whole("w", NARROWEST, WIDEST)
        width = WIDTH if level is None and width is None else width
        low, high = asked.number("lo"), asked.number("hi")
        found = self._drawn(id, view.key) if low is None or high is None else None
        known = found.limits if found else None
        if low is not None and high is not None:
            _ordered(low, high)

        def make(stamp: str) -> bytes:
            usual = known or (self._limits(stored, stamp) if found else (0.0, 1.0))
            limits = _ordered(usual[0] if low is None else low, usual[1] if high is None else high)
            shown = self._volume(stored, stamp).shown(cut, width, level)
            return encoded(grey(shown.plane if width is None else sized(shown, width), limits), kind)

        path = self._version_file(stored, view)
        return Planned(path, (cut, level, width, low, high, known, kind), MEDIA_TYPES[kind], make)

    def section(self, view: View, request: Request) -> Planned:
        """An image of a tilt series in grey, each in a contrast of its own."""
        id, kind = id_in_path(request, "tilt series"), _kind(request)
        asked = Asked(request, ("index", "w", "v"))
        stored = _stored(view, "TiltSeries", id, "tilt series")
        cut = Cut("z", asked.whole("index", 0, None) or 0)
        _check(cut, stored.shape)
        width = asked.whole("w", NARROWEST, WIDEST) or WIDTH

        def make(stamp: str) -> bytes:
            plane = sized(self._volume(stored, stamp).shown(cut, width, None), width)
            return encoded(grey(plane, limits_of(plane, _SECTION_SHARE)), kind)

        path = self._version_file(stored, view)
        return Planned(path, (cut, width, kind), MEDIA_TYPES[kind], make)

    def points(self, view: View, request: Request) -> Planned:
        """Points as JSON."""
        asked = Asked(request, ("tomogram", "axis", "from", "to", "budget", "shape", "v"))
        layer, found, tomogram = self._layer(view, request, asked, POINTS)
        axis = asked.word("axis", tuple(AXES)) or "z"
        start, stop = asked.number("from"), asked.number("to")
        budget = asked.whole("budget", 1, MOST_POINTS) or POINTS_SHOWN

        def make(stamp: str) -> bytes:
            points = self._points(layer, found.spacing, stamp).between(axis, start, stop)
            return as_json(points.at_most(budget), layer, tomogram, found.spacing)

        parameters = (layer, found.spacing, tomogram, axis, start, stop, budget)
        return Planned(layer.path, parameters, "application/json", make)

    def circles(self, view: View, request: Request) -> Planned:
        """The points near a cut as a picture."""
        asked = Asked(request, ("tomogram", "axis", "index", "slab", "shape", "v"))
        layer, found, _ = self._layer(view, request, asked, POINTS)
        cut = _cut(asked, found.shape)

        def make(stamp: str) -> bytes:
            points = self._points(layer, found.spacing, stamp)
            reach = points.diameter / 2 + cut.slab
            near = points.between(cut.axis, cut.index - reach, cut.index + reach)
            return as_svg(near.at_most(POINTS_SHOWN), layer, cut, found.shape)

        return Planned(layer.path, ("svg", layer, found.spacing, found.shape, cut), "image/svg+xml", make)

    def mask(self, view: View, request: Request) -> Planned:
        """A mask across a cut."""
        asked = Asked(request, ("tomogram", "axis", "index", "w", "shape", "v"))
        layer, found, _ = self._layer(view, request, asked, MASKS)
        cut = _cut(asked, found.shape)
        width = asked.whole("w", NARROWEST, WIDEST) or WIDTH

        def make(stamp: str) -> bytes:
            pyramid = open_pyramid(self._storage, layer.path, stamp)
            return mask_picture(pyramid, layer, cut, found.shape, found.spacing, width)

        parameters = (layer, found.spacing, found.shape, cut, width)
        return Planned(self._described(layer.path, view.key), parameters, "image/png", make)

    def _version_file(self, stored: Stored, view: View) -> str:
        """A file that changes whenever the volume does."""
        return stored.mrc or self._described(stored.zarr, view.key)

    def _layer(
        self, view: View, request: Request, asked: Asked, shapes: tuple[str, ...]
    ) -> tuple[Layer, Drawn, int]:
        id = id_in_path(request, "annotation")
        tomogram = asked.whole("tomogram", 0, None)
        if tomogram is None:
            raise Refused(400, "usage", "Say with `tomogram` over which tomogram the annotation is drawn.")
        found = self._drawn(tomogram, view.key)
        if found is None:
            raise _absent(view, "tomogram", tomogram)
        try:
            return fitting_layer(view, found, id, shapes, asked.word("shape", shapes)), found, tomogram
        except NotFound:
            raise _absent(view, "annotation", id) from None

    def _opened(self, stored: Stored, stamp: str) -> Volume:
        """The volume, of whose files at least one is there."""
        pyramid = open_pyramid(self._storage, stored.zarr, stamp) if stored.zarr else None
        return Volume(stored.shape, pyramid, Stack(self._storage, stored.mrc) if stored.mrc else None)

    def _measured(self, stored: Stored, stamp: str) -> Limits:
        """The contrast of a volume of which ingestion has told none, from its middle."""
        middle = Cut("z", stored.shape[0] // 2)
        return limits_of(self._volume(stored, stamp).shown(middle, NARROWEST, None).plane)

    def _read(self, layer: Layer, spacing: float, stamp: str) -> Points:
        size = int(stamp.rpartition(" ")[2])
        if size > LARGEST_LIST:
            message = f"{layer.path} has {size >> 20:,} MiB of points; up to {LARGEST_LIST >> 20} MiB are drawn. Use the 3-D viewer."
            raise Refused(413, "too-large", message)
        return read_points(self._storage, layer, spacing)


def _kind(request: Request) -> str:
    kind = request.path_params["kind"]
    if kind not in MEDIA_TYPES:
        raise Refused(
            404, "not-found", f"Pictures are made as {', '.join(MEDIA_TYPES)}, not as {kind[:20]!r}."
        )
    return str(kind)


def _stored(view: View, entity: str, id: int, what: str) -> Stored:
    row = view.one(entity, id, _STORED)
    if row is None:
        raise _absent(view, what.replace(" ", ""), id)
    if not row["https_omezarr_dir"] and not row["https_mrc_file"]:
        raise Refused(404, "not-found", f"No volume was published of {what} {id}.")
    return Stored(
        _shape(row, what, id), (row["https_omezarr_dir"] or "").strip("/"), row["https_mrc_file"] or ""
    )


def _shape(row: dict[str, Any], what: str, id: int) -> Shape:
    z, y, x = (row[f"size_{axis}"] for axis in AXES)
    if not (z and y and x):
        raise Refused(
            404,
            "not-found",
            f"The catalogue does not know the size of {what} {id}; `tomoportal load --measure` finds it.",
        )
    return z, y, x


def _absent(view: View, kind: str, id: int) -> Refused | NotFound:
    """What to raise for something that is not there, or no longer."""
    stone = view.tombstone(kind, id)
    return (
        withdrawn(f"{kind} {id}", stone) if stone else NotFound(f"{kind} {id}", "there is no such thing here")
    )


def _cut(asked: Asked, shape: Shape) -> Cut:
    """The middle slice across z, unless the request says otherwise."""
    axis = asked.word("axis", tuple(AXES)) or "z"
    index = asked.whole("index", 0, None)
    middle = shape[AXES.index(axis)] // 2
    slab = asked.whole("slab", 0, MOST_SLAB) if asked.takes("slab") else None
    return _check(Cut(axis, middle if index is None else index, slab or 0), shape)


def _check(cut: Cut, shape: Shape) -> Cut:
    Volume(shape, None, None).check(cut)
    return cut


def _ordered(low: float, high: float) -> Limits:
    if not low < high:
        raise UsageError(f"Black (lo = {low:g}) has to lie below white (hi = {high:g}).")
    return low, high
