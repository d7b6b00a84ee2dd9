"""Writing MRC: mrcfile validates it and reads the same voxels; the header holds what viewers and audits rely on."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from tomoportal.formats.mrc import open_mrc
from tomoportal.formats.mrc_header import MrcHeader
from tomoportal.formats.mrc_writer import MrcFacts, MrcWriter


def write(path: Path, data: np.ndarray, *, stack: bool = False, origin: MrcHeader | None = None) -> Path:
    wide = data.astype(np.float64)
    facts = MrcFacts(wide.min(), wide.max(), wide.mean(), wide.std())
    with MrcWriter(path, data.shape, data.dtype, spacing=13.48, stack=stack, origin=origin) as writer:
        for z in reversed(range(data.shape[0])):
            writer.write_rows(z, 1, data[z, 1:])
            writer.write_rows(z, 0, data[z, :1])
        writer.finish(facts)
    return path


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float32"])
def test_mrcfile_accepts_and_reads_what_is_written(tmp_path: Path, dtype: str) -> None:
    data = np.random.default_rng(3).integers(0, 100, (4, 5, 6)).astype(dtype)
    path = write(tmp_path / "a.mrc", data)
    report = io.StringIO()
    assert mrcfile.validate(path, report), report.getvalue()
    with mrcfile.open(path) as file:
        assert np.array_equal(file.data, data)
        assert file.data.dtype == np.dtype(dtype)
        assert file.is_volume()
        head = file.header
        assert (head.nversion, head.ispg, head.mz, head.nlabl) == (20141, 1, 4, 1)
        assert head.cella.tolist() == pytest.approx((6 * 13.48, 5 * 13.48, 4 * 13.48))
        assert head.exttyp == b"MRCO"
        assert head.label[0].startswith(b"Written by Tomoportal")
        assert not any(head.label[1:])
        assert float(head.rms) == pytest.approx(data.astype(float).std(), rel=1e-6)


def test_a_tilt_series_is_an_image_stack(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mrc", np.ones((7, 5, 6), np.int16), stack=True)
    with mrcfile.open(path) as file:
        assert file.is_image_stack()
        assert (int(file.header.ispg), int(file.header.mz), int(file.header.nz)) == (0, 1, 7)
        assert float(file.header.cella.z) == pytest.approx(13.48)
        assert float(file.voxel_size.z) == pytest.approx(13.48)


def test_the_extended_header_and_free_fields_of_a_source_are_kept(tmp_path: Path) -> None:
    source = tmp_path / "source.mrc"
    with mrcfile.new(source, np.zeros((2, 3, 4), np.float32)) as file:
        file.set_extended_header(np.frombuffer(bytes(range(64)), "V1"))
        file.header.exttyp = b"SERI"
        file.header.extra1 = np.void(b"abcdefgh")
    raw = bytearray(source.read_bytes())
    raw[152:160] = struct.pack("<2i", 1146047817, 16)
    source.write_bytes(raw)
    copy = open_mrc(
        write(tmp_path / "copy.mrc", np.zeros((2, 3, 4), np.int8), origin=open_mrc(source).header)
    )
    assert copy.header.extended == bytes(range(64))
    assert copy.header.exttyp == b"SERI"
    assert copy.header.extra1[:8] == b"abcdefgh"
    assert copy.header.imod_flags == 1, "signed bytes, nothing packed: true of what was written"
    assert mrcfile.validate(tmp_path / "copy.mrc", io.StringIO())


def test_a_garbage_extension_type_becomes_a_legal_one(tmp_path: Path) -> None:
    source = tmp_path / "source.mrc"
    with mrcfile.new(source, np.zeros((2, 3, 4), np.float32)) as file:
        file.set_extended_header(np.frombuffer(bytes(8), "V1"))
    raw = bytearray(source.read_bytes())
    raw[104:108] = b"\1\1\1\1"
    source.write_bytes(raw)
    copy = open_mrc(
        write(tmp_path / "copy.mrc", np.zeros((2, 3, 4), np.int8), origin=open_mrc(source).header)
    )
    assert copy.header.exttyp == b"MRCO"
    assert copy.header.nsymbt == 8


def test_an_unfinished_file_has_no_header(tmp_path: Path) -> None:
    with MrcWriter(tmp_path / "a.mrc", (2, 3, 4), np.dtype("f4"), spacing=1.0) as writer:
        writer.write_rows(0, 0, np.ones((3, 4), np.float32))
    assert (tmp_path / "a.mrc").read_bytes()[:1024] == bytes(1024)
    assert (tmp_path / "a.mrc").stat().st_size == 1024 + 96


def test_the_same_volume_gives_the_same_bytes(tmp_path: Path) -> None:
    data = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    assert write(tmp_path / "a.mrc", data).read_bytes() == write(tmp_path / "b.mrc", data).read_bytes()
