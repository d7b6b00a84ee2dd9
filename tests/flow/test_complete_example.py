"""The complete example of the documentation: checked, ingested, and what became of its words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures_command import tomoportal
from fixtures_tiny import Tiny

EXAMPLE = Path(__file__).parents[2] / "examples" / "complete.yaml"
PLACES = {
    "{}.st": "stacks", "{}.rawtlt": "stacks", "{}.mdoc": "mdocs", "{}.xf": "alignment", "{}.tlt": "alignment",
    "tomograms/{}.mrc": "tomograms", "{}_mask.mrc": "masks", "{}.csv": "picks",
}  # fmt: skip
RUNS = {"TS_1": "84.7", "TS_2": "85.2"}


@pytest.fixture
def source(tmp_path) -> Path:
    """The files that the example describes, of two runs."""
    made = Tiny(tmp_path / "made")
    folder = tmp_path / "sources/lab_x/set2"
    for number, run in enumerate(RUNS):
        made.run(run, seed=number)
        for pattern, place in PLACES.items():
            old = made.lab / pattern.format(run)
            (folder / place).mkdir(parents=True, exist_ok=True)
            old.rename(folder / place / old.name.replace("_mask", ""))
    lines = [f"{run},10.0,{axis},4" for run, axis in RUNS.items()]
    (folder / "runs.csv").write_text("\n".join(["run_name,vs,tilt_axis,quality", *lines]) + "\n")
    return tmp_path / "sources"


def test_the_example_is_right_and_ingested_whole(source, portal):
    checked = tomoportal("check", EXAMPLE, "--source", source, *portal.options[:2])
    assert checked.code == 0
    assert f"{EXAMPLE}: no problems\n" in checked.out
    assert (
        "to ingest: 2 run, 2 frames, 2 tiltseries, 2 alignment, 2 tomogram, 4 annotation, 1 dataset, 1 deposition"
        in checked.out
    )
    ran = portal.ingest(EXAMPLE, source)
    assert (ran.code, ran.problems) == (0, [])
    counts = {
        kind: len(portal.rows(kind)) for kind in ("Run", "TiltSeries", "Alignment", "Tomogram", "Annotation")
    }
    assert counts == {"Run": 2, "TiltSeries": 2, "Alignment": 2, "Tomogram": 2, "Annotation": 4}
    assert [row["tilt_axis"] for row in portal.rows("TiltSeries", "tilt_axis")] == [84.7, 85.2]
    assert len(portal.rows("Frame")) == 10


def test_points_are_divided_by_binning(source, portal):
    (source / "lab_x/set2/picks/TS_1.csv").write_text("20,16,8\n")
    assert portal.ingest(EXAMPLE, source).code == 0
    (path,) = [path for path in portal.public() if "/TS_1/" in path and path.endswith(".ndjson")]
    assert json.loads(portal.public()[path])["location"] == {"x": 10, "y": 8, "z": 4}
