"""`--force --metadata-only` writes sidecars anew, and never passes data that are out of date or half replaced off as those asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures_tiny import write_mrc

TOMOGRAM = "R1/Reconstructions/VoxelSpacing10.000/Tomograms/100"


@pytest.fixture
def sidecar(tiny, portal) -> Path:
    """That of the published tomogram."""
    assert portal.ingest(tiny.file, tiny.source).code == 0
    (path,) = (portal.layout / "20002" / TOMOGRAM).glob("*.json")
    return path


def test_a_volume_that_has_changed_is_left_out_and_made_anew_afterwards(tiny, portal, sidecar):
    before = sidecar.read_bytes()
    write_mrc(tiny.lab / "tomograms/R1.mrc", np.full((12, 20, 24), 7, np.float32), 10.0)
    ran = portal.ingest(tiny.file, tiny.source, "--force", "--metadata-only", "--only", "tomograms")
    assert ran.problem("without-data")["message"].startswith("1 tomogram with data of other sources")
    assert sidecar.read_bytes() == before
    assert f"{TOMOGRAM}  (source or parameters changed)" in portal.plan(tiny.file, tiny.source).out


def test_what_is_half_replaced_stays_so_until_it_is_made_anew(tiny, portal, sidecar):
    before = json.loads(sidecar.read_bytes())
    sidecar.rename(sidecar.with_name(".replacing"))
    ran = portal.ingest(tiny.file, tiny.source, "--force", "--metadata-only")
    assert ran.problem("without-data")["message"].startswith("1 tomogram with data of other sources")
    assert not sidecar.exists()
    assert portal.ingest(tiny.file, tiny.source).code == 0
    assert json.loads(sidecar.read_bytes()) == before
    assert not sidecar.with_name(".replacing").exists()


def test_what_is_whole_gets_a_new_sidecar_and_keeps_its_data(tiny, portal, sidecar):
    volume = next(sidecar.parent.glob("*.mrc"))
    inode = volume.stat().st_ino
    ran = portal.ingest(tiny.file, tiny.source, "--force", "--metadata-only", "--only", "tomograms")
    assert ran.problems == []
    assert portal.plan(tiny.file, tiny.source).out.startswith("Nothing to do")
    assert volume.stat().st_ino == inode
