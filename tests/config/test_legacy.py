"""Files of older versions of the language are read, or get a sentence that says what became of their keys."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from tomoportal.config import Loaded, load_text
from tomoportal.problems import Severity

SMALL: dict[str, Any] = {
    "version": "1.3.0",
    "standardization_config": {"deposition_id": 1, "source_prefix": "lab"},
    "depositions": [{"sources": [{"literal": {"value": [1]}}]}],
    "datasets": [{"sources": [{"literal": {"value": ["10"]}}]}],
    "runs": [{"sources": [{"source_glob": {"list_glob": "*.mrc"}}]}],
    "voxel_spacings": [{"sources": [{"literal": {"value": [10]}}]}],
}


def loaded(place: str = "", **more: Any) -> Loaded:
    data = copy.deepcopy(SMALL)
    (data[place] if place else data).update(more)
    return load_text(yaml.safe_dump(data, sort_keys=False))


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.2.0", "1.3.0", 1.0])
def test_all_versions_are_read(version: str) -> None:
    assert [p.code for p in loaded(version=version).problems if p.code != "text-unquoted"] == []


@pytest.mark.parametrize("version", ["2.0.0", "0.0.0", "newest"])
def test_other_versions_are_told_and_read(version: str) -> None:
    result = loaded(version=version)

    (problem,) = result.problems
    assert (problem.code, problem.severity, problem.line) == ("version", Severity.WARNING, 1)
    assert version in problem.message
    assert result.config is not None


@pytest.mark.parametrize(
    ("place", "key", "value", "hint"),
    [
        ("", "overrides", {"run": "x"}, "parent_filters"),
        ("", "viz_config", [], "always made"),
        ("", "annotation_viz", [], "always made"),
        ("standardization_config", "frame_dose_rate", 2.0, "metadata of frames"),
        ("standardization_config", "run_name_regex", "(.*)", "`sources`"),
        ("standardization_config", "tomo_glob", "*.mrc", "`sources`"),
        ("", "tomogram", [], "Did you mean 'tomograms'?"),
    ],
)
def test_old_keys_are_explained(place: str, key: str, value: Any, hint: str) -> None:
    (problem,) = loaded(place, **{key: value}).problems

    assert problem.code == "unknown-key"
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("ending", "section"), [("mdoc", "collection_metadata"), ("xf", "alignments"), ("aln", "alignments")]
)
def test_files_that_moved_out_of_rawtilts_are_told(ending: str, section: str) -> None:
    result = loaded(
        rawtilts=[{"sources": [{"source_multi_glob": {"list_globs": ["a/*.rawtlt", f"a/*.{ending}"]}}]}]
    )

    (problem,) = result.problems
    assert (problem.code, problem.severity) == ("misplaced", Severity.WARNING)
    assert section in problem.message
    assert result.config is not None


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://example.org/a.png", None),
        ("http://example.org/a.png", None),
        ("s3://bucket/a.png", None),
        ("raw-bucket/photos/a.png", None),
        ("file:///etc/passwd", "address"),
        ("ftp://example.org/a.png", "address"),
        ("https://", "address"),
        ("/etc/passwd", "outside"),
        ("a/../../b.png", "outside"),
        ("C:\\a.png", "outside"),
    ],
)
def test_addresses_of_key_photos(address: str, code: str | None) -> None:
    photos = [{"sources": [{"literal": {"value": {"snapshot": address, "thumbnail": None}}}]}]
    problems = [
        p for p in loaded(dataset_keyphotos=photos).problems if p.severity is not Severity.UNSUPPORTED
    ]

    assert [problem.code for problem in problems] == ([code] if code else [])
