# ruff: noqa: F811 - a fixture is imported
"""A volume on an object store is the same as on the disk: shape, voxel size, origin, what is told, and every voxel."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from fixtures_s3 import S3Server, s3_server  # noqa: F401 - a fixture
from tomoportal.ingest.depositor import DepositorFiles
from tomoportal.ingest.volumes import Source, open_source
from tomoportal.ingest.volumes.remote import open_remote
from tomoportal.storage import open_storage

DATA = np.random.default_rng(9).integers(-99, 99, (6, 40, 50)).astype(np.int16)
DM = "nionswift-io/nionswift_plugin/DM_IO/test/resources/ref_T_0_2.dm4"


def _patched(path: Path, *patches: tuple[int, bytes]) -> None:
    raw = bytearray(path.read_bytes())
    for at, data in patches:
        raw[at : at + len(data)] = data
    path.write_bytes(raw)


def _placed(path: Path) -> None:
    _patched(path, (196, struct.pack("<3f", 5, 6, 7)))


def _turned(path: Path) -> None:
    _patched(path, (64, struct.pack("<3i", 3, 1, 2)))


def _wrapped(path: Path) -> None:
    path.write_bytes(gzip.compress(path.read_bytes()))


def _tiff(path: Path) -> None:
    tifffile.imwrite(path, DATA, compression="zlib", photometric="minisblack")


def _zarr(path: Path) -> None:
    path.unlink()
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    named = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"]
    steps = [{"type": "scale", "scale": [1, 1, 1]}, {"type": "translation", "translation": [1, 2, 3]}]
    image = {"axes": named, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    group.create_array("0", data=DATA, chunks=(3, 20, 25))
    (path / "0/c/1/1/1").unlink()


FORMS: dict[str, Callable[[Path], None]] = {
    "a.mrc": _placed, "b.rec": _turned, "c.mrc.gz": _wrapped, "d.tif": _tiff, "e.zarr": _zarr,
}  # fmt: skip


def _same(there: Source, here: Source) -> None:
    everything = slice(0, here.shape[0]), slice(0, here.shape[1]), slice(0, here.shape[2])
    assert (there.format, there.shape, there.voxel_size, there.origin) == (
        here.format,
        here.shape,
        here.voxel_size,
        here.origin,
    )
    assert (there.problems, there.incomplete()) == (here.problems, here.incomplete())
    assert np.array_equal(there.array[everything], here.array[everything])


@pytest.fixture
def remote(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], DepositorFiles]:
    """Puts a file or folder on the store, under its own name."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)

    def put(path: Path) -> DepositorFiles:
        url = s3_server.bucket("volumes")
        for file in [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]:
            s3_server.client().upload_file(str(file), "volumes", file.relative_to(path.parent).as_posix())
        return DepositorFiles(open_storage(url))

    return put


@pytest.mark.parametrize("name", FORMS)
def test_it_is_the_same_volume(tmp_path: Path, mrc, remote, name: str) -> None:
    path = mrc(DATA, name)
    FORMS[name](path)
    size = path.stat().st_size
    with open_remote(remote(path), name, size, tmp_path) as there:
        _same(there, open_source(path, name=name))


def test_digital_micrograph(tmp_path: Path, shared: Path, remote) -> None:
    path = shared / DM
    with open_remote(remote(path), path.name, path.stat().st_size, tmp_path) as there:
        _same(there, open_source(path))
