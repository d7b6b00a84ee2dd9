"""`destination_filter`: a deposition refers to tilt series and tomograms of the portal that it chooses by their metadata."""

from __future__ import annotations

import json

import pytest

from fixtures_command import ingest_tiny

SPACING = "20002/R1/Reconstructions/VoxelSpacing10.000"


@pytest.fixture
def published(tiny, portal):
    """A run with two tilt series of different quality and two tomograms of different processing."""
    for name in ("R1.st", "R1.rawtlt"):
        (tiny.lab / f"second_{name}").write_bytes((tiny.lab / name).read_bytes())
    second = json.loads(json.dumps(tiny.config["tiltseries"][0]))
    second["metadata"] |= {"tilt_series_quality": 2, "ingest_id": "second"}
    second["sources"] = [{"source_glob": {"list_glob": "second_{run_name}.st"}}]
    tiny.config["tiltseries"].append(second)
    other = json.loads(json.dumps(tiny.config["tomograms"][0]))
    other["metadata"] |= {"processing": "denoised", "processing_software": "x"}
    tiny.config["tomograms"].append(other)
    assert ingest_tiny(tiny, portal).code == 0
    return tiny


def referring(tiny, **sections):
    """A deposition of another number for the published run."""
    metadata = json.loads(json.dumps(tiny.config["depositions"][0]["metadata"])) | {
        "deposition_identifier": 20009
    }
    spacings = {
        "list_glob": "{run_output_path}/Reconstructions/VoxelSpacing*",
        "name_regex": "VoxelSpacing(.*)",
    }
    tiny.config = {
        "version": "1.3.0",
        "standardization_config": {"deposition_id": 20009, "source_prefix": "lab"},
        "depositions": [{"metadata": metadata, "sources": [{"literal": {"value": [20009]}}]}],
        "datasets": [{"sources": [{"literal": {"value": ["20002"]}}]}],
        "runs": [{"sources": [{"destination_glob": {"list_glob": "{dataset_output_path}/*"}}]}],
        "voxel_spacings": [{"sources": [{"destination_glob": spacings}]}],
        **sections,
    }
    return tiny


def chosen(key: str, value: object) -> list[dict]:
    return [{"sources": [{"destination_filter": {"filters": [{"key": [key], "value": value}]}}]}]


@pytest.mark.parametrize(("quality", "number"), [(4, 100), (2, 101)])
def test_an_alignment_refers_to_the_chosen_tilt_series(published, portal, quality, number):
    before = portal.public()
    alignments = json.loads(json.dumps(published.config["alignments"]))
    referring(published, alignments=alignments, tiltseries=chosen("tilt_series_quality", quality))
    ran = ingest_tiny(published, portal)

    assert ran.code == 0, ran.out
    after = portal.public()
    new = [path for path in after if path not in before and path.endswith("alignment_metadata.json")]
    (sidecar,) = [json.loads(after[path]) for path in new]
    assert sidecar["tiltseries_path"] == f"20002/R1/TiltSeries/{number}/tiltseries_metadata.json"
    same = [path for path in before if "/TiltSeries/" in path or "/Tomograms/" in path]
    assert {path: after[path] for path in same} == {path: before[path] for path in same}


def test_tomograms_that_are_chosen_are_found_and_never_rewritten(published, portal):
    before = portal.public()
    annotations = json.loads(json.dumps(published.config["annotations"][:1]))
    referring(published, annotations=annotations, tomograms=chosen("processing", ["denoised"]))
    ran = ingest_tiny(published, portal)

    assert ran.code == 0, ran.out
    assert [
        problem["code"] for problem in ran.problems if problem["code"] in ("empty", "nothing-found")
    ] == []
    after = portal.public()
    volumes = [path for path in before if f"{SPACING}/Tomograms/" in path]
    assert {path: after[path] for path in volumes} == {path: before[path] for path in volumes}
    assert len(portal.rows("Tomogram")) == 2
    assert len(portal.rows("Annotation")) == 3


@pytest.mark.parametrize("value", ["smooth", ["a", "b"], 7, {"a": 1}])
def test_a_filter_that_chooses_nothing_is_told(published, portal, value):
    referring(published, tomograms=chosen("processing", value))
    ran = portal.plan(published.write().file, published.source)

    assert "nothing" in ran.out + ran.err
