"""Voxel spacings out of headers: MRC plain and compressed, OME-Zarr of both versions, from a disk and from a place without paths."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import yaml
import zarr

from ingest.made_sources import MemoryStorage
from tomoportal.config import load_text
from tomoportal.errors import FormatError, StorageError
from tomoportal.ingest.find import find
from tomoportal.ingest.find.headers import header_reader
from tomoportal.storage import LocalStorage, Storage


@pytest.fixture(params=["disk", "remote"])
def stored(request: pytest.FixtureRequest, tmp_path: Path):
    """Puts a folder into a storage that has local paths, or into one that has none."""

    def store() -> Storage:
        if request.param == "disk":
            return LocalStorage(tmp_path)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        return MemoryStorage({path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files})

    return store


def mrc(path: Path, y: float = 7.84, size: int = 40) -> bytes:
    rng = np.random.default_rng(1)
    with mrcfile.new(path, rng.normal(size=(size, size, size)).astype(np.float32), overwrite=True) as volume:
        volume.voxel_size = (9.0, y, 5.0)
    return path.read_bytes()


def test_mrc_and_its_compressed_forms(stored, tmp_path: Path) -> None:
    data = mrc(tmp_path / "a.mrc")
    (tmp_path / "b.mrc.gz").write_bytes(gzip.compress(data))
    (tmp_path / "c.rec.bz2").write_bytes(bz2.compress(data * 5))
    (tmp_path / "d.xyzw").write_bytes(data)
    size = header_reader(stored())

    for name in ("a.mrc", "b.mrc.gz", "c.rec.bz2", "d.xyzw"):
        assert size(name) == pytest.approx(7.84, abs=1e-4)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize(("unit", "factor"), [("angstrom", 1), ("nanometer", 10)])
def test_ome_zarr(stored, tmp_path: Path, version: str, unit: str, factor: int) -> None:
    group = zarr.open_group(tmp_path / "v.zarr", mode="w", zarr_format=2 if version == "0.4" else 3)
    group.create_array("s0", shape=(4, 5, 6), dtype="f4")[:] = 1
    scale = [{"type": "scale", "scale": [9 / factor, 7.84 / factor, 5 / factor]}]
    image = {
        "axes": [{"name": name, "type": "space", "unit": unit} for name in "zyx"],
        "datasets": [{"path": "s0", "coordinateTransformations": scale}], "version": version,
    }  # fmt: skip
    group.attrs.update(
        {"multiscales": [image]}
        if version == "0.4"
        else {"ome": {"version": version, "multiscales": [image]}}
    )

    assert header_reader(stored())("v.zarr") == pytest.approx(7.84)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes"),
        (b"short", "5 bytes"),
        (b"II*\0" + bytes(2000), "TIFF"),
        (b"\x1f\x8b" + bytes(100), "damaged"),
        (b"BZh9" + b"x" * 100, "damaged"),
        (gzip.compress(b"text"), "4 bytes"),
        (b"x" * 2000, "MRC"),
    ],
)
def test_other_files_are_told(stored, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.mrc").write_bytes(content)

    with pytest.raises(FormatError, match=message):
        header_reader(stored())("a.mrc")


@pytest.mark.parametrize("y", [0.0, -1.0, float("nan"), float("inf")])
def test_a_header_without_a_size_is_told(stored, tmp_path: Path, y: float) -> None:
    data = bytearray(mrc(tmp_path / "a.mrc", size=4))
    data[44:48] = np.float32(y).tobytes()
    (tmp_path / "a.mrc").write_bytes(data)

    with pytest.raises(FormatError, match=r"no voxel size|MRC file"):
        header_reader(stored())("a.mrc")


@pytest.mark.parametrize(
    "text", ["", "{}", '{"multiscales": []}', '{"multiscales": [{"datasets": [{"path": "../../x"}]}]}', "["]
)
def test_a_zarr_without_sound_metadata_is_told(stored, tmp_path: Path, text: str) -> None:
    (tmp_path / "v.zarr").mkdir()
    (tmp_path / "v.zarr/.zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / "v.zarr/.zattrs").write_text(text)

    with pytest.raises(FormatError, match=r"v\.zarr"):
        header_reader(stored())("v.zarr")


def test_a_file_that_is_gone_stops(stored) -> None:
    with pytest.raises(StorageError):
        header_reader(stored())("gone.mrc")


def test_spacings_from_every_finder_are_one_folder_each_and_noise_is_told(tmp_path: Path) -> None:
    (tmp_path / "vs_13.4800001").mkdir()
    (tmp_path / "vs_13.4800001/x").touch()
    mrc(tmp_path / "T.rec", 13.48, 4)
    sources = [
        {"literal": {"value": [13.48, "float {vs}"]}},
        {"source_glob": {"list_glob": "vs_*", "name_regex": "vs_(.*)"}},
        {"tomogram_header": {"list_glob": "{run_name}.rec"}},
    ]
    (tmp_path / "runs.csv").write_text("run_name,vs\nT,13.4801\n")
    data = {
        "version": "1.3.0",
        "standardization_config": {"deposition_id": 1, "source_prefix": ".", "run_data_map_file": "runs.csv"},
        "depositions": [{"sources": [{"literal": {"value": [1]}}]}],
        "datasets": [{"sources": [{"literal": {"value": ["10"]}}]}],
        "runs": [{"sources": [{"source_glob": {"list_glob": "*.rec", "name_regex": r"(.*)\.rec"}}]}],
        "voxel_spacings": [{"sources": sources}],
    }
    loaded = load_text(yaml.safe_dump(data))
    assert loaded.config is not None, loaded.problems

    found = find(loaded.config, LocalStorage(tmp_path), MemoryStorage())

    ((_, run),) = found.runs()
    assert [(spacing.name, spacing.value) for spacing in run.spacings] == [("13.480", 13.48)]
    told = sorted(problem.message for problem in found.problems)
    assert [message.partition(": ")[2] for message in told] == [
        "13.4800001 as 13.480 in 10/T",
        "13.4801 as 13.480 in 10/T",
    ]
