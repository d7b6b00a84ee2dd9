"""Surfaces and captions through the front door."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from fixtures_demo import settings_in
from tomoportal.cli.ingest import ingest_config

SHARED = Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[3] / "shared")) / "data"
CENTRE = np.array([12.0, 10.0, 6.0])


@pytest.fixture
def ingest(tiny, tmp_path):
    """Ingest one annotation with these sources; gives its sidecar, the folder of the layout and the problems by code."""

    def run(*sources: dict[str, Any]):
        tiny.config["annotations"] = tiny.config["annotations"][:1]
        tiny.config["annotations"][0]["sources"] = list(sources)
        report = ingest_config(
            tiny.write().file, str(tiny.source), settings_in(tmp_path / "portal"), quiet=True
        )
        problems = {problem.code: problem for problem in report.sorted_problems()}
        files = tmp_path / "portal/files"
        sidecars = list(files.glob("20002/R1/**/Annotations/*/*-1.0.json"))
        return (json.loads(sidecars[0].read_text()) if sidecars else None), files, problems

    return run


def ball(radius: float) -> trimesh.Trimesh:
    whole = trimesh.creation.icosphere(subdivisions=2, radius=radius)
    whole.apply_translation(CENTRE)
    return whole


@pytest.mark.parametrize("kind", ["stl", "obj", "glb"])
def test_a_surface_is_published_in_voxels(tiny, ingest, kind: str) -> None:
    in_angstrom = ball(4.0)
    in_angstrom.apply_scale(10.0)
    in_angstrom.export(tiny.lab / f"R1.{kind}")
    source = {
        "TriangularMesh": {"file_format": kind, "glob_string": "{run_name}." + kind, "scale_factor": 0.1}
    }
    sidecar, files, problems = ingest(source)
    assert not problems
    (file,) = sidecar["files"]
    assert (file["format"], file["shape"], sidecar["object_count"]) == ("glb", "TriangularMesh", 1)
    mesh = trimesh.load_mesh(files / file["path"])
    assert np.allclose(mesh.bounds, ball(4.0).bounds, atol=1e-4)
    assert mesh.volume == pytest.approx(ball(4.0).volume, rel=1e-4)
    layer = next(files.glob("20002/R1/**/NeuroglancerPrecompute/*-triangularmesh_precompute"))
    fragment = (layer / "1").read_bytes()
    (count,) = np.frombuffer(fragment, "<u4", 1)
    vertices = np.frombuffer(fragment, "<f4", 3 * int(count), offset=4).reshape(-1, 3)
    assert np.allclose([vertices.min(axis=0), vertices.max(axis=0)], ball(4.0).bounds, atol=1e-4)
    (state,) = files.glob("20002/R1/**/*-neuroglancer-config.json")
    assert "ball, surface, ground truth" in [
        layer["name"] for layer in json.loads(state.read_text())["layers"]
    ]


def test_a_surface_in_another_unit_is_told(tiny, ingest) -> None:
    whole = ball(4.0)
    whole.apply_scale(10.0)
    whole.export(tiny.lab / "R1.stl")
    _, _, problems = ingest({"TriangularMesh": {"file_format": "stl", "glob_string": "R1.stl"}})
    assert "24 × 20 × 12 voxels" in problems["mesh-outside"].message
    assert "scale_factor" in problems["mesh-outside"].hint


@pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the real sample files are not there ({SHARED}); set TOMOPORTAL_SHARED"
)
def test_a_named_segment_of_emdb_sff(tiny, ingest) -> None:
    home = SHARED / "portal-backend/ingestion_tools/scripts/tests/fixtures/annotations"
    (tiny.lab / "R1.hff").write_bytes((home / "triangular_mesh.hff").read_bytes())
    group = {"file_format": "hff", "glob_string": "R1.hff", "name": "special_name"}
    sidecar, files, _ = ingest({"TriangularMeshGroup": group})
    (file,) = sidecar["files"]
    assert file["shape"] == "TriangularMesh"
    expected = trimesh.load_mesh(home / "triangular_mesh.glb", process=False)
    assert np.allclose(
        trimesh.load_mesh(files / file["path"], process=False).bounds, expected.bounds, atol=1e-5
    )


def test_a_surface_without_a_face_fails_alone(tiny, ingest) -> None:
    (tiny.lab / "R1.obj").write_text("v 0 0 0\nv 1 0 0\n")
    sidecar, _, problems = ingest({"TriangularMesh": {"file_format": "obj", "glob_string": "R1.obj"}})
    assert sidecar is None
    assert "no face" in problems["annotation-failed"].message


def test_captions_stay_as_they_are(tiny, ingest) -> None:
    captions = json.dumps({"captions": [{"id": 0, "text": "a"}, {"id": 1, "text": "ü"}]}, indent=2)
    objects = json.dumps({"objects": [{"id": 0}]})
    (tiny.lab / "R1_all.json").write_text(captions)
    (tiny.lab / "R1_one.json").write_text(objects)
    sidecar, files, problems = ingest(
        {"GlobalCaption": {"file_format": "saber", "glob_string": "R1_all.json"}},
        {
            "AnnotationCaption": {
                "file_format": "saber",
                "glob_string": "R1_one.json",
                "companion_shape": "Point",
            }
        },
    )
    assert not problems
    assert sidecar["object_count"] == 2
    assert {(file["shape"], file["path"].rpartition("-1.0_")[2]) for file in sidecar["files"]} == {
        ("GlobalCaption", "globalcaption.json"),
        ("AnnotationCaption", "point_caption.json"),
    }
    assert (files / sidecar["files"][0]["path"]).read_text() == captions


def test_a_caption_of_another_kind_is_refused(tiny, ingest) -> None:
    (tiny.lab / "R1_all.json").write_text("[1, 2]")
    _, _, problems = ingest({"GlobalCaption": {"file_format": "saber", "glob_string": "R1_all.json"}})
    assert "there is no list 'captions'" in problems["annotation-failed"].message
