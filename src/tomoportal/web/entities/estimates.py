"""What CTF estimates tell about a tilt series, for its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tomoportal.model.query import Figure, Groups, RelatedAggregate
from tomoportal.web import formats
from tomoportal.web.entities.contents import ESTIMATED
from tomoportal.web.entities.facts import Fact
from tomoportal.web.identifiers import Link

ESTIMATES = RelatedAggregate(
    "estimated",
    "per_section_parameters",
    (
        Groups(
            "groups",
            (
                Figure("count", "count"),
                Figure("minor", "min", "minor_defocus"),
                Figure("least", "min", "major_defocus"),
                Figure("most", "max", "major_defocus"),
            ),
        ),
    ),
    ESTIMATED,
)
"""How many images of a tilt series have a CTF estimate, and the limits of the defocus."""


def estimated(row: dict[str, Any]) -> Iterator[Fact]:
    """The defocus of the images, in µm, where it was estimated."""
    (found,) = row["estimated"]["groups"] or [{"count": 0}]
    if found["count"]:
        lowest = found["least"] if found["minor"] is None else min(found["minor"], found["least"])
        least, most = (f"{value / 1e4:.2f}" for value in (lowest, found["most"]))
        span = least if least == most else f"{least} to {most}"
        text = f"{span}\u202fµm, {formats.plural(found['count'], 'image')}"
        yield Fact("Defocus", (Link(text),), "underfocus from CTF estimates, number of images with one")
