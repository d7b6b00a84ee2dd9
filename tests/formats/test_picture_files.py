"""Pictures that people hand in: all their formats, and everything that is none."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tomoportal.errors import FormatError
from tomoportal.formats.picture_files import fitted, read_picture


def encoded(picture: Image.Image, kind: str, **more) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **more)
    return stream.getvalue()


@pytest.fixture(scope="module")
def colours() -> Image.Image:
    """30 × 20: left half red, right half blue."""
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, :15, 0] = pixels[:, 15:, 2] = 250
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP"])
def test_the_formats(colours: Image.Image, kind: str) -> None:
    read = read_picture(encoded(colours, kind), "a")

    assert (read.mode, read.size) == ("RGB", (30, 20))
    left, right = read.getpixel((3, 10)), read.getpixel((26, 10))
    assert left[0] > 220 > 60 > left[2]
    assert right[2] > 220 > 60 > right[0]


def test_transparent_parts_become_white() -> None:
    picture = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    picture.putpixel((1, 1), (255, 0, 0, 255))

    read = read_picture(encoded(picture, "PNG"), "a")

    assert (read.getpixel((0, 0)), read.getpixel((1, 1))) == ((255, 255, 255), (255, 0, 0))


@pytest.mark.parametrize("dtype", ["uint16", "float32", "int32"])
def test_greys_of_many_bits_use_their_range(dtype: str) -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.array([[100, 100], [355, 228]], dtype))

    read = read_picture(stream.getvalue(), "a.tif")

    assert np.asarray(read)[..., 0].tolist() == [[0, 0], [255, 128]]


def test_phones_turn_pictures_by_a_mark(colours: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    assert read_picture(encoded(colours, "JPEG", exif=exif), "a").size == (20, 30)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no picture; it begins with nothing"),
        (b"<!DOCTYPE html><title>Not found</title>", "begins with '<!DOCTYPE html>"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (b"BM" + bytes(60), "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no picture"),
    ],
)
def test_what_is_no_picture(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_picture(data, "https://x/y.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP"])
def test_damaged_and_cut_pictures(colours: Image.Image, kind: str) -> None:
    data = encoded(colours.resize((300, 200)), kind)
    with pytest.raises(FormatError, match=r"damaged|no picture"):
        read_picture(data[: len(data) // 2], "a")


def test_a_small_file_that_says_it_is_huge_is_refused_before_it_is_unpacked() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )

    with pytest.raises(FormatError, match="too large"):
        read_picture(bomb, "a")


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_anything_is_a_picture_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP"]))
    raw = bytearray(encoded(Image.new("RGB", (9, 7), "red"), kind))
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=6)):
        raw[place] = data.draw(st.integers(0, 255))
    try:
        picture = read_picture(bytes(raw), "a")
    except FormatError:
        return
    assert picture.mode == "RGB"


@pytest.mark.parametrize(
    ("size", "result"),
    [((2000, 1000), (400, 200)), ((100, 1000), (40, 400)), ((90, 50), (90, 50)), ((9000, 2), (400, 1))],
)
def test_pictures_are_fitted_and_never_enlarged(size: tuple[int, int], result: tuple[int, int]) -> None:
    assert fitted(Image.new("RGB", size), (400, 400)).size == result
