"""The official client in its own environment, and the rows of its own tests as rows of our catalogue.

Two depositions, two datasets, four runs, each with a tilt series, an alignment, a voxel spacing and a tomogram; six annotations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures_catalog import PAST, Rows, row

PYTHON = Path(__file__).parents[1] / ".cache" / "official" / "bin" / "python"
needs_official_client = pytest.mark.skipif(
    not PYTHON.exists(), reason="the official client is not installed (tests/prepare does it)"
)

RUNS = (("RUN1", 20001, 13.48), ("RUN2", 20001, 7.56), ("RUN001", 20002, 7.56), ("RUN002", 20002, 13.48))
DEPOSITION = {20001: 99999, 20002: 88888}
UNIQUE = "Test Annotation Object Name"
ANNOTATIONS: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "RUN1",
        UNIQUE,
        "author1-mitochondria-1.0.json",
        (("OrientedPoint", "mitochondria"), ("SegmentationMask", "mitochondria")),
    ),
    (
        "RUN1",
        "Ribosome",
        "author1-ribosome-1.0.json",
        (("Point", "ribosome"), ("SegmentationMask", "ribosome")),
    ),
    (
        "RUN2",
        "Ribosome",
        "author2-ribosome-1.0.json",
        (("OrientedPoint", "ribosome"), ("SegmentationMask", "ribosome")),
    ),
    ("RUN001", "Ribosome", "author3-ribosome-1.0.json", (("OrientedPoint", "ribosome"),)),
    ("RUN002", "Ribosome", "author4-ribosome-1.0.json", (("SegmentationMask", "ribosome"),)),
    ("RUN002", "Spike Protein", "author4-spike-1.0.json", (("Point", "ribosome"),)),
)
"""Run, object, file of metadata, shapes with the stem of their files."""
OBJECTS = (
    (30001, "RUN1", "GO:0005840", "ribosome", "A large ribonucleoprotein complex", "assembled"),
    (30002, "RUN1", "GO:0005739", "mitochondrion", "A semiautonomous organelle", None),
    (30003, "RUN2", "GO:0005840", "ribosome", "A large ribonucleoprotein complex", None),
)


def seed_rows() -> Rows:
    """All rows, by entity class name."""
    rows: Rows = {}

    def add(entity: str, **values: Any) -> int:
        items = rows.setdefault(entity, [])
        values.setdefault("id", len(items) + 1)
        items.append(row(entity, **values))
        return values["id"]

    for number, authors in ((99999, 2), (88888, 3)):
        add(
            "Deposition",
            id=number,
            title=f"Deposition {number}",
            release_date=PAST,
            folder=f"DepositionMetadata/{number}",
        )
        for place in range(1, authors + 1):
            add("DepositionAuthor", deposition_id=number, name=f"Author {place}", author_list_order=place)
    for number, deposition in DEPOSITION.items():
        add(
            "Dataset", id=number, deposition_id=deposition, title=f"Dataset {number}", release_date=PAST, folder_path=f"{number}/",
            folder=str(number),
        )  # fmt: skip
        add("DatasetFunding", dataset_id=number, funding_agency_name=f"Agency {number}", grant_id="G")
        for place in (1, 2):
            name = f"Author {place if number == 20001 else place + 2}"
            add("DatasetAuthor", dataset_id=number, name=name, author_list_order=place)
    parts = {name: _run(add, name, dataset, spacing) for name, dataset, spacing in RUNS}
    for name, object_name, metadata, shapes in ANNOTATIONS:
        _annotation(add, parts[name], object_name, metadata, shapes)
    for number, name, object_id, object_name, description, state in OBJECTS:
        add(
            "IdentifiedObject", id=number, run_id=parts[name]["run"], object_id=object_id, object_name=object_name,
            object_description=description, object_state=state,
        )  # fmt: skip
    return rows


def _run(add: Any, name: str, dataset: int, voxel: float) -> dict[str, Any]:
    home = f"{dataset}/{name}"
    run = add("Run", name=name, dataset_id=dataset, folder_path=f"{home}/", folder=home)
    stack = f"{home}/TiltSeries/{name}"
    tiltseries = add(
        "TiltSeries",
        run_id=run,
        deposition_id=DEPOSITION[dataset],
        mrc_path=f"{stack}.mrc",
        omezarr_path=f"{stack}.zarr",
    )
    alignment = add("Alignment", run_id=run, tiltseries_id=tiltseries, deposition_id=99999)
    place = f"{home}/TomogramVoxelSpacing{voxel}"
    spacing = add("TomogramVoxelSpacing", run_id=run, voxel_spacing=voxel, folder_path=f"{place}/")
    volume = f"{place}/CanonicalTomogram/{name}"
    tomogram = add(
        "Tomogram", run_id=run, name=name, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, deposition_id=DEPOSITION[dataset],
        reconstruction_method="WBP", voxel_spacing=voxel, mrc_path=f"{volume}.mrc", omezarr_path=f"{volume}.zarr",
    )  # fmt: skip
    for number in (1, 2):
        add("TomogramAuthor", tomogram_id=tomogram, name=f"Author {number}", author_list_order=number)
    return {
        "run": run,
        "alignment": alignment,
        "spacing": spacing,
        "place": place,
        "deposition": DEPOSITION[dataset],
    }


def _annotation(
    add: Any, part: dict[str, Any], name: str, metadata: str, shapes: tuple[tuple[str, str], ...]
) -> None:
    home, is_unique = f"{part['place']}/Annotations", name == UNIQUE
    annotation = add(
        "Annotation", run_id=part["run"], object_name=name, object_id="GO:0000000" if is_unique else "GO:0005840", release_date=PAST,
        deposition_id=None if is_unique else part["deposition"], tomogram_voxel_spacing_id=part["spacing"],
        metadata_path=f"{home}/{metadata}",
    )  # fmt: skip
    add("AnnotationAuthor", annotation_id=annotation, name="Author 1", author_list_order=1)
    for shape, stem in shapes:
        geometry = add("AnnotationShape", annotation_id=annotation, shape_type=shape)
        for format in ("mrc", "zarr") if shape == "SegmentationMask" else ("ndjson",):
            ending = "json" if name == "Spike Protein" else format
            add(
                "AnnotationFile", annotation_shape_id=geometry, alignment_id=part["alignment"], format=format,
                tomogram_voxel_spacing_id=part["spacing"], path=f"{home}/{stem}.{ending}",
            )  # fmt: skip
