"""Depositions of tomograms or annotations for a dataset of somebody else: they add, and change nothing of what is there."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from fixtures_command import FlowPortal
from fixtures_tiny import Tiny, write_mrc

RECONSTRUCTIONS = "20002/R1/Reconstructions"


def _reference(pattern: str, **more: str) -> list[dict[str, Any]]:
    return [{"sources": [{"destination_glob": {"list_glob": pattern, **more}}]}]


def group(tiny: Tiny, number: int, name: str) -> Tiny:
    """A deposition that refers to the dataset, runs, spacings and alignments of the first."""
    config = copy.deepcopy(
        {key: tiny.config[key] for key in ("version", "standardization_config", "depositions")}
    )
    config["standardization_config"]["deposition_id"] = number
    config["depositions"][0]["metadata"] |= {"deposition_identifier": number, "deposition_types": [name]}
    config["depositions"][0]["sources"] = [{"literal": {"value": [number]}}]
    config["datasets"] = [{"sources": [{"literal": {"value": ["20002"]}}]}]
    config["runs"] = _reference("{dataset_output_path}/*")
    spacings = "{run_output_path}/Reconstructions/VoxelSpacing*"
    config["voxel_spacings"] = _reference(spacings, name_regex="VoxelSpacing(.*)")
    config["alignments"] = _reference("{run_output_path}/Alignments/100/alignment_metadata.json")
    made = Tiny(tiny.folder.parent / name, config)
    made.lab.mkdir(parents=True)
    return made


def tomograms(tiny: Tiny, spacing: float) -> Tiny:
    """Tomograms of half the size at another voxel spacing."""
    made = group(tiny, 20102, "tomogram")
    made.config["voxel_spacings"] = [{"sources": [{"literal": {"value": [spacing]}}]}]
    made.config["tomograms"] = copy.deepcopy(tiny.config["tomograms"])
    made.config["tomograms"][0]["metadata"] |= {
        "voxel_spacing": spacing, "processing": "denoised", "is_visualization_default": False,
    }  # fmt: skip
    made.config["tomograms"][0]["sources"][0]["source_glob"]["list_glob"] = "{run_name}_denoised.mrc"
    write_mrc(made.lab / "R1_denoised.mrc", np.random.default_rng(8).random((6, 10, 12), np.float32), spacing)
    return made


def annotations(tiny: Tiny, points: str) -> Tiny:
    """Points at every voxel spacing there is."""
    made = group(tiny, 20101, "annotation")
    made.config["annotations"] = copy.deepcopy(tiny.config["annotations"][:1])
    made.config["annotations"][0]["metadata"] |= {"annotation_method": "by another lab"}
    (made.lab / "R1.csv").write_text(points)
    return made


def ingest(deposition: Tiny, portal: FlowPortal):
    ran = portal.ingest(deposition.write().file, deposition.source)
    assert ran.code == 0, (ran.out, ran.err)
    return ran


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {path for path in before if after.get(path) != before[path]}


@pytest.mark.parametrize("spacing", [10.0, 20.0])
def test_tomograms_are_added_to_the_runs_of_another(tiny, portal, spacing):
    ingest(tiny, portal)
    before, ids = portal.public(), portal.rows("Tomogram", "id", "s3_mrc_file")
    others = tomograms(tiny, spacing)
    ingest(others, portal)
    after = portal.public()
    assert changed(before, after) == set()
    place = f"{RECONSTRUCTIONS}/VoxelSpacing{spacing:.3f}/Tomograms/101"
    sidecar = json.loads(after[f"{place}/tomogram-metadata.json"])
    assert sidecar["deposition_id"] == 20102
    assert sidecar["alignment_metadata_path"] == "20002/R1/Alignments/100/alignment_metadata.json"
    rows = portal.rows(
        "Tomogram", "id", "deposition_id", "alignment_id", "is_author_submitted", "s3_mrc_file"
    )
    assert [row["deposition_id"] for row in rows] == [20001, 20102]
    assert rows[0]["alignment_id"] == rows[1]["alignment_id"]
    assert [row["is_author_submitted"] for row in rows] == [True, False]
    assert {name: rows[0][name] for name in ids[0]} == ids[0]
    spacings = [row["voxel_spacing"] for row in portal.rows("TomogramVoxelSpacing", "voxel_spacing")]
    assert spacings == sorted({10.0, spacing})
    for deposition in (others, tiny, others):
        again = portal.public()
        assert ingest(deposition, portal).problems == []
        assert portal.public() == again
    assert (
        portal.rows("Tomogram", "id", "deposition_id", "alignment_id", "is_author_submitted", "s3_mrc_file")
        == rows
    )


def test_annotations_are_compared_with_the_published_tomogram_of_their_spacing(tiny, portal):
    ingest(tiny, portal)
    ingest(tomograms(tiny, 20.0), portal)
    before = portal.public()
    others = annotations(tiny, "5,6,3\n11,9,5\n20,18,10\n")
    told = [
        problem["message"]
        for problem in ingest(others, portal).problems
        if problem["code"] == "points-outside"
    ]
    assert len(told) == 1
    assert "1 of 3 points" in told[0]
    assert "12 × 10 × 6 voxels" in told[0]
    after = portal.public()
    assert all("/Images/" in path or "neuroglancer-config" in path for path in changed(before, after))
    assert not any(path.endswith("metadata.json") for path in changed(before, after))
    rows = portal.rows("Annotation", "id", "deposition_id", "annotation_method")
    assert [row["deposition_id"] for row in rows] == [20001, 20001, 20101, 20101]
    for spacing, tomogram in (("10.000", 100), ("20.000", 101)):
        state = json.loads(
            after[
                f"{RECONSTRUCTIONS}/VoxelSpacing{spacing}/NeuroglancerPrecompute/{tomogram}-neuroglancer-config.json"
            ]
        )
        assert any(
            "by another lab" in json.dumps(layer) or "ball" in layer["name"] for layer in state["layers"]
        )
    (others.lab / "R1.csv").write_text("1,2,3\n")
    ingest(others, portal)
    assert portal.rows("Annotation", "id", "deposition_id", "annotation_method") == rows
    assert ingest(tiny, portal).problems == []


def test_annotations_at_a_spacing_without_a_tomogram(tiny, portal):
    ingest(tiny, portal)
    others = annotations(tiny, "1,2,3\n")
    others.config["voxel_spacings"] = [{"sources": [{"literal": {"value": [5.0]}}]}]
    ingest(others, portal)
    (row,) = [
        row for row in portal.rows("Annotation", "deposition_id", "run_id") if row["deposition_id"] == 20101
    ]
    assert row["run_id"] == portal.rows("Run", "id")[0]["id"]


def test_two_depositions_share_the_lease_of_a_dataset(tiny, portal):
    from tomoportal.layout.lease import hold
    from tomoportal.storage import LocalStorage

    ingest(tiny, portal)
    others = annotations(tiny, "1,2,3\n").write()
    with hold(LocalStorage(portal.layout), "20002"):
        ran = portal.ingest(others.file, others.source)
    assert ran.code == 3
    assert "is writing here" in ran.err
    assert len(portal.rows("Annotation")) == 2
    ingest(others, portal)
    assert len(portal.rows("Annotation")) == 3
