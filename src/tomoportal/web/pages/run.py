"""A run with its tilt series, tomograms and annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tomoportal.model import query
from tomoportal.model.acquisition import FrameAcquisitionFile, GainFile, IdentifiedObject, Run, TiltSeries
from tomoportal.model.annotation import Annotation, AnnotationFile
from tomoportal.model.query import Many, One, Order, RelatedTotal, Value
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.cards import Named, Picture, named
from tomoportal.web.context import Crumb, Head, PageError, Visit
from tomoportal.web.downloads import Download, download, folder, local_name
from tomoportal.web.estimates import ESTIMATED, estimated
from tomoportal.web.exports import ExportForm, export_form
from tomoportal.web.facts import Fact, Facts, FileLink, facts, files, selected
from tomoportal.web.identifiers import Link
from tomoportal.web.lists import WITH_FILE
from tomoportal.web.pages.dataset import COUNTS, TOMOGRAM_ORDER, VIEWABLE, Quality, counted, quality
from tomoportal.web.people import AUTHORS, Person, people
from tomoportal.web.withdrawn import Withdrawn, withdrawn, withdrawn_in


@dataclass(frozen=True, slots=True)
class Series:
    """A tilt series."""

    id: int
    quality: Quality | None
    facts: Facts
    downloads: tuple[Download, ...]


@dataclass(frozen=True, slots=True)
class TomogramRow:
    """A tomogram. `badges` say what is special about it."""

    id: int
    name: str
    picture: Picture | None
    badges: tuple[str, ...]
    spacing: str
    size: str
    method: str
    processing: str
    software: tuple[str, ...]
    alignment: str
    deposited: str
    authors: tuple[Person, ...]
    is_viewable: bool
    facts: Facts
    alignment_facts: Facts | None
    downloads: tuple[Download, ...]


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """One geometry of an annotation. `spacing` is the edge of the voxels in which it is given; `fits`: the tomograms that share its
    alignment; `is_elsewhere`: the tomogram that is shown first is not among them."""

    id: int
    shape_id: int
    name: str
    shape: str
    method: str
    is_ground_truth: bool
    count: int | None
    precision: float | None
    recall: float | None
    deposited: str
    authors: tuple[Person, ...]
    links: tuple[Link, ...]
    spacing: str
    fits: tuple[int, ...]
    is_elsewhere: bool
    has_points: bool
    export: ExportForm | None
    facts: Facts
    downloads: tuple[Download, ...]


@dataclass(frozen=True, slots=True)
class RunPage:
    """Everything on the page of a run. `viewable` is the tomogram that the viewer shows first; `has_overlays` tells whether the
    picture of the tomogram `pictured` has annotations drawn in."""

    head: Head
    crumbs: tuple[Crumb, ...]
    id: int
    name: str
    dataset: Crumb
    picture: Picture | None
    pictured: int | None
    has_overlays: bool
    viewable: int | None
    summary: tuple[tuple[str, str], ...]
    facts: Facts
    quality: Quality | None
    objects: tuple[Named, ...]
    identified: tuple[Link, ...]
    contents: tuple[tuple[int, str], ...]
    series: tuple[Series, ...]
    acquisition: tuple[Download, ...]
    tomograms: tuple[TomogramRow, ...]
    annotations: tuple[AnnotationRow, ...]
    download: Download
    withdrawn: tuple[Withdrawn, ...]


_TOLD_OF_TOMOGRAMS = (
    "name", "file_size_mrc", "file_size_omezarr", "scale_0_dimensions", "scale_1_dimensions", "scale_2_dimensions",
)  # fmt: skip
"""Fields that stand elsewhere on the page, or follow from the size."""

_DEPOSITION = One("deposition", "deposition", (Value("date", "deposition_date"), Value("title", "title")))


def _fields() -> tuple[query.Selection, ...]:
    """Asked for anew on every visit, so that whatever the model holds is there."""
    alignment = (*selected(Alignment), RelatedTotal("sections", "per_section_alignments"))
    return (
        *COUNTS,
        *selected(Run),
        One("dataset", "dataset", (Value("id", "id"), Value("title", "title"))),
        Many("tiltseries", "tiltseries", (*selected(TiltSeries), ESTIMATED)),
        Many(
            "identified_objects",
            "identified_objects",
            selected(IdentifiedObject),
            order_by=(Order(("object_name",)),),
        ),
        Many("mdocs", "frame_acquisition_files", selected(FrameAcquisitionFile)),
        Many("gains", "gain_files", selected(GainFile)),
        Many("alignments", "alignments", alignment),
        RelatedTotal("exposures", "frames", query.Not(WITH_FILE)),
        Many("viewable", "tomograms", (Value("id", "id"),), where=VIEWABLE),
        Many(
            "tomograms",
            "tomograms",
            (*selected(Tomogram), AUTHORS, _DEPOSITION, One("alignment", "alignment", alignment)),
            order_by=TOMOGRAM_ORDER,
        ),
        Many(
            "annotations",
            "annotations",
            (
                *selected(Annotation),
                AUTHORS,
                One("alignment", "alignment", (Value("id", "id"),)),
                One("spacing", "tomogram_voxel_spacing", (Value("voxel_spacing", "voxel_spacing"),)),
                Many(
                    "links",
                    "method_links",
                    (Value("link", "link"), Value("name", "name"), Value("type", "link_type")),
                ),
                Many(
                    "shapes",
                    "annotation_shapes",
                    (
                        Value("id", "id"),
                        Value("shape_type", "shape_type"),
                        Many("files", "annotation_files", selected(AnnotationFile)),
                    ),
                ),
            ),
            order_by=(
                Order(("ground_truth_status",), "desc", "last"),
                Order(("deposition_date",), "desc"),
                Order(("id",)),
            ),
        ),
    )


def run_page(visit: Visit) -> RunPage:
    """The page of the run whose number stands in the path."""
    id = visit.id()
    row = visit.view.one("Run", id, _fields())
    if row is None:
        raise PageError(404, f"There is no run {id} here.")
    viewable = {tomogram["id"] for tomogram in row["viewable"]}
    first = next((tomogram["id"] for tomogram in row["tomograms"] if tomogram["id"] in viewable), None)
    tomograms = tuple(
        _tomogram(visit, row["name"], tomogram, viewable, first) for tomogram in row["tomograms"]
    )
    pictured = next((tomogram for tomogram in tomograms if tomogram.picture), None)
    dataset = Crumb(row["dataset"]["title"], urls.dataset(row["dataset"]["id"]))
    return RunPage(
        head=_head(visit, row, pictured.picture if pictured else None),
        crumbs=(Crumb("Datasets", urls.datasets()), dataset, Crumb(row["name"])),
        id=id,
        name=row["name"],
        dataset=dataset,
        picture=pictured.picture if pictured else None,
        pictured=pictured.id if pictured else None,
        has_overlays=pictured is not None and bool(row["annotations"]) and _has_overlays(visit, pictured.id),
        viewable=first,
        summary=_summary(row),
        facts=facts(Run, row, ("name",)),
        quality=quality([series["tilt_series_quality"] for series in row["tiltseries"]]),
        objects=named(row["annotations"]),
        identified=tuple(
            Link(item["object_name"], identifiers.link(item["object_id"]).href)
            for item in row["identified_objects"]
        ),
        contents=_contents(row),
        series=tuple(_series(visit, row["name"], series) for series in row["tiltseries"]),
        acquisition=tuple(_acquisition(visit, row)),
        tomograms=tomograms,
        annotations=tuple(
            shape
            for annotation in row["annotations"]
            for shape in _shapes(visit, row["name"], annotation, _fitting(row, annotation), first)
        ),
        download=folder(
            visit,
            "The whole run",
            row["s3_prefix"],
            None,
            f"Run.get_by_id(client, {id}).download_everything()",
        ),
        withdrawn=tuple(map(withdrawn, withdrawn_in(visit, row["dataset"]["id"], row["name"]))),
    )


def _summary(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = []
    if row["tiltseries"]:
        series = row["tiltseries"][0]
        bounds = [formats.quantity(series[name], "°") for name in ("tilt_min", "tilt_max")]
        found.append(("Tilt range", f"{bounds[0]} to {bounds[1]}"))
        found.append(("Tilting scheme", series["tilting_scheme"]))
        found.append(
            ("Total flux", formats.quantity(series["total_flux"], TiltSeries.fields["total_flux"].unit))
        )
    spacings = sorted({tomogram["voxel_spacing"] for tomogram in row["tomograms"]})
    if spacings:
        found.append(("Voxel spacings", ", ".join(formats.quantity(spacing, "Å") for spacing in spacings)))
        processing = sorted({formats.words(tomogram["processing"]) for tomogram in row["tomograms"]})
        found.append(("Processing", ", ".join(processing)))
    return tuple(found)


def _has_overlays(visit: Visit, tomogram: int) -> bool:
    """Whether the viewer, and so the key photo, shows more than the volume at first."""
    found = visit.view.one("Tomogram", tomogram, ("neuroglancer_config",))
    layers = json.loads((found or {}).get("neuroglancer_config") or "{}").get("layers", [])
    return any(layer.get("type") != "image" and layer.get("visible", True) for layer in layers)


def _contents(row: dict[str, Any]) -> tuple[tuple[int, str], ...]:
    exposures = row["exposures"]
    extra = ((exposures, formats.noun(exposures, "exposure")),) if exposures else ()
    return (*counted([row]), *extra)


def _series(visit: Visit, run: str, row: dict[str, Any]) -> Series:
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
    owner = f"{TiltSeries.names.prefix}-{row['id']}"
    return Series(
        row["id"],
        quality([row["tilt_series_quality"]]),
        told,
        _downloads(visit, run, owner, files(TiltSeries, row)),
    )


def _acquisition(visit: Visit, row: dict[str, Any]) -> Iterator[Download]:
    for name, entity in (("mdocs", FrameAcquisitionFile), ("gains", GainFile)):
        for item in row[name]:
            yield from _downloads(visit, row["name"], "", files(entity, item), keep=True)
    for item in row["alignments"]:
        named = [replace(file, label=f"{file.label} {_alignment(item)}") for file in files(Alignment, item)]
        yield from _downloads(visit, row["name"], f"{Alignment.names.prefix}-{item['id']}", named)


def _alignment(row: dict[str, Any]) -> str:
    """How an alignment is called; one without method and sections only holds the place of one that was not deposited."""
    is_placeholder = row["alignment_method"] is None and not row["sections"]
    return f"{Alignment.names.prefix}-{row['id']}" + (", a placeholder" if is_placeholder else "")


def _tomogram(
    visit: Visit, run: str, row: dict[str, Any], viewable: set[int], first: int | None
) -> TomogramRow:
    badges = {
        "Shown first": row["id"] == first,
        "Portal standard": row["is_portal_standard"],
        "Author submitted": row["is_author_submitted"],
    }
    software = (row["reconstruction_software"], row["processing_software"])
    method, processing = formats.words(row["reconstruction_method"]), formats.words(row["processing"])
    deposited = row["deposition_date"] or (row["deposition"] or {}).get("date")
    alignment = row["alignment"]
    return TomogramRow(
        id=row["id"],
        name=f"{method}, {processing}",
        picture=Picture.of(row),
        badges=tuple(word for word, holds in badges.items() if holds),
        spacing=formats.quantity(row["voxel_spacing"], "Å"),
        size=" × ".join(formats.number(row[f"size_{axis}"]) for axis in "xyz"),
        method=method,
        processing=processing,
        software=tuple(dict.fromkeys(name for name in software if name)),
        alignment=_alignment(alignment) if alignment else formats.NOTHING,
        deposited=formats.day(deposited),
        authors=people(row),
        is_viewable=row["id"] in viewable,
        facts=facts(Tomogram, row, _TOLD_OF_TOMOGRAMS),
        alignment_facts=facts(Alignment, alignment) if alignment else None,
        downloads=_downloads(visit, run, f"{Tomogram.names.prefix}-{row['id']}", files(Tomogram, row)),
    )


def _fitting(run: dict[str, Any], annotation: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The tomograms in whose coordinates an annotation is given: those made with its alignment."""
    wanted = (annotation["alignment"] or {}).get("id")
    return tuple(row for row in run["tomograms"] if wanted and (row["alignment"] or {}).get("id") == wanted)


def _shapes(
    visit: Visit, run: str, row: dict[str, Any], fitting: tuple[dict[str, Any], ...], first: int | None
) -> Iterator[AnnotationRow]:
    authors, told = people(row), facts(Annotation, row, ("ground_truth_status",))
    links = tuple(
        Link(item["name"] or formats.words(item["type"]), identifiers.link(item["link"]).href)
        for item in row["links"]
    )
    voxel = (row["spacing"] or {}).get("voxel_spacing")
    fits = tuple(tomogram["id"] for tomogram in fitting)
    owner = f"{Annotation.names.prefix}-{row['id']}"
    for shape in row["shapes"]:
        found = [file for item in shape["files"] for file in _annotation_files(item)]
        yield AnnotationRow(
            id=row["id"],
            shape_id=shape["id"],
            name=row["object_name"],
            shape=formats.words(shape["shape_type"]),
            method=formats.words(row["method_type"]),
            is_ground_truth=bool(row["ground_truth_status"]),
            count=row["object_count"],
            precision=row["confidence_precision"],
            recall=row["confidence_recall"],
            deposited=formats.day(row["deposition_date"]),
            authors=authors,
            links=links,
            facts=told,
            spacing=formats.quantity(voxel, "Å"),
            fits=fits,
            is_elsewhere=first is not None and row["alignment"] is not None and first not in fits,
            has_points=any(item["format"] == "ndjson" for item in shape["files"]),
            export=export_form(row["id"], shape, voxel, fitting),
            downloads=_downloads(visit, run, owner, found, keep=True),
        )


def _annotation_files(row: dict[str, Any]) -> Iterator[FileLink]:
    names = {"mrc": "MRC volume", "zarr": "OME-Zarr volume", "ndjson": "points, one JSON object a line"}
    for file in files(AnnotationFile, row):
        yield FileLink(
            names.get(row["format"], row["format"]), file.https, file.s3, file.size, file.is_folder
        )


def _downloads(
    visit: Visit, run: str, owner: str, found: Iterable[FileLink], *, keep: bool = False
) -> tuple[Download, ...]:
    return tuple(download(visit, file, local_name(run, owner, file, keep=keep)) for file in found)


def _head(visit: Visit, row: dict[str, Any], picture: Picture | None) -> Head:
    objects = ", ".join(item.name for item in named(row["annotations"]))
    description = (
        f"Run {row['name']} of “{row['dataset']['title']}”: {formats.plural(len(row['tomograms']), 'tomogram')}, "
        f"{formats.plural(len(row['annotations']), 'annotation')}" + (f" ({objects})." if objects else ".")
    )
    return Head(
        title=f"{row['name']} · {row['dataset']['title']} · {visit.settings.title}",
        description=description,
        canonical=urls.run(row["id"]),
        image=picture.large if picture else "",
        section="datasets",
    )
