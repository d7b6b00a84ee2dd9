"""One annotation of several shapes and sources: what happens to the others when one of them changes, goes, or is faulty."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures_command import FlowPortal, contents, ingest_tiny

HOME = "20002/R1/Reconstructions/VoxelSpacing10.000"
POINTS, MASK = "ball-1.0_point.ndjson", "ball-1.0_segmentationmask.zarr"


@pytest.fixture
def both(tiny):
    """The tiny deposition with points and mask in one annotation."""
    (points, mask) = tiny.config["annotations"]
    points["sources"].append(mask["sources"][0])
    tiny.config["annotations"] = [points]
    return tiny


def sidecar(portal: FlowPortal) -> dict[str, Any]:
    (path,) = (portal.layout / HOME / "Annotations").glob("*/ball-1.0.json")
    return json.loads(path.read_text())


def ids(portal: FlowPortal) -> dict[tuple[str, ...], int]:
    """Portal-wide ids of the annotation, its shapes and files, by what they are."""
    found: dict[tuple[str, ...], int] = {}
    for entity, field in (
        ("Annotation", "object_name"),
        ("AnnotationShape", "shape_type"),
        ("AnnotationFile", "format"),
    ):
        found |= {(entity, row[field]): row["id"] for row in portal.rows(entity, field, "id")}
    return found


def published(portal: FlowPortal) -> dict[str, bytes]:
    return {
        path: data for path, data in contents(portal.layout / HOME / "Annotations").items()
        if not path.endswith("ball-1.0.json")
    }  # fmt: skip


def shapes(portal: FlowPortal) -> list[tuple[str, str]]:
    return [(entry["shape"], entry["format"]) for entry in sidecar(portal)["files"]]


ALL = [("Point", "ndjson"), ("SegmentationMask", "zarr"), ("SegmentationMask", "mrc")]


def test_one_changed_file_changes_its_own_alone(both, portal) -> None:
    assert ingest_tiny(both, portal).code == 0
    before, known = published(portal), ids(portal)
    assert shapes(portal) == ALL
    (both.lab / "R1.csv").write_text("1,2,3\n")
    assert ingest_tiny(both, portal).code == 0
    after = published(portal)
    assert {path for path in before if before[path] != after.get(path)} == {f"100/{POINTS}"}
    assert set(after) == set(before)
    assert (ids(portal), shapes(portal), sidecar(portal)["object_count"]) == (known, ALL, 1)


def test_a_removed_source_takes_its_files_with_it_and_comes_back_with_its_ids(both, portal) -> None:
    assert ingest_tiny(both, portal).code == 0
    before, known = published(portal), ids(portal)
    mask = both.config["annotations"][0]["sources"].pop()
    assert ingest_tiny(both, portal).code == 0
    assert set(published(portal)) == {f"100/{POINTS}"}
    assert not (portal.layout / HOME / "Annotations/100" / MASK).exists()
    assert ids(portal) == {
        key: known[key]
        for key in (("Annotation", "ball"), ("AnnotationShape", "Point"), ("AnnotationFile", "ndjson"))
    }
    both.config["annotations"][0]["sources"].append(mask)
    assert ingest_tiny(both, portal).code == 0
    assert (published(portal), ids(portal)) == (before, known)


def test_an_added_source_leaves_the_ids_and_bytes_of_the_others(both, portal) -> None:
    mask = both.config["annotations"][0]["sources"].pop()
    assert ingest_tiny(both, portal).code == 0
    before, known = published(portal), ids(portal)
    both.config["annotations"][0]["sources"].insert(0, mask)
    assert ingest_tiny(both, portal).code == 0
    assert {path: published(portal)[path] for path in before} == before
    assert {key: ids(portal)[key] for key in known} == known


def test_a_faulty_source_leaves_everything_that_is_published(both, portal) -> None:
    assert ingest_tiny(both, portal).code == 0
    before, known = published(portal), ids(portal)
    (both.lab / "R1.csv").write_text("1,2,3\n")
    (both.lab / "R1_mask.mrc").write_bytes(b"no volume")
    assert ingest_tiny(both, portal).code == 1
    assert (published(portal), ids(portal)) == (before, known)


def test_another_annotation_alone_leaves_it_as_it_is(both, portal) -> None:
    """Choosing by `--include` something else, or the annotation itself by one of its files, keeps all its sources."""
    assert ingest_tiny(both, portal).code == 0
    before, known = published(portal), ids(portal)
    (both.lab / "R1.csv").write_text("1,2,3\n")
    assert ingest_tiny(both, portal, "--only", "annotations", "--include", "annotation=other").code == 0
    assert (published(portal), ids(portal)) == (before, known)
    assert ingest_tiny(both, portal, "--only", "annotations", "--include", r"annotation=R1\.csv").code == 0
    after = published(portal)
    assert {path for path in before if before[path] != after[path]} == {f"100/{POINTS}"}
    assert (ids(portal), shapes(portal)) == (known, ALL)
