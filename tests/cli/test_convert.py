"""`tomoportal convert` as a user runs it."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
import typer
import zarr
from typer.testing import CliRunner, Result

from tomoportal.cli.convert import convert
from tomoportal.errors import FormatError, UsageError

DATA = np.random.default_rng(8).normal(0, 5, (20, 33, 41)).astype(np.float32)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    with mrcfile.new(tmp_path / "tomo.mrc", DATA) as file:
        file.voxel_size = 13.48
        file.set_volume()
    return tmp_path / "tomo.mrc"


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(convert)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_volume_becomes_zarr_and_mrc_and_is_described(tmp_path: Path, source: Path) -> None:
    result = run(source, tmp_path / "o.zarr", "--mrc", tmp_path / "o.mrc")
    assert result.exit_code == 0, result.output
    assert np.array_equal(zarr.open_group(str(tmp_path / "o.zarr"), mode="r")["0"][:], DATA)
    assert np.array_equal(mrcfile.read(tmp_path / "o.mrc"), DATA)
    for words in ("13.480 Å", "41 × 33 × 20, 21 × 17 × 10, 11 × 9 × 5", "float32", "8 files", "sigma"):
        assert words in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.mrc", "o.zarr", "tomo.mrc"]


def test_what_exists_is_replaced_only_when_told(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "o.zarr"
    target.mkdir()
    (target / "mine").write_text("keep")
    refused = run(source, target)
    assert isinstance(refused.exception, UsageError)
    assert "--overwrite" in str(refused.exception)
    assert (target / "mine").read_text() == "keep"
    assert run(source, target, "--overwrite").exit_code == 0
    assert not (target / "mine").exists()
    assert (target / ".zattrs").exists()


def test_a_failure_leaves_what_was_there(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "o.zarr"
    assert run(source, target).exit_code == 0
    before = (target / ".zattrs").read_bytes()
    with mrcfile.new(tmp_path / "labels.mrc", np.zeros((4, 4, 4), np.int8)) as file:
        file.voxel_size = 1.0
    result = run(tmp_path / "labels.mrc", target, "--kind", "mask", "--label", 3, "--overwrite")
    assert isinstance(result.exception, FormatError)
    assert "mask label 3" in str(result.exception)
    assert (target / ".zattrs").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.mrc", "o.zarr", "tomo.mrc"]


def test_a_voxel_size_must_come_from_somewhere(tmp_path: Path) -> None:
    with mrcfile.new(tmp_path / "t.mrc", DATA):
        pass
    refused = run(tmp_path / "t.mrc", tmp_path / "o.zarr")
    assert isinstance(refused.exception, UsageError)
    assert "--voxel-size" in str(refused.exception)
    result = run(tmp_path / "t.mrc", tmp_path / "o.zarr", "--voxel-size", 7.84)
    assert "voxel size 7.840 Å" in result.output
    assert "warning" in result.output


def test_a_tilt_series_keeps_its_sections(tmp_path: Path, source: Path) -> None:
    result = run(source, tmp_path / "o.zarr", "--kind", "tilt-series", "--threads", 1)
    assert "41 × 33 × 20, 21 × 17 × 20, 11 × 9 × 20" in result.output


def test_mistaken_targets_are_refused(tmp_path: Path, source: Path) -> None:
    assert "does not exist" in str(run(source, tmp_path / "no" / "o.zarr").exception)
    assert "replace the input" in str(run(source, source, "--overwrite").exception)
