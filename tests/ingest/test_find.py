"""What `find` takes, what it refuses, and what it says."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import yaml

from ingest.made_sources import MemoryStorage
from tomoportal.config import Config, load_text
from tomoportal.errors import FormatError
from tomoportal.ingest.find import Found, FoundRun, find
from tomoportal.problems import Problem, Severity
from tomoportal.storage import LocalStorage

TILTSERIES = {
    "acceleration_voltage": 300000, "camera": {"manufacturer": "Gatan", "model": "K3"}, "data_acquisition_software": "SerialEM",
    "is_aligned": False, "microscope": {"manufacturer": "TFS", "model": "Krios"},
    "microscope_optical_setup": {"energy_filter": "GIF"}, "spherical_aberration_constant": 2.7, "tilt_axis": "float {axis}",
    "tilt_range": {"min": -60, "max": 60}, "tilt_series_quality": "int {quality}", "tilt_step": 3,
    "tilting_scheme": "dose-symmetric", "total_flux": 120, "pixel_spacing": 1.5, "binning_from_frames": "float {binning}",
}  # fmt: skip
COMMON = {
    "authors": [{"name": "A", "primary_author_status": True, "corresponding_author_status": True}],
    "dates": dict.fromkeys(("deposition_date", "release_date", "last_modified_date"), "2024-01-01"),
}
TOMOGRAM = {
    "voxel_spacing": 10.0, "fiducial_alignment_status": "{fiducial}", "reconstruction_method": "WBP", "processing": "raw",
    "reconstruction_software": "IMOD {version}", "tomogram_version": 1, "offset": {"x": 0, "y": 0, "z": 0},
    "is_visualization_default": True, **COMMON,
}  # fmt: skip


def glob(pattern: str, **more: Any) -> dict[str, Any]:
    return {"source_glob": {"list_glob": pattern, **more}}


def literal(*values: Any) -> dict[str, Any]:
    return {"literal": {"value": list(values)}}


def config(**sections: Any) -> Config:
    """A deposition file: a section is a source, a list of sources, or (metadata, sources)."""
    data: dict[str, Any] = {
        "version": "1.3.0",
        "standardization_config": {"deposition_id": 1, "source_prefix": "lab"} | sections.pop("settings", {}),
    }
    base = {"depositions": literal(1), "datasets": literal("10"), "runs": glob("*.mrc", name_regex=r"(.*)\.mrc"),
            "voxel_spacings": literal(10)}  # fmt: skip
    for name, value in {**base, **sections}.items():
        metadata, sources = value if isinstance(value, tuple) else (None, value)
        entry: dict[str, Any] = {"sources": sources if isinstance(sources, list) else [sources]}
        data[name] = [entry | ({"metadata": metadata} if metadata else {})]
    loaded = load_text(yaml.safe_dump(copy.deepcopy(data), sort_keys=False), "d.yaml")
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


def storage(*paths: str, **contents: str) -> MemoryStorage:
    files = {f"lab/{path}": b"" for path in paths}
    return MemoryStorage(files | {f"lab/{name}.csv": text.encode() for name, text in contents.items()})


def looked(config: Config, source: MemoryStorage, target: MemoryStorage | None = None, **more: Any) -> Found:
    return find(config, source, target or MemoryStorage(), **more)


def runs(found: Found) -> dict[str, FoundRun]:
    return {run.name: run for _, run in found.runs()}


def of(found: Found, code: str) -> Problem:
    problems = [problem for problem in found.problems if problem.code == code]
    assert len(problems) == 1, [str(problem) for problem in found.problems]
    return problems[0]


def paths(run: FoundRun, section: str) -> list[str | None]:
    return [item.path for item in run.items.get(section, ())]


def test_names_come_from_the_first_group_and_are_in_order() -> None:
    found = looked(
        config(runs=glob("*/*.mrc", name_regex=r"rec_(\w+)\.mrc")),
        storage("b/rec_2.mrc", "a/rec_3.mrc", "a/rec_1.mrc"),
    )

    assert [(name, run.path) for name, run in runs(found).items()] == [
        ("1", "lab/a/rec_1.mrc"), ("3", "lab/a/rec_3.mrc"), ("2", "lab/b/rec_2.mrc"),
    ]  # fmt: skip
    assert found.problems == ()


def test_match_regex_sees_the_whole_path_and_exclude_the_start_of_the_name() -> None:
    source = storage("TS_1.mrc", "TS_2.mrc", "xTS_3.mrc", "bad_TS.mrc")
    wanted = {**glob("*.mrc", match_regex=r"^/lab/.*TS", name_regex=r"(.*)\.mrc"), "exclude": ["bad", "S_1"]}

    assert list(runs(looked(config(runs=wanted), source))) == ["TS_1", "TS_2", "xTS_3"]


def test_a_file_without_a_name_is_told_and_the_others_are_kept() -> None:
    found = looked(config(runs=glob("*.mrc", name_regex=r"(TS_\d+)")), storage("TS_1.mrc", "notes.mrc"))

    problem = of(found, "no-name")
    assert list(runs(found)) == ["TS_1"]
    assert "lab/notes.mrc" in problem.message
    assert (problem.severity, problem.file, problem.where) == (Severity.ERROR, "d.yaml", "runs[0].sources[0]")
    assert problem.line


ALL_RUNS = {"destination_glob": {"list_glob": "{dataset_output_path}/*"}}


def test_a_dataset_that_is_not_in_the_portal_is_told_with_the_portal() -> None:
    target = MemoryStorage({"11/dataset_metadata.json": b"{}"})
    found = looked(config(runs=ALL_RUNS), storage(), target)

    (problem,) = [
        problem for problem in found.problems if problem.where == "runs" or "runs[0]" in problem.where
    ]
    assert problem.code == "no-run"
    assert problem.message == f"dataset 10 is not in the portal at {target.url}"
    assert "--storage" in problem.hint


def test_patterns_in_the_portal_are_told_with_the_portal_and_without_placeholders() -> None:
    target = MemoryStorage({"10/dataset_metadata.json": b"{}", "10/TS_1/run_metadata.json": b"{}"})
    wanted = {"destination_glob": {"list_glob": "{dataset_output_path}/X*"}}
    tomograms = {"destination_glob": {"list_glob": "{run_output_path}/Reconstructions/*"}}

    found = looked(config(runs=wanted), storage(), target)
    there = looked(config(runs=ALL_RUNS, tomograms=tomograms), storage(), target)

    assert of(found, "no-run").hint == f"Looked for 10/X* in the portal at {target.url}."
    empty = next(problem for problem in there.problems if problem.code == "empty")
    assert empty.message.endswith(
        "matches {run_output_path}/Reconstructions/*, such as 10/TS_1/Reconstructions/*"
    )
    assert "source_prefix" not in empty.hint


def test_two_files_claiming_one_run_are_both_named_and_neither_is_taken() -> None:
    found = looked(
        config(runs=glob("*/*.mrc", name_regex=r"(.*)\.mrc")),
        storage("a/TS_1.mrc", "b/TS_1.mrc", "b/TS_2.mrc"),
    )

    problem = of(found, "name-claimed-twice")
    assert list(runs(found)) == ["TS_2"]
    assert "lab/a/TS_1.mrc" in problem.message
    assert "lab/b/TS_1.mrc" in problem.message
    assert problem.severity is Severity.ERROR


def test_two_sources_claiming_one_run_are_told_too() -> None:
    sources = [glob("a/*.mrc", name_regex=r"(.*)\.mrc"), glob("b/*.mrc", name_regex=r"(.*)\.mrc")]
    found = looked(config(runs=sources), storage("a/TS_1.mrc", "b/TS_1.mrc", "b/TS_2.mrc"))

    assert list(runs(found)) == ["TS_2"]
    assert of(found, "name-claimed-twice")


@pytest.mark.parametrize("name", ["../evil", "a/b", "Images", ".hidden", "..", "a\tb", "", "x" * 300])
def test_unsafe_run_names_are_skipped(name: str) -> None:
    found = looked(config(runs=literal(name, "good")), storage())

    assert list(runs(found)) == ["good"]
    assert of(found, "unsafe-name").severity is Severity.ERROR


def test_no_run_and_no_dataset_are_errors() -> None:
    assert of(looked(config(), storage("readme.txt")), "no-run").severity is Severity.ERROR
    assert (
        of(looked(config(datasets=glob("1???")), storage("readme.txt")), "no-dataset").severity
        is Severity.ERROR
    )


def test_an_empty_glob_is_told_once_whatever_the_number_of_runs() -> None:
    source = storage(*(f"TS_{i}.mrc" for i in range(50)))
    found = looked(config(rawtilts=glob("{run_name}.rawtlt")), source)

    assert of(found, "empty").severity is Severity.WARNING
    absent = of(found, "nothing-found")
    assert "10/TS_0, 10/TS_1, 10/TS_10 and 47 more" in absent.message


def test_unknown_placeholders_name_the_known_ones() -> None:
    settings = {"run_data_map_file": "map.csv"}
    found = looked(config(settings=settings, rawtilts=glob("{tomo_nam}.rawtlt")),
                   storage("TS_1.mrc", map="run_name,tomo_name\nTS_1,t\n"))  # fmt: skip

    problem = of(found, "unknown-placeholder")
    assert "{tomo_nam}" in problem.message
    assert "tomo_name" in problem.hint
    assert "run_name" in problem.hint


TABLE = "run_name,axis,quality,binning,fiducial,version\nTS_1,84.5,4,,True,5\nTS_2,steep,9,2,False,\n"


def _with_table(**more: Any) -> Found:
    sections = {"tiltseries": (TILTSERIES, glob("{run_name}.mrc")), "collection_metadata": glob("{run_name}.mdoc"),
                "frames": ({"dose_rate": 1, "is_gain_corrected": True}, literal("default"))}  # fmt: skip
    source = storage("TS_1.mrc", "TS_2.mrc", "TS_3.mrc", map=TABLE)
    return looked(config(settings={"run_data_map_file": "map.csv"}, **{**sections, **more}), source)


def test_placeholders_in_metadata_become_numbers_and_empty_optional_ones_vanish() -> None:
    (item,) = runs(_with_table())["TS_1"].items["tiltseries"]

    assert item.metadata is not None
    assert item.metadata["tilt_axis"] == 84.5
    assert item.metadata["tilt_series_quality"] == 4
    assert isinstance(item.metadata["tilt_series_quality"], int)
    assert "binning_from_frames" not in item.metadata
    assert item.metadata["camera"] == {"manufacturer": "Gatan", "model": "K3"}


def test_bad_and_absent_values_name_run_column_and_value_and_leave_the_item_out() -> None:
    found = _with_table()
    told = {
        problem.where.rpartition(".")[2] + " " + problem.message
        for problem in found.problems
        if problem.code == "bad-value"
    }

    assert "tiltseries" not in runs(found)["TS_2"].items
    assert "tilt_axis found 'steep', expected a number (from {axis}): 10/TS_2" in told
    assert "tilt_series_quality found 9, expected at least 1 and at most 5 (from {quality}): 10/TS_2" in told
    assert (
        "tilt_axis the run has no line in the table map.csv, which gives {axis} its value: 10/TS_3"
    ) in told
    assert runs(found)["TS_3"].row is None


def test_a_column_that_does_not_exist_is_told_once_even_for_an_optional_key() -> None:
    found = _with_table(
        tiltseries=({**TILTSERIES, "binning_from_frames": "float {bining}"}, glob("{run_name}.mrc"))
    )

    problem = of(found, "unknown-placeholder")
    assert problem.where == "tiltseries[0].metadata.binning_from_frames"
    assert "binning" in problem.hint
    assert not any("tiltseries" in run.items for run in runs(found).values())


def test_texts_are_filled_and_words_are_brought_into_their_form() -> None:
    found = _with_table(tomograms=(TOMOGRAM, glob("{run_name}.mrc")))
    (item,) = runs(found)["TS_1"].spacings[0].items["tomograms"]

    assert item.metadata is not None
    assert item.metadata["fiducial_alignment_status"] == "FIDUCIAL"
    assert item.metadata["reconstruction_software"] == "IMOD 5"
    assert item.metadata["authors"] == COMMON["authors"]
    assert item.name == "TS_1.mrc"


def test_an_empty_cell_in_a_pattern_matches_nothing_rather_than_everything() -> None:
    source = storage("TS_1.mrc", "TS_2.mrc", "g/a_1.dm4", "g/b_1.dm4", map="run_name,gain\nTS_1,a\nTS_2,\n")
    found = looked(config(settings={"run_data_map_file": "map.csv"}, gains=glob("g/{gain}*.dm4")), source)

    assert paths(runs(found)["TS_1"], "gains") == ["lab/g/a_1.dm4"]
    assert paths(runs(found)["TS_2"], "gains") == []
    assert "10/TS_2" in of(found, "no-value").message


def test_columns_may_hold_patterns_but_names_are_literal() -> None:
    source = storage(
        "a[1].mrc",
        "a1.mrc",
        "a[1].rawtlt",
        "a1.rawtlt",
        "f/x_1",
        "f/x_2",
        map="run_name,p\na[1],f/x_*\na1,f/x_1\n",
    )
    sections = {"rawtilts": glob("{run_name}.rawtlt"), "gains": glob("{p}")}
    found = runs(looked(config(settings={"run_data_map_file": "map.csv"}, **sections), source))

    assert paths(found["a[1]"], "rawtilts") == ["lab/a[1].rawtlt"]
    assert paths(found["a[1]"], "gains") == ["lab/f/x_1", "lab/f/x_2"]
    assert paths(found["a1"], "gains") == ["lab/f/x_1"]


@pytest.mark.parametrize("cell", ["../../secret", "/etc/passwd"])
def test_a_cell_cannot_lead_out_of_the_source(cell: str) -> None:
    source = storage("TS_1.mrc", map=f"run_name,p\nTS_1,{cell}\n")
    found = looked(config(settings={"run_data_map_file": "map.csv"}, gains=glob("{p}")), source)

    assert of(found, "outside").severity is Severity.ERROR
    assert "gains" not in runs(found)["TS_1"].items


def test_two_column_maps_and_whole_numbers() -> None:
    source = storage("007.mrc", "t_A.rec", "x_7.mdoc", pairs="007,A\n")
    settings = {"run_to_tomo_map_csv": "pairs.csv"}
    found = looked(config(settings=settings, gains=glob("t_{mapped_tomo_name}.rec"), collection_metadata=glob("x_{int_run_name}.mdoc"),
                          frames=({"dose_rate": 1, "is_gain_corrected": True}, literal("default"))), source)  # fmt: skip

    assert paths(runs(found)["007"], "gains") == ["lab/t_A.rec"]
    assert paths(runs(found)["007"], "collection_metadata") == ["lab/x_7.mdoc"]
    (frames,) = runs(found)["007"].items["frames"]
    assert (frames.name, frames.path, frames.files) == ("default", None, ())


def test_an_absent_table_is_told() -> None:
    found = looked(config(settings={"run_data_map_file": "map.csv"}), storage("TS_1.mrc"))

    problem = of(found, "run-map")
    assert "'lab/map.csv'" in problem.message
    assert problem.where == "standardization_config.run_data_map_file"


def test_parent_filters() -> None:
    datasets = literal("10", "20")
    run_sources = [
        {**literal("a", "b"), "parent_filters": {"include": {"dataset": ["^10$"]}}},
        {**literal("c"), "parent_filters": {"exclude": {"dataset": ["^10$"]}}},
    ]
    rawtilts = {
        **glob("x"),
        "parent_filters": {"include": {"run": ["[ac]"], "dataset": ["0"]}, "exclude": {"run": ["c"]}},
    }
    found = looked(config(datasets=datasets, runs=run_sources, rawtilts=rawtilts), storage("x"))

    assert [(dataset.name, run.name) for dataset, run in found.runs()] == [
        ("10", "a"),
        ("10", "b"),
        ("20", "c"),
    ]
    assert {name: paths(run, "rawtilts") for name, run in runs(found).items()} == {
        "a": ["lab/x"],
        "b": [],
        "c": [],
    }
    assert not [problem for problem in found.problems if problem.code == "nothing-found"]


def test_voxel_spacings_are_named_with_three_decimals_and_once() -> None:
    spacings = [literal(10, "float {vs}"), {**literal(5), "parent_filters": {"exclude": {"run": ["TS_1"]}}}]
    source = storage("TS_1.mrc", "TS_2.mrc", map="run_name,vs\nTS_1,10.0004\nTS_2,13.4799\n")
    found = runs(looked(config(settings={"run_data_map_file": "map.csv"}, voxel_spacings=spacings), source))

    assert [(s.name, s.value) for s in found["TS_1"].spacings] == [("10.000", 10.0)]
    assert [s.name for s in found["TS_2"].spacings] == ["10.000", "13.480", "5.000"]


@pytest.mark.parametrize("cell", ["", "ten", "0", "-1", "nan"])
def test_bad_voxel_spacings_are_told_with_their_run(cell: str) -> None:
    source = storage("TS_1.mrc", map=f"run_name,vs,x\nTS_1,{cell},1\n")
    found = looked(
        config(settings={"run_data_map_file": "map.csv"}, voxel_spacings=literal("float {vs}")), source
    )

    assert "10/TS_1" in of(found, "voxel-spacing").message
    assert runs(found)["TS_1"].spacings == ()


def test_tomogram_header_asks_for_the_voxel_size() -> None:
    def size(path: str) -> float:
        if "TS_2" in path:
            raise FormatError(path, "this is no MRC file.")
        return 7.8401

    sources = {"tomogram_header": {"list_glob": "{run_name}.mrc"}}
    found = looked(config(voxel_spacings=sources), storage("TS_1.mrc", "TS_2.mrc"), voxel_size=size)

    assert [s.name for s in runs(found)["TS_1"].spacings] == ["7.840"]
    assert runs(found)["TS_2"].spacings == ()
    assert "lab/TS_2.mrc" in of(found, "header").message


def test_without_a_reader_headers_are_read_as_mrc(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    with mrcfile.new(tmp_path / "lab/TS_1.mrc", np.zeros((3, 4, 5), np.float32)) as volume:
        volume.voxel_size = (9.0, 7.84, 5.0)
    (tmp_path / "lab/TS_2.mrc").write_bytes(b"short")
    spacings = {"tomogram_header": {"list_glob": "{run_name}.mrc"}}

    found = find(config(voxel_spacings=spacings), LocalStorage(tmp_path), MemoryStorage())

    assert [s.name for s in runs(found)["TS_1"].spacings] == ["7.840"]
    assert "5 bytes" in of(found, "header").message


PUBLISHED = {
    "10/dataset_metadata.json": {}, "10/Images/snapshot.png": {}, "10/TS_1/run_metadata.json": {}, "10/TS_2/run_metadata.json": {},
    "10/TS_1/Alignments/100/alignment_metadata.json": {},
    "10/TS_1/Reconstructions/VoxelSpacing10.000/Tomograms/100/tomogram-metadata.json": {"processing": "raw", "a": [{"b": 1}]},
    "10/TS_1/Reconstructions/VoxelSpacing10.000/Tomograms/101/tomogram_metadata.json": {"processing": "denoised"},
    "10/TS_1/Reconstructions/VoxelSpacing10.000/Tomograms/101/TS_1.zarr/0/0/0/0": {}, ".tomoportal/x/y": {},
    "DepositionMetadata/1/deposition_metadata.json": {},
}  # fmt: skip
REFERENCES = {
    "runs": {"destination_glob": {"list_glob": "{dataset_output_path}/*"}, "exclude": ["TS_2"]},
    "voxel_spacings": {"destination_glob": {"list_glob": "{run_output_path}/Reconstructions/VoxelSpacing*",
                                            "name_regex": "VoxelSpacing(.*)"}},
    "alignments": {"destination_glob": {"list_glob": "{run_output_path}/Alignments/100/alignment_metadata.json"}},
}  # fmt: skip


def _published() -> MemoryStorage:
    return MemoryStorage({path: json.dumps(data).encode() for path, data in PUBLISHED.items()})


def test_references_are_found_in_the_portal_and_never_imported() -> None:
    target = _published()
    found = looked(config(**REFERENCES), storage(), target)

    (dataset,) = found.deposition.datasets if found.deposition else ()
    (run,) = dataset.runs
    assert (dataset.name, dataset.imported, run.name, run.referenced, run.path) == (
        "10",
        False,
        "TS_1",
        True,
        "10/TS_1",
    )
    (alignment,) = run.items["alignments"]
    assert alignment.referenced
    assert alignment.files == ("10/TS_1/Alignments/100/alignment_metadata.json",)
    assert [(s.name, s.referenced) for s in run.spacings] == [("10.000", True)]
    assert found.problems == ()
    assert target.listings == []


@pytest.mark.parametrize("spelling", ["tomogram_metadata.json", "tomogram-metadata.json"])
def test_both_spellings_of_metadata_files_are_found(spelling: str) -> None:
    glob_ = {"destination_glob": {"list_glob": "{voxel_spacing_output_path}/Tomograms/*/" + spelling}}
    found = looked(config(**REFERENCES, tomograms=glob_), storage(), _published())

    assert runs(found)["TS_1"].spacings[0].items["tomograms"][0].referenced


def test_datasets_of_the_whole_portal() -> None:
    datasets = {"destination_glob": {"list_glob": "{output_path}/*", "match_regex": r"/\d*$"}}
    found = looked(config(**{**REFERENCES, "datasets": datasets}), storage(), _published())

    assert found.deposition is not None
    assert [dataset.name for dataset in found.deposition.datasets] == ["10"]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([{"key": ["processing"], "value": "raw"}], ["100"]),
        ([{"key": ["processing"], "value": ["raw", "denoised"]}], ["100", "101"]),
        ([{"key": ["a", "b"], "value": [[1]]}], ["100"]),
        ([{"key": ["processing"], "value": "raw"}, {"key": ["nothing"], "value": 1}], []),
    ],
)
def test_destination_filter(filters: list[dict[str, Any]], ids: list[str]) -> None:
    source = {"destination_filter": {"filters": filters}}
    found = looked(config(**REFERENCES, tomograms=source), storage(), _published())

    items = runs(found)["TS_1"].spacings[0].items.get("tomograms", ())
    assert [item.path.split("/")[-2] for item in items if item.path] == ids


def test_all_files_of_an_alignment_are_one_item() -> None:
    sources = {"source_multi_glob": {"list_globs": ["{run_name}.xf", "{run_name}.*lt", "{run_name}.t*"]}}
    found = looked(
        config(alignments=({"format": "IMOD"}, sources)),
        storage("T.mrc", "T.xf", "T.tlt", "T.xtilt", "T.rawtlt"),
    )

    (item,) = runs(found)["T"].items["alignments"]
    assert item.files == ("lab/T.xf", "lab/T.rawtlt", "lab/T.tlt", "lab/T.xtilt")
    assert item.name == "T.xf,T.rawtlt,T.tlt,T.xtilt"


def test_a_zarr_folder_is_one_item_and_its_chunks_are_not_looked_at() -> None:
    source = storage("T.mrc", "v/deep/t.zarr/.zattrs", "v/deep/t.zarr/0/0/0/0", "v/t2.zarr/.zattrs")
    found = looked(config(gains=glob("v/**/*.zarr"), ctfs=glob("v/**/0")), source)

    assert paths(runs(found)["T"], "gains") == ["lab/v/deep/t.zarr", "lab/v/t2.zarr"]
    assert "ctfs" not in runs(found)["T"].items


def test_every_folder_is_listed_once() -> None:
    source = storage(*(f"{kind}/{i}.mrc" for kind in ("tomos", "ts", "other") for i in range(5)))
    sections = {
        "gains": glob("ts/{run_name}.mrc"),
        "rawtilts": glob("ts/{run_name}.*"),
        "ctfs": glob("tomos/{run_name}*"),
    }
    looked(config(runs=glob("tomos/*.mrc", name_regex=r"(.*)\.mrc"), **sections), source)

    assert sorted(source.listings) == ["lab/tomos", "lab/ts"]


def test_key_photos_and_metadata_of_datasets() -> None:
    photos = {"literal": {"value": {"snapshot": "https://x/a.png", "thumbnail": None}}}
    found = looked(config(runs=literal("a"), dataset_keyphotos=photos), storage())

    assert found.deposition is not None
    (photo,) = found.deposition.datasets[0].items["dataset_keyphotos"]
    assert (photo.name, photo.path) == ("snapshot", "https://x/a.png")
    assert not found.deposition.imported


def test_filter_values_are_filled() -> None:
    shape = {"file_format": "csv", "glob_string": "p.csv", "filter_value": "{run_name}.tomostar"}
    metadata = {"annotation_ingest_id": "a", "annotation_method": "m", "method_type": "manual", "version": 1.0,
                "annotation_object": {"id": "GO:0016020", "name": "membrane"}, **COMMON}  # fmt: skip
    found = looked(config(annotations=(metadata, {"Point": shape})), storage("T.mrc", "p.csv"))

    (item,) = runs(found)["T"].spacings[0].items["annotations"]
    assert item.parameters["filter_value"] == "T.tomostar"
    assert item.parameters["columns"] == "xyz"


def test_a_run_without_a_line_in_a_table_is_told_so() -> None:
    source = storage("TS_1.mrc", "TS_2.mrc", map="run_name,vs\nTS_1,10\n", pairs="TS_1,A\n")
    settings = {"run_data_map_file": "map.csv", "run_to_tomo_map_csv": "pairs.csv"}
    found = looked(
        config(settings=settings, voxel_spacings=literal("float {vs}"), gains=glob("{mapped_tomo_name}.dm4")),
        source,
    )

    assert (
        of(found, "voxel-spacing").message
        == "the run has no line in the table map.csv, which gives {vs} its value: 10/TS_2"
    )
    assert (
        of(found, "no-value").message
        == "the run has no line in the table pairs.csv, which gives {mapped_tomo_name} its value: 10/TS_2"
    )


def test_an_absent_table_is_told_once() -> None:
    settings = {"run_data_map_file": "map.csv", "run_to_tomo_map_csv": "pairs.csv"}
    tiltseries = ({**TILTSERIES, "binning_from_frames": "float {bining}"}, glob("{column}.mrc"))
    found = looked(
        config(
            settings=settings,
            voxel_spacings=literal("float {vs}"),
            tiltseries=tiltseries,
            gains=glob("{mapped_tomo_name}"),
        ),
        storage("TS_1.mrc"),
    )

    errors = [problem.code for problem in found.problems if problem.severity is Severity.ERROR]
    assert errors == ["run-map", "run-map"]
    assert not [problem for problem in found.problems if problem.code == "nothing-found"]
