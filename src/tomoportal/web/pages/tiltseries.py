"""A tilt series: its sections as a film, how they were acquired, and what is known of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.acquisition import TiltSeries
from tomoportal.model.query import Many, One, Order, Value
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.downloads import Download, download, local_name
from tomoportal.web.entities.estimates import ESTIMATES, estimated
from tomoportal.web.entities.facts import Facts, facts, files, selected
from tomoportal.web.entities.quality import QUALITIES, Quality, quality
from tomoportal.web.entities.within_run import crumbs, its_run, run_crumb
from tomoportal.web.looking import plots
from tomoportal.web.looking.plots import Plot

ORDERS = {"angle": "Tilt angle", "acquisition": "Acquisition"}
WIDTH = 1024
"""Pixels across a section on the page."""


@dataclass(frozen=True, slots=True)
class Section:
    """An image of the stack; None for what nobody knows. `index` is its place in the stack, `order` in the acquisition, both from 0; `dose`
    what the sample had received after it (e⁻/Å²); defocus in µm, `astigmatism` its difference, `azimuth` and `angle` in degrees, `phase`
    in radians, `resolution` in Å; `is_left_out`: the alignments of the series go without it."""

    index: int
    angle: float | None = None
    order: int | None = None
    dose: float | None = None
    exposure: float | None = None
    major: float | None = None
    minor: float | None = None
    azimuth: float | None = None
    phase: float | None = None
    resolution: float | None = None
    is_left_out: bool = False

    @property
    def number(self) -> int | None:
        """Its place in the acquisition as people count, from 1."""
        return None if self.order is None else self.order + 1

    @property
    def defocus(self) -> float | None:
        """The mean of both directions."""
        return None if self.major is None or self.minor is None else (self.major + self.minor) / 2

    @property
    def astigmatism(self) -> float | None:
        """How far the directions differ."""
        return None if self.major is None or self.minor is None else abs(self.major - self.minor)


@dataclass(frozen=True, slots=True)
class Film:
    """The player: sections in the order of the film, the one that is shown, and the ways to others. `data` is what the script wants to
    know."""

    sections: tuple[Section, ...]
    current: Section
    place: int
    href: str
    width: int
    height: int
    previous: str
    next: str
    order: str
    orders: tuple[Crumb, ...]
    data: str


@dataclass(frozen=True, slots=True)
class TiltSeriesPage:
    """Everything on the page of a tilt series. `film` is None when no stack was published; `columns` says what the table has."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    run: Crumb
    lines: tuple[tuple[str, str], ...]
    quality: Quality | None
    scale: tuple[Quality, ...]
    film: Film | None
    caption: str
    sections: tuple[Section, ...]
    columns: frozenset[str]
    plots: tuple[Plot, ...]
    left_out: int
    facts: Facts
    downloads: tuple[Download, ...]


_SECTION = (
    "z_index",
    "raw_angle",
    "major_defocus",
    "minor_defocus",
    "astigmatic_angle",
    "phase_shift",
    "max_resolution",
)
_FRAME = ("acquisition_order", "accumulated_dose", "exposure_dose")


def _fields() -> tuple[query.Selection, ...]:
    """Asked for anew on every visit, so that whatever the model holds is there."""
    frame = One("frame", "frame", tuple(Value(name, name) for name in _FRAME))
    aligned = Many("sections", "per_section_alignments", (Value("z_index", "z_index"),))
    return (
        *selected(TiltSeries),
        ESTIMATES,
        its_run(),
        Many("sections", "per_section_parameters", (*(Value(name, name) for name in _SECTION), frame), order_by=(Order(("z_index",)),)),
        Many("alignments", "alignments", (Value("id", "id"), aligned)),
    )  # fmt: skip


def tiltseries_page(visit: Visit) -> TiltSeriesPage:
    """The page of the tilt series whose number stands in the path."""
    id = visit.id()
    row = visit.row("TiltSeries", _fields())
    run = row["run"]
    sections = tuple(_sections(row))
    told = facts(TiltSeries, row, ("tilt_series_quality", "file_size_mrc", "file_size_omezarr"))
    film = _film(visit, row, sections)
    owner = TiltSeries.names.number(id)
    return TiltSeriesPage(
        head=_head(visit, row),
        crumbs=crumbs(run, owner),
        id=id,
        run=run_crumb(run),
        lines=_lines(row),
        quality=quality([row["tilt_series_quality"]]),
        scale=tuple(Quality(score, word) for score, word in QUALITIES.items()),
        film=film,
        caption=caption(film.current) if film else "",
        sections=sections,
        columns=frozenset(_columns(sections)),
        plots=tuple(found for found in _plots(sections) if found),
        left_out=sum(section.is_left_out for section in sections),
        facts=Facts((*told.known, *estimated(row)), told.missing),
        downloads=tuple(download(visit, file, local_name(run["name"], owner, file)) for file in files(TiltSeries, row)),
    )  # fmt: skip


def _lines(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    bounds = [formats.quantity(row[name], "°") for name in ("tilt_min", "tilt_max")]
    return (
        ("Tilt range", f"{bounds[0]} to {bounds[1]}"),
        ("Images", formats.number(row["size_z"])),
        ("Total flux", formats.quantity(row["total_flux"], TiltSeries.fields["total_flux"].unit)),
        ("Pixel size", formats.quantity(row["pixel_spacing"], "Å")),
    )


def _sections(row: dict[str, Any]) -> Iterator[Section]:
    """The rows of the sections; of a stack without any, its sections alone."""
    aligned = [{item["z_index"] for item in alignment["sections"]} for alignment in row["alignments"]]
    kept = set.union(set(), *aligned)
    for found in row["sections"]:
        frame = found["frame"] or {}
        before, exposure = frame.get("accumulated_dose"), frame.get("exposure_dose")
        yield Section(
            found["z_index"], found["raw_angle"], frame.get("acquisition_order"),
            None if before is None else before + (exposure or 0), exposure,
            _micrometres(found["major_defocus"]), _micrometres(found["minor_defocus"]), found["astigmatic_angle"],
            found["phase_shift"], found["max_resolution"], bool(kept) and found["z_index"] not in kept,
        )  # fmt: skip
    if not row["sections"]:
        yield from map(Section, range(row["size_z"] or 0))


def _micrometres(defocus: float | None) -> float | None:
    return None if defocus is None else defocus / 1e4


def _columns(sections: tuple[Section, ...]) -> Iterator[str]:
    """What is known of at least one section."""
    for name in ("angle", "order", "dose", "exposure", "defocus", "azimuth", "phase", "resolution"):
        if any(getattr(section, name) is not None for section in sections):
            yield name


def _film(visit: Visit, row: dict[str, Any], sections: tuple[Section, ...]) -> Film | None:
    is_there = row["https_omezarr_dir"] or row["https_mrc_file"]
    in_stack = tuple(section for section in sections if section.index < (row["size_z"] or 0))
    if not is_there or not in_stack or not (row["size_x"] and row["size_y"]):
        return None
    asked = visit.request.query_params
    order = asked.get("order", "angle")
    order = order if order in ORDERS else "angle"
    shown = tuple(sorted(in_stack, key=lambda section: _key(section, order)))
    middle = min(
        range(len(shown)),
        key=lambda place: abs(shown[place].angle or 0) if shown[place].angle is not None else place,
    )
    wanted = asked.get("index", "")
    place = next((i for i, section in enumerate(shown) if str(section.index) == wanted), middle)
    last = len(shown) - 1
    return Film(
        shown, shown[place], place, _picture(row["id"], shown[place].index, _version(visit)), row["size_x"], row["size_y"],
        _address(row["id"], shown[max(0, place - 1)], order), _address(row["id"], shown[min(last, place + 1)], order), order,
        tuple(Crumb(text, "" if name == order else _address(row["id"], shown[place], name)) for name, text in ORDERS.items()),
        _data(visit, row, in_stack),
    )  # fmt: skip


def _key(section: Section, order: str) -> tuple[bool, float, int]:
    value = section.angle if order == "angle" else section.order
    return value is None, value or 0, section.index


def _address(id: int, section: Section, order: str) -> str:
    return urls.tiltseries(
        id, [("index", str(section.index)), *([("order", order)] if order != "angle" else [])]
    )


def _picture(id: int, index: int, version: str) -> str:
    return urls.section_picture(id, [("index", str(index)), ("w", str(WIDTH)), ("v", version)])


def _version(visit: Visit) -> str:
    return hashlib.sha256("".join(visit.view.key).encode()).hexdigest()[:10]


def _data(visit: Visit, row: dict[str, Any], sections: tuple[Section, ...]) -> str:
    told = [
        {"index": section.index, "angle": section.angle, "order": section.order, "text": caption(section)}
        for section in sections
    ]
    return json.dumps(
        {"id": row["id"], "width": WIDTH, "version": _version(visit), "sections": told}, separators=(",", ":")
    )


def caption(section: Section) -> str:
    """What is known of a section, in a line."""
    parts = [f"Section {section.index}"]
    if section.angle is not None:
        parts.append(f"tilt {formats.quantity(round(section.angle, 2), '°')}")
    if section.number is not None:
        parts.append(f"acquired as number {section.number}")
    if section.dose is not None:
        parts.append(f"{formats.quantity(round(section.dose, 2), 'e⁻/Å²')} received")
    if section.defocus is not None:
        parts.append(f"defocus {section.defocus:.2f}\u202fµm")
    if section.is_left_out:
        parts.append("left out of the alignment")
    return ", ".join(parts)


def _plots(sections: tuple[Section, ...]) -> Iterator[Plot | None]:
    def values(across: str, down: str) -> list[plots.Value]:
        found = ((section, getattr(section, across), getattr(section, down)) for section in sections)
        return [
            plots.Value(section.index, x, y, *_bar(section, down, y), caption(section), section.is_left_out)
            for section, x, y in found
            if x is not None and y is not None
        ]

    yield plots.plot("Tilt angle", "acquisition order", "tilt angle (°)", values("number", "angle"))
    yield plots.plot("Accumulated dose", "acquisition order", "dose (e⁻/Å²)", values("number", "dose"))
    yield plots.plot("Defocus", "tilt angle (°)", "defocus (µm)", values("angle", "defocus"))


def _bar(section: Section, down: str, value: float) -> tuple[float, float]:
    """The ends of the bar through a value: both directions of a defocus."""
    if down != "defocus" or section.major is None or section.minor is None:
        return value, value
    return min(section.major, section.minor), max(section.major, section.minor)


def _head(visit: Visit, row: dict[str, Any]) -> Head:
    run = row["run"]
    return Head(
        title=f"{TiltSeries.names.number(row['id'])} · {run['name']} · {visit.settings.title}",
        description=f"Tilt series {row['id']} of run {run['name']} of “{run['dataset']['title']}”, "
        f"{formats.plural(row['size_z'] or 0, 'image')}.",
        canonical=urls.tiltseries(row["id"]),
        section="datasets",
    )
