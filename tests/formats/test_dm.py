"""DigitalMicrograph files: real ones against values read off their bytes, made ones of either version and byte order, broken ones."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomoportal.errors import FormatError, SourceError
from tomoportal.formats.dm import dm_head, open_dm

SAMPLES = "nionswift-io/nionswift_plugin/DM_IO/test/resources"
SERIES = "etspy/etspy/tests/test_data/DM_Series_Test"
NUMBERS = {"h": 2, "i": 3, "H": 4, "I": 5, "f": 6, "d": 7, "b": 9, "B": 8}
DATA_TYPES = {
    "i2": (1, "h"),
    "f4": (2, "f"),
    "u1": (6, "B"),
    "i4": (7, "i"),
    "i1": (9, "b"),
    "u2": (10, "H"),
    "u4": (11, "I"),
}


class Maker:
    """Writes tag trees: `version` 3 or 4, `order` < or >."""

    def __init__(self, version: int, order: str) -> None:
        self.version, self.order = version, order

    def long(self, value: int) -> bytes:
        return struct.pack(">Q" if self.version == 4 else ">I", value)

    def group(self, *entries: bytes) -> bytes:
        return b"\1\0" + self.long(len(entries)) + b"".join(entries)

    def entry(self, name: str, body: bytes, kind: int) -> bytes:
        size = self.long(len(body)) if self.version == 4 else b""
        return struct.pack(">BH", kind, len(name)) + name.encode("latin-1") + size + body

    def sub(self, name: str, *entries: bytes) -> bytes:
        return self.entry(name, self.group(*entries), 20)

    def value(self, name: str, types: list[int], data: bytes) -> bytes:
        head = b"%%%%" + self.long(len(types)) + b"".join(map(self.long, types))
        return self.entry(name, head + data, 21)

    def number(self, name: str, letter: str, value: float) -> bytes:
        return self.value(name, [NUMBERS[letter]], struct.pack(self.order + letter, value))

    def text(self, name: str, text: str) -> bytes:
        raw = text.encode("utf-16-le" if self.order == "<" else "utf-16-be")
        return self.value(name, [20, 4, len(text)], raw)

    def image(
        self, data: np.ndarray, units: tuple[str, ...] = (), scale: float = 0.5, name: str = "gain"
    ) -> bytes:
        code, letter = DATA_TYPES[data.dtype.str[1:]]
        sides = [self.number("", "I", side) for side in data.shape[::-1]]
        axes = [self.sub("", self.number("Origin", "f", 0), self.number("Scale", "f", scale), self.text("Units", unit))
                for unit in units]  # fmt: skip
        raw = data.astype(data.dtype.newbyteorder(self.order)).tobytes()
        return self.sub(
            "",
            self.sub(
                "ImageData", self.sub("Calibrations", self.sub("Dimension", *axes)),
                self.value("Data", [20, NUMBERS[letter], data.size], raw), self.number("DataType", "I", code),
                self.sub("Dimensions", *sides), self.number("PixelDepth", "I", data.itemsize),
            ),
            self.text("Name", name),
        )  # fmt: skip

    def thumbnail(self) -> bytes:
        sides = [self.number("", "I", 2), self.number("", "I", 2)]
        return self.sub("", self.sub("ImageData", self.value("Data", [20, 3, 4], bytes(16)),
            self.number("DataType", "I", 23), self.sub("Dimensions", *sides)))  # fmt: skip

    def file(self, *entries: bytes) -> bytes:
        body = self.group(*entries)
        return (
            struct.pack(">I", self.version)
            + self.long(len(body))
            + struct.pack(">I", self.order == "<")
            + body
            + bytes(8)
        )

    def gain(self, data: np.ndarray, **options) -> bytes:
        bounds = self.value("ApplicationBounds", [15, 0, 4, 0, 3, 0, 3, 0, 3, 0, 3], bytes(16))
        points = self.value("Points", [20, 15, 0, 2, 0, 6, 0, 6, 3], bytes(24))
        number = self.number("ImageIndex", "I", 0)
        return self.file(bounds, points, self.sub("ImageList", self.thumbnail(), self.image(data, **options)),
            self.sub("Thumbnails", self.sub("", number)))  # fmt: skip


def head_of(raw: bytes, name: str = "g.dm4"):
    return dm_head(lambda start, length: raw[start : start + length], len(raw), name)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", DATA_TYPES)
def test_every_type_in_either_version_and_byte_order(
    tmp_path: Path, version: int, order: str, dtype: str
) -> None:
    data = np.arange(3 * 5).reshape(3, 5).astype(dtype)
    path = tmp_path / "g.dm4"
    path.write_bytes(Maker(version, order).gain(data, units=("nm", "nm")))
    image = open_dm(path)
    assert image.head.kind == f"dm{version}"
    assert image.head.shape == (1, 3, 5)
    assert image.data.dtype == np.dtype(dtype).newbyteorder(order)
    assert np.array_equal(image.data[0], data)
    assert image.head.pixel_size == (5.0, 5.0, None)
    assert (image.head.title, image.head.problems) == ("gain", ())
    image.release()
    assert np.array_equal(image.data[0], data)


@pytest.mark.parametrize(
    ("unit", "size"), [("µm", 5000.0), ("um", 5000.0), ("Å", 0.5), ("A", 0.5), ("pm", 0.005), ("", None)]
)
def test_units_become_angstrom(unit: str, size: float | None) -> None:
    data = np.zeros((4, 3, 2), "f4")
    head = head_of(Maker(4, "<").gain(data, units=(unit,) * 3))
    assert head.shape == (4, 3, 2)
    assert head.pixel_size == ((pytest.approx(size) if size else None,) * 3)
    assert head.problems == ()


def test_units_that_are_no_lengths_are_told() -> None:
    head = head_of(Maker(3, "<").gain(np.zeros((4, 3, 2), "f4"), units=("1/nm", "1/nm", "deg")))
    assert head.pixel_size == (None, None, None)
    assert [problem.message for problem in head.problems] == [
        "the unit of axis x is '1/nm', which is no length.",
        "the unit of axis y is '1/nm', which is no length.",
        "the unit of axis z is 'deg', which is no length.",
    ]


def test_of_several_images_the_first_is_taken_and_that_is_told() -> None:
    make = Maker(4, "<")
    raw = make.file(
        make.sub(
            "ImageList", make.image(np.zeros((3, 5), "f4"), name="one"), make.image(np.zeros((2, 2), "f4"))
        )
    )
    head = head_of(raw)
    assert (head.title, head.shape) == ("one", (1, 3, 5))
    assert [problem.code for problem in head.problems] == ["dm-images"]


def test_only_the_tags_are_read() -> None:
    data = np.zeros((8, 512, 512), "f4")
    raw = Maker(4, "<").gain(data)
    asked = []

    def read(start: int, length: int) -> bytes:
        asked.append(min(length, len(raw) - start))
        return raw[start : start + length]

    assert dm_head(read, len(raw), "g.dm4").shape == data.shape
    assert sum(asked) < 1 << 18
    assert len(asked) < 4


# Read off the bytes: float32 pixels 0, 1, 2, … ; the units are cut short by the program that wrote them.
REAL = {
    "ref_F_0_2.dm3": ("dm3", (1, 3, 2), 203),
    "ref_F_0_2.dm4": ("dm4", (1, 3, 2), 347),
    "ref_F_1_2.dm4": ("dm4", (4, 3, 2), 382),
    "ref_T_0_2.dm4": ("dm4", (3, 4, 5), 382),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(shared: Path, name: str) -> None:
    kind, shape, offset = REAL[name]
    path = shared / SAMPLES / name
    image = open_dm(path)
    assert (image.head.kind, image.head.shape, image.data.dtype) == (kind, shape, np.dtype("<f4"))
    count = int(np.prod(shape))
    assert struct.unpack_from(f"<{count}f", path.read_bytes(), offset) == tuple(range(count))
    assert np.array_equal(image.data.ravel(), np.arange(count))
    assert {problem.code for problem in image.head.problems} == {"dm-unit"}


@pytest.mark.parametrize("number", [1, 2])
def test_a_real_tilt_series_of_single_images(shared: Path, number: int) -> None:
    image = open_dm(shared / SERIES / f"BF_00{number}.dm3")
    assert image.head.title == f"BF_00{number}"
    assert image.data.shape == (1, 128, 128)
    assert image.head.pixel_size == (pytest.approx(191.087), pytest.approx(191.087), None)
    assert image.head.problems == ()


BROKEN = [
    (lambda m, d: b"", "empty"),
    (lambda m, d: m.gain(d)[:90], "truncated"),
    (lambda m, d: m.gain(d)[:-200], "truncated"),
    (lambda m, d: b"II*\0" + m.gain(d)[4:], "no DM3 or DM4 file"),
    (lambda m, d: m.file(m.number("a", "I", 1)), "no image"),
    (lambda m, d: m.file(m.entry("a", b"", 77)), "of the kind 77"),
    (lambda m, d: m.file(m.value("a", [99], b"")), "unknown type"),
    (lambda m, d: m.file(m.value("a", [20], b"")), "unknown type"),
    (lambda m, d: m.file(m.value("a", [15, 0, 1 << 30], b"")), "unknown type"),
    (lambda m, d: m.file(m.value("a", [20, 4, (1 << 32) - 1], b"")), "truncated"),
    (lambda m, d: m.file(m.sub("ImageList", m.sub("", m.sub("ImageData", m.value("Data", [20, 6, 4], bytes(16)),
        m.number("DataType", "I", 3), m.sub("Dimensions", m.number("", "I", 2), m.number("", "I", 2)))))), "complex"),
    (lambda m, d: m.file(m.sub("ImageList", m.image(d.ravel()))), "dimensions 12"),
    (lambda m, d: m.file(m.sub("ImageList", m.sub("", m.sub("ImageData", m.value("Data", [20, 6, 4], bytes(16)),
        m.number("DataType", "I", 2), m.sub("Dimensions", m.number("", "I", 2), m.number("", "I", 3)))))), "16 bytes"),
]  # fmt: skip


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(("spoil", "words"), BROKEN)
def test_broken_files_are_refused_in_a_sentence(tmp_path: Path, version: int, spoil, words: str) -> None:
    path = tmp_path / "g.dm4"
    path.write_bytes(spoil(Maker(version, "<"), np.zeros((3, 4), "f4")))
    with pytest.raises(FormatError, match=words) as caught:
        open_dm(path, name="source/g.dm4")
    assert caught.value.where == "source/g.dm4"


def test_trees_without_end_are_refused() -> None:
    make = Maker(3, "<")
    deep = make.number("a", "I", 1)
    for _ in range(100):
        deep = make.sub("a", deep)
    with pytest.raises(FormatError, match="deeper than 32"):
        head_of(make.file(deep))
    many = b"\1\0" + make.long(1 << 31) + make.number("a", "I", 1) * 200_000
    with pytest.raises(FormatError, match="more than 131072 tags"):
        head_of(struct.pack(">III", 3, len(many), 1) + many)


def test_a_tag_of_another_length_than_it_says_is_refused() -> None:
    make = Maker(4, "<")
    tag = bytearray(make.number("a", "I", 1))
    tag[11] += 1
    with pytest.raises(FormatError, match="another length"):
        head_of(make.file(bytes(tag), make.number("b", "I", 1)))


def test_an_absent_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        open_dm(tmp_path / "none.dm4")


WHOLE = {
    version: Maker(version, "<").gain(np.arange(12, dtype="f4").reshape(3, 4), units=("nm", "nm"))
    for version in (3, 4)
}


@settings(max_examples=60)
@given(version=st.sampled_from([3, 4]), at=st.integers(0, 700), change=st.binary(min_size=1, max_size=8))
def test_damage_gives_a_head_or_a_sentence(version: int, at: int, change: bytes) -> None:
    raw = bytearray(WHOLE[version])
    at %= len(raw)
    raw[at : at + len(change)] = change
    try:
        head = head_of(bytes(raw))
    except FormatError:
        return
    assert head.offset + int(np.prod(head.shape)) * head.dtype.itemsize <= len(raw)
