"""The 1024-byte main header of MRC2014 and its older relatives: decoding, byte order, and what was tolerated.

Takes bytes, gives a `MrcHeader` and `Problem` records; touches no file. Field positions and meanings are those of the
MRC2014 format description (Cheng et al. 2015, doi:10.1016/j.jsb.2015.04.002); IMOD's stamp and flags are described in
IMOD's own MRC page.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.problems import Problem, Severity

HEADER_SIZE = 1024
KNOWN_MODES = (0, 1, 2, 3, 4, 6, 12, 101)
EXTENDED_TYPES = (b"CCP4", b"MRCO", b"SERI", b"AGAR", b"FEI1", b"FEI2", b"HDF5")
LITTLE_STAMPS, BIG_STAMPS = (b"\x44\x44", b"\x44\x41"), (b"\x11\x11",)
IMOD_STAMP = 1146047817
IMOD_SIGNED_BYTES, IMOD_ORIGIN_AS_IN_MRC2014, IMOD_PACKED_NIBBLES = 1, 4, 16
_LARGEST_SIDE = 1 << 24

_FIELDS: list[tuple[str, str, int]] = [
    ("size", "i4", 3), ("mode", "i4", 0), ("start", "i4", 3), ("sampling", "i4", 3), ("cell", "f4", 3),
    ("angles", "f4", 3), ("axes", "i4", 3), ("dmin", "f4", 0), ("dmax", "f4", 0), ("dmean", "f4", 0),
    ("ispg", "i4", 0), ("nsymbt", "i4", 0), ("extra1", "V8", 0), ("exttyp", "V4", 0), ("nversion", "i4", 0),
    ("extra2", "V84", 0), ("origin", "f4", 3), ("map_id", "V4", 0), ("stamp", "V4", 0), ("rms", "f4", 0),
    ("nlabl", "i4", 0), ("labels", "V80", 10),
]  # fmt: skip


def header_dtype(byte_order: str) -> np.dtype:
    """The structured type of the main header; `byte_order` is '<' or '>'."""
    fields: list[tuple] = []
    for name, kind, count in _FIELDS:
        ordered = byte_order + kind if kind[0] in "if" else kind
        fields.append((name, ordered, count) if count else (name, ordered))
    return np.dtype(fields)


@dataclass(frozen=True, slots=True)
class MrcHeader:
    """The values of a main header. Triples are in the order of the file: columns, rows, sections for `size`, x, y, z
    for `sampling`, `cell` (Å), `start` and `origin`; `axes` says which of x, y, z (1, 2, 3) columns, rows and
    sections are. `extended` holds the bytes between the main header and the data."""

    byte_order: str
    size: tuple[int, int, int]
    mode: int
    start: tuple[int, int, int]
    sampling: tuple[int, int, int]
    cell: tuple[float, float, float]
    axes: tuple[int, int, int]
    dmin: float
    dmax: float
    dmean: float
    rms: float
    ispg: int
    nsymbt: int
    exttyp: bytes
    nversion: int
    extra1: bytes
    extra2: bytes
    origin: tuple[float, float, float]
    map_id: bytes
    stamp: bytes
    nlabl: int
    labels: tuple[str, ...]
    extended: bytes = b""

    @property
    def imod_flags(self) -> int | None:
        """IMOD's flag word when the header carries IMOD's stamp."""
        stamp, flags = struct.unpack_from(self.byte_order + "ii", self.extra2, 40)
        return flags if stamp == IMOD_STAMP else None


def decode_header(raw: bytes, file_size: int, name: str) -> tuple[MrcHeader, list[Problem]]:
    """The header in `raw` (1024 bytes), its byte order read from the machine stamp or, failing that, guessed.

    Raises `FormatError` when neither byte order gives a possible header."""
    declared = _declared_order(raw)
    order = next((o for o in _orders(declared) if _is_possible(raw, o, file_size)), None)
    if order is None:
        raise FormatError(
            name, _impossible(raw, declared or "<"), "Check that this is an MRC file, or export it again."
        )
    header = _decode(raw, order)
    problems = []
    if declared is None:
        problems.append(_warning("mrc-machine-stamp", name, f"the machine stamp is {header.stamp.hex(' ')}, which names no "
            f"byte order; the header makes sense as {_endian(order)}, which was taken"))  # fmt: skip
    elif declared != order:
        problems.append(_warning("mrc-machine-stamp", name, f"the machine stamp says {_endian(declared)}, but the header "
            f"makes sense only as {_endian(order)}, which was taken"))  # fmt: skip
    return header, problems + _oddities(header, name)


def _declared_order(raw: bytes) -> str | None:
    stamp = raw[212:214]
    return "<" if stamp in LITTLE_STAMPS else ">" if stamp in BIG_STAMPS else None


def _orders(declared: str | None) -> tuple[str, str]:
    return (">", "<") if declared == ">" else ("<", ">")


def _is_possible(raw: bytes, order: str, file_size: int) -> bool:
    nx, ny, nz, mode = struct.unpack_from(order + "4i", raw)
    nsymbt = struct.unpack_from(order + "i", raw, 92)[0]
    sides = all(0 < n <= _LARGEST_SIDE for n in (nx, ny, nz))
    return sides and mode in KNOWN_MODES and -(1 << 20) <= nsymbt <= max(file_size, 1 << 28)


def _impossible(raw: bytes, order: str) -> str:
    nx, ny, nz, mode = struct.unpack_from(order + "4i", raw)
    return (
        f"this is not a readable MRC file: its header gives {nx} columns, {ny} rows, {nz} sections and mode {mode}; "
        f"sizes must be positive and the mode one of {', '.join(map(str, KNOWN_MODES))}."
    )


def _decode(raw: bytes, order: str) -> MrcHeader:
    record = np.frombuffer(raw, header_dtype(order), 1)[0]

    def three(field: str) -> tuple:
        return tuple(record[field].tolist())

    kept = max(0, min(int(record["nlabl"]), 10))
    labels = [bytes(label).split(b"\0")[0].decode("latin-1").rstrip() for label in record["labels"]]
    return MrcHeader(
        byte_order=order, size=three("size"), mode=int(record["mode"]), start=three("start"),
        sampling=three("sampling"), cell=three("cell"), axes=three("axes"), dmin=float(record["dmin"]),
        dmax=float(record["dmax"]), dmean=float(record["dmean"]), rms=float(record["rms"]),
        ispg=int(record["ispg"]), nsymbt=int(record["nsymbt"]), exttyp=bytes(record["exttyp"]),
        nversion=int(record["nversion"]), extra1=bytes(record["extra1"]), extra2=bytes(record["extra2"]),
        origin=three("origin"), map_id=bytes(record["map_id"]), stamp=bytes(record["stamp"]),
        nlabl=int(record["nlabl"]), labels=tuple(labels[:kept]),
    )  # fmt: skip


def _oddities(header: MrcHeader, name: str) -> list[Problem]:
    found = []
    if header.map_id != b"MAP ":
        found.append(_warning("mrc-map-id", name, f"bytes 209-212 hold {header.map_id!r} instead of 'MAP '"))
    if header.nversion not in (0, 20140, 20141):
        found.append(
            _warning(
                "mrc-version", name, f"the format version is {header.nversion}; 20140 or 20141 was expected"
            )
        )
    if not 0 <= header.nlabl <= 10:
        found.append(
            _warning("mrc-labels", name, f"the number of labels is {header.nlabl}; 0 to 10 was expected")
        )
    if header.nsymbt > 0 and header.exttyp not in EXTENDED_TYPES:
        found.append(_warning("mrc-exttyp", name, f"the extended header's type is {header.exttyp!r}, which is not one of "
            + ", ".join(kind.decode() for kind in EXTENDED_TYPES)))  # fmt: skip
    if header.nsymbt % 4:
        found.append(
            _warning(
                "mrc-nsymbt", name, f"the extended header has {header.nsymbt} bytes, not a multiple of 4"
            )
        )
    if any(header.start) or any(header.origin):
        found.append(_warning("mrc-origin", name, f"the header places the volume at start {header.start} and origin "
            f"{header.origin}; published volumes start at 0, and this offset is not carried over"))  # fmt: skip
    return found


def _endian(order: str) -> str:
    return "little-endian" if order == "<" else "big-endian"


def _warning(code: str, name: str, message: str) -> Problem:
    return Problem(code, message + ".", Severity.WARNING, file=name)
