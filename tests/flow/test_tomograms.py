"""Tomograms as users bring them, from the deposition file to the catalogue: several of a run, other formats, what is told of each."""

from __future__ import annotations

import copy
import gzip
import json
import struct
from itertools import product
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile
import zarr

from fixtures_command import FlowPortal, ingest_tiny
from fixtures_tiny import Tiny, write_mrc

DATA = np.random.default_rng(5).normal(0, 1, (12, 20, 24)).astype(np.float32)


@pytest.fixture
def portal(tmp_path: Path) -> FlowPortal:
    return FlowPortal(tmp_path / "portal")


def tomograms(portal: FlowPortal) -> dict[str, dict]:
    """Sidecars of the tomograms by their path."""
    found = sorted(portal.layout.glob("20002/R1/Reconstructions/*/Tomograms/*/tomogram-metadata.json"))
    return {path.relative_to(portal.layout).as_posix(): json.loads(path.read_text()) for path in found}


def codes(ran) -> set[str]:
    return {problem["code"] for problem in ran.problems}


def bring(tiny: Tiny, name: str, **metadata) -> Path:
    """Let the tomogram be `others/[name]` without annotations; gives where it lies."""
    (tiny.lab / "others").mkdir(exist_ok=True)
    (entry,) = tiny.config["tomograms"]
    entry["sources"] = [{"source_glob": {"list_glob": f"others/{name}", "match_regex": ".*"}}]
    entry["metadata"] |= metadata
    tiny.config.pop("annotations", None)
    return tiny.lab / "others" / name


def published(portal: FlowPortal) -> np.ndarray:
    (home,) = tomograms(portal)
    folder = (portal.layout / home).parent
    data = np.asarray(zarr.open_group(str(folder / "R1.zarr"), mode="r")["0"][:])
    assert np.array_equal(mrcfile.read(folder / "R1.mrc"), data)
    return data


def test_raw_and_denoised_at_two_spacings_keep_their_ids(tiny: Tiny, portal: FlowPortal) -> None:
    (entry,) = tiny.config["tomograms"]
    (tiny.lab / "others").mkdir()
    tiny.config["voxel_spacings"] = [{"sources": [{"literal": {"value": [10.0, 20.0]}}]}]
    tiny.config["tomograms"] = []
    for processing, spacing in product(("raw", "denoised"), (10.0, 20.0)):
        made = copy.deepcopy(entry)
        made["metadata"] |= {
            "processing": processing,
            "voxel_spacing": spacing,
            "is_visualization_default": processing == "raw",
        }
        made["sources"] = [
            {
                "source_glob": {
                    "list_glob": f"others/{{run_name}}_{processing}_{spacing:g}.mrc",
                    "match_regex": ".*",
                }
            }
        ]
        tiny.config["tomograms"].append(made)
        step = round(spacing / 10)
        write_mrc(
            tiny.lab / f"others/R1_{processing}_{spacing:g}.mrc",
            DATA[::step, ::step, ::step] + (processing == "raw"),
            spacing,
        )
    assert ingest_tiny(tiny, portal).code == 0
    first = tomograms(portal)
    kinds = {
        path: (sidecar["processing"], sidecar["voxel_spacing"], sidecar["size"]["x"])
        for path, sidecar in first.items()
    }
    assert sorted(kinds.values()) == [
        ("denoised", 10.0, 24),
        ("denoised", 20.0, 12),
        ("raw", 10.0, 24),
        ("raw", 20.0, 12),
    ]
    assert len({path.split("/")[-2] for path in first}) == 4, "folder ids count through the run"
    fields = ("voxel_spacing", "processing", "size_x", "s3_mrc_file")
    rows = portal.rows("Tomogram", *fields, "id")
    assert "Nothing to do" in portal.plan(tiny.file, tiny.source).out

    tiny.config["tomograms"].reverse()
    assert ingest_tiny(tiny, portal).code == 0
    assert tomograms(portal) == first
    write_mrc(tiny.lab / "others/R1_denoised_20.mrc", DATA[::2, ::2, ::2] * 2, 20.0)
    assert ingest_tiny(tiny, portal).code == 0
    assert {
        path: (s["processing"], s["voxel_spacing"], s["size"]["x"]) for path, s in tomograms(portal).items()
    } == kinds
    assert portal.rows("Tomogram", *fields, "id") == rows


def test_tomograms_that_differ_in_their_alignment_alone(tiny: Tiny, portal: FlowPortal) -> None:
    (entry,) = tiny.config["tomograms"]
    (alignment,) = tiny.config["alignments"]
    (tiny.lab / "others").mkdir()
    tiny.config["alignments"], tiny.config["tomograms"] = [], []
    for number, name in enumerate(("one", "two")):
        for ending in ("xf", "tlt"):
            (tiny.lab / f"{name}.{ending}").write_bytes((tiny.lab / f"R1.{ending}").read_bytes())
        aligned = copy.deepcopy(alignment)
        aligned["sources"] = [{"source_multi_glob": {"list_globs": [f"{name}.xf", f"{name}.tlt"]}}]
        tiny.config["alignments"].append(aligned)
        made = copy.deepcopy(entry)
        made["sources"] = [{"source_glob": {"list_glob": f"others/{name}.mrc", "match_regex": ".*"}}]
        made["metadata"]["is_visualization_default"] = number == 0
        tiny.config["tomograms"].append(made)
        write_mrc(tiny.lab / f"others/{name}.mrc", DATA + number, 10.0)
    tiny.config.pop("annotations")
    ran = ingest_tiny(tiny, portal)
    assert "same-identity" not in codes(ran)
    first = tomograms(portal)
    assert len(first) == 2
    assert len({sidecar["alignment_metadata_path"] for sidecar in first.values()}) == 2
    before = portal.public()
    tiny.config["tomograms"].reverse()
    ingest_tiny(tiny, portal)
    assert portal.public() == before


def test_ome_zarr_of_version_5_in_shards_and_nanometres(tiny: Tiny, portal: FlowPortal) -> None:
    path = bring(tiny, "R1.zarr")
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    named = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    image = {"axes": named, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    group.create_array("0", data=DATA, chunks=(4, 8, 8), shards=(8, 16, 16))
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, set())
    assert np.array_equal(published(portal), DATA)


def _gzip(path: Path) -> None:
    write_mrc(path.with_suffix(".tmp"), DATA, 10.0)
    path.write_bytes(gzip.compress(path.with_suffix(".tmp").read_bytes()))
    path.with_suffix(".tmp").unlink()


def _turned(path: Path) -> None:
    """Columns, rows, sections are z, x, y."""
    write_mrc(path, np.ascontiguousarray(DATA.transpose(1, 2, 0)), 10.0)
    raw = bytearray(path.read_bytes())
    raw[28:40], raw[64:76] = struct.pack("<3i", 24, 20, 12), struct.pack("<3i", 3, 1, 2)
    raw[40:52] = struct.pack("<3f", 240, 200, 120)
    path.write_bytes(raw)


def _imagej(path: Path) -> None:
    metadata = {"axes": "ZYX", "unit": "nm", "spacing": 1.0}
    tifffile.imwrite(path, DATA, imagej=True, resolution=(1.0, 1.0), metadata=metadata)


FORMS = {
    "R1.mrc.gz": (_gzip, set()),
    "R1.rec": (_turned, {"mrc-axis-order"}),
    "R1.tif": (_imagej, set()),
    "R1.tiff": (lambda path: tifffile.imwrite(path, DATA, compression="lzw"), {"tiff-voxel-size"}),
}


@pytest.mark.parametrize("name", FORMS)
def test_other_forms_end_in_the_same_volume(tiny: Tiny, portal: FlowPortal, name: str) -> None:
    make, told = FORMS[name]
    make(bring(tiny, name))
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, codes(ran)) == (0, told)
    assert np.array_equal(published(portal), DATA)


def test_a_place_in_the_header_is_told_until_the_deposition_file_agrees(
    tiny: Tiny, portal: FlowPortal
) -> None:
    path = bring(tiny, "R1.mrc", size={"x": 24, "y": 20, "z": 12})
    write_mrc(path, DATA, 10.0)
    raw = bytearray(path.read_bytes())
    raw[196:208] = struct.pack("<3f", 50.0, 0.0, -20.0)
    path.write_bytes(raw)
    problem = ingest_tiny(tiny, portal).problem("metadata-offset")
    assert "x, y, z = 5, 0, -2 voxels; `offset` is 0, 0, 0" in problem["message"]
    tiny.config["tomograms"][0]["metadata"] |= {
        "offset": {"x": 5, "y": 0, "z": -2},
        "size": {"x": 24, "y": 20, "z": 13},
    }
    ran = ingest_tiny(tiny, portal)
    assert codes(ran) == {"metadata-size"}
    assert "24, 20, 12 voxels along x, y, z; `size` is 24, 20, 13" in ran.problem("metadata-size")["message"]
    (sidecar,) = tomograms(portal).values()
    assert (sidecar["offset"], sidecar["size"]) == ({"x": 5, "y": 0, "z": -2}, {"x": 24, "y": 20, "z": 12})


def test_uneven_flat_and_not_finite(tiny: Tiny, portal: FlowPortal) -> None:
    data = DATA[:1].copy()
    data[0, 3, 4], data[0, 5, 6] = np.nan, np.inf
    path = bring(tiny, "R1.mrc")
    with mrcfile.new(path) as file, np.errstate(invalid="ignore"):
        file.set_data(data)
        file.set_volume()
        file.voxel_size = (10.0, 10.0, 14.0)
    ran = ingest_tiny(tiny, portal)
    assert codes(ran) == {"volume-flat", "not-finite", "voxel-size-uneven"}
    assert "2 of 480 voxels are NaN or infinite" in ran.problem("not-finite")["message"]
    assert "z 14.0000 Å" in ran.problem("voxel-size-uneven")["message"]


BROKEN = {
    "an empty file": (lambda path: path.write_bytes(b""), "the file is empty"),
    "complex numbers": (lambda path: _patched(path, 12, struct.pack("<i", 4)), "mode 4"),
    "a truncated file": (lambda path: _cut(path), "truncated"),
    "a colour picture": (
        lambda path: tifffile.imwrite(path, np.zeros((4, 5, 3), np.uint8), photometric="rgb"), "not grey"),
    "text": (lambda path: path.write_text("no volume " * 200), "not a readable MRC file"),
}  # fmt: skip


def _patched(path: Path, at: int, data: bytes) -> None:
    write_mrc(path, DATA, 10.0)
    raw = bytearray(path.read_bytes())
    raw[at : at + len(data)] = data
    path.write_bytes(raw)


def _cut(path: Path) -> None:
    write_mrc(path, DATA, 10.0)
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("kind", BROKEN)
def test_a_tomogram_that_cannot_be_read_fails_alone(tiny: Tiny, portal: FlowPortal, kind: str) -> None:
    spoil, words = BROKEN[kind]
    spoil(bring(tiny, "R1.mrc"))
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    assert any(words in problem["message"] and problem["severity"] == "error" for problem in ran.problems)
    assert tomograms(portal) == {}
    assert list(portal.layout.glob("20002/R1/TiltSeries/*/tiltseries_metadata.json"))
