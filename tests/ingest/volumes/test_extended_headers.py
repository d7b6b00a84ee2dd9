"""Extended headers come out of the conversion byte for byte, and say the same afterwards; mrcfile is the witness."""

from __future__ import annotations

import struct
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from mrcfile.dtypes import get_ext_header_dtype

from tomoportal.ingest.volumes import VolumeKind, open_source

ANGLES = (-3.0, 0.0, 3.0)


def fei(kind: bytes) -> bytes:
    dtype = get_ext_header_dtype(kind)
    records = np.zeros(len(ANGLES), dtype)
    records["Metadata size"], records["Bitmask 1"] = dtype.itemsize, 0xFFFFFFFF
    records["Alpha tilt"], records["Pixel size X"] = ANGLES, 1e-9
    return records.tobytes()


SERIALEM = b"".join(struct.pack("<hhh", round(angle * 100), 25, 50) for angle in ANGLES)
AGARD = b"".join(struct.pack("<i2f", 7, angle, 1.0) for angle in ANGLES)
FORMS = {
    b"FEI1": (fei(b"FEI1"), (0, 0)),
    b"FEI2": (fei(b"FEI2"), (0, 0)),
    b"SERI": (SERIALEM, (6, 1 + 4)),
    b"AGAR": (AGARD, (1, 2)),
    b"CCP4": (b"X,  Y,  Z".ljust(80), (0, 0)),
    b"MRCO": (b"\x01\x02\x03\x04" * 3, (0, 0)),
    b"HDF5": (b"\x89HDF\r\n\x1a\n" * 8, (0, 0)),
}


@pytest.mark.parametrize("kind", FORMS)
def test_extended_headers_are_kept(tmp_path: Path, mrc, written, kind: bytes) -> None:
    extended, layout = FORMS[kind]
    path = mrc(np.arange(3 * 20 * 30, dtype=np.int16).reshape(3, 20, 30))
    with mrcfile.open(path, "r+") as file:
        file.set_extended_header(np.frombuffer(extended, "V1"))
        file.header.exttyp = kind
    raw = bytearray(path.read_bytes())
    raw[128:132] = struct.pack("<hh", *layout)
    path.write_bytes(raw)
    out = written(path, VolumeKind.TILT_SERIES)
    with mrcfile.open(out.mrc_file) as file:
        assert file.extended_header.tobytes() == extended
        assert file.header.exttyp == kind
        assert np.array_equal(file.data, mrcfile.read(path))
        if kind in (b"FEI1", b"FEI2"):
            assert tuple(file.indexed_extended_header["Alpha tilt"]) == ANGLES
    assert open_source(out.mrc_file).sections == open_source(path).sections
    found = open_source(path).sections
    assert (found.tilt_angles if found else None) == (
        ANGLES if kind[:3] in (b"FEI", b"SER", b"AGA") else None
    )


def test_a_real_stack_of_serialem_keeps_its_header(shared: Path, written) -> None:
    place = shared / "etspy/etspy/tests/test_data/SerialEM_MultiTilt_Test/test_000.mrc"
    out = written(place, VolumeKind.TILT_SERIES, spacing=7.88)
    assert out.mrc_file.read_bytes()[1024 : 1024 + 5120] == place.read_bytes()[1024 : 1024 + 5120]
    assert out.facts.problems == ()
