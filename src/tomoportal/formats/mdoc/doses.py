"""The order in which the images of a tilt series were taken, and the dose that the specimen had by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from tomoportal.formats.mdoc.section import MdocSection

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SectionDose:
    """The dose of one section in e⁻/Å²: its own, and what the specimen had before it; None when not known."""

    acquisition_order: int
    """0 for the image taken first."""
    exposure_dose: float | None
    accumulated_dose: float | None


def section_doses(sections: Iterable[MdocSection], dose_rate: float | None = None) -> tuple[SectionDose, ...]:
    """The doses of `sections` (of one file, or of several files of one specimen), in the order given.

    The accumulated dose is the sum of the doses of all images taken before (see `acquisition_order`). A section's dose
    is its ExposureDose when that is above 0, else its exposure time × `dose_rate` (e⁻/Å²/s). After a section of unknown
    dose the accumulated dose is unknown. Pieces of a montage count like images, so that there the accumulated dose is
    an upper bound: only where pieces overlap has the specimen seen more than one of them.
    """
    given = tuple(sections)
    result: dict[int, SectionDose] = {}
    total: float | None = 0.0
    for rank, position in enumerate(acquisition_order(given)):
        dose = _dose(given[position], dose_rate)
        result[position] = SectionDose(rank, dose, total)
        total = None if total is None or dose is None else total + dose
    return tuple(result[position] for position in range(len(given)))


def acquisition_order(sections: tuple[MdocSection, ...]) -> list[int]:
    """Positions in `sections`, the image taken first coming first.

    The order is that of DateTime when every section has one. Where two dates are equal (they are whole seconds), and
    where a date is missing altogether, it is that of PriorRecordDose when every section has one; where that does not
    decide either, that of the section numbers when they are distinct, else the order given.
    """
    dates = _all([section.date_time for section in sections])
    priors = _all([section.prior_record_dose for section in sections])
    numbers = [section.z_value for section in sections]
    positions = range(len(sections))
    last = numbers if len(set(numbers)) == len(numbers) else positions
    keys = [key for key in (dates, priors, last) if key is not None]
    return sorted(positions, key=lambda position: tuple(key[position] for key in keys))


def _all(values: list[_T | None]) -> list[_T] | None:
    """`values`, or None when one of them is missing."""
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def _dose(section: MdocSection, dose_rate: float | None) -> float | None:
    if section.exposure_dose is not None and section.exposure_dose > 0:
        return section.exposure_dose
    if dose_rate is None or section.exposure_time is None or section.exposure_time <= 0:
        return None
    return section.exposure_time * dose_rate
