"""Which annotations of a run fit which of its tomograms: those that share an alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tomoportal.model.annotation import Annotation
from tomoportal.model.reconstruction import Tomogram
from tomoportal.web import formats, urls
from tomoportal.web.context import Crumb
from tomoportal.web.entities.tomograms import alignment_name


@dataclass(frozen=True, slots=True)
class Frame:
    """A coordinate system: an alignment (None: not stated) with what is given in it."""

    alignment: Crumb | None
    tomograms: tuple[Crumb, ...]
    annotations: tuple[Crumb, ...]


def frames(run: dict[str, Any]) -> tuple[Frame, ...]:
    """The coordinate systems of a run, as the catalogue answers it; those without alignment last."""
    names = {row["id"]: alignment_name(row) for row in run["alignments"]}
    numbers = [*names, None]
    found = (_frame(run, number, names) for number in numbers)
    return tuple(frame for frame in found if frame.alignment or frame.tomograms or frame.annotations)


def _frame(run: dict[str, Any], number: int | None, names: dict[int, str]) -> Frame:
    def mine(name: str) -> list[dict[str, Any]]:
        return [row for row in run[name] if (row["alignment"] or {}).get("id") == number]

    tomograms = (
        Crumb(
            f"{Tomogram.names.number(row['id'])}, {formats.quantity(row['voxel_spacing'], 'Å')}",
            urls.tomogram(row["id"]),
        )
        for row in mine("tomograms")
    )
    annotations = (
        Crumb(f"{Annotation.names.number(row['id'])}, {row['object_name']}", urls.annotation(row["id"]))
        for row in mine("annotations")
    )
    alignment = Crumb(names[number], urls.alignment(number)) if number is not None else None
    return Frame(alignment, tuple(tomograms), tuple(annotations))
