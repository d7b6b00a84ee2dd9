"""A catalogue that cannot be told of a change, since other metadata of the dataset are damaged: nobody gets new files with old rows."""

from __future__ import annotations

import pytest

from fixtures_command import FlowPortal
from fixtures_tiny import write_mrc

SIDECAR = "20002/R1/TiltSeries/100/tiltseries_metadata.json"


@pytest.fixture
def portal(tmp_path) -> FlowPortal:
    return FlowPortal(tmp_path / "portal")


def markers(portal: FlowPortal) -> list[str]:
    return [path for path in (file.as_posix() for file in portal.layout.rglob("*")) if "replacing" in path]


def test_what_was_replaced_stays_hidden_until_the_catalogue_has_it(tiny, portal) -> None:
    import numpy as np

    tiny.run("R2").write()
    assert portal.ingest(tiny.file, tiny.source).code == 0
    sizes = portal.rows("Tomogram", "size_x")
    other = portal.layout / SIDECAR
    sound = other.read_bytes()
    other.write_bytes(sound[:40])
    write_mrc(tiny.lab / "tomograms/R1.mrc", np.ones((12, 20, 30), np.float32), 10.0)
    ran = portal.ingest(tiny.file, tiny.source, "--only", "tomograms")
    assert ran.code == 1
    assert portal.rows("Tomogram", "size_x") == sizes
    assert markers(portal)
    other.write_bytes(sound)
    assert portal.ingest(tiny.file, tiny.source).code == 0
    assert {row["size_x"] for row in portal.rows("Tomogram", "size_x")} == {24, 30}
    assert not markers(portal)
