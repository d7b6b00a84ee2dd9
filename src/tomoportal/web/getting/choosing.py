"""What can be had of a dataset, run, tomogram, annotation or deposition: kinds of data, their files by format, numbers and sizes.

Everything comes from the catalogue. A kind and its formats mean the same files as `tomoportal download … --only KIND --format FORMATS`.
An OME-Zarr, and the folder of an alignment, counts as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.query import Compare, Figure, One, Order, Value, through
from tomoportal.model.registry import entity

LABELS = {
    "mrc": "MRC", "zarr": "OME-Zarr", "ndjson": "Points (NDJSON)", "glb": "Surfaces (GLB)", "json": "Metadata (JSON)",
    "": "As they are",
}  # fmt: skip
"""Formats as people read them; the empty one stands for kinds whose formats cannot be chosen."""

DUPLICATES = ("mrc", "zarr")
"""Two forms of the same volume: the second is taken unless the first is asked for."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one entity: the fields of their addresses, of their size (none when unknown) and their format; the ways to run and
    deposition."""

    entity: str
    address: str
    format: str = ""
    size: str = ""
    run: tuple[str, ...] = ("run",)
    deposition: tuple[str, ...] = ("deposition_id",)
    is_folder: bool = False

    @property
    def https(self) -> str:
        """The field of the address for browsers."""
        return f"https_{self.address}"

    @property
    def kind(self) -> type[Entity]:
        """The class."""
        return entity(self.entity)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of data; `word` is that of the command line."""

    word: str
    label: str
    files: tuple[Files, ...]


def _volumes(name: str) -> tuple[Files, ...]:
    return (
        Files(name, "mrc_file", "mrc", "file_size_mrc"),
        Files(name, "omezarr_dir", "zarr", "file_size_omezarr", is_folder=True),
    )


_OF_RUN = ("run", "frames", "deposition_id")
_ANNOTATION = ("annotation_shape", "annotation")
KINDS = (
    Kind("tomograms", "Tomograms", _volumes("Tomogram")),
    Kind(
        "annotations",
        "Annotations",
        (
            *(
                Files(
                    "AnnotationFile", "path", format, "file_size", (*_ANNOTATION, "run"), (*_ANNOTATION, "deposition_id"), format == "zarr"
                )
                for format in ("ndjson", "mrc", "zarr", "glb")
            ),
            Files("Annotation", "metadata_path", "json"),
        ),
    ),
    Kind("tiltseries", "Tilt series", _volumes("TiltSeries")),
    Kind("alignments", "Alignments", (Files("Alignment", "alignment_metadata", is_folder=True),)),
    Kind(
        "frames",
        "Movie frames and mdoc files",
        (
            Files("Frame", "frame_path", size="file_size"),
            Files("FrameAcquisitionFile", "mdoc_path", deposition=_OF_RUN),
        ),
    ),
    Kind("gains", "Gain references", (Files("GainFile", "file_path", deposition=_OF_RUN),)),
)  # fmt: skip


class Chosen(Protocol):
    """What files are wanted of."""

    def holds(self, files: Files) -> query.Condition:
        """The rows of files that belong to it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What files are wanted of: the word of the command line and addresses (`dataset`), and an id."""

    word: str
    id: int

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of data that it can have."""
        only = {"tomogram": "tomograms", "annotation": "annotations"}.get(self.word)
        return tuple(kind for kind in KINDS if only in (None, kind.word))

    def holds(self, files: Files) -> query.Condition:
        """The rows of files that belong to it."""
        if self.word == "tomogram":
            return Compare("id", "eq", self.id)
        if self.word == "annotation":
            return (
                Compare("id", "eq", self.id)
                if files.entity == "Annotation"
                else through(("annotation_shape",), Compare("annotation_id", "eq", self.id))
            )
        way = {
            "dataset": (*files.run, "dataset_id"),
            "run": (*files.run, "id"),
            "deposition": files.deposition,
        }[self.word]
        return through(way[:-1], Compare(way[-1], "eq", self.id))


def with_file(chosen: Chosen, files: Files) -> query.Condition:
    """The chosen rows that have such a file."""
    there = Compare(files.https, "is_null", False)
    is_one = files.entity == "AnnotationFile"
    return query.all_of(
        [chosen.holds(files), there, *([Compare("format", "eq", files.format)] if is_one else ())]
    )


@dataclass(frozen=True, slots=True)
class Amount:
    """So many files (folders count as one) with so many bytes; of `unsized` the size is not known."""

    count: int = 0
    size: float = 0.0
    unsized: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.count + other.count, self.size + other.size, self.unsized + other.unsized)


@dataclass(frozen=True, slots=True)
class Item:
    """A file, or folder: where it is, whose it is and how large it is, when known. `s3` and `https` lead to it."""

    run: str
    owner: str
    format: str
    s3: str
    https: str
    size: float | None
    is_folder: bool

    @property
    def path(self) -> str:
        """Its path in the layout."""
        return self.s3.removeprefix("s3://").partition("/")[2].rstrip("/")

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rsplit("/", 1)[-1]


def amounts(view: View, subject: Chosen, kind: Kind) -> dict[str, Amount]:
    """By format, what there is of a kind; formats without a file are left out."""
    found: dict[str, Amount] = {}
    for files in kind.files:
        amount = _amount(view, subject, files)
        if amount.count:
            found[files.format] = found.get(files.format, Amount()) + amount
    return found


def usual(found: dict[str, Amount]) -> tuple[str, ...]:
    """The formats that are taken when nobody chooses: each volume once."""
    second, first = DUPLICATES
    return tuple(format for format in found if not (format == second and first in found))


def items(view: View, subject: Chosen, kind: Kind, formats: tuple[str, ...], most: int) -> tuple[Item, ...]:
    """The files of these formats, `most` of each sort."""
    chosen = [files for files in kind.files if files.format in formats]
    return tuple(item for files in chosen for item in _items(view, subject, files, most))


def _amount(view: View, subject: Chosen, files: Files) -> Amount:
    where = with_file(subject, files)
    if not files.size:
        count = view.count(files.entity, where)
        return Amount(count, unsized=count)
    figures = (
        Figure("rows", "count"),
        Figure("sized", "count", files.size),
        Figure("size", "sum", files.size),
    )
    row = json.loads(view.json(query.Aggregate(files.entity, (query.Groups("all", figures),), where)))["all"][
        0
    ]
    return Amount(row["rows"], row["size"] or 0.0, row["rows"] - row["sized"])


def _items(view: View, subject: Chosen, files: Files, most: int) -> Iterator[Item]:
    select = query.Select(
        files.entity, _fields(files), with_file(subject, files), (Order(("id",)),), limit=most
    )
    for row in view.rows(select):
        run, owner = _place(files, row)
        is_metadata = files.is_folder and files.address.endswith("_metadata")
        s3, https = row["s3"], row["https"]
        if is_metadata:
            s3, https = (address.rpartition("/")[0] + "/" for address in (s3, https))
        size = row.get("size")
        yield Item(run, owner, files.format, s3, https, size, files.is_folder)


def _fields(files: Files) -> tuple[query.Selection, ...]:
    run: tuple[query.Selection, ...] = (Value("id", "id"), One("run", "run", (Value("name", "name"),)))
    if files.run != ("run",):
        run = (
            Value("id", "id"),
            One("shape", "annotation_shape", (One("annotation", "annotation", run),)),
        )
    size = (Value("size", files.size),) if files.size else ()
    return (Value("s3", f"s3_{files.address}"), Value("https", files.https), *size, *run)


def _place(files: Files, row: dict[str, Any]) -> tuple[str, str]:
    owner, prefix = row, files.kind.names.prefix
    if "shape" in row:
        owner, prefix = row["shape"]["annotation"], entity("Annotation").names.prefix
    return owner["run"]["name"], f"{prefix or files.entity}-{owner['id']}"
