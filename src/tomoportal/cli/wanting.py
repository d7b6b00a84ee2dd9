"""The options with which data of a portal are chosen for download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import Signature, signature
from typing import TYPE_CHECKING, Annotated, Any

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command line asks for, with one option for each field."""

    targets: TargetsArgument = None
    url: UrlOption = None
    only: OnlyDataOption = None
    format: FormatOption = None
    voxel_spacing: SpacingOption = None
    object: ObjectOption = None
    deposition: DepositionOption = None
    shape: ShapeOption = None

    def wish(self) -> Wish:
        """The filters. Raises `UsageError`."""
        from tomoportal.client.downloads.selection import Wish, checked_wish

        return checked_wish(
            Wish(
                _words(self.only), _words(self.format), self.voxel_spacing, self.object or "", self.deposition, self.shape or ""
            )
        )  # fmt: skip


def asks_for_wanted(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes a `Wanted` first, as one with the fields of it for options: Typer reads options off a signature."""
    wanted = signature(Wanted, eval_str=True).parameters
    others = list(signature(command, eval_str=True).parameters.values())[1:]

    @wraps(command)
    def called(**given: Any) -> None:
        command(Wanted(**{name: given.pop(name) for name in wanted}), **given)

    parameters = [*wanted.values(), *others]
    called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


@contextmanager
def chosen(wanted: Wanted) -> Iterator[Manifest]:
    """The manifest of what was named."""
    from tomoportal.client.connection import Client
    from tomoportal.client.downloads.fetching import planned
    from tomoportal.client.downloads.options import PATIENCE
    from tomoportal.client.downloads.selection import selected
    from tomoportal.client.downloads.targets import read_targets

    wish, named = wanted.wish(), read_targets(wanted.targets or ())
    with Client(wanted.url or named.portal or None) as client:
        portal = client.url.removesuffix("/graphql")
        with planned(portal, selected(client, named.targets, wish), PATIENCE) as manifest:
            yield manifest
