"""`tomoportal new`: what it writes passes `check` but for the places that it marks."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import yaml

from fixtures_command import FlowPortal, Ran, tomoportal
from fixtures_tiny import ANGLES, Tiny
from tomoportal.config import load_config
from tomoportal.config.authoring import FILL_IN

PEOPLE = ("--author", "Ada Example;0000-0002-1825-0097", "--author", "Ben Example")
DEPOSITION = (
    "--deposition-id", 20021, "--title", "Yeast: lamellae", "--description", "Tomograms of yeast #1.", "--release", "2099-12-31",
)  # fmt: skip
SAMPLE = {
    "datasets.sample_type": "in_vitro", "datasets.assay.name": "cryogenic electron tomography", "datasets.assay.id": "EFO:0700007",
    "datasets.development_stage.name": "unknown", "datasets.development_stage.id": "unknown", "datasets.disease.name": "normal",
    "datasets.disease.id": "PATO:0000461", "datasets.organism.name": "Saccharomyces cerevisiae", "datasets.organism.taxonomy_id": 4932,
}  # fmt: skip
ACQUISITION = {
    "frames.dose_rate": 2.0, "frames.is_gain_corrected": "true", "tiltseries.acceleration_voltage": 300000,
    "tiltseries.spherical_aberration_constant": 2.7, "tiltseries.tilt_step": 20, "tiltseries.tilting_scheme": "bidirectional",
    "tiltseries.tilt_axis": 84.7, "tiltseries.total_flux": 15, "tiltseries.data_acquisition_software": "SerialEM",
    "tiltseries.tilt_series_quality": 4, "tiltseries.is_aligned": "false", "tiltseries.microscope.manufacturer": "TFS",
    "tiltseries.microscope.model": "Krios", "tiltseries.microscope_optical_setup.energy_filter": "GIF",
    "tiltseries.camera.manufacturer": "Gatan", "tiltseries.camera.model": "K3", "tiltseries.tilt_range.min": min(ANGLES),
    "tiltseries.tilt_range.max": max(ANGLES),
}  # fmt: skip
TOMOGRAM = {
    "tomograms.fiducial_alignment_status": "FIDUCIAL", "tomograms.reconstruction_method": "WBP", "tomograms.processing": "raw",
    "tomograms.reconstruction_software": "IMOD",
}  # fmt: skip
ANNOTATION = {
    "annotations.annotation_ingest_id": "ribosomes", "annotations.annotation_method": "by hand", "annotations.method_type": "manual",
    "annotations.annotation_object.name": "cytosolic ribosome", "annotations.annotation_object.id": "GO:0022626",
}  # fmt: skip


def sets(*values: dict[str, object]) -> list[str]:
    return [
        word for some in values for place, value in some.items() for word in ("--set", f"{place}={value}")
    ]


def marked(file: Path) -> set[int]:
    """The lines that are to be filled in."""
    return {number for number, line in enumerate(file.read_text().splitlines(), 1) if f"# {FILL_IN}:" in line}


def checked(file: Path) -> tuple[int, set[int]]:
    """Exit status of `check`, and the lines of its errors."""
    ran = tomoportal("check", "--json", file)
    return ran.code, {problem["line"] for problem in ran.problems if problem["severity"] == "error"}


@pytest.mark.parametrize("kind", ["dataset", "annotations", "tomograms"])
def test_errors_are_just_the_places_to_fill_in(tmp_path, kind):
    file = tmp_path / "new.yaml"

    ran = tomoportal("new", file, "--kind", kind)

    lines = marked(file)
    assert ran.code == 0
    assert f"{len(lines)} places must be filled in: lines {', '.join(map(str, sorted(lines)))}." in ran.out
    assert len(lines) > 10
    assert checked(file) == (1, lines)


def test_a_dataset_with_all_flags_is_right_and_ingested(tmp_path, tiny: Tiny):
    file, portal = tmp_path / "new.yaml", FlowPortal(tmp_path / "portal")

    ran = tomoportal(
        "new", file, *DEPOSITION, *PEOPLE, "--dataset-id", 20022, "--funding", "An agency;G-1", "--source", tiny.source,
        *sets(SAMPLE, ACQUISITION, TOMOGRAM),
    )  # fmt: skip

    assert (ran.code, marked(file)) == (0, set())
    assert checked(file) == (0, set())
    assert portal.ingest(file, tiny.source).code == 0
    assert [row["run_name"] if "run_name" in row else row["name"] for row in portal.rows("Run", "name")] == [
        "R1"
    ]
    counts = {
        kind: len(portal.rows(kind))
        for kind in ("TiltSeries", "Alignment", "Tomogram", "Frame", "DatasetFunding")
    }
    assert counts == {"TiltSeries": 1, "Alignment": 1, "Tomogram": 1, "Frame": 5, "DatasetFunding": 1}
    assert portal.rows("Deposition", "title") == [{"title": "Yeast: lamellae"}]
    assert portal.rows("Tomogram", "voxel_spacing") == [{"voxel_spacing": 10.0}]


def test_annotations_and_tomograms_for_an_existing_dataset_are_ingested(tmp_path, tiny: Tiny):
    portal = FlowPortal(tmp_path / "portal")
    assert portal.ingest(tiny.file, tiny.source).code == 0
    before = (portal.layout / "20002/dataset_metadata.json").read_bytes()
    people = (*DEPOSITION, *PEOPLE, "--dataset-id", 20002, "--prefix", "lab")
    annotations, tomograms = tmp_path / "annotations.yaml", tmp_path / "tomograms.yaml"

    tomoportal(
        "new",
        annotations,
        "--kind",
        "annotations",
        *people,
        "--annotation",
        "Point:csv:{run_name}.csv",
        *sets(ANNOTATION),
    )
    spacing = {"tomograms.voxel_spacing": 10.0, "tomograms.processing_software": "another"}
    tomoportal(
        "new",
        tomograms,
        "--kind",
        "tomograms",
        *people,
        "--pattern",
        "tomograms=tomograms/{run_name}.mrc",
        *sets(TOMOGRAM, spacing),
    )

    for file in (annotations, tomograms):
        assert (marked(file), checked(file)) == (set(), (0, set()))
        assert [p for p in portal.ingest(file, tiny.source).problems if p["severity"] == "error"] == []
    assert (len(portal.rows("Annotation")), len(portal.rows("Tomogram"))) == (3, 2)
    assert (portal.layout / "20002/dataset_metadata.json").read_bytes() == before


def test_people_dates_and_identifiers_stand_where_they_belong(tmp_path):
    file = tmp_path / "new.yaml"

    tomoportal("new", file, *DEPOSITION, *PEOPLE, "--dataset-id", 20022, "--source", str(tmp_path), *sets(SAMPLE, TOMOGRAM),
               "--pattern", "runs=tomos/*_rec.mrc", "--pattern", "tomograms=tomos/{run_name}_rec.mrc",
               *sets({"tomograms.voxel_spacing": 7.5}))  # fmt: skip

    config = load_config(file).config
    assert config is not None
    (dataset,), (run,) = config.entries("datasets"), config.entries("runs")
    authors = [
        (a["name"], a.get("primary_author_status"), a.get("corresponding_author_status"))
        for a in dataset.metadata["authors"]
    ]
    assert authors == [("Ada Example", True, None), ("Ben Example", None, True)]
    assert dataset.sources[0].values == (("20022", None),)
    assert (run.sources[0].globs, run.sources[0].name_regex) == (("tomos/*_rec.mrc",), r"(.*)_rec\.mrc")
    assert config.entries("voxel_spacings")[0].sources[0].values == (("7.5", None),)


def test_what_is_in_the_source_is_proposed_and_the_rest_left_out(tmp_path):
    source = tmp_path / "source"
    for path in ("A/TS_1/TS_1.mdoc", "A/TS_1/frames/TS_1_001.tif", "A/TS_1/frames/TS_1_002.tif", "A/TS_1/rec.rec", "A/TS_2/TS_2.mdoc",
                 "A/TS_2/frames/TS_2_001.tif", "A/TS_2/rec.rec", "A/TS_2/TS_2.aln", "A/TS_1/TS_1.aln", "A/gain.dm4"):  # fmt: skip
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(b"")
    file = tmp_path / "new.yaml"

    ran = tomoportal("new", file, "--source", source)

    text = file.read_text()
    assert ran.code == 0
    assert "source_prefix: A " in text
    patterns = re.findall(r"list_glob: '(.*)'", text)
    assert patterns == ["TS_*", "{run_name}/{run_name}.mdoc", "{run_name}/frames/{run_name}*.tif", "gain.dm4", "{run_name}/{run_name}.aln",
                        "{run_name}/rec.rec"]  # fmt: skip
    assert "# 3 files: TS_1_001.tif, TS_1_002.tif, TS_2_001.tif\n" in text
    assert "# tiltseries: " in text
    assert "format: ARETOMO3" in text
    assert checked(file)[1] == marked(file)


def test_every_annotation_flag_gets_an_entry(tmp_path):
    file = tmp_path / "new.yaml"

    ran = tomoportal("new", file, "--kind", "annotations", *DEPOSITION, *sets(ANNOTATION), "--annotation", "Point:csv:a/{run_name}.csv",
                     "--annotation", "SegmentationMask:mrc:b/{run_name}.mrc", "--annotation", "Point:csv:c/{run_name}.csv")  # fmt: skip

    entries = yaml.safe_load(file.read_text())["annotations"]
    globs = [next(iter(source.values()))["glob_string"] for entry in entries for source in entry["sources"]]
    assert ran.code == 0
    assert globs == ["a/{run_name}.csv", "b/{run_name}.mrc", "c/{run_name}.csv"]
    assert [e["metadata"]["annotation_ingest_id"] for e in entries] == ["ribosomes", None, None]
    assert checked(file)[1] == marked(file)


def test_a_release_in_the_past_is_no_earlier_than_the_deposition(tmp_path):
    file = tmp_path / "new.yaml"

    tomoportal("new", file, "--release", "2025-03-01")

    dates = yaml.safe_load(file.read_text())["depositions"][0]["metadata"]["dates"]
    assert dates["deposition_date"] == dates["release_date"] == date(2025, 3, 1)
    assert checked(file)[1] == marked(file)


def test_the_standardization_config_can_be_set(tmp_path):
    file = tmp_path / "new.yaml"

    ran = tomoportal("new", file, *sets({
        "standardization_config.run_data_map_file": "tables/runs.csv", "standardization_config.source_prefix": "lab",
        "standardization_config.deposition_id": 20021,
    }))  # fmt: skip

    assert ran.code == 0
    read = yaml.safe_load(file.read_text())
    assert read["standardization_config"] == {
        "deposition_id": 20021, "source_prefix": "lab", "run_data_map_file": "tables/runs.csv",
    }  # fmt: skip
    assert read["depositions"][0]["metadata"]["deposition_identifier"] == 20021
    assert checked(file)[1] == marked(file)


@pytest.mark.parametrize(
    ("sizes", "value", "note"),
    [
        ((1.0, 1.0), None, "the headers say 1 Å, which mostly means that they say nothing"),
        ((2.7, 1.0, 2.7), 2.7, "the headers differ: 1 in 1, 2.7 in 2 of 3 files looked at"),
        ((1.35, 1.35), 1.35, None),
    ],
)
def test_pixel_sizes_of_headers_are_proposed_when_they_mean_something(tmp_path, sizes, value, note):
    for number, size in enumerate(sizes, 1):
        with mrcfile.new(tmp_path / f"TS_{number}.st", np.zeros((2, 4, 4), np.int16)) as stack:
            stack.set_image_stack()
            stack.voxel_size = size
    file = tmp_path / "new.yaml"

    tomoportal("new", file, "--source", tmp_path)

    (line,) = re.findall(r"^.* pixel_spacing:.*$", file.read_text(), re.MULTILINE)
    assert yaml.safe_load(file.read_text())["tiltseries"][0]["metadata"].get("pixel_spacing") == value
    assert ("header" in line) == bool(note)
    assert line.endswith(note or "")


def test_an_existing_file_is_not_overwritten(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    ran = tomoportal("new", file)
    assert (ran.code, file.read_text()) == (2, "mine")
    assert "not overwritten" in ran.err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--set", "tiltseries.tilt_axes=1"), "did you mean 'tilt_axis'"),
        (("--set", "tiltserie.tilt_axis=1"), "did you mean 'tiltseries'"),
        (("--set", "voxel_spacings=10"), "set as tomograms.voxel_spacing"),
        (("--set", "runs.sources=x"), "'runs' has no metadata"),
        (("--set", "tiltseries=x"), "expected a key of tiltseries"),
        (("--set", "standardization_config.run_map=x"), "expected one of deposition_id, source_prefix, run_data_map_file"),
        (("--set", "tiltseries.camera=K3"), "expected an object"),
        (("--set", "tiltseries.camera.model.name=K3"), "no keys of its own"),
        (("--set", "tiltseries.tilt_axis"), "expected PLACE=VALUE"),
        (("--set", "datasets.dataset_title=[a"), "is not YAML"),
        (("--pattern", "tomogram=x"), "expected SECTION=GLOB"),
        (("--annotation", "Point:xlsx:a"), "csv_with_header"),
        (("--release", "1.2.2025"), "expected a date"),
        (("--source", "/nowhere/at/all"), "no such folder"),
    ],
)  # fmt: skip
def test_wrong_flags_are_told_and_nothing_is_written(tmp_path, flags, told):
    file = tmp_path / "new.yaml"
    ran: Ran = tomoportal("new", file, *flags)
    assert (ran.code, file.exists()) == (2, False)
    assert told in ran.err


def test_values_are_kept_whatever_they_hold(tmp_path):
    file = tmp_path / "new.yaml"
    title = "yes: 'quoted' \"twice\" # {braces} – Å\\n"
    tomoportal(
        "new",
        file,
        *PEOPLE,
        "--deposition-id",
        7,
        "--title",
        title,
        "--kind",
        "annotations",
        "--dataset-id",
        "9",
    )
    written = file.read_text()
    assert f"deposition_title: {json.dumps(title, ensure_ascii=False)}" in written
    assert checked(file)[1] == marked(file)


def test_on_a_terminal_it_asks_and_takes_enter_for_later(tmp_path):
    answers = [
        "annotations",
        "A title",
        "",
        "twelve",
        "20021",
        "20002",
        "Ada Example;0000-0002-1825-0097",
        "",
        "2099-12-31",
    ]
    outer, inner = pty.openpty()
    os.write(outer, "".join(f"{answer}\n" for answer in answers).encode())

    command = [sys.executable, "-m", "tomoportal", "new", "new.yaml"]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=inner, capture_output=True, text=True, timeout=60, check=False
    )

    os.close(inner)
    os.close(outer)
    assert done.returncode == 0, done.stderr
    assert "Expected a whole number above 0." in done.stdout
    text = (tmp_path / "new.yaml").read_text()
    assert re.search(r"deposition_title: A title ", text)
    assert re.search(r"deposition_description: +# FILL IN", text)
    assert "- '20002'" in text
    assert "deposition_types: [annotation]" in text
    assert re.search(r"release_date: 2099-12-31 ", text)
