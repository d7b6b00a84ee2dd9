"""`check --source`: the table run × section of what was found."""

from __future__ import annotations

import json

from fixtures_command import FlowPortal, tomoportal
from fixtures_tiny import Tiny


def cells(out: str, start: str) -> list[str]:
    """The words of the line of the table that starts so."""
    (line,) = [line for line in out.splitlines() if line.strip().startswith(start)]
    return line.split()


def test_every_run_is_shown_with_numbers_of_files_and_totals(tiny: Tiny, tmp_path):
    tiny.run("R2")
    (tiny.lab / "R2.rawtlt").unlink()
    portal = FlowPortal(tmp_path / "portal")

    ran = tomoportal("check", tiny.file, "--source", tiny.source, "--storage", portal.layout)

    assert ran.code == 0
    heads = cells(ran.out, "files of")[3:]
    assert heads == [
        "spacing",
        "collection",
        "metadata",
        "frames",
        "tiltseries",
        "rawtilts",
        "alignments",
        "tomograms",
        "annotations",
    ]
    assert cells(ran.out, "20002/R1") == ["20002/R1", "10.000", "1", "–", "1", "1", "2", "1", "2"]
    assert cells(ran.out, "20002/R2") == ["20002/R2", "10.000", "1", "–", "1", "–", "2", "1", "2"]
    assert cells(ran.out, "2 runs") == ["2", "runs", "2", "0", "2", "1", "4", "2", "4"]


def test_of_many_runs_the_first_are_shown_and_all_are_counted(tiny: Tiny, tmp_path):
    volume = (tiny.lab / "tomograms/R1.mrc").read_bytes()
    for number in range(30):
        (tiny.lab / f"tomograms/S{number:02d}.mrc").write_bytes(volume)

    out = tomoportal("check", tiny.file, "--source", tiny.source, "--storage", tmp_path / "portal").out

    assert sum(line.strip().startswith("20002/") for line in out.splitlines()) == 20
    assert "… and 11 more" in out
    assert cells(out, "31 runs")[-2:] == ["31", "2"]


def test_json_names_the_files_of_every_run_after_the_problems(tiny: Tiny, tmp_path):
    (tiny.lab / "R1.csv").unlink()

    ran = tomoportal("check", tiny.file, "--json", "--source", tiny.source, "--storage", tmp_path / "portal")

    *problems, run = [json.loads(line) for line in ran.out.splitlines()]
    assert {problem["code"] for problem in problems} == {"empty"}
    assert (run["dataset"], run["run"], run["voxel_spacings"]) == ("20002", "R1", ["10.000"])
    assert run["files"]["alignments"] == ["lab/R1.xf", "lab/R1.tlt"]
    assert run["files"]["annotations"] == ["lab/R1_mask.mrc"]
    assert run["files"]["frames"] == []
