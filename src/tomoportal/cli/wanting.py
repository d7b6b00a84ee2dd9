"""The options with which data of a portal are chosen for download."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tomoportal.client.downloads.manifest import Manifest
    from tomoportal.client.downloads.selection import Wish

TargetsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET...", show_default=False,
        help="A kind and its ids (`dataset 10001`, `run 1000 1001`, tomogram, annotation, tiltseries, alignment, deposition, "
        "voxel-spacing, frame, gain), the address of a page, or a path (10001/TS_001/Frames). With filters alone: the whole portal.",
    ),
]  # fmt: skip
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="The portal. [that of the targets, else env TOMOPORTAL_URL, else http://127.0.0.1:8000]",
        show_default=False,
    ),
]
OnlyDataOption = Annotated[
    str | None,
    typer.Option(
        "--only", metavar="KINDS", show_default=False,
        help="Of these kinds only: tomograms, annotations, tiltseries, alignments, frames, gains; with commas between.",
    ),
]  # fmt: skip
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORMATS", show_default=False,
        help="In these file formats only: mrc, zarr, ndjson, glb, tiff, eer, …; with commas between.",
    ),
]  # fmt: skip
SpacingOption = Annotated[
    float | None,
    typer.Option(
        "--voxel-spacing", metavar="Å", show_default=False,
        help="Tomograms and annotations with this voxel spacing; of other kinds, those of runs that have it.",
    ),
]  # fmt: skip
ObjectOption = Annotated[
    str | None,
    typer.Option(
        "--object", metavar="NAME", show_default=False,
        help="Annotations of objects with this in their name, or this id (GO:0005840); of other kinds, "
        "those of runs where it is annotated.",
    ),
]  # fmt: skip
DepositionOption = Annotated[
    int | None,
    typer.Option("--deposition", metavar="ID", show_default=False, help="What this deposition has brought."),
]
ShapeOption = Annotated[
    str | None,
    typer.Option(
        "--shape", show_default=False,
        help="Annotations of this shape: Point, OrientedPoint, SegmentationMask, InstanceSegmentation, TriangularMesh.",
    ),
]  # fmt: skip


def wish_of(
    only: str | None,
    format: str | None,
    voxel_spacing: float | None,
    object: str | None,
    deposition: int | None,
    shape: str | None,
) -> Wish:
    """The options as one thing. Raises `UsageError`."""
    from tomoportal.client.downloads.selection import Wish, checked_wish

    return checked_wish(
        Wish(_words(only), _words(format), voxel_spacing, object or "", deposition, shape or "")
    )


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


@contextmanager
def chosen(words: list[str] | None, url: str | None, wish: Wish) -> Iterator[Manifest]:
    """The manifest of what was named."""
    from tomoportal.client.connection import Client
    from tomoportal.client.downloads.fetching import planned
    from tomoportal.client.downloads.options import PATIENCE
    from tomoportal.client.downloads.selection import selected
    from tomoportal.client.downloads.targets import read_targets

    named = read_targets(words or ())
    with Client(url or named.portal or None) as client:
        portal = client.url.removesuffix("/graphql")
        with planned(portal, selected(client, named.targets, wish), PATIENCE) as manifest:
            yield manifest
