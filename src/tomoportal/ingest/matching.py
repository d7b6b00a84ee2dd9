"""Which section of the mdoc files a movie, or an image of a tilt series, belongs to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from tomoportal.formats.mdoc import MdocSection

ANGLE_TOLERANCE = 0.1
"""Degrees by which the angle of an image may differ from that of its section: lists hold nominal or rounded angles."""
ROUNDING = 0.0101
"""Degrees that two decimals may make."""
_MOST_ALIKE = 5
"""Images of one angle that are put in order by their neighbours; more are taken as they were recorded."""


def movies_of(names: Sequence[str | None], files: Sequence[str]) -> list[int | None]:
    """For every section its movie among `files` (names without folders), by the name that its SubFramePath ends with.

    The same name wins; else letter case and the endings `.gz` and `.bz2` do not count.
    """
    exact = {file: place for place, file in reversed(list(enumerate(files)))}
    alike = {_folded(file): place for place, file in reversed(list(enumerate(files)))}
    return [None if not name else exact.get(name, alike.get(_folded(name))) for name in names]


def _folded(name: str) -> str:
    return name.lower().removesuffix(".gz").removesuffix(".bz2")


def sections_of(
    angles: Sequence[float], sections: Sequence[MdocSection], own: Sequence[bool], orders: Sequence[int]
) -> list[int | None]:
    """For every image of a stack (its angle, degrees) the position of its section in `sections`, each section once.

    Where the stack's `own` mdoc lists the images as they lie, that is the answer. Else the section of the same angle, within
    `ANGLE_TOLERANCE`, own ones first. Of several images of one angle, such as the two at 0° of a bidirectional series, each takes
    the section that was recorded (`orders`) next to those of the images beside it.
    """
    listed = _as_listed(angles, sections, own)
    if listed is not None:
        return listed
    found: list[int | None] = [None] * len(angles)
    for reach in (ROUNDING, ANGLE_TOLERANCE):
        for mine in (True, False):
            _take_nearest(angles, sections, found, [place for place, o in enumerate(own) if o is mine], reach)
    _order_alike(angles, sections, orders, found)
    return found


def _as_listed(
    angles: Sequence[float], sections: Sequence[MdocSection], own: Sequence[bool]
) -> list[int | None] | None:
    by_number = {
        section.z_value: place
        for place, (section, mine) in enumerate(zip(sections, own, strict=True))
        if mine and section.kind == "ZValue"
    }
    if len(by_number) != sum(own) or set(by_number) != set(range(len(angles))):
        return None
    places: list[int | None] = [by_number[index] for index in range(len(angles))]
    fits = all(
        place is not None and _apart(angle, sections[place]) <= ANGLE_TOLERANCE
        for angle, place in zip(angles, places, strict=True)
    )
    return places if fits else None


def _take_nearest(
    angles: Sequence[float],
    sections: Sequence[MdocSection],
    found: list[int | None],
    places: list[int],
    reach: float,
) -> None:
    """Give images without a section the free ones within `reach`, the nearest pairs first; ties in the order given."""
    taken = set(found)
    free = sorted(
        (sections[place].tilt_angle or 0.0, place)
        for place in places
        if place not in taken and sections[place].tilt_angle is not None
    )
    pairs = []
    wanting = sorted((angle, image) for image, angle in enumerate(angles) if found[image] is None)
    first = 0
    for angle, image in wanting:
        while first < len(free) and free[first][0] < angle - reach:
            first += 1
        for other, place in free[first : first + len(angles)]:
            if other > angle + reach:
                break
            pairs.append((round(abs(other - angle), 4), image, place))
    for _, image, place in sorted(pairs):
        if found[image] is None and place not in taken:
            found[image] = place
            taken.add(place)


def _order_alike(
    angles: Sequence[float],
    sections: Sequence[MdocSection],
    orders: Sequence[int],
    found: list[int | None],
) -> None:
    """Put the sections of images of one angle into the order that fits the images beside them best."""
    alike: dict[float, list[int]] = {}
    for image, place in enumerate(found):
        if place is not None:
            alike.setdefault(round(angles[image], 2) + 0.0, []).append(image)
    for images in alike.values():
        if 1 < len(images) <= _MOST_ALIKE:
            places = sorted((found[image] or 0 for image in images), key=lambda place: orders[place])
            best = min(permutations(places), key=lambda order: _jumps(images, order, found, orders))
            for image, place in zip(images, best, strict=True):
                found[image] = place


def _jumps(
    images: Sequence[int], places: Sequence[int], found: Sequence[int | None], orders: Sequence[int]
) -> int:
    """How far apart in the order of acquisition images and their neighbours in the stack would be."""
    mine = dict(zip(images, places, strict=True))
    total = 0
    for image, place in mine.items():
        for beside in (image - 1, image + 1):
            other = found[beside] if 0 <= beside < len(found) else None
            if other is not None and beside not in mine:
                total += abs(orders[place] - orders[other])
    return total


def _apart(angle: float, section: MdocSection) -> float:
    return float("inf") if section.tilt_angle is None else abs(section.tilt_angle - angle)
