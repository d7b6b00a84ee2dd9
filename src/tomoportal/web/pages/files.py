"""The files of a run as a tree with sizes, and what ingestion noticed. Made from records: no folder is listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tomoportal.errors import StorageError
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Record
from tomoportal.model.acquisition import Frame, FrameAcquisitionFile, GainFile, TiltSeries
from tomoportal.model.annotation import AnnotationFile
from tomoportal.model.entity import Entity
from tomoportal.model.query import Many, Selection, Value
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.web import urls
from tomoportal.web.context import Crumb, Head, Visit
from tomoportal.web.entities.facts import files, selected
from tomoportal.web.entities.records import Finding, findings, run_records
from tomoportal.web.entities.within_run import DATASET, crumbs
from tomoportal.web.storages import storage_of


@dataclass(frozen=True, slots=True)
class File:
    """A file, or a folder that is one volume (`count` files). `path` is that in the run's folder; `size` in bytes, None when unknown."""

    path: str
    size: float | None
    count: int = 1
    is_volume: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the tree: a folder with all that lies below it, or a file. `depth` from 0."""

    name: str
    href: str
    depth: int
    size: float | None
    count: int
    is_folder: bool
    is_volume: bool = False


@dataclass(frozen=True, slots=True)
class FilesPage:
    """Everything on the page. `s3`: the folder for S3 tools; `is_recorded`: sizes are those noted at ingestion, not only those that
    the metadata tell."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    name: str
    s3: str
    size: float | None
    count: int
    lines: tuple[Line, ...]
    is_recorded: bool
    is_unreadable: bool
    findings: tuple[Finding, ...]


_TOLD: dict[str, tuple[str, type[Entity]]] = {
    "frames": ("frames", Frame),
    "mdocs": ("frame_acquisition_files", FrameAcquisitionFile),
    "gains": ("gain_files", GainFile),
    "series": ("tiltseries", TiltSeries),
    "alignments": ("alignments", Alignment),
    "tomograms": ("tomograms", Tomogram),
}
"""Relations of a run whose rows have files."""


def _fields() -> tuple[Selection, ...]:
    shapes = Many(
        "shapes", "annotation_shapes", (Many("files", "annotation_files", selected(AnnotationFile)),)
    )
    return (
        *(Value(name, name) for name in ("id", "name", "s3_prefix", "https_prefix")),
        DATASET,
        *(Many(name, relation, selected(entity)) for name, (relation, entity) in _TOLD.items()),
        Many("annotations", "annotations", (shapes,)),
    )


def files_page(visit: Visit) -> FilesPage:
    """The files of the run whose number stands in the path."""
    id = visit.id()
    row = visit.row("Run", _fields())
    records, is_unreadable = _records(visit, row)
    found = sorted(_recorded(records) if records else _told(row), key=lambda file: file.path.split("/"))
    dataset = row["dataset"]
    return FilesPage(
        head=Head(
            title=f"Files of {row['name']} · {dataset['title']} · {visit.settings.title}",
            description=f"The files of run {row['name']} of “{dataset['title']}”, with their sizes.",
            canonical=urls.run_files(id),
            section="datasets",
        ),
        crumbs=crumbs(row, "Files"),
        id=id,
        name=row["name"],
        s3=row["s3_prefix"],
        size=_sum(found),
        count=sum(file.count for file in found),
        lines=tuple(_lines(found, row["https_prefix"])),
        is_recorded=bool(records),
        is_unreadable=is_unreadable,
        findings=tuple(findings(records)),
    )  # fmt: skip


def _records(visit: Visit, row: dict[str, Any]) -> tuple[tuple[Record, ...], bool]:
    """The records, and whether they are there but cannot be read."""
    dataset, _, run = row["s3_prefix"].removeprefix(visit.view.addresses.s3).strip("/").partition("/")
    try:
        return run_records(
            visit.view, storage_of(visit.settings), Key("run", dataset=dataset, run=run)
        ), False
    except StorageError:
        return (), True


def _recorded(records: Iterable[Record]) -> Iterator[File]:
    for record in records:
        for path, told in record.files.items():
            count = int(told.get("count", 1))
            yield File(_inside(path), told["size"], count, "count" in told)


def _told(row: dict[str, Any]) -> Iterator[File]:
    """The files that the metadata name: of a mirror nothing else is known."""
    found = [(entity, item) for name, (_, entity) in _TOLD.items() for item in row[name]]
    shapes = [shape for annotation in row["annotations"] for shape in annotation["shapes"]]
    found += [(AnnotationFile, item) for shape in shapes for item in shape["files"]]
    for entity, item in found:
        for file in files(entity, item):
            yield File(file.s3.removeprefix(row["s3_prefix"]), file.size, 1, file.is_folder)


def _inside(path: str) -> str:
    """A path of the layout as one in the folder of the run."""
    return path.split("/", 2)[-1]


def _sum(found: Iterable[File]) -> float | None:
    """Bytes of all whose size is known; None when none is."""
    sizes = [file.size for file in found if file.size is not None]
    return sum(sizes) if sizes else None


def _lines(found: list[File], https: str) -> Iterator[Line]:
    """Folders before what they hold. `found` is in order."""
    opened: tuple[str, ...] = ()
    for file in found:
        *above, name = file.path.split("/")
        for depth in range(len(above)):
            place = tuple(above[: depth + 1])
            if opened[: depth + 1] != place:
                yield _folder(place, found, https)
        opened = tuple(above)
        href = https + quote(file.path) + ("/" if file.is_volume else "")
        yield Line(name, href, len(above), file.size, file.count, False, file.is_volume)


def _folder(place: tuple[str, ...], found: list[File], https: str) -> Line:
    start = "/".join(place) + "/"
    below = [file for file in found if file.path.startswith(start)]
    size, count = _sum(below), sum(file.count for file in below)
    return Line(f"{place[-1]}/", https + quote(start), len(place) - 1, size, count, True)
