"""A small invented portal, put straight into the tables of a catalogue, for tests of everything that reads one.

`small_portal(url)` → Catalog with 2 depositions, 3 datasets (30003 is released in the future), 6 runs, tilt series,
alignments, gains, voxel spacings, tomograms, annotations with shapes and files, authors, frames. `row(entity, **values)` makes one
complete row, `fill(catalog, rows)` stores rows of your own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tomoportal.catalog import Catalog, open_catalog
from tomoportal.catalog.rows import count_load, insert, settle
from tomoportal.catalog.tables import FOLDER
from tomoportal.model.fields import Field, Kind
from tomoportal.model.registry import entity as entity_named

TODAY = date(2026, 6, 1)
PAST, FUTURE = "2024-05-23T00:00:00+00:00", "2030-01-01T00:00:00+00:00"
Rows = dict[str, list[dict[str, Any]]]


def row(entity_name: str, **values: Any) -> dict[str, Any]:
    """A row with every column: fields that must not be null get something plausible, the others null."""
    entity = entity_named(entity_name)
    filled = {field.name: values.get(field.name, _plausible(field)) for field in entity.columns()}
    unknown = set(values) - set(filled) - {"folder"}
    assert not unknown, f"{entity_name} has no column {unknown}"
    return {**filled, FOLDER: values.get("folder", "")}


def fill(catalog: Catalog, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Store rows by entity class name."""
    with catalog.database.write() as connection:
        insert(connection, catalog.database, rows)
        settle(connection, catalog.database, None)
        count_load(connection, catalog.database)


def small_portal(place: Path | str) -> Catalog:
    """A catalogue with the invented portal, in a new database at a URL or in SQLite in a folder."""
    url = place if isinstance(place, str) else f"sqlite:///{place / 'catalog.sqlite'}"
    catalog = open_catalog(url, create=True)
    fill(catalog, portal_rows())
    return catalog


def portal_rows() -> Rows:
    """All rows of the invented portal, by entity class name."""
    rows: Rows = {}

    def add(entity_name: str, **values: Any) -> int:
        items = rows.setdefault(entity_name, [])
        values.setdefault("id", 100 * (len(rows)) + len(items) + 1)
        items.append(row(entity_name, **values))
        return values["id"]

    for number, title in ((20001, "Membranes of algae"), (20002, "Community picks")):
        add(
            "Deposition", id=number, title=title, description=f"About {title.lower()}", release_date=PAST,
            folder=f"DepositionMetadata/{number}",
        )  # fmt: skip
        add("DepositionType", deposition_id=number, type="dataset" if number == 20001 else "annotation")
        add(
            "DepositionAuthor",
            deposition_id=number,
            name="Ada Ångström",
            author_list_order=1,
            orcid="0000-0002-1825-0097",
        )
    datasets = (
        (30001, "Chloroplasts, frozen", "Chlamydomonas reinhardtii", 3055, PAST),
        (30002, "Ribosomes of yeast", "Saccharomyces cerevisiae", 4932, "2025-02-01T00:00:00+00:00"),
        (30003, "Secret spikes", "Betacoronavirus", 694002, FUTURE),
    )
    for number, title, organism, taxid, release in datasets:
        add(
            "Dataset", id=number, title=title, description=f"{title}, imaged in tilt", deposition_id=20001, organism_name=organism,
            organism_taxid=taxid, release_date=release, sample_type="organism", folder_path=f"{number}/", file_size=5e10,
            key_photo_path=f"{number}/Images/snapshot.png", folder=str(number),
        )  # fmt: skip
        add("DatasetFunding", dataset_id=number, funding_agency_name="Moon Fund", grant_id=f"M-{number}")
        for position, name in enumerate(("Ada Ångström", "Béla Bartók"), 1):
            add(
                "DatasetAuthor",
                dataset_id=number,
                name=name,
                author_list_order=position,
                primary_author_status=position == 1,
            )
        for position in range(1, 3):
            _run(add, number, position)
    return rows


def awkward_rows() -> Rows:
    """The invented portal with nulls and awkward texts strewn in."""
    rows, draw = portal_rows(), random.Random(5)
    texts = [
        "ÄÖÜ straße",
        "a%b_c",
        "TS[1]*?",
        "x\\y",
        "Ribosome\nlower",
        "50 % \"quoted\" 'single'",
        "İstanbul",
        "µm",
    ]
    for name, items in rows.items():
        for field in entity_named(name).columns():
            for item in items:
                if field.kind is Kind.STR and field.nullable and draw.random() < 0.4:
                    item[field.name] = draw.choice([*texts, None])
                elif field.kind is Kind.FLOAT and draw.random() < 0.3:
                    item[field.name] = draw.choice([0.1 + 0.2, 13.479999542236328, 1e300, -0.0, 7.0, 1 / 3])
                elif field.nullable and not field.target and draw.random() < 0.2:
                    item[field.name] = None
    return rows


def _run(add: Any, dataset: int, position: int) -> None:
    name = f"TS_{position:02d}"
    home = f"{dataset}/{name}"
    run = add(
        "Run", id=dataset * 10 + position, name=name, dataset_id=dataset, folder_path=f"{home}/", folder=home
    )
    tiltseries = add(
        "TiltSeries", run_id=run, deposition_id=20001, tilt_min=-60.0, tilt_max=60.0, tilt_range=120.0, tilt_series_quality=3 + position,
        pixel_spacing=13.479999542236328, mrc_path=f"{home}/TiltSeries/100/{name}.mrc", omezarr_path=f"{home}/TiltSeries/100/{name}.zarr",
        file_size_mrc=8.1e9, is_aligned=False, size_x=1024, size_y=1024, size_z=41, folder=f"{home}/TiltSeries/100",
    )  # fmt: skip
    for order in range(2):
        frame = add(
            "Frame", run_id=run, deposition_id=20001, acquisition_order=order, path=f"{home}/Frames/f{order}.tif",
            is_gain_corrected=order == 0, folder=f"{home}/Frames",
        )  # fmt: skip
        add(
            "PerSectionParameters",
            run_id=run,
            frame_id=frame,
            tiltseries_id=tiltseries,
            z_index=order,
            raw_angle=3.0 * order,
        )
    add("FrameAcquisitionFile", run_id=run, mdoc_path=f"{home}/Frames/{name}.mdoc", folder=f"{home}/Frames")
    add("GainFile", run_id=run, path=f"{home}/Gains/g #1?_gain.mrc", folder=f"{home}/Gains")
    alignment = add(
        "Alignment", run_id=run, tiltseries_id=tiltseries, deposition_id=20001, alignment_type="GLOBAL", is_portal_standard=True,
        metadata_path=f"{home}/Alignments/100/alignment_metadata.json", folder=f"{home}/Alignments/100",
    )  # fmt: skip
    add(
        "PerSectionAlignmentParameters",
        alignment_id=alignment,
        z_index=0,
        in_plane_rotation="[[0.5,-0.5],[0.5,0.5]]",
    )
    spacing_home = f"{home}/Reconstructions/VoxelSpacing10.000"
    spacing = add(
        "TomogramVoxelSpacing",
        run_id=run,
        voxel_spacing=10.0,
        folder_path=f"{spacing_home}/",
        folder=spacing_home,
    )
    for number, processing in ((100, "raw"), (101, "denoised")):
        _tomogram(add, run, alignment, spacing, spacing_home, number, processing)
    add("IdentifiedObject", run_id=run, object_id="GO:0005739", object_name="mitochondrion")
    objects = (
        ("GO:0005840", "cytosolic ribosome", "Point", PAST),
        ("GO:0016020", "membrane", "SegmentationMask", PAST),
    )
    hidden = ("GO:0009579", "thylakoid", "Mesh", FUTURE)
    for number, (object_id, name, shape, release) in enumerate((*objects, hidden), 100):
        folder = f"{spacing_home}/Annotations/{number}"
        _annotation(add, run, alignment, spacing, folder, object_id, name, shape, release)


def _state(home: str) -> str:
    """The volume, two public annotations, and two layers of the one that is not."""
    sources = ("x.zarr", "NeuroglancerPrecompute/100-point_precompute", "Annotations/101/mask.zarr")
    hidden = ("NeuroglancerPrecompute/102-mesh_precompute", "Annotations/102/mask.zarr")
    layers: list[dict[str, Any]] = [
        {"source": f"zarr://{{files}}{home}/{path}/"} for path in (*sources, hidden[0])
    ]
    layers.append({"name": "102 thylakoid", "source": {"url": f"{{files}}{home}/{hidden[1]}/|zarr2:"}})
    return json.dumps({"layers": layers})


def _tomogram(
    add: Any, run: int, alignment: int, spacing: int, home: str, number: int, processing: str
) -> None:
    folder = f"{home}/Tomograms/{number}"
    tomogram = add(
        "Tomogram", run_id=run, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, deposition_id=20001, voxel_spacing=10.0,
        name=f"TS of run {run}", size_x=960, size_y=928, size_z=300 + number, processing=processing, reconstruction_method="WBP",
        fiducial_alignment_status="FIDUCIAL", reconstruction_software="IMOD", mrc_path=f"{folder}/volume.mrc",
        omezarr_path=f"{folder}/volume.zarr", file_size_mrc=1.1e9, release_date=PAST, deposition_date=PAST,
        is_visualization_default=number == 100, ctf_corrected=None if number == 101 else True,
        key_photo_path=f"{home}/Images/{number}/key-photo-snapshot.png",
        neuroglancer_config=_state(home) if number == 100 else None, folder=folder,
    )  # fmt: skip
    add("TomogramAuthor", tomogram_id=tomogram, name="Béla Bartók", author_list_order=1)


def _annotation(
    add: Any, run: int, alignment: int, spacing: int, folder: str, object_id: str, name: str, shape: str, release: str
) -> None:  # fmt: skip
    community = shape == "Point"
    annotation = add(
        "Annotation", run_id=run, alignment_id=alignment, tomogram_voxel_spacing_id=spacing,
        deposition_id=20002 if community else 20001, object_id=object_id,
        object_name=name, method_type="automated" if community else "manual", ground_truth_status=not community, release_date=release,
        object_count=120 if community else None, metadata_path=f"{folder}/{name.replace(' ', '_')}-1.0.json",
        confidence_precision=93.5 if community else None, folder=folder,
    )  # fmt: skip
    add("AnnotationAuthor", annotation_id=annotation, name="Zoë Öz", author_list_order=1, folder=folder)
    add(
        "AnnotationMethodLink",
        annotation_id=annotation,
        link_type="source_code",
        link="https://example.org/x",
        folder=folder,
    )
    geometry = add("AnnotationShape", annotation_id=annotation, shape_type=shape, folder=folder)
    for format in ("ndjson",) if community else ("mrc", "zarr"):
        add(
            "AnnotationFile", annotation_shape_id=geometry, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, format=format,
            path=f"{folder}/{name.replace(' ', '_')}.{format}", source="community" if community else "dataset_author",
            is_visualization_default=format != "mrc", file_size=4096.0, folder=folder,
        )  # fmt: skip


def _plausible(field: Field) -> Any:
    if field.nullable:
        return None
    match field.kind:
        case Kind.INT:
            return 1
        case Kind.FLOAT:
            return 1.5
        case Kind.BOOL:
            return False
        case Kind.DATE:
            return PAST
        case Kind.ENUM:
            assert field.enum is not None
            return str(next(iter(field.enum)))
        case _:
            return f"some {field.name.replace('_', ' ')}"
