"""What the extended header of an MRC file says about its sections: tilt angles and pixel size.

Pure. The forms are those of the software that writes tilt series:

* FEI1, FEI2 (Thermo Fisher: EPU, Tomography): little-endian records, 768 or 888 bytes, that begin with their own size; a bit mask
  tells which fields are set (its bits go with the fields in their order). Field positions as in mrcfile's `get_ext_header_dtype`.
* SERI (SerialEM) and what IMOD makes of it: short integers, their kinds given by bits in the main header ("MRC format used by IMOD",
  fields nint and nreal).
* AGAR, and files of FEI's Xplore3D without a type: whole numbers, then reals; the first real is the tilt angle in degrees. Xplore3D
  writes 32 reals, the twelfth of them the pixel size in metres.

CCP4 (symmetry), MRCO and HDF5 say nothing about sections.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tomoportal.formats.mrc_header import MrcHeader

_SILENT = (b"CCP4", b"MRCO", b"HDF5")
_FEI = {b"FEI1": 768, b"FEI2": 888}
_FEI_MASK, _FEI_TILT, _FEI_PIXEL_SIZE = 8, 100, 156
_FEI_TILT_BIT, _FEI_PIXEL_SIZE_BIT = 7, 14
_SERI_SIZES = (2, 6, 4, 2, 2, 4, 2, 4, 2, 4, 2)
"""Bytes of tilt angle, piece coordinates, stage position, magnification, intensity, dose, and what is reserved, bit by bit."""
_XPLORE_REALS, _XPLORE_PIXEL_SIZE = 32, 11
_ANGSTROM_PER_METRE = 1e10
_LEAST_SIZE, _LARGEST_SIZE = 1e-2, 1e5


@dataclass(frozen=True, slots=True)
class SectionHeaders:
    """`kind`: fei1, fei2, seri, agar or xplore3d. `tilt_angles`: degrees, one for every section in the order of the file, None unless
    all are there and say something. `pixel_size`: Å, that of the first section, None unless it is plausible."""

    kind: str
    tilt_angles: tuple[float, ...] | None = None
    pixel_size: float | None = None


def section_headers(header: MrcHeader) -> SectionHeaders | None:
    """What `header` with its extension says about its sections; None when the extension is of no known form."""
    if header.exttyp in _SILENT and not _is_xplore(header):
        return None
    if header.exttyp in _FEI:
        return _fei(header)
    integers, reals = struct.unpack_from(header.byte_order + "hh", header.extra2, 16)
    if header.exttyp != b"AGAR" and 0 < reals < 1 << len(_SERI_SIZES) and integers == _seri_bytes(reals):
        return _seri(header, integers, reals)
    return _agard(header, integers, reals)


def _fei(header: MrcHeader) -> SectionHeaders | None:
    least = _FEI[header.exttyp]
    if len(header.extended) < least:
        return None
    (stride,) = struct.unpack_from("<i", header.extended)
    if stride < least:
        return None
    angles, sections = [], header.size[2]
    for start in range(0, min(len(header.extended) - least + 1, stride * sections), stride):
        (mask,) = struct.unpack_from("<I", header.extended, start + _FEI_MASK)
        (angle,) = struct.unpack_from("<d", header.extended, start + _FEI_TILT)
        angles.append(angle if mask >> _FEI_TILT_BIT & 1 else math.nan)
    (mask,) = struct.unpack_from("<I", header.extended, _FEI_MASK)
    (metres,) = struct.unpack_from("<d", header.extended, _FEI_PIXEL_SIZE)
    size = _plausible(metres) if mask >> _FEI_PIXEL_SIZE_BIT & 1 else None
    return SectionHeaders(header.exttyp.decode().lower(), _telling(angles, sections), size)


def _seri_bytes(flags: int) -> int:
    return sum(size for bit, size in enumerate(_SERI_SIZES) if flags >> bit & 1)


def _seri(header: MrcHeader, stride: int, flags: int) -> SectionHeaders | None:
    sections = header.size[2]
    if len(header.extended) < stride * sections:
        return None
    if not flags & 1:
        return SectionHeaders("seri")
    angles = [
        struct.unpack_from(header.byte_order + "h", header.extended, start)[0] / 100
        for start in range(0, stride * sections, stride)
    ]
    return SectionHeaders("seri", _telling(angles, sections))


def _agard(header: MrcHeader, integers: int, reals: int) -> SectionHeaders | None:
    sections, is_xplore = header.size[2], _is_xplore(header)
    if is_xplore:
        integers, reals = 0, _XPLORE_REALS
    stride = 4 * (integers + reals)
    if integers < 0 or reals < 1 or not 0 < stride * sections <= len(header.extended):
        return None
    values = np.frombuffer(header.extended, header.byte_order + "f4", stride // 4 * sections)
    angles = values.reshape(sections, -1)[:, integers].tolist()
    size = _plausible(float(values[_XPLORE_PIXEL_SIZE])) if is_xplore else None
    return SectionHeaders("xplore3d" if is_xplore else "agar", _telling(angles, sections), size)


def _is_xplore(header: MrcHeader) -> bool:
    """Whether FEI's Xplore3D wrote it, which its first label says."""
    labelled = any(label.strip().startswith("Fei Company") for label in header.labels)
    return labelled and len(header.extended) >= 4 * _XPLORE_REALS * header.size[2]


def _telling(angles: Sequence[float], sections: int) -> tuple[float, ...] | None:
    """`angles`, unless some are missing or no angles at all, or all of several are zero, as where nobody filled them in."""
    possible = len(angles) == sections and all(abs(angle) <= 180 for angle in angles)
    if not possible or (sections > 1 and not any(angles)):
        return None
    return tuple(round(angle, 4) for angle in angles)


def _plausible(metres: float) -> float | None:
    angstrom = metres * _ANGSTROM_PER_METRE
    return angstrom if _LEAST_SIZE < angstrom < _LARGEST_SIZE else None
