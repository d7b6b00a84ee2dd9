# ruff: noqa: F811 - a fixture is imported
"""Tilt series on an object store of which an alignment cannot see the head: nothing is compared, and nothing is called unreadable."""

from __future__ import annotations

import json

import mrcfile
import pytest
import tifffile

from fixtures_s3 import S3Server, s3_server  # noqa: F401 - a fixture
from tomoportal.storage import open_storage


def test_a_tiff_stack_is_not_taken_for_a_broken_mrc(
    tiny, portal, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
):
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    stack = tiny.lab / "R1.st"
    tifffile.imwrite(tiny.lab / "R1.tif", mrcfile.read(stack), photometric="minisblack")
    stack.unlink()
    tiny.config["tiltseries"][0]["sources"][0]["source_glob"]["list_glob"] = "{run_name}.tif"
    source = open_storage(s3_server.bucket("tiff-tilt-series"))
    for file in filter(lambda path: path.is_file(), tiny.source.rglob("*")):
        source.write(str(file.relative_to(tiny.source)), file.read_bytes())
    ran = portal.ingest(tiny.write().file, source.url)
    assert ran.code == 0, ran.err
    assert "tiltseries-unreadable" not in {problem["code"] for problem in ran.problems}
    sidecar = json.loads(portal.public()["20002/R1/Alignments/100/alignment_metadata.json"])
    assert sidecar["per_section_alignment_parameters"][0]["x_offset"] == pytest.approx(-3.8, abs=0.1)
