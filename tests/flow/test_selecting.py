"""Parts of a deposition: what is chosen is done with what it needs, and nothing else is touched."""

from __future__ import annotations

import json

import pytest

from fixtures_command import FlowPortal, contents, tomoportal
from fixtures_tiny import Tiny

SPACING = "R1/Reconstructions/VoxelSpacing10.000"


def reasons(ran) -> dict[str, str]:
    """Place inside the dataset → reason, of every line of a plan that asks for something."""
    lines = [line.split(maxsplit=2) for line in ran.out.splitlines() if "  (" in line]
    return {place.removeprefix("20002/"): why[1:].partition(")")[0] for _, place, why in lines}


def planned(tiny: Tiny, portal: FlowPortal, *more: str) -> dict[str, str]:
    ran = portal.plan(tiny.write().file, tiny.source, *more)
    assert ran.code == 0, ran.err
    return reasons(ran)


def data_files(portal: FlowPortal) -> dict[str, tuple[int, int]]:
    files = [path for path in portal.layout.rglob("*") if path.is_file() and path.suffix != ".json"]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files if ".tomoportal" not in str(path)}  # fmt: skip


def ingest(tiny: Tiny, portal: FlowPortal, *more: str):
    ran = portal.ingest(tiny.write().file, tiny.source, *more)
    assert ran.code == 0, (ran.out, ran.err)
    return ran


def test_annotations_alone_bring_what_they_need(tiny, portal):
    wanted = {
        f"{SPACING}/Annotations/100": "new", f"{SPACING}/Annotations/101": "new",
        "R1": f"new, needed by annotation 20002/{SPACING}/Annotations/100",
        "R1/Alignments/100": f"new, needed by annotation 20002/{SPACING}/Annotations/100",
        "20002": "new, needed by what lies in it", "DepositionMetadata/20001": "new, needed by what lies in it",
    }  # fmt: skip
    assert planned(tiny, portal, "--only", "annotations") == wanted
    ran = ingest(tiny, portal, "--only", "annotation")
    assert ran.problems == []
    assert [row["object_name"] for row in portal.rows("Annotation", "object_name")] == ["ball", "membrane"]
    assert portal.rows("Tomogram") == []
    assert portal.rows("TiltSeries") == []
    assert planned(tiny, portal, "--only", "annotations") == {}
    rest = planned(tiny, portal)
    assert rest["R1/Alignments/100"] == "metadata changed"
    before = portal.rows("Annotation", "id", "s3_metadata_path")
    assert ingest(tiny, portal).problems == []
    assert portal.rows("Annotation", "id", "s3_metadata_path") == before
    assert len(portal.rows("Alignment", "tiltseries_id")) == 1
    assert portal.rows("Alignment", "tiltseries_id")[0]["tiltseries_id"] is not None
    assert planned(tiny, portal) == {}


def test_tilt_series_bring_the_frames_to_which_their_sections_refer(tiny, portal):
    chosen = planned(tiny, portal, "--only", "rawtilts")
    assert chosen["R1/Frames"] == "new, needed by tiltseries 20002/R1/TiltSeries/100"
    ran = ingest(tiny, portal, "--only", "tiltseries")
    assert ran.problems == []
    assert [
        len(portal.rows(entity)) for entity in ("TiltSeries", "PerSectionParameters", "Frame", "Alignment")
    ] == [1, 5, 5, 0]


def test_what_is_chosen_in_parts_ends_as_if_done_at_once(tiny, portal, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for kind in ("annotations", "tiltseries", "tomograms", "frames"):
        ingest(tiny, portal, "--only", kind)
    ingest(tiny, portal)
    whole = FlowPortal(tmp_path / "whole")
    ingest(tiny, whole)
    assert portal.public() == whole.public()


def test_names_choose_runs_and_annotations(tiny, portal):
    tiny.run("R2", seed=2).run("X1", seed=3)
    assert {place.partition("/")[0] for place in planned(tiny, portal, "--include", "run=R")} == {
        "R1", "R2", "20002", "DepositionMetadata",
    }  # fmt: skip
    chosen = planned(
        tiny, portal, "--include", "run=R", "--exclude", "runs=R2", "--exclude", "annotation=membrane"
    )
    assert {place.partition("/")[0] for place in chosen} == {"R1", "20002", "DepositionMetadata"}
    assert [place for place in chosen if "Annotations" in place] == [f"{SPACING}/Annotations/100"]
    assert planned(tiny, portal, "--exclude", "voxel_spacing=10").keys() == planned(
        tiny, portal, "--exclude", "tomogram=", "--exclude", "annotation="
    ).keys()  # fmt: skip
    assert planned(tiny, portal, "--exclude", "dataset=2000") == {"DepositionMetadata/20001": "new"}


def test_a_name_with_parentheses_is_a_choice(tiny, portal):
    tiny.run("R2(good)", seed=2)
    chosen = planned(tiny, portal, "--include", "run=R2(good)")
    assert "R2(good)" in chosen
    assert "R1" not in chosen
    assert "R2(good)" not in planned(tiny, portal, "--exclude", "run=R2(good)")


def test_a_choice_that_meets_nothing_is_told_with_what_there_is(tiny, portal):
    tiny.run("R2", seed=2)
    options = ("--include", "run=R1 (good)", "--only", "tomograms")
    message = "`--include run=R1 (good)` matches none of the 2 runs: R1, R2"
    assert f"warning: {message} Hint: " in portal.plan(tiny.write().file, tiny.source, *options).err
    ran = ingest(tiny, portal, *options)
    (told,) = ran.problems
    assert (told["code"], told["severity"], told["message"]) == ("nothing-chosen", "warning", message)
    assert "\\(" in told["hint"]
    assert portal.rows("Run") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--exclude", "tomogram=x"), "`--exclude tomogram=x` matches nothing; of tomograms there is one: R1.mrc"),
        (("--include", "dataset=1"), "`--include dataset=1` matches nothing; of datasets there is one: 20002"),
        (("--include", "voxel_spacing=7"), "`--include voxel_spacing=7` matches nothing; of voxel spacings there is one: 10.000"),
        (("--only", "gain"), "`--only gain` meets nothing: there are no gains in what is looked at"),
    ],
)  # fmt: skip
def test_each_kind_of_choice_that_meets_nothing_is_told(tiny, portal, options, message):
    assert message in portal.plan(tiny.write().file, tiny.source, *options).err


@pytest.mark.parametrize("option", ["--only", "--include", "--exclude"])
@pytest.mark.parametrize("word", ["dataset", "run", "tiltseries", "alignment", "tomogram", "annotation"])
def test_a_choice_that_meets_something_is_not_told(tiny, portal, option, word):
    ran = portal.plan(tiny.write().file, tiny.source, option, word if option == "--only" else f"{word}=")
    assert ran.err == ""


def test_pictures_alone_are_a_choice(tiny, portal):
    assert portal.plan(tiny.write().file, tiny.source, "--only", "key_images").err == ""


def test_what_is_left_out_is_no_orphan(tiny, portal):
    tiny.run("R2", seed=2)
    ingest(tiny, portal)
    for more in (("--exclude", "run=R2"), ("--only", "frames"), ("--include", "annotation=ball")):
        ran = portal.plan(tiny.file, tiny.source, *more)
        assert "orphan" not in ran.out
        before = contents(portal.layout)
        ingest(tiny, portal, *more, "--prune")
        assert contents(portal.layout) == before


def test_metadata_alone_touch_no_data_and_name_what_has_none(tiny, portal):
    ran = ingest(tiny, portal, "--metadata-only")
    told = {(problem["code"], problem["message"].split(",")[0]) for problem in ran.problems}
    assert ("without-data", "1 tomogram with no data yet") in told
    assert portal.rows("Run") == []
    assert len(portal.rows("Dataset")) == 1
    ingest(tiny, portal)
    before = data_files(portal)
    tiny.config["tomograms"][0]["metadata"]["reconstruction_software"] = "AreTomo"
    tiny.config["alignments"][0]["metadata"]["method_type"] = "patch_tracking"
    tiny.config["tiltseries"][0]["metadata"]["tilt_series_quality"] = 2
    tiny.config["datasets"][0]["metadata"]["dataset_title"] = "Another"
    (tiny.lab / "R1.csv").write_text("1,2,3\n")
    ran = ingest(tiny, portal, "--metadata-only")
    (left,) = ran.problems
    assert left["message"].startswith("1 annotation with data of other sources or parameters")
    assert data_files(portal) == before
    assert portal.rows("Tomogram", "reconstruction_software") == [{"reconstruction_software": "AreTomo"}]
    assert portal.rows("Alignment", "alignment_method") == [{"alignment_method": "patch_tracking"}]
    assert portal.rows("Dataset", "title") == [{"title": "Another"}]
    assert set(planned(tiny, portal)) == {f"{SPACING}/Annotations/100"}


def test_metadata_alone_end_by_saying_what_is_left(tiny, portal):
    ingest(tiny, portal)
    (tiny.lab / "R1.csv").write_text("1,2,3\n")
    config = tiny.write().file
    left = "1 entity has changed or incomplete data: run without --metadata-only."
    assert portal.plan(config, tiny.source, "--metadata-only").out.splitlines()[-1].endswith(left)
    told = tomoportal("ingest", config, "--source", tiny.source, "--metadata-only", *portal.options)
    assert told.code == 0
    assert left in told.out.splitlines()[-1]
    tiny.run("R2", seed=2)
    both = portal.plan(tiny.write().file, tiny.source, "--metadata-only").out.splitlines()[-1]
    assert "1 entity has changed or incomplete data and " in both
    assert "entities have no data yet: run without" in both
    whole = tomoportal("ingest", tiny.file, "--source", tiny.source, *portal.options)
    assert "--metadata-only" not in whole.out


def test_force_makes_anew_what_is_chosen(tiny, portal, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    ingest(tiny, portal)
    before, public = data_files(portal), portal.public()
    assert planned(tiny, portal, "--force", "--only", "tomograms") == {
        f"{SPACING}/Tomograms/100": "asked for anew"
    }
    ingest(tiny, portal, "--force", "--only", "tomograms")
    after = data_files(portal)
    changed = {path for path in before if before[path] != after[path]}
    assert changed
    assert all("/Tomograms/" in path or "/Images/" in path for path in changed)
    assert portal.public() == public
    assert len(planned(tiny, portal, "--force")) == 9


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--only", "tomo"), "expected one of depositions, "),
        (("--only", "voxel_spacings"), "name tomograms or annotations"),
        (("--include", "tomogramm=x"), "expected one of depositions, "),
        (("--exclude", "run"), "expected TYPE=REGEX"),
        (("--include", "run=("), "is no regular expression"),
    ],
)
def test_faulty_choices_are_wrong_usage(tiny, portal, more, told):
    for command in (portal.plan, portal.ingest):
        ran = command(tiny.file, tiny.source, *more)
        assert ran.code == 2
        assert told in ran.err
    assert not portal.folder.exists()


def test_sidecars_name_nothing_that_is_not_there(tiny, portal):
    ingest(tiny, portal, "--only", "tomograms")
    sidecar = json.loads(portal.public()["20002/R1/Alignments/100/alignment_metadata.json"])
    assert sidecar["tiltseries_path"] is None
