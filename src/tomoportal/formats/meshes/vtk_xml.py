"""VTK's XML files of polygons (`.vtp`, also under the ending `.vtk`): text, base64 or appended arrays, plain or compressed.

Format: "VTK File Formats" (https://docs.vtk.org/en/latest/design_documents/VTKFileFormats.html), "XML File Formats". An array that is
not text begins with its number of bytes; a compressed one with the number of blocks, the size of a block, that of the last one (0: it
is full), and the compressed size of each.
"""

from __future__ import annotations

import base64
import binascii
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tomoportal.errors import FormatError
from tomoportal.formats.meshes.mesh import Mesh, checked, joined, of_strips, triangles

_TYPES = {f"{word}{bits}": f"{code}{bits // 8}" for word, code in (("Int", "i"), ("UInt", "u"), ("Float", "f"))
          for bits in (8, 16, 32, 64) if not (word == "Float" and bits < 32)}  # fmt: skip
_APPENDED = re.compile(rb"<AppendedData[^>]*?encoding\s*=\s*[\"'](\w+)[\"'][^>]*>\s*_")
_LARGEST = 2**31
Inflate = Callable[[bytes, int], bytes]
"""Compressed block and its size when unpacked → the block."""


@dataclass(frozen=True, slots=True)
class _File:
    """How arrays of a file are written. `appended` follows the underscore of AppendedData; `is_raw`: as bytes, not base64."""

    name: str
    order: str
    length: np.dtype[np.generic]
    inflate: Inflate | None
    appended: bytes
    is_raw: bool

    def array(self, element: ElementTree.Element) -> NDArray[Any]:
        """The numbers of a DataArray."""
        code = _TYPES.get(element.get("type", ""))
        if code is None:
            raise self.error(f"an array has the type '{element.get('type')}'")
        kind = np.dtype(self.order + code)
        match element.get("format", "ascii"):
            case "ascii":
                return self._text(element.text or "", kind)
            case "binary":
                data = self._bytes((element.text or "").strip().encode(), is_raw=False)
            case "appended" if self.appended:
                offset = element.get("offset", "")
                if not offset.isdecimal() or int(offset) > len(self.appended):
                    raise self.error(f"an array is said to begin at byte '{offset}' of {len(self.appended)}")
                data = self._bytes(self.appended[int(offset) :], self.is_raw)
            case other:
                raise self.error(f"an array has the format '{other}', and its data are not there")
        if len(data) % kind.itemsize:
            raise self.error(f"an array of {element.get('type')} has {len(data)} bytes")
        return np.frombuffer(data, kind)

    def _text(self, text: str, kind: np.dtype[np.generic]) -> NDArray[Any]:
        try:
            return np.array(text.split(), dtype="U32").astype(kind)
        except ValueError as error:
            raise self.error(f"an array holds text ({error})") from None

    def _bytes(self, data: bytes, is_raw: bool) -> bytes:
        if self.inflate is None:
            (size,) = self._head(data, 1, is_raw)
            return self._body(data, self.length.itemsize, size, is_raw, together=True)
        count, block, last = self._head(data, 3, is_raw)
        if count * block > _LARGEST:
            raise self.error(f"an array announces {count} blocks of {block} bytes")
        sizes = self._head(data, 3 + count, is_raw)[3:]
        body = self._body(data, (3 + count) * self.length.itemsize, sum(sizes), is_raw, together=False)
        found, at = [], 0
        for number, size in enumerate(sizes):
            full = last if last and number == count - 1 else block
            try:
                found.append(self.inflate(body[at : at + size], full))
            except _DAMAGE as error:
                raise self.error(f"block {number + 1} of an array cannot be unpacked ({error})") from None
            at += size
        return b"".join(found)

    def _head(self, data: bytes, count: int, is_raw: bool) -> list[int]:
        size = count * self.length.itemsize
        head = data[:size] if is_raw else self._decoded(data[: 4 * -(-size // 3)])[:size]
        if len(head) < size:
            raise self.error("an array ends within its header")
        return [int(value) for value in np.frombuffer(head, self.length)]

    def _body(self, data: bytes, head: int, size: int, is_raw: bool, together: bool) -> bytes:
        """`size` bytes after a header; in base64 the header is encoded together with an array, but apart from blocks."""
        if size > _LARGEST:
            raise self.error(f"an array announces {size} bytes")
        if is_raw:
            body = data[head : head + size]
        elif together:
            body = self._decoded(data[: 4 * -(-(head + size) // 3)])[head : head + size]
        else:
            begin = 4 * -(-head // 3)
            body = self._decoded(data[begin : begin + 4 * -(-size // 3)])[:size]
        if len(body) < size:
            raise self.error(f"an array ends after {len(body)} of {size} bytes")
        return body

    def _decoded(self, data: bytes) -> bytes:
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise self.error(f"an array is not base64 ({error})") from None

    def error(self, message: str) -> FormatError:
        """What is wrong with this file."""
        return FormatError(
            self.name,
            f"{message}; this VTK file is damaged or of an unknown form.",
            "Write it again as PolyData.",
        )


def read_vtk_xml(data: bytes, name: str) -> Mesh:
    """The polygons of all pieces, as triangles. Raises `FormatError`."""
    appended = _APPENDED.search(data)
    text = data[: appended.start()] + b"</VTKFile>" if appended else data
    if b"<!" in re.sub(rb"<!--.*?-->", b"", text, flags=re.DOTALL):
        raise FormatError(name, "this XML file has a document type; expected plain VTK XML without one.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise FormatError(name, f"this is not an XML file ({error}); expected VTK PolyData.") from None
    if root.tag != "VTKFile" or root.get("type") != "PolyData":
        raise FormatError(
            name, f"this file is of the type '{root.get('type', root.tag)}'; expected PolyData."
        )
    file = _opened(
        root, data[appended.end() :] if appended else b"", bool(appended and appended[1] == b"raw"), name
    )
    pieces = [mesh for piece in root.iter("Piece") if (mesh := _piece(file, piece))]
    if not pieces:
        return checked(np.zeros((0, 3)), np.zeros((0, 3), np.int64), name)
    return joined(pieces)


def _opened(root: ElementTree.Element, appended: bytes, is_raw: bool, name: str) -> _File:
    order = ">" if root.get("byte_order") == "BigEndian" else "<"
    header = root.get("header_type", "UInt32")
    if header not in ("UInt32", "UInt64"):
        raise FormatError(name, f"its header_type is '{header}'; expected UInt32 or UInt64.")
    length = np.dtype(order + _TYPES[header])
    compressor = root.get("compressor", "")
    if compressor not in _COMPRESSORS:
        raise FormatError(
            name,
            f"this file is compressed by {compressor}, which is unknown.",
            "Write it without compression.",
        )
    return _File(name, order, length, _COMPRESSORS[compressor], appended, is_raw)


def _zlib(data: bytes, size: int) -> bytes:
    return zlib.decompressobj().decompress(data, size)


def _lzma(data: bytes, size: int) -> bytes:
    return lzma.LZMADecompressor().decompress(data, size)


def _lz4(data: bytes, size: int) -> bytes:
    return bytes(imagecodecs.lz4_decode(data, out=size))


_COMPRESSORS: dict[str, Inflate | None] = {
    "": None, "vtkZLibDataCompressor": _zlib, "vtkLZMADataCompressor": _lzma, "vtkLZ4DataCompressor": _lz4,
}  # fmt: skip
_DAMAGE = (zlib.error, lzma.LZMAError, imagecodecs.Lz4Error)


def _piece(file: _File, piece: ElementTree.Element) -> Mesh | None:
    points = piece.find("Points/DataArray")
    cells = [(piece.find("Polys"), triangles), (piece.find("Strips"), of_strips)]
    faces = [cut(*found) for part, cut in cells if part is not None and (found := _cells(file, part))]
    if points is None or not faces:
        return None
    places = file.array(points)
    if len(places) % 3:
        raise file.error(f"the points have {len(places)} coordinates")
    return checked(places.reshape(-1, 3), np.concatenate(faces), file.name)


def _cells(file: _File, part: ElementTree.Element) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Corners of all cells, and where each ends; None without cells."""
    named = {array.get("Name"): array for array in part.iter("DataArray")}
    if "connectivity" not in named or "offsets" not in named:
        return None
    corners, ends = (file.array(named[key]).astype(np.int64) for key in ("connectivity", "offsets"))
    if not len(ends):
        return None
    if ends[0] < 0 or (np.diff(ends) < 0).any() or ends[-1] != len(corners):
        raise file.error(f"the offsets of cells do not rise to {len(corners)}")
    return corners, ends
