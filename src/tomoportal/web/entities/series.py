"""Tilt series and the files of their acquisition, as pages tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tomoportal.model.acquisition import FrameAcquisitionFile, GainFile, TiltSeries
from tomoportal.model.reconstruction import Alignment
from tomoportal.web import formats
from tomoportal.web.context import Visit
from tomoportal.web.entities.downloads import Download, own_files
from tomoportal.web.entities.estimates import estimated
from tomoportal.web.entities.facts import Fact, Facts, facts, files
from tomoportal.web.entities.quality import Quality, quality
from tomoportal.web.entities.tomograms import alignment_name
from tomoportal.web.identifiers import Link


@dataclass(frozen=True, slots=True)
class Series:
    """A tilt series."""

    id: int
    quality: Quality | None
    facts: Facts
    downloads: tuple[Download, ...]


def series_of(visit: Visit, run: str, row: dict[str, Any]) -> Series:
    """A tilt series as the catalogue answers it; `run` is the name of its run."""
    told = facts(
        TiltSeries,
        row,
        ("tilt_series_quality", "file_size_mrc", "file_size_omezarr", "size_x", "size_y", "size_z"),
    )
    sizes = [row[f"size_{axis}"] for axis in "xyz"]
    if None not in sizes:
        x, y, count = sizes
        text = f"{formats.number(x)} × {formats.number(y)}\u202fpx, {formats.plural(count, 'image')}"
        told = Facts(
            (Fact("Size", (Link(text),), "pixels of an image, number of images"), *told.known), told.missing
        )
    told = Facts((*told.known, *estimated(row)), told.missing)
    owner = TiltSeries.names.number(row["id"])
    return Series(
        row["id"],
        quality([row["tilt_series_quality"]]),
        told,
        own_files(visit, run, owner, files(TiltSeries, row)),
    )


def acquisition(visit: Visit, row: dict[str, Any]) -> Iterator[Download]:
    """The mdoc files, gains and alignments of a run."""
    for name, entity in (("mdocs", FrameAcquisitionFile), ("gains", GainFile)):
        for item in row[name]:
            yield from own_files(visit, row["name"], "", files(entity, item), keep=True)
    for item in row["alignments"]:
        named = [
            replace(file, label=f"{file.label} {alignment_name(item)}") for file in files(Alignment, item)
        ]
        yield from own_files(visit, row["name"], Alignment.names.number(item["id"]), named)
