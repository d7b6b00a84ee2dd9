"""Movies are told from their bytes; tifffile and mrcfile say what is true."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import struct
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError
from tomoportal.formats.image_head import ImageHead, belies, image_head
from tomoportal.formats.tiff_pages import tiff_pages

FORMS = [
    {},
    {"compression": "lzw"},
    {"bigtiff": True},
    {"byteorder": ">"},
    {"rowsperstrip": 4},
    {"tile": (16, 16)},
]


def _head(data: bytes, **options) -> ImageHead:
    return image_head(lambda start, length: data[start : start + length], len(data), "movie", **options)


def _tiff(images: int = 5, size=(30, 40), **options) -> bytes:
    file = io.BytesIO()
    data = np.random.default_rng(1).integers(0, 9, (images, *size)).astype(np.uint8)
    tifffile.imwrite(file, data, photometric="minisblack", metadata=None, **options)
    return file.getvalue()


def _mrc(tmp_path, data) -> bytes:
    with mrcfile.new(tmp_path / "m.mrc", overwrite=True) as file:
        file.set_data(data)
    return (tmp_path / "m.mrc").read_bytes()


@pytest.mark.parametrize("options", FORMS)
def test_tiff_in_every_form(options):
    data = _tiff(**options)
    assert _head(data) == ImageHead("tiff", "", 40, 30, 5)
    assert _head(data, whole=False) == ImageHead("tiff", "", 40, 30, 1)


@pytest.mark.parametrize("options", FORMS)
def test_every_page_ends_where_tifffile_finds_its_last_byte(options):
    data = _tiff(**options)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        expected = [
            max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=True))) for page in file.pages
        ]
    read = lambda start, length: data[start : start + length]  # noqa: E731
    assert [page.end for page in tiff_pages(read, len(data), "movie")] == expected


@pytest.mark.parametrize("options", FORMS)
def test_a_tiff_without_its_last_pixels_is_never_taken(options):
    data = _tiff(images=3, **options)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        end = max(max(page.dataoffsets) + page.databytecounts[-1] for page in file.pages)
    for cut in range(0, end, 7):
        with pytest.raises(FormatError, match=r"copy|Copy|Export"):
            _head(data[:cut])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.float32, np.float16])
def test_mrc_in_every_mode(tmp_path, dtype):
    data = _mrc(tmp_path, np.zeros((4, 30, 41), dtype))
    assert _head(data) == ImageHead("mrc", "", 41, 30, 4)
    with pytest.raises(FormatError, match="truncated"):
        _head(data[:-1])
    for wrap, name in ((gzip.compress, "gz"), (bz2.compress, "bz2")):
        assert _head(wrap(data)) == ImageHead("mrc", name, 41, 30, 4)


def test_dm_tells_its_size(shared: Path):
    place = shared / "nionswift-io/nionswift_plugin/DM_IO/test/resources"
    assert _head((place / "ref_T_0_2.dm4").read_bytes()) == ImageHead("dm4", "", 5, 4, 3)
    assert _head((place / "ref_F_0_2.dm3").read_bytes()) == ImageHead("dm3", "", 2, 3, 1)
    with pytest.raises(FormatError, match="truncated"):
        _head(struct.pack(">IQI", 4, 100, 1))


def test_wrapped_tiff_is_known_by_its_first_bytes():
    assert _head(gzip.compress(_tiff())) == ImageHead("tiff", "gz")


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"<html>" * 500, b"\x1f\x8b" + b"x" * 50, b"BZh9xxxxxxxxxx", b"II*\0", b"II+\0" + b"\0" * 12],
)
def test_what_is_no_image_is_refused_in_words(data):
    with pytest.raises(FormatError, match="movie: "):
        _head(data)


def test_pages_in_a_circle_end():
    data = bytearray(_tiff(images=2))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        first, second = (page.offset for page in file.pages)
    (tags,) = struct.unpack_from("<H", data, second)
    struct.pack_into("<I", data, second + 2 + 12 * tags, first)
    with pytest.raises(FormatError, match="leads back"):
        _head(bytes(data))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 300), st.sampled_from(FORMS[:4]))
def test_damage_gives_an_answer_or_a_sentence(noise, at, options):
    data = bytearray(_tiff(images=2, size=(4, 5), **options))
    data[at : at + len(noise)] = noise
    with contextlib.suppress(FormatError):
        assert _head(bytes(data)).kind in ("tiff", "eer", "mrc", "dm3", "dm4")


@pytest.mark.parametrize(
    ("name", "kind", "promised"),
    [
        ("a.tif", "tiff", None), ("a.TIFF", "tiff", None), ("a.gain", "tiff", None), ("a.eer", "eer", None),
        ("a.mrc.bz2", "mrc", None), ("a.tif", "mrc", "tif"), ("a.eer", "tiff", "eer"), ("a.dm4", "dm3", "dm4"), ("a.bin", "mrc", None),
    ],
)  # fmt: skip
def test_names_that_promise_another_kind(name, kind, promised):
    assert belies(name, ImageHead(kind)) == promised
