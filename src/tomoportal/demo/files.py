"""The depositor's files: MRC, angle lists, SerialEM mdoc, IMOD alignment, tables of picks.

Every writer gives the same bytes for the same content: no clock, no machine name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
from numpy.typing import NDArray

LABEL = "Simulated by the Tomoportal demo; not a measurement"
FIRST_EXPOSURE = datetime(2025, 3, 14, 9, 26, 53)


def write_mrc(path: Path, data: NDArray[Any], spacing: float, *, stack: bool = False) -> None:
    """Write (z, y, x) int8, int16 or float32 with an isotropic voxel size in Å; `stack` marks a tilt series (space group 0)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(np.ascontiguousarray(data))
        if stack:
            file.set_image_stack()
        else:
            file.set_volume()
        file.voxel_size = spacing
        file.header.label = b""
        file.header.label[0] = LABEL.encode().ljust(80)
        file.header.nlabl = 1


def write_movie(path: Path, images: NDArray[np.uint8]) -> None:
    """A TIFF with LZW, as SerialEM saves counted frames: (image, y, x)."""
    import tifffile

    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(
        path,
        images,
        compression="lzw",
        photometric="minisblack",
        metadata=None,
        software=False,
        description=LABEL,
    )


def write_estimates(path: Path, rows: NDArray[np.float64]) -> None:
    """A table in the form of CTFFIND 4, images counted from 1: major and minor defocus, azimuth, phase shift, score, resolution."""
    head = [
        f"# {LABEL}",
        "# Columns: #1 - micrograph number; #2 - defocus 1 [Angstroms]; #3 - defocus 2; #4 - azimuth of astigmatism; "
        "#5 - additional phase shift [radians]; #6 - cross correlation; #7 - spacing (in Angstroms) up to which CTF rings were fit "
        "successfully",
    ]
    table = [f"{n:.6f} " + " ".join(f"{value:.6f}" for value in row) for n, row in enumerate(rows, 1)]
    write_text(path, head + table)


def write_text(path: Path, lines: Iterable[str], newline: str = "\n") -> None:
    """Write lines as UTF-8 with the given line ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + newline for line in lines).encode())


def write_angles(path: Path, angles: NDArray[np.float64]) -> None:
    """One angle per line in stack order, right-aligned as IMOD writes them."""
    write_text(path, (f"{angle:8.2f}" for angle in angles))


def write_transforms(path: Path, rows: NDArray[np.float64]) -> None:
    """IMOD .xf: A11 A12 A21 A22 DX DY per image, raw to aligned, about the image centres, shifts in pixels."""
    write_text(
        path,
        ("".join(f"{v:12.7f}" for v in row[:4]) + "".join(f"{v:12.3f}" for v in row[4:]) for row in rows),
    )


def write_aln(
    path: Path, rows: NDArray[np.float64], angles: NDArray[np.float64], size: tuple[int, int, int]
) -> None:
    """The same transforms as AreTomo3 writes them (.aln); `angles` refined degrees, `size` x, y pixels and images of the raw stack.

    ROT is the tilt axis in degrees counter-clockwise from y, the shift T the place of the volume's middle in the raw image:
    A = R(-ROT), d = -A T. Images count from 1.
    """
    lines = [
        "# AreTomo Alignment / Priims bprmMn",
        f"# RawSize = {size[0]} {size[1]} {size[2]}",
        "# NumPatches = 0",
        f"# AlphaOffset = {0:8.2f}",
        f"# BetaOffset = {0:8.2f}",
        "# SEC     ROT         GMAG       TX          TY      SMEAN     SFIT    SCALE     BASE     TILT",
    ]
    for number, (row, angle) in enumerate(zip(rows, angles, strict=True), start=1):
        x, y = -row[:4].reshape(2, 2).T @ row[4:]
        turn = np.degrees(np.arctan2(row[1], row[0]))
        lines.append(
            f"{number:5d}  {turn:9.4f}  {1:9.5f}  {x:9.3f}  {y:9.3f}  {1:7.2f}  {1:7.2f}  {1:7.2f}  {0:7.2f}  {angle:8.2f}"
        )
    write_text(path, lines)


def write_points(
    path: Path, points: NDArray[np.float64], header: Sequence[str] = (), digits: int = 2
) -> None:
    """A comma-separated table of x, y, z, with a header line when one is given."""
    lines = [",".join(header)] if header else []
    write_text(path, lines + [",".join(f"{v:.{digits}f}" for v in point) for point in points])


def dose_symmetric(count: int) -> list[int]:
    """Order of acquisition as indices into ascending angles, `count` odd: the middle, then outwards, changing sides every two."""
    middle = count // 2
    order = [middle]
    for k in range(1, middle + 1):
        order += [middle + k, middle - k] if k % 2 else [middle - k, middle + k]
    return order


def movie_name(name: str, turn: int, angle: float) -> str:
    """The file name of a movie: run, place in the acquisition, angle."""
    return f"{name}_{turn:03d}_{angle:.1f}.tif"


def mdoc_lines(
    name: str,
    stack: str,
    size: tuple[int, int],
    angles: NDArray[np.float64],
    *,
    pixel: float,
    axis: float,
    dose: float,
    seconds: float,
    defocus: float,
) -> list[str]:
    """A SerialEM mdoc, one [ZValue] section per image in order of acquisition.

    `angles` ascending degrees (stack order), `size` x, y pixels, `pixel` Å, `dose` e⁻/Å² and `seconds` per image,
    `defocus` Å (underfocus positive; SerialEM writes micrometres, negative).
    """
    lines = [
        f"PixelSpacing = {pixel:g}",
        "Voltage = 300",
        f"ImageFile = {stack}",
        f"ImageSize = {size[0]} {size[1]}",
        "DataMode = 1",
        "",
        "[T = SerialEM: Simulated acquisition, Tomoportal demo            14-Mar-25  09:26:53    ]",
        "",
        f"[T =     Tilt axis angle = {axis:.1f}, binning = 1  spot = 8  camera = 0]",
        "",
    ]
    for turn, index in enumerate(dose_symmetric(len(angles))):
        moment = FIRST_EXPOSURE + timedelta(seconds=90 * turn)
        lines += [
            f"[ZValue = {turn}]",
            f"TiltAngle = {angles[index]:.4f}",
            "StagePosition = 112.480 -207.310",
            "StageZ = 41.2",
            "Magnification = 53000",
            f"ExposureDose = {dose:g}",
            f"PriorRecordDose = {dose * turn:g}",
            f"PixelSpacing = {pixel:g}",
            "SpotSize = 8",
            f"Defocus = {-defocus / 1e4:.3f}",
            f"TargetDefocus = {-defocus / 1e4:.1f}",
            f"RotationAngle = {axis - 90:.1f}",
            f"ExposureTime = {seconds:g}",
            "Binning = 1",
            rf"SubFramePath = D:\demo\frames\{movie_name(name, turn, angles[index])}",
            "NumSubFrames = 6",
            f"FrameDosesAndNumber = {dose / 6:g} 6",
            f"DateTime = {moment:%d-%b-%y  %H:%M:%S}",
            "",
        ]
    return lines
