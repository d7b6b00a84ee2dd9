"""What a plan says and why, and that doing it again does what is missing and nothing else."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures_command import FlowPortal, Ran, contents, ingest_tiny
from fixtures_tiny import Tiny, annotations_by_others, write_mrc
from ingest.made_sources import Maker
from tomoportal.config import load_config
from tomoportal.ingest.find import find
from tomoportal.ingest.plan import make_plan
from tomoportal.ingest.task import Input, Task
from tomoportal.layout.private import Ledger

CONFIGS = (
    Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[2].parent / "shared")) / "data/configs"
)
RECONSTRUCTIONS = "20002/R1/Reconstructions/VoxelSpacing10.000"
TOMOGRAM = f"{RECONSTRUCTIONS}/Tomograms/100"


def planned(ran: Ran) -> dict[str, str]:
    """Place → reason, of every line of a plan that asks for something."""
    lines = [line.split(maxsplit=2) for line in ran.out.splitlines() if "  (" in line or " (" in line]
    return {line[1]: line[2].partition("(")[2].partition(")")[0] for line in lines if len(line) == 3}


def plan_of(tiny: Tiny, portal: FlowPortal) -> dict[str, str]:
    """Write the deposition file and plan; nothing in the portal changes by that."""
    tiny.write()
    before = contents(portal.folder)
    ran = portal.plan(tiny.file, tiny.source)
    assert ran.code == 0, ran.err
    assert contents(portal.folder) == before
    if not planned(ran):
        assert ran.out.startswith("Nothing to do")
    return planned(ran)


def inodes(portal: FlowPortal) -> dict[str, tuple[int, int]]:
    """Which file each path is, and when it was written; sidecars left out."""
    files = (path for path in portal.layout.rglob("*") if path.is_file() and path.suffix != ".json")
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_the_plan_of_something_new_names_everything_and_writes_nothing(tiny, portal):
    assert plan_of(tiny, portal) == dict.fromkeys(
        (
            "DepositionMetadata/20001", "20002", "20002/R1", "20002/R1/Frames", "20002/R1/TiltSeries/100",
            "20002/R1/Alignments/100", TOMOGRAM, f"{RECONSTRUCTIONS}/Annotations/100", f"{RECONSTRUCTIONS}/Annotations/101",
        ),
        "new",
    )  # fmt: skip
    assert not portal.folder.exists()


def test_the_second_time_there_is_nothing_to_do(tiny, portal):
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, ran.problems) == (0, [])
    before = contents(portal.layout)
    assert plan_of(tiny, portal) == {}
    ingest_tiny(tiny, portal)
    assert contents(portal.layout) == before


def test_reasons_follow_what_has_changed(tiny, portal):
    ingest_tiny(tiny, portal)
    (tiny.lab / "R1.csv").write_text("1,2,3\n")
    assert plan_of(tiny, portal) == {f"{RECONSTRUCTIONS}/Annotations/100": "source or parameters changed"}
    tiny.config["annotations"][1]["sources"][0]["SemanticSegmentationMask"]["mask_label"] = 1
    assert set(plan_of(tiny, portal)) == {f"{RECONSTRUCTIONS}/Annotations/{id}" for id in (100, 101)}
    ingest_tiny(tiny, portal)
    assert plan_of(tiny, portal) == {}
    assert [row["object_count"] for row in portal.rows("Annotation", "object_count")] == [1, None]


def test_changed_metadata_writes_the_sidecar_alone(tiny, portal):
    ingest_tiny(tiny, portal)
    before, ids = inodes(portal), portal.rows("Tomogram", "id")
    tiny.config["tomograms"][0]["metadata"]["reconstruction_software"] = "AreTomo"
    tiny.config["annotations"][0]["metadata"]["annotation_method"] = "by eye"
    assert plan_of(tiny, portal) == {
        TOMOGRAM: "metadata changed", f"{RECONSTRUCTIONS}/Annotations/100": "metadata changed",
    }  # fmt: skip
    assert ingest_tiny(tiny, portal).code == 0
    after = inodes(portal)
    changed = {path for path in before if before[path] != after.get(path)}
    assert not [path for path in changed if ".zarr" in path or path.endswith((".mrc", ".ndjson"))]
    assert portal.rows("Tomogram", "id", "reconstruction_software") == [
        {**ids[0], "reconstruction_software": "AreTomo"}
    ]
    assert [row["annotation_method"] for row in portal.rows("Annotation", "annotation_method")] == [
        "by eye",
        "by hand",
    ]
    assert plan_of(tiny, portal) == {}


def test_what_is_no_longer_asked_for_is_shown_and_kept(tiny, portal):
    ingest_tiny(tiny, portal)
    gone = tiny.config["annotations"].pop(0)
    assert plan_of(tiny, portal) == {f"{RECONSTRUCTIONS}/Annotations/100": "published, but no longer found"}
    ingest_tiny(tiny, portal)
    assert len(portal.rows("Annotation")) == 2
    tiny.config["annotations"].append(gone)
    assert plan_of(tiny, portal) == {}


def test_folder_ids_stay_when_entries_change_places(tiny, portal):
    ingest_tiny(tiny, portal)
    before = portal.rows("Annotation", "id", "object_name", "s3_metadata_path")
    tiny.config["annotations"].reverse()
    extra = copy.deepcopy(tiny.config["annotations"][1])
    extra["metadata"] |= {"annotation_ingest_id": "ball-2", "annotation_method": "by machine"}
    tiny.config["annotations"].insert(0, extra)
    assert plan_of(tiny, portal) == {f"{RECONSTRUCTIONS}/Annotations/102": "new"}
    ingest_tiny(tiny, portal)
    after = portal.rows("Annotation", "id", "object_name", "s3_metadata_path")
    assert after[:2] == before
    assert f"{RECONSTRUCTIONS}/Annotations/102/" in after[2]["s3_metadata_path"]


def test_several_tilt_series_of_a_run_stay_apart(tiny, portal):
    second = copy.deepcopy(tiny.config["tiltseries"][0])
    second["sources"][0]["source_glob"]["list_glob"] = "{run_name}_second.st"
    tiny.config["tiltseries"].append(second)
    write_mrc(
        tiny.lab / "R1_second.st", np.random.default_rng(5).integers(0, 99, (5, 16, 20)).astype(np.int16), 2.5
    )
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    rows = portal.rows("TiltSeries", "id", "size_x", "s3_mrc_file")
    assert [row["size_x"] for row in rows] == [40, 20]
    assert [Path(row["s3_mrc_file"]).parent.name for row in rows] == ["100", "101"]
    assert len({row["id"] for row in rows}) == 2
    alignment = portal.rows("Alignment", "tiltseries_id")
    assert alignment == [{"tiltseries_id": rows[0]["id"]}]
    tiny.config["tiltseries"].reverse()
    assert plan_of(tiny, portal) == {}


def test_alignments_may_change_places(tiny, portal):
    second = copy.deepcopy(tiny.config["alignments"][0])
    second["metadata"]["ingest_id"] = "second"
    tiny.config["alignments"].append(second)
    ingest_tiny(tiny, portal)
    assert len(portal.rows("Alignment")) == 2
    tiny.config["alignments"].reverse()
    assert plan_of(tiny, portal) == {}


def _other_tomogram(tiny: Tiny, **metadata: Any) -> None:
    entry = copy.deepcopy(tiny.config["tomograms"][0])
    entry["metadata"] |= metadata
    entry["sources"][0]["source_glob"]["list_glob"] = "more/{run_name}.mrc"
    tiny.config["tomograms"].append(entry)
    (tiny.lab / "more").mkdir()
    write_mrc(tiny.lab / "more/R1.mrc", np.random.default_rng(3).random((12, 20, 24), np.float32), 10.0)


def test_tomograms_may_differ_by_processing_alone(tiny, portal):
    _other_tomogram(tiny, processing="denoised", is_visualization_default=False)
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, ran.problems) == (0, [])
    rows = portal.rows("Tomogram", "processing", "s3_mrc_file")
    assert [row["processing"] for row in rows] == ["raw", "denoised"]
    assert [Path(row["s3_mrc_file"]).parent.name for row in rows] == ["100", "101"]


def test_tomograms_that_cannot_be_told_apart_are_a_problem(tiny, portal):
    _other_tomogram(tiny)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = ran.problem("same-identity")
    assert "more/R1.mrc" in told["message"] or "R1" in told["message"]
    assert "processing 'raw'" in told["message"]
    assert told["where"] == "tomograms[1].sources[0]"
    assert "processing" in told["hint"]
    assert len(portal.rows("Tomogram")) == 1


def test_tasks_are_plain_data(tiny, portal):
    tiny.write()
    ran = portal.plan(tiny.file, tiny.source, "--json")
    tasks = [Task.from_json(line) for line in ran.out.splitlines()]
    assert len(tasks) == 9
    for task, line in zip(tasks, ran.out.splitlines(), strict=True):
        assert task.as_json() == line
        assert Task.from_json(task.as_json()) == task
        assert Task.from_json(task.as_json()).fingerprint() == task.fingerprint()


def test_planned_tasks_equal_what_their_json_gives(demo_files, tmp_path):
    from fixtures_demo import settings_in
    from tomoportal.cli.planning import planned as plan_config

    for config in demo_files.configs:
        for task in plan_config(config, str(demo_files.source), settings_in(tmp_path)).plan.tasks():
            again = Task.from_json(task.as_json())
            assert again == task
            assert (again.fingerprint(), again.sidecar_fingerprint()) == (
                task.fingerprint(),
                task.sidecar_fingerprint(),
            )


@pytest.mark.parametrize("lost", ["R1.mrc", "R1.zarr/.zattrs", "tomogram-metadata.json"])
def test_a_published_file_that_is_gone_is_made_again(tiny, portal, lost):
    ingest_tiny(tiny, portal)
    before, rows = portal.public(), portal.rows("Tomogram", "id", "name")
    (portal.layout / TOMOGRAM / lost).unlink()
    assert plan_of(tiny, portal) == {TOMOGRAM: "files are missing or being replaced"}
    assert ingest_tiny(tiny, portal).code == 0
    after = portal.public()
    assert set(after) == set(before)
    assert {p for p in before if after[p] != before[p]} <= {f"{TOMOGRAM}/tomogram-metadata.json"}
    assert portal.rows("Tomogram", "id", "name") == rows
    assert plan_of(tiny, portal) == {}


def test_a_picture_that_is_gone_is_made_again(tiny, portal):
    ingest_tiny(tiny, portal)
    before = portal.public()
    (portal.layout / RECONSTRUCTIONS / "Images/100/key-photo-snapshot.png").unlink()
    ingest_tiny(tiny, portal)
    assert portal.public() == before


ANSWERS = {
    "Tomogram": ("id", "name", "size_x", "alignment_id", "file_size_mrc"), "Annotation": ("id", "object_name"),
    "Alignment": ("id", "tiltseries_id", "volume_x_dimension"), "TiltSeries": ("id", "pixel_spacing", "run_id"),
    "PerSectionParameters": ("id", "z_index", "raw_angle"), "Run": ("id", "name"), "Dataset": ("id", "title"),
    "AnnotationFile": ("id", "format", "s3_path", "alignment_id"), "Frame": ("id", "acquisition_order", "accumulated_dose"),
    "DepositionAuthor": ("id", "name"), "TomogramVoxelSpacing": ("id", "voxel_spacing"),
}  # fmt: skip


def answers(portal: FlowPortal) -> dict[str, list[dict[str, Any]]]:
    return {entity: portal.rows(entity, *fields) for entity, fields in ANSWERS.items()}


def test_the_catalogue_can_be_thrown_away(tiny, portal):
    tiny.run("R2", seed=4)
    ingest_tiny(tiny, portal)
    (tiny.lab / "R1.csv").write_text("1,2,3\n")
    ingest_tiny(tiny, portal)
    before = answers(portal)
    assert all(before.values())
    for path in portal.folder.glob("catalog.sqlite*"):
        path.unlink()
    assert portal.load().code == 0
    assert answers(portal) == before


def _second_deposition(tiny: Tiny) -> Tiny:
    other = annotations_by_others(tiny, "second")
    other.config["annotations"][0]["metadata"] |= {"annotation_method": "by another lab"}
    return other


def test_another_deposition_adds_to_a_dataset_without_rewriting_it(tiny, portal):
    ingest_tiny(tiny, portal)
    second = _second_deposition(tiny)
    (second.lab / "R1.csv").write_text("5,6,7\n8,9,10\n11,12,1000\n")
    before, rows = portal.public(), answers(portal)
    assert plan_of(second, portal) == {
        "DepositionMetadata/20101": "new", f"{RECONSTRUCTIONS}/Annotations/102": "new",
    }  # fmt: skip
    ran = ingest_tiny(second, portal)
    assert ran.code == 0, ran.err
    after = portal.public()
    changed = {path for path in before if after.get(path) != before[path]}
    assert all("/Images/" in path or "neuroglancer-config" in path for path in changed), changed
    sidecar = json.loads(after[f"{RECONSTRUCTIONS}/Annotations/102/ball-1.0.json"])
    assert sidecar["deposition_id"] == 20101
    assert sidecar["alignment_metadata_path"] == "20002/R1/Alignments/100/alignment_metadata.json"
    annotations = portal.rows("Annotation", "id", "deposition_id")
    assert [row["deposition_id"] for row in annotations] == [20001, 20001, 20101]
    files = portal.rows("AnnotationFile", "alignment_id")
    assert {row["alignment_id"] for row in files} == {rows["Alignment"][0]["id"]}
    assert portal.rows("Dataset", "id", "deposition_id") == [{"id": 20002, "deposition_id": 20001}]
    state = json.loads(after[f"{RECONSTRUCTIONS}/NeuroglancerPrecompute/100-neuroglancer-config.json"])
    assert sum(layer["name"].startswith("ball, ") for layer in state["layers"]) == 2
    assert plan_of(second, portal) == {}
    assert plan_of(tiny, portal) == {}
    told = ran.problem("points-outside")["message"]
    assert (
        "1 of 3 points lie outside the volume of 24 × 20 × 12 voxels, the first being that of line 3 at (11, 12, 1000)"
        in told
    )


def test_the_sources_of_an_alignment_belong_together(tiny, portal):
    globs = (
        {"source_glob": {"list_glob": "{run_name}.xf"}},
        {"source_glob": {"list_glob": "{run_name}.tlt"}},
    )
    tiny.config["alignments"][0]["sources"] = list(globs)
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, ran.problems) == (0, [])
    assert len(portal.rows("PerSectionAlignmentParameters")) == 5
    (tiny.lab / "R1_other.xf").write_bytes((tiny.lab / "R1.xf").read_bytes())
    globs[0]["source_glob"]["list_glob"] = "{run_name}*.xf"
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    assert (
        "lab/R1_other.xf: this is a second .xf file beside lab/R1.xf"
        in ran.problem("alignment-failed")["message"]
    )


@pytest.mark.parametrize("name", ["10301", "10487", "10489", "deposition_10301"])
def test_real_deposition_files_are_planned_without_doubt(name):
    if not (CONFIGS / f"{name}.yaml").is_file():
        pytest.skip(f"the real deposition files are not at {CONFIGS}")
    made = Maker(CONFIGS / f"{name}.yaml").make()
    config = load_config(CONFIGS / f"{name}.yaml").config
    assert config is not None
    found = find(config, made.source, made.target, voxel_size=lambda _: 7.0)
    plan = make_plan(
        found,
        lambda _: Ledger(),
        lambda _: pytest.fail("nothing is published"),
        lambda path: Input(path, 1, "tag"),
    )
    assert [problem for problem in plan.problems if problem not in found.problems] == []
    tasks = list(plan.tasks())
    assert len(tasks) > 1
    assert [Task.from_json(task.as_json()) for task in tasks] == tasks


@pytest.mark.parametrize("sources", [[{"source_glob": {"list_glob": "frames/{run_name}_*.tif"}}], []])
def test_frames_without_files_are_published_as_the_mdoc_names_them(tiny, portal, sources):
    tiny.config["frames"][0]["sources"] = sources
    assert "20002/R1/Frames" in plan_of(tiny, portal)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    told = [(problem["code"], problem["severity"], problem["message"]) for problem in ran.problems
            if problem["severity"] != "unsupported"]  # fmt: skip
    wanted = ("nothing-found", "warning", "nothing was found for frames of these: 20002/R1")
    nowhere = ("empty", "warning", "nothing matches frames/{run_name}_*.tif")
    assert sorted(told) == (sorted([nowhere, wanted]) if sources else [])
    assert [row["acquisition_order"] for row in portal.rows("Frame", "acquisition_order")] == [0, 1, 2, 3, 4]
    sections = json.loads(portal.public()["20002/R1/TiltSeries/100/tiltseries_metadata.json"])
    assert sorted(one["frame_acquisition_order"] for one in sections["per_section_parameter"]) == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_mdocs_of_runs_whose_frames_are_left_out_name_no_frames(tiny, portal):
    tiny.config["frames"][0]["sources"][0]["parent_filters"] = {"exclude": {"run": ["R1"]}}
    tiny.write()
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    assert {problem["code"] for problem in ran.problems} == {"no-mdoc"}
    assert portal.rows("Frame") == []
