"""What a deposition file states and what its files say."""

from __future__ import annotations

import pytest

from tomoportal.ingest.agreement import ACQUIRED, disagreements
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import Key

STATED = {
    "tilt_axis": 84.7, "acceleration_voltage": 300000, "tilt_range": {"min": -60, "max": 60}, "tilt_step": 3,
    "total_flux": 120.0, "pixel_spacing": 5.0, "binning_from_frames": 2,
}  # fmt: skip
KNOWN = {
    "file": "a.mdoc", "angles": [-60.02, 59.98, 3.0], "tilt_axis": 85.3, "voltage": 300.0, "pixel_spacing": 2.5, "dose": 121.0,
}  # fmt: skip


def _told(stated=(), known=()) -> list[str]:
    key = Key("tiltseries", dataset="1", run="R", id=100)
    task = Task(key, {"deposition_id": 1}, {}, {}, {**STATED, **dict(stated)})
    return [problem.code for problem in disagreements(task, {ACQUIRED: {**KNOWN, **dict(known)}})]


def test_what_agrees_is_not_told():
    assert _told() == []
    assert list(disagreements(Task(Key("frames"), {}, {}, {}, STATED), {})) == []


@pytest.mark.parametrize(
    ("stated", "known", "code"),
    [
        ({}, {"tilt_axis": -95.3}, "tilt-axis"),
        ({"tilt_axis": -179.0}, {"tilt_axis": 179.0}, None),
        ({"tilt_axis": 95.0}, {"tilt_axis": 85.3}, None),
        ({"tilt_axis": 96.0}, {"tilt_axis": 85.3}, "tilt-axis"),
        ({}, {"voltage": 200.0}, "voltage"),
        ({}, {"angles": [-60.0, 57.0, 3.0]}, "tilt-range"),
        ({}, {"angles": [-60.0, 60.0, 2.0]}, "tilt-step"),
        ({}, {"angles": [0.0, 0.0, None]}, "tilt-range"),
        ({}, {"dose": 114.1}, None),
        ({}, {"dose": 113.0}, "total-flux"),
        ({"total_flux": 0.5}, {"dose": 1.4}, None),
        ({}, {"pixel_spacing": 5.0}, None),
        ({}, {"pixel_spacing": 1.25}, "pixel-spacing"),
        ({"binning_from_frames": None}, {"pixel_spacing": 2.5}, "pixel-spacing"),
        ({"tilt_range": None, "tilt_step": None, "tilt_axis": None, "total_flux": None, "pixel_spacing": None}, {}, None),
        ({}, {"tilt_axis": None, "voltage": None, "pixel_spacing": None, "dose": None, "angles": None}, None),
    ],
)  # fmt: skip
def test_each_statement_is_compared_within_its_tolerance(stated, known, code):
    assert _told(stated, known) == ([f"metadata-{code}"] if code else [])


def test_the_file_that_says_so_is_named():
    key = Key("tiltseries", dataset="1", run="R", id=100)
    task = Task(key, {"deposition_id": 1}, {}, {}, STATED)
    other = {"angles": [-52.24, 63.76, 3.0], "tilt_axis": 0.0, "header_pixel_spacing": 9.0}
    known = {**KNOWN, **other, "angles_file": "a.rawtlt", "header_file": "a.st"}

    assert {problem.code: problem.file for problem in disagreements(task, {ACQUIRED: known})} == {
        "metadata-tilt-range": "a.rawtlt", "metadata-tilt-axis": "a.mdoc", "metadata-pixel-spacing": "a.st",
    }  # fmt: skip
    older = {problem.file for problem in disagreements(task, {ACQUIRED: {**KNOWN, **other}})}
    assert older == {"a.mdoc"}
