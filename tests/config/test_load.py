"""From text to typed config: values, traps of YAML 1.1, wrong values, unknown keys, rules across values."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tomoportal.config import Finder, Loaded, load_text
from tomoportal.config.identifiers import EXAMPLES
from tomoportal.problems import Problem, Severity

AUTHORS = [{"name": "A B", "primary_author_status": True, "corresponding_author_status": True}]
DATES = {"deposition_date": "2024-01-01", "release_date": "2024-02-01", "last_modified_date": "2024-02-01"}
COMMON = {"authors": AUTHORS, "dates": DATES}


def _glob(pattern: str, **more: Any) -> list[dict[str, Any]]:
    return [{"source_glob": {"list_glob": pattern, **more}}]


def _literal(*values: Any) -> list[dict[str, Any]]:
    return [{"literal": {"value": list(values)}}]


COMPLETE: dict[str, Any] = {
    "version": "1.3.0",
    "standardization_config": {"deposition_id": 20001, "source_prefix": "/lab_x//set1/".strip("/"), "run_data_map_file": "r.tsv"},
    "depositions": [
        {
            "metadata": {
                "deposition_identifier": 20001, "deposition_title": "T", "deposition_description": "D",
                "deposition_types": ["dataset"], **COMMON,
            },
            "sources": _literal(20001),
        }
    ],
    "datasets": [
        {
            "metadata": {
                "dataset_identifier": 20001, "dataset_title": "T", "dataset_description": "D", "sample_type": "in_vitro",
                "assay": {"name": "microscopy assay", "id": "EFO:0002909"}, "disease": {"name": "normal"},
                "development_stage": {"name": "unknown", "id": "unknown"}, **COMMON,
            },
            "sources": _literal("20001"),
        }
    ],
    "runs": [{"sources": [{**_glob("tomos/*.mrc", name_regex=r"(.*)\.mrc")[0], "exclude": ["^bad_"]}]}],
    "voxel_spacings": [{"sources": _literal("float {vs}")}],
    "collection_metadata": [{"sources": _glob("{run_name}.mdoc")}],
    "frames": [{"metadata": {"dose_rate": "float {dose}", "is_gain_corrected": False}, "sources": _literal("default")}],
    "tiltseries": [
        {
            "metadata": {
                "acceleration_voltage": 300000, "camera": {"manufacturer": "Gatan", "model": "K3"},
                "data_acquisition_software": "SerialEM", "is_aligned": False,
                "microscope": {"manufacturer": "TFS", "model": "Krios"},
                "microscope_optical_setup": {"energy_filter": "GIF", "phase_plate": None},
                "spherical_aberration_constant": 2.7, "tilt_axis": "float {axis}", "tilt_range": {"min": -60, "max": 60},
                "tilt_series_quality": 4, "tilt_step": 3, "tilting_scheme": "dose-symmetric", "total_flux": 120,
                "pixel_spacing": 1.5,
            },
            "sources": _glob("{run_name}.st"),
        }
    ],
    "alignments": [
        {"metadata": {"format": "IMOD"}, "sources": [{"source_multi_glob": {"list_globs": ["{run_name}.xf", "{run_name}.tlt"]}}]}
    ],
    "annotations": [
        {
            "metadata": {
                "annotation_ingest_id": "membrane-1", "annotation_method": "by hand", "method_type": "manual", "version": 1.0,
                "annotation_object": {"id": "GO:0016020", "name": "membrane"}, **COMMON,
            },
            "sources": [
                {
                    "SemanticSegmentationMask": {"file_format": "mrc", "glob_string": "{run_name}_seg.mrc", "mask_label": 3},
                    "parent_filters": {"include": {"voxel_spacing": [r"^10\."]}},
                },
            ],
        }
    ],
}  # fmt: skip


def _load(data: Any) -> Loaded:
    return load_text(yaml.safe_dump(data, sort_keys=False))


def _with(change: Callable[[dict[str, Any]], object]) -> list[Problem]:
    data = copy.deepcopy(COMPLETE)
    change(data)
    return list(_load(data).problems)


def _put(path: str, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(data: dict[str, Any]) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        here: Any = data
        for step in way:
            here = here[step]
        if value is DELETE:
            del here[last]
        else:
            here[last] = value

    return change


DELETE = object()


def test_a_complete_file_becomes_a_typed_config() -> None:
    loaded = _load(COMPLETE)

    assert loaded.problems == ()
    config = loaded.config
    assert config is not None
    assert config.standardization.source_prefix == "lab_x/set1"
    (runs,) = config.entries("runs")
    assert runs.metadata is None
    assert runs.sources[0].finder is Finder.SOURCE_GLOB
    assert runs.sources[0].globs == ("tomos/*.mrc",)
    assert (runs.sources[0].match_regex, runs.sources[0].name_regex) == (".*", r"(.*)\.mrc")
    assert runs.sources[0].exclude == ("^bad_",)
    mask = config.entries("annotations")[0].sources[0]
    assert mask.shape == "SemanticSegmentationMask"
    assert mask.include == {"voxel_spacing": (r"^10\.",)}
    assert mask.shape_parameters["mask_label"] == 3
    assert mask.shape_parameters["rescale"] is False
    assert config.entries("depositions")[0].sources[0].values == (("20001", None),)
    assert config.entries("tomograms") == ()


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ("tiltseries.0.metadata.tilt_axis", 400, "bounds", "tiltseries[0].metadata.tilt_axis"),
        ("tiltseries.0.metadata.tilt_axis", "steep", "number", "tiltseries[0].metadata.tilt_axis"),
        ("tiltseries.0.metadata.tilt_axis", "{axis}", "placeholder", "tiltseries[0].metadata.tilt_axis"),
        ("tiltseries.0.metadata.tilt_axis", float("nan"), "number", "tiltseries[0].metadata.tilt_axis"),
        ("tiltseries.0.metadata.tilt_axis", None, "missing", "tiltseries[0].metadata.tilt_axis"),
        ("tiltseries.0.metadata.tilt_axis", [1], "kind", "tiltseries[0].metadata.tilt_axis"),
        ("tiltseries.0.metadata.tilt_series_quality", 2.5, "number", "tiltseries[0].metadata.tilt_series_quality"),
        ("tiltseries.0.metadata.tilt_series_quality", 6, "bounds", "tiltseries[0].metadata.tilt_series_quality"),
        ("tiltseries.0.metadata.camera.model", "K33", "word", "tiltseries[0].metadata.camera.model"),
        ("tiltseries.0.metadata.camera", "K3", "kind", "tiltseries[0].metadata.camera"),
        ("tiltseries.0.metadata.is_aligned", "maybe", "truth", "tiltseries[0].metadata.is_aligned"),
        ("tiltseries.0.metadata.tilting_scheme", False, "text", "tiltseries[0].metadata.tilting_scheme"),
        ("tiltseries.0.metadata.related_empiar_entry", "12345", "pattern", "tiltseries[0].metadata.related_empiar_entry"),
        ("tiltseries.0.metadata.tilt_range", {"min": 60, "max": -60}, "tilt-range", "tiltseries[0].metadata.tilt_range.min"),
        ("frames.0.metadata.dose_rate", 0, "bounds", "frames[0].metadata.dose_rate"),
        ("depositions.0.metadata.dates.release_date", "2023-XX-XX", "date", "depositions[0].metadata.dates.release_date"),
        ("depositions.0.metadata.dates.release_date", "2023-01-01", "dates", "depositions[0].metadata.dates.release_date"),
        ("depositions.0.metadata.authors", [], "missing", "depositions[0].metadata.authors"),
        ("depositions.0.metadata.authors", [{"name": "A"}], "authors", "depositions[0].metadata.authors"),
        ("depositions.0.metadata.authors", AUTHORS * 2, "repeated", "depositions[0].metadata.authors[1]"),
        ("depositions.0.metadata.deposition_types", ["dateset"], "word", "depositions[0].metadata.deposition_types[0]"),
        ("depositions.0.metadata.cross_references", {"publications": "10.1/x, none"}, "pattern",
         "depositions[0].metadata.cross_references.publications"),
        ("depositions.0.sources.0.literal.value", [20002], "identifier", "depositions[0].metadata.deposition_identifier"),
        ("depositions.0.sources.0.literal.value", [20001, 20002], "deposition", "depositions"),
        ("depositions.0.sources.0.literal.value", ["abc"], "number", "depositions[0].sources[0].literal.value[0]"),
        ("datasets.0.metadata.sample_type", "cell_line", "sample", "datasets[0].metadata.cell_strain"),
        ("datasets.0.metadata.development_stage", {"name": "unknown", "id": "WBls:0000003"}, "stage",
         "datasets[0].metadata.development_stage"),
        ("datasets.0.metadata.organism", {"taxonomy_id": 1}, "missing", "datasets[0].metadata.organism.name"),
        ("datasets.0.metadata.assay", DELETE, "missing", "datasets[0].metadata.assay"),
        ("datasets.0.sources", [], "missing", "datasets[0].sources"),
        ("runs", DELETE, "missing", "runs"),
        ("runs", [], "missing", "runs"),
        ("runs.0.sources.0.source_glob.match_regex", "(", "regex", "runs[0].sources[0].source_glob.match_regex"),
        ("runs.0.sources.0.source_glob.name_regex", r".*\.mrc", "regex-group", "runs[0].sources[0].source_glob.name_regex"),
        ("runs.0.sources.0.source_glob.list_glob", "../other/*", "outside", "runs[0].sources[0].source_glob.list_glob"),
        ("runs.0.sources.0.source_glob.list_glob", "/etc/*", "outside", "runs[0].sources[0].source_glob.list_glob"),
        ("runs.0.sources.0.source_glob.list_glob", "s3://b/*", "outside", "runs[0].sources[0].source_glob.list_glob"),
        ("runs.0.sources.0.source_glob.list_glob", "{run", "placeholder", "runs[0].sources[0].source_glob.list_glob"),
        ("runs.0.sources.0.source_glob.list_glob", "{a.__class__}", "placeholder", "runs[0].sources[0].source_glob.list_glob"),
        ("runs.0.sources.0.literal", {"value": ["a"]}, "one-of", "runs[0].sources[0]"),
        ("runs.0.sources.0", {"parent_filters": {"include": {"dataset": ["1"]}}}, "missing", "runs[0].sources[0]"),
        ("runs.0.sources.0.parent_filters", {"include": {"run": ["a"]}}, "unknown-key",
         "runs[0].sources[0].parent_filters.include.run"),
        ("tiltseries.0.metadata.tilting_scheme", "{", "placeholder", "tiltseries[0].metadata.tilting_scheme"),
        ("standardization_config.source_prefix", "a/../../b", "outside", "standardization_config.source_prefix"),
        ("standardization_config.run_data_map_file", DELETE, "placeholder", "frames[0].metadata.dose_rate"),
        ("alignments.0.metadata.affine_transformation_matrix", [[1, 0], [0, 1]], "matrix",
         "alignments[0].metadata.affine_transformation_matrix"),
        ("alignments.0.metadata.affine_transformation_matrix", [[0, 0, 0, 0]] * 3 + [[0, 0, 0, 1]], "matrix",
         "alignments[0].metadata.affine_transformation_matrix"),
        ("alignments.0.metadata.offset", {"x": 0}, "unknown-key", "alignments[0].metadata.offset"),
        ("frames", DELETE, "frames", "collection_metadata"),
        ("annotations.0.metadata", DELETE, "missing", "annotations[0].metadata"),
        ("annotations.0.metadata.confidence", {"precision": 90}, "confidence", "annotations[0].metadata.confidence.precision"),
        ("annotations.0.sources.0.SemanticSegmentationMask.threshold", 0.5, "mask",
         "annotations[0].sources[0].SemanticSegmentationMask.threshold"),
        ("annotations.0.sources.0.SemanticSegmentationMask.glob_strings", ["a"], "one-of",
         "annotations[0].sources[0].SemanticSegmentationMask"),
        ("annotations.0.sources.0.Point", {"file_format": "csv", "glob_string": "a"}, "one-of", "annotations[0].sources[0]"),
    ],
)  # fmt: skip
def test_each_mistake_is_an_error_at_its_place(path: str, value: Any, code: str, where: str) -> None:
    problems = [p for p in _with(_put(path, value)) if p.severity is Severity.ERROR]

    assert (code, where) in {(p.code, p.where) for p in problems}
    assert all(p.line and p.message for p in problems)


@pytest.mark.parametrize(
    ("path", "value", "message", "hint"),
    [
        ("tiltseries.0.metadata.acceleration_voltage", "300 kV", "found the text '300 kV', expected a whole number of V such as 300000",
         "Write the number alone; it counts as V."),
        ("tiltseries.0.metadata.acceleration_voltage", "300,000", "expected a whole number of V", "Write 300000 without commas."),
        ("tiltseries.0.metadata.spherical_aberration_constant", "2,7", "expected a number of mm such as 2.7", "Write 2.7 with a point."),
        ("frames.0.metadata.dose_rate", "2 e/px/s", "expected a number of e⁻/Å²/s such as 2.5", "it counts as e⁻/Å²/s"),
        ("tiltseries.0.metadata.tilt_axis", "steep", "expected a number of ° such as 3", ""),
        ("alignments.0.metadata.format", "etomo", "found 'etomo', expected one of IMOD", "Did you mean 'IMOD'?"),
        ("alignments.0.metadata.format", "imod", "found 'imod'", "Did you mean 'IMOD'?"),
        ("alignments.0.metadata.format", "AreTomo", "found 'AreTomo'", "Did you mean 'ARETOMO3'?"),
        ("alignments.0.metadata.format", "aretomo2", "found 'aretomo2'", "Did you mean 'ARETOMO3'?"),
        ("alignments.0.metadata.format", "relion5", "found 'relion5'", "Did you mean 'RELION'?"),
        ("alignments.0.metadata.format", "warptools", "found 'warptools'", "Did you mean 'WARP'?"),
        ("alignments.0.metadata.format", "M", "found 'M'", "Did you mean 'WARP'?"),
    ],
)  # fmt: skip
def test_what_is_meant_is_told_with_unit_and_example(path: str, value: Any, message: str, hint: str) -> None:
    (problem,) = [p for p in _with(_put(path, value)) if p.severity is Severity.ERROR]

    assert message in problem.message
    assert (hint in problem.hint) if hint else not problem.hint


def test_one_mistake_gives_one_error() -> None:
    problems = _with(_put("tiltseries.0.metadata.tilt_axis", "steep"))

    assert [p.code for p in problems] == ["number"]
    assert "'steep'" in problems[0].message


def test_automated_annotations_are_no_ground_truth() -> None:
    def change(data: dict[str, Any]) -> None:
        data["annotations"][0]["metadata"] |= {"method_type": "automated", "ground_truth_status": True}

    assert [p.code for p in _with(change)] == ["ground-truth"]


def test_the_same_shape_twice_needs_parent_filters() -> None:
    def change(data: dict[str, Any]) -> None:
        sources = data["annotations"][0]["sources"]
        sources += [
            copy.deepcopy(sources[0]),
            {"SemanticSegmentationMask": sources[0]["SemanticSegmentationMask"]},
        ]

    assert [(p.code, p.where) for p in _with(change)] == [
        ("shape-twice", "annotations[0].sources[2].SemanticSegmentationMask")
    ]


def test_ingest_ids_are_unique() -> None:
    problems = _with(lambda data: data["annotations"].append(copy.deepcopy(data["annotations"][0])))

    assert [(p.code, p.where) for p in problems] == [
        ("ingest-id", "annotations[1].metadata.annotation_ingest_id")
    ]


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("depositions.0.sources.0.literal.value", ["20001"], "number-as-text"),
        ("datasets.0.sources.0.literal.value", [20001], "text-unquoted"),
        ("tiltseries.0.metadata.total_flux", "1e2", "number-as-text"),
        ("tiltseries.0.metadata.is_aligned", "no", "truth-as-text"),
        ("standardization_config.deposition_id", 20002, "identifier"),
        ("version", DELETE, "version"),
        ("collection_metadata", DELETE, "collection-metadata"),
    ],
)
def test_what_the_reference_system_tolerates_is_a_warning(path: str, value: Any, code: str) -> None:
    loaded = _load_changed(path, value)

    assert [(p.code, p.severity) for p in loaded.problems] == [(code, Severity.WARNING)]
    assert loaded.config is not None


def _load_changed(path: str, value: Any) -> Loaded:
    data = copy.deepcopy(COMPLETE)
    _put(path, value)(data)
    return _load(data)


def test_unknown_keys_name_the_nearest_known_one() -> None:
    (problem,) = _with(_put("tiltseries.0.metadata.tilt_axsi", 3))

    assert problem.where == "tiltseries[0].metadata.tilt_axsi"
    assert "tilt_axis" in problem.hint


def test_duplicate_keys_are_found_with_both_lines() -> None:
    loaded = load_text("version: 1.3.0\nruns: []\nversion: 1.2.0\n")

    problem = next(p for p in loaded.problems if p.code == "duplicate-key")
    assert problem.line == 3
    assert "line 1" in problem.message


def test_texts_keep_their_spelling_and_dates_become_iso() -> None:
    text = yaml.safe_dump(COMPLETE, sort_keys=False)
    text = text.replace("'2024-01-01'", "2024-01-01").replace("version: 1.3.0", "version: 1.0")
    text += "gains: [{sources: [{literal: {value: [0001, 1_000]}}]}]\n"

    loaded = load_text(text)

    assert loaded.config is not None
    assert loaded.config.version == "1.0"
    metadata = loaded.config.entries("depositions")[0].metadata
    assert metadata is not None
    assert metadata["dates"]["deposition_date"] == "2024-01-01"
    assert [name for name, _ in loaded.config.entries("gains")[0].sources[0].values] == ["0001", "1_000"]


def test_merged_objects_are_read() -> None:
    text = yaml.safe_dump(COMPLETE, sort_keys=False)
    text = text.replace(
        "    microscope:\n      manufacturer: TFS\n",
        "    microscope:\n      <<: {manufacturer: TFS, model: Polara}\n",
    )

    loaded = load_text(text)

    assert loaded.config is not None, loaded.problems
    metadata = loaded.config.entries("tiltseries")[0].metadata
    assert metadata is not None
    assert metadata["microscope"] == {"manufacturer": "TFS", "model": "Krios"}


def test_an_impossible_date_is_told() -> None:
    text = yaml.safe_dump(COMPLETE, sort_keys=False).replace("'2024-01-01'", "2024-13-01")

    assert "value" in {p.code for p in load_text(text).problems}


@pytest.mark.parametrize(
    "text", ["just text", "[1, 2]", "3", "a: !!python/object:os.system x", "? [a]\n: b", "null"]
)
def test_other_yaml_is_refused_with_sentences(text: str) -> None:
    loaded = load_text(text)

    assert loaded.config is None
    assert loaded.problems


def test_key_photos_of_both_kinds_are_supported() -> None:
    own = [{"sources": [{"literal": {"value": {"snapshot": None, "thumbnail": None}}}]}]
    given = [{"sources": [{"literal": {"value": {"snapshot": "https://x/y.png"}}}]}]

    assert _load_changed("dataset_keyphotos", own).problems == ()
    assert _load_changed("dataset_keyphotos", given).problems == ()


def test_a_mistake_behind_an_alias_is_told_once() -> None:
    text = yaml.safe_dump(COMPLETE, sort_keys=False).replace("'2024-02-01'", "soon")

    told = [p for p in load_text(text).problems if p.code == "date"]

    assert len({p.line for p in told}) == len(told)


@pytest.mark.parametrize(("pattern", "examples"), [(p, e) for p, (_, e) in EXAMPLES.items()])
def test_examples_in_messages_are_right(pattern: str, examples: tuple[str, ...]) -> None:
    assert all(re.search(pattern, example) for example in examples)


def test_a_faulty_file_format_is_told_once() -> None:
    data = copy.deepcopy(COMPLETE)
    shape = next(iter(data["annotations"][0]["sources"][0].values()))
    shape["file_format"] = "csvv"
    told = load_text(yaml.safe_dump(data, sort_keys=False)).problems

    assert [problem.code for problem in told] == ["word"]


def test_a_voltage_in_kilovolts_is_recognised() -> None:
    data = copy.deepcopy(COMPLETE)
    data["tiltseries"][0]["metadata"]["acceleration_voltage"] = 300
    (told,) = load_text(yaml.safe_dump(data, sort_keys=False)).problems

    assert told.severity is Severity.ERROR
    assert told.hint == "300000? The value is in volts."


@pytest.mark.parametrize(
    ("orcid", "right"),
    [("0000-0002-1825-0097", True), ("0000-0002-1694-233X", True), ("0000-0002-1825-0079", False)],
)
def test_a_mistyped_orcid_is_a_warning(orcid: str, right: bool) -> None:
    data = copy.deepcopy(COMPLETE)
    data["depositions"][0]["metadata"]["authors"] = [{**AUTHORS[0], "ORCID": orcid}]
    loaded = load_text(yaml.safe_dump(data, sort_keys=False))

    assert loaded.config is not None
    assert [(problem.code, problem.severity) for problem in loaded.problems] == (
        [] if right else [("orcid", Severity.WARNING)]
    )
