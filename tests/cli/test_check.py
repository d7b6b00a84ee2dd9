"""`tomoportal check` as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tomoportal.cli.check import check
from tomoportal.errors import UsageError

GOOD = """\
version: 1.3.0
standardization_config: {deposition_id: 10300, source_prefix: depo}
depositions: [{sources: [{literal: {value: [10300]}}]}]
datasets: [{sources: [{literal: {value: ['10500']}}]}]
runs: [{sources: [{source_glob: {list_glob: 'tomograms/*.mrc', name_regex: '(.*)\\.mrc'}}]}]
voxel_spacings: [{sources: [{literal: {value: [13.48]}}]}]
"""
app = typer.Typer()
app.command()(check)
runner = CliRunner()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.yaml"
    path.write_text(GOOD.replace("runs:", "rnus:"))
    return path


def test_a_good_file_exits_with_0(good: Path) -> None:
    result = runner.invoke(app, [str(good)])

    assert result.exit_code == 0
    assert result.output == f"{good}: no problems\n"


def test_a_faulty_file_exits_with_1_and_says_line_place_and_hint(good: Path, faulty: Path) -> None:
    result = runner.invoke(app, [str(good), str(faulty)])

    assert result.exit_code == 1
    assert f"{faulty}: 2 errors\n" in result.output
    assert "  5:rnus: error: 'rnus' is not a known key here\n      Did you mean 'runs'?" in result.output


def test_json_gives_one_object_a_line(faulty: Path) -> None:
    result = runner.invoke(app, [str(faulty), "--json"])

    problems = [json.loads(line) for line in result.output.splitlines()]
    assert {problem["code"] for problem in problems} == {"unknown-key", "missing"}
    assert all(problem["file"] == str(faulty) and problem["severity"] == "error" for problem in problems)


def test_an_absent_file_is_wrong_usage(tmp_path: Path) -> None:
    result = runner.invoke(app, [str(tmp_path / "absent.yaml")])

    assert isinstance(result.exception, UsageError)
    assert "absent.yaml" in str(result.exception)


def test_what_is_wrong_in_another_file_names_it(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source/depo/tomograms"
    folder.mkdir(parents=True)
    (folder / "TS_1.mrc").touch()
    (folder.parent / "runs.csv").write_text("run_name,vs\nTS_1,10\nTS_1,10\n")
    good.write_text(GOOD.replace("source_prefix: depo", "source_prefix: depo, run_data_map_file: runs.csv"))

    result = runner.invoke(
        app, [str(good), "--source", str(tmp_path / "source"), "--storage", str(tmp_path / "portal")]
    )

    assert (
        "  runs.csv:3: warning: the run TS_1 stands here and, with the same values, in line 2\n"
        in result.output
    )


def test_with_a_source_it_shows_what_would_be_found(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source/depo/tomograms"
    folder.mkdir(parents=True)
    (folder / "TS_1.mrc").touch()
    arguments = [str(good), "--source", str(tmp_path / "source"), "--storage", str(tmp_path / "portal")]

    result = runner.invoke(app, arguments)

    assert result.exit_code == 0, result.output
    assert "dataset 10500: 1 run\n  to ingest: 1 run\n" in result.output
    assert not (tmp_path / "portal").exists()


def test_a_source_without_runs_is_an_error(good: Path, tmp_path: Path) -> None:
    result = runner.invoke(app, [str(good), "--source", str(tmp_path), "--storage", str(tmp_path / "portal")])

    assert result.exit_code == 1
    assert "no run was found" in result.output
