"""What the check demands of alignments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fixtures_tiny import CONFIG
from tomoportal.config import load_config
from tomoportal.problems import Severity

IDENTITY = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
PLACE = "alignments[0].metadata"


def problems(folder: Path, **metadata: object) -> list[tuple[str, str, str]]:
    alignment = {**CONFIG["alignments"][0], "metadata": {"format": "IMOD", **metadata}}
    file = folder / "a.yaml"
    file.write_text(yaml.safe_dump({**CONFIG, "alignments": [alignment]}))
    return [(one.code, one.severity.value, one.where) for one in load_config(file).problems]


@pytest.mark.parametrize("written", ["IMOD", "ARETOMO3", "RELION", "WARP"])
def test_every_format_is_supported(tmp_path: Path, written: str) -> None:
    assert problems(tmp_path, format=written) == []


def test_another_format_names_those_that_are_known(tmp_path: Path) -> None:
    assert problems(tmp_path, format="DYNAMO") == [("word", "error", f"{PLACE}.format")]


def changed(row: int, column: int, value: object) -> list[list[object]]:
    return [
        [value if (i, j) == (row, column) else cell for j, cell in enumerate(line)]
        for i, line in enumerate(IDENTITY)
    ]


MATRIX = f"{PLACE}.affine_transformation_matrix"


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (IDENTITY, []),
        (IDENTITY[:3], [("matrix", "error", MATRIX)]),
        ([line[:3] for line in IDENTITY], [("matrix", "error", MATRIX)]),
        (changed(1, 1, 0), [("matrix", "error", MATRIX)]),
        (changed(0, 3, float("inf")), [("number", "error", f"{MATRIX}[0][3]")]),
        (changed(2, 2, float("nan")), [("number", "error", f"{MATRIX}[2][2]")]),
        (changed(2, 2, "one"), [("number", "error", f"{MATRIX}[2][2]")]),
        (changed(3, 2, 625), [("matrix-row", "warning", f"{MATRIX}[3]")]),
    ],
)
def test_the_matrix_is_one_of_a_transformation(
    tmp_path: Path, matrix: object, expected: list[tuple[str, str, str]]
) -> None:
    """A wrong last row alone is tolerated: a real deposition (10002) has its matrix transposed, and is not to be refused."""
    assert problems(tmp_path, affine_transformation_matrix=matrix) == expected


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "wide"])
@pytest.mark.parametrize("key", ["volume_dimension", "volume_offset"])
def test_lengths_are_finite(tmp_path: Path, key: str, value: object) -> None:
    assert problems(tmp_path, **{key: {"x": 1.5, "y": value, "z": 3}}) == [
        ("number", "error", f"{PLACE}.{key}.y")
    ]


def test_sizes_are_positive_and_offsets_may_be_negative(tmp_path: Path) -> None:
    assert problems(tmp_path, volume_dimension={"x": 0, "y": 1, "z": 1}) == [
        ("bounds", "error", f"{PLACE}.volume_dimension.x")
    ]
    assert problems(tmp_path, volume_offset={"x": -5, "y": 0, "z": 1}) == []


def test_volumes_may_name_their_alignment(tmp_path: Path) -> None:
    config = {**CONFIG}
    for section in ("tomograms", "annotations"):
        entry = CONFIG[section][0]
        config[section] = [{**entry, "metadata": {**entry["metadata"], "alignment_ingest_id": "fine"}}]
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump(config))
    assert [one for one in load_config(file).problems if one.severity is Severity.ERROR] == []
