"""Extended headers: angles and pixel sizes out of records that are made by mrcfile's own types, and out of real files."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mrcfile.dtypes import get_ext_header_dtype

from tomoportal.formats.mrc import MrcVolume, open_mrc
from tomoportal.formats.mrc_sections import section_headers

ANGLES = (-60.0, -57.25, 0.0, 3.5, 60.0)
EVERYTHING_SET = 0xFFFFFFFF


def stack(
    path: Path,
    extended: bytes = b"",
    kind: bytes = b"",
    *,
    layout: tuple[int, int] = (0, 0),
    voxel: float = 5.0,
) -> MrcVolume:
    with mrcfile.new(path, np.zeros((len(ANGLES), 4, 6), np.int16), overwrite=True) as file:
        file.voxel_size = voxel
        file.set_extended_header(np.frombuffer(extended, "V1"))
        file.header.exttyp = kind
    raw = bytearray(path.read_bytes())
    raw[128:132] = struct.pack("<hh", *layout)
    path.write_bytes(raw)
    return open_mrc(path)


def fei(kind: bytes, angles: Sequence[float], *, metres: float = 5e-10, mask: int = EVERYTHING_SET) -> bytes:
    dtype = get_ext_header_dtype(kind)
    records = np.zeros(len(angles), dtype)
    records["Metadata size"], records["Bitmask 1"] = dtype.itemsize, mask
    records["Alpha tilt"], records["Pixel size X"] = angles, metres
    return records.tobytes()


@pytest.mark.parametrize("kind", [b"FEI1", b"FEI2"])
def test_records_of_epu(tmp_path: Path, kind: bytes) -> None:
    found = section_headers(stack(tmp_path / "a.mrc", fei(kind, ANGLES), kind).header)
    assert found is not None
    assert (found.kind, found.tilt_angles) == (kind.decode().lower(), ANGLES)
    assert found.pixel_size == pytest.approx(5.0)


def test_more_records_than_sections_are_usual(tmp_path: Path) -> None:
    found = section_headers(stack(tmp_path / "a.mrc", fei(b"FEI1", [*ANGLES, *[0.0] * 1019]), b"FEI1").header)
    assert found is not None
    assert found.tilt_angles == ANGLES


@pytest.mark.parametrize(
    ("angles", "mask"),
    [
        (ANGLES[:3], EVERYTHING_SET),
        (ANGLES, EVERYTHING_SET & ~(1 << 7)),
        ([0.0] * 5, EVERYTHING_SET),
        ([1e9] * 5, EVERYTHING_SET),
    ],
)
def test_angles_that_are_missing_or_impossible_are_none(
    tmp_path: Path, angles: Sequence[float], mask: int
) -> None:
    found = section_headers(stack(tmp_path / "a.mrc", fei(b"FEI1", angles, mask=mask), b"FEI1").header)
    assert found is not None
    assert found.tilt_angles is None


@pytest.mark.parametrize(
    ("main", "metres", "expected", "words"),
    [
        (5.0, 5e-10, 5.0, None),
        (1.0, 5e-10, 5.0, "5.0000 Å comes from the FEI extended header; the main header says 1.0000 Å"),
        (0.0, 5e-10, 5.0, "the main header says nothing usable"),
        (10.0, 5e-10, 10.0, "the main header 10.0000 Å, which was taken"),
        (5.0, 5.0, 5.0, None),
    ],
)
def test_which_pixel_size_is_taken(
    tmp_path: Path, main: float, metres: float, expected: float, words: str | None
) -> None:
    volume = stack(tmp_path / "a.mrc", fei(b"FEI1", ANGLES, metres=metres), b"FEI1", voxel=main)
    assert volume.voxel_size[:2] == pytest.approx((expected, expected))
    assert [problem.code for problem in volume.problems] == (["mrc-fei-pixel-size"] if words else [])
    assert words is None or words in volume.problems[0].message


def test_short_integers_of_serialem(tmp_path: Path) -> None:
    records = b"".join(struct.pack("<hhhhhhhh", round(a * 100), 1, 2, 3, -400, -214, 1150, 7) for a in ANGLES)
    found = section_headers(
        stack(tmp_path / "a.st", records, b"SERI", layout=(16, 1 + 2 + 4 + 8 + 16)).header
    )
    assert found is not None
    assert (found.kind, found.tilt_angles, found.pixel_size) == ("seri", ANGLES, None)
    without = section_headers(stack(tmp_path / "a.st", records, b"SERI", layout=(14, 2 + 4 + 8 + 16)).header)
    assert without is not None
    assert without.tilt_angles is None


@pytest.mark.parametrize("kind", [b"AGAR", b"\0\0\0\0"])
@pytest.mark.parametrize("layout", [(0, 4), (2, 3)])
def test_numbers_of_agard(tmp_path: Path, kind: bytes, layout: tuple[int, int]) -> None:
    integers, reals = layout
    records = b"".join(
        struct.pack(f"<{integers}i{reals}f", *range(integers), a, *[9.0] * (reals - 1)) for a in ANGLES
    )
    found = section_headers(stack(tmp_path / "a.st", records, kind, layout=layout).header)
    assert found is not None
    assert (found.kind, found.tilt_angles, found.pixel_size) == ("agar", ANGLES, None)


@pytest.mark.parametrize("kind", [b"CCP4", b"MRCO", b"HDF5"])
def test_what_says_nothing_about_sections(tmp_path: Path, kind: bytes) -> None:
    assert (
        section_headers(stack(tmp_path / "a.mrc", fei(b"FEI1", ANGLES), kind, layout=(0, 4)).header) is None
    )
    assert section_headers(stack(tmp_path / "b.mrc").header) is None


def test_real_files(shared: Path) -> None:
    place = shared / "etspy/etspy/tests/test_data"
    found = section_headers(open_mrc(place / "HAADF.mrc").header)
    assert found is not None
    listed = [float(word) for word in (place / "HAADF.rawtlt").read_text().split()]
    assert found.kind == "xplore3d"
    assert found.tilt_angles == tuple(listed)
    assert found.pixel_size == pytest.approx(33.6)
    header = open_mrc(place / "SerialEM_MultiTilt_Test/test_000.mrc").header
    assert header.exttyp == b"SERI"
    found = section_headers(header)
    assert found is not None
    assert (found.kind, found.tilt_angles) == ("seri", None), (
        "both images were taken at 0°, which is as good as nothing"
    )
    tilted = section_headers(
        replace(header, extended=struct.pack("<h12x", -6000) + struct.pack("<h12x", 4550))
    )
    assert tilted is not None
    assert tilted.tilt_angles == (-60.0, 45.5)


@settings(max_examples=80)
@given(
    extended=st.binary(max_size=2000), kind=st.sampled_from([b"FEI1", b"FEI2", b"SERI", b"AGAR", b"\0\0\0\0", b"\1\1\1\1"]),
    layout=st.binary(min_size=4, max_size=4), order=st.sampled_from("<>"), nz=st.integers(1, 1 << 24),
)  # fmt: skip
def test_any_bytes_give_angles_for_every_section_or_none(
    tmp_path_factory, extended: bytes, kind: bytes, layout: bytes, order: str, nz: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mrc"
    header = open_mrc(path).header if path.exists() else stack(path).header
    found = section_headers(
        replace(
            header,
            extended=extended,
            exttyp=kind,
            byte_order=order,
            size=(6, 4, nz),
            extra2=bytes(16) + layout + bytes(64),
        )
    )
    assert found is None or found.tilt_angles is None or len(found.tilt_angles) == nz
