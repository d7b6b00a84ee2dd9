"""Tiny valid files of every kind that deposition files name (imports nothing of ours)."""

from __future__ import annotations

import bz2
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mrcfile
import numpy as np
import tifffile
import zarr

VOLUME = (8, 16, 16)
"""Shape (z, y, x) of every tomogram and mask."""
IMAGE = (16, 16)
"""Shape (y, x) of every image of a stack, frame and gain reference."""


@dataclass
class Wanted:
    """A file to be made: for which section first, and what its content must agree with. Lengths in Å."""

    section: str
    kind: str = ""
    spacing: float = 10.0
    angles: Sequence[float] = ()
    frames: Sequence[str] = ()
    labels: set[int] = field(default_factory=set)
    threshold: float | None = None
    binning: float = 1.0
    delimiter: str = ","
    names: set[str] = field(default_factory=set)
    tilt_axis: float = 0.0


def write(path: Path, wanted: Wanted) -> None:
    """Make the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS.get(wanted.section, _other)(path, wanted)


def _mrc(path: Path, data: np.ndarray, spacing: float, *, stack: bool = False) -> None:
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        file.voxel_size = spacing
        if stack:
            file.set_image_stack()


def _zarr(path: Path, data: np.ndarray, spacing: float) -> None:
    group = zarr.open_group(path, mode="w", zarr_format=2)
    array = group.create_array("0", shape=data.shape, dtype=data.dtype, chunks=data.shape)
    array[:] = data
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    scale = [{"type": "scale", "scale": [spacing] * 3}]
    dataset = {"path": "0", "coordinateTransformations": scale}
    group.attrs["multiscales"] = [{"version": "0.4", "name": "/", "axes": axes, "datasets": [dataset]}]


def _noise(shape: tuple[int, ...], path: Path) -> np.ndarray:
    seed = sum(path.name.encode())
    return np.random.default_rng(seed).normal(100, 10, shape)


def _volume(path: Path, wanted: Wanted) -> None:
    data = _noise(VOLUME, path).astype(np.float32)
    (_zarr if path.suffix == ".zarr" else _mrc)(path, data, wanted.spacing)


def _stack(path: Path, wanted: Wanted) -> None:
    data = _noise((len(wanted.angles), *IMAGE), path).astype(np.int16)
    _mrc(path, data, wanted.spacing, stack=True)


def _angles(path: Path, wanted: Wanted) -> None:
    path.write_text("".join(f"{angle:8.2f}\n" for angle in wanted.angles))


def _mdoc(path: Path, wanted: Wanted) -> None:
    lines = [f"PixelSpacing = {wanted.spacing}", "Voltage = 300", f"ImageFile = {path.stem}", "",
             "[T = SerialEM: a tree for tests]", "",
             f"[T =     Tilt axis angle = {wanted.tilt_axis}, binning = 1  spot = 6  camera = 0]", ""]  # fmt: skip
    order = sorted(range(len(wanted.angles)), key=lambda index: abs(wanted.angles[index]))
    for number, index in enumerate(order):
        frame = wanted.frames[index] if index < len(wanted.frames) else f"{path.stem}_{index:03d}.tif"
        lines += [
            f"[ZValue = {number}]", f"TiltAngle = {wanted.angles[index]}", "ExposureDose = 3.0", "ExposureTime = 1.5",
            f"SubFramePath = D:\\frames\\{frame}", f"DateTime = 28-Apr-25  11:38:{10 + number}", "",
        ]  # fmt: skip
    path.write_text("\n".join(lines))


def _image(path: Path, wanted: Wanted) -> None:
    data = np.clip(_noise((2, *IMAGE), path), 0, 255).astype(np.uint8)
    match path.suffix:
        case ".eer":
            _eer(path)
        case ".mrc":
            _mrc(path, data.astype(np.int16), wanted.spacing)
        case ".bz2":
            inner = path.with_suffix("")
            _image(inner, wanted)
            path.write_bytes(bz2.compress(inner.read_bytes()))
            inner.unlink()
        case _:
            tifffile.imwrite(path, data, compression="lzw", photometric="minisblack")


def _eer(path: Path) -> None:
    """An electron-event file as far as its pages: BigTIFF with compression 65001."""
    entries = [
        (256, 4, IMAGE[1]),
        (257, 4, IMAGE[0]),
        (258, 3, 1),
        (259, 3, 65001),
        (273, 4, 16),
        (278, 4, IMAGE[0]),
        (279, 4, 8),
    ]
    start = 24
    tags = b"".join(struct.pack("<HHQQ", tag, kind, 1, value) for tag, kind, value in entries)
    page = struct.pack("<Q", len(entries)) + tags + struct.pack("<Q", 0)
    path.write_bytes(struct.pack("<2sHHHQ", b"II", 43, 8, 0, start) + bytes(8) + page)


def _gain(path: Path, wanted: Wanted) -> None:
    data = np.ones(IMAGE, np.float32)
    match path.suffix:
        case ".dm4":
            path.write_bytes(_dm4(data))
        case ".gain" | ".tif" | ".tiff":
            tifffile.imwrite(path, data)
        case _:
            _mrc(path, data, 1.0)


def _dm4(data: np.ndarray) -> bytes:
    """A Gatan file of version 4 with one image of float32."""
    rows, columns = data.shape
    image = _group("ImageData", [
        _value("DataType", 3, "I", 2), _value("PixelDepth", 3, "I", 4),
        _group("Dimensions", [_value("", 3, "I", columns), _value("", 3, "I", rows)]),
        _array("Data", 6, data.astype("<f4").tobytes(), data.size),
    ])  # fmt: skip
    body = _listed([_group("ImageList", [_group("", [image])])])
    return struct.pack(">IQI", 4, len(body), 1) + body + bytes(8)


def _listed(tags: list[bytes]) -> bytes:
    return struct.pack(">BBQ", 1, 0, len(tags)) + b"".join(tags)


def _group(name: str, tags: list[bytes]) -> bytes:
    body = _listed(tags)
    return struct.pack(">BH", 20, len(name)) + name.encode() + struct.pack(">Q", len(body)) + body


def _value(name: str, kind: int, packing: str, value: int) -> bytes:
    body = b"%%%%" + struct.pack(">QQ", 1, kind) + struct.pack(f"<{packing}", value)
    return struct.pack(">BH", 21, len(name)) + name.encode() + struct.pack(">Q", len(body)) + body


def _array(name: str, kind: int, raw: bytes, count: int) -> bytes:
    body = b"%%%%" + struct.pack(">QQQQ", 3, 20, kind, count) + raw
    return struct.pack(">BH", 21, len(name)) + name.encode() + struct.pack(">Q", len(body)) + body


def _ctf(path: Path, wanted: Wanted) -> None:
    count = len(wanted.angles)
    if wanted.kind == "IMOD":
        lines = ["1 0 0. 0. 0 3"]
        lines += [f"{n + 1} {n + 1} {a:.2f} {a:.2f} 3100.0 3000.0 12.50" for n, a in enumerate(wanted.angles)]
    else:
        lines = [
            "# Columns: #1 section, #2 defocus 1 [A], #3 defocus 2, #4 azimuth, #5 phase [rad], #6 correlation, #7 resolution"
        ]
        lines += [f"{n + 1:5d} 31000.00 30000.00 12.50 0.00 0.1200 9.50" for n in range(count)]
    path.write_text("\n".join(lines) + "\n")


def _alignment(path: Path, wanted: Wanted) -> None:
    count = len(wanted.angles)
    match path.suffix:
        case ".xf":
            path.write_text("   0.9999500   0.0099998  -0.0099998   0.9999500   1.500  -2.000\n" * count)
        case ".xtilt":
            path.write_text("    0.00\n" * count)
        case ".com" if "newst" in path.name:
            path.write_text("$newstack -StandardInput\nInputFile\tx.st\nBinByFactor\t4\n")
        case ".com":
            path.write_text(
                "$tilt -StandardInput\nInputProjections\tx_ali.mrc\nIMAGEBINNED 4\nTHICKNESS 400\nXAXISTILT 0.0\n"
            )
        case ".aln":
            path.write_text(_aln(wanted.angles))
        case _:
            _angles(path, wanted)


def _aln(angles: Sequence[float]) -> str:
    lines = ["# AreTomo Alignment / Priims bprmMn ", f"# RawSize = {IMAGE[1]} {IMAGE[0]} {len(angles)}", "# NumPatches = 0",
             "# AlphaOffset =     0.00", "# BetaOffset =     0.00",
             "# SEC     ROT         GMAG       TX          TY      SMEAN     SFIT    SCALE     BASE     TILT"]  # fmt: skip
    row = "{0:5d}  84.7000    1.00000      1.250     -2.500     1.00     1.00     1.00     0.00  {1:8.2f}"
    return "\n".join([*lines, *(row.format(n, angle) for n, angle in enumerate(angles))]) + "\n"


def _objects(path: Path, wanted: Wanted) -> None:
    lines = ["run_name,object_id,object_name,object_description,object_state"]
    lines += [f"{name},GO:0022626,cytosolic ribosome,made up,intact" for name in sorted(wanted.names)]
    path.write_text("\n".join(lines) + "\n")


def _annotation(path: Path, wanted: Wanted) -> None:
    if path.suffix in (".mrc", ".zarr"):
        _mask(path, wanted)
        return
    at = [4 * wanted.binning] * 3
    x, y, z = (f"{value:g}" for value in at)
    names = sorted(wanted.names)
    match wanted.kind:
        case "csv":
            path.write_text(wanted.delimiter.join((x, y, z)) + "\n")
        case "csv_with_header":
            path.write_text("".join(wanted.delimiter.join(line) + "\n" for line in ("xyz", (x, y, z))))
        case "tardis":
            path.write_text(f"ID,X,Y,Z\n0,{x},{y},{z}\n1,{x},{y},{z}\n")
        case "copick":
            path.write_text(json.dumps(_picks(at)))
        case "saber":
            path.write_text(json.dumps({"captions": [{"text": "a cell"}]}))
        case "mod":
            path.write_bytes(_model(at))
        case _:
            path.write_text(_star(wanted.kind, (x, y, z), names))


def _mask(path: Path, wanted: Wanted) -> None:
    data = np.zeros(VOLUME, np.float32 if wanted.threshold is not None else np.uint8)
    for layer, label in enumerate(sorted(wanted.labels or {1})):
        data.reshape(-1)[layer * 5 + 16 : layer * 5 + 21] = label
    if wanted.threshold is not None:
        data[4, 8, 8] = max(wanted.threshold, 1.0) + 1
    if path.suffix == ".zarr":
        _zarr(path, data, wanted.spacing)
    else:
        _mrc(path, data if data.dtype == np.float32 else data.astype(np.uint16), wanted.spacing)


def _picks(at: Sequence[float]) -> dict[str, object]:
    location = dict(zip("xyz", at, strict=True))
    matrix = np.eye(4).tolist()
    return {"pickable_object_name": "x", "user_id": "u", "session_id": "1", "run_name": None, "voxel_spacing": None,
            "unit": "angstrom", "points": [{"location": location, "transformation_": matrix, "instance_id": 0}]}  # fmt: skip


def _star(kind: str, at: tuple[str, str, str], names: Sequence[str]) -> str:
    if kind == "stopgap_star":
        columns = [
            "motl_idx",
            "tomo_num",
            "orig_x",
            "orig_y",
            "orig_z",
            "x_shift",
            "y_shift",
            "z_shift",
            "phi",
            "psi",
            "the",
        ]
        rows = [f"1 {name} {' '.join(at)} 0 0 0 10 20 30" for name in names or ["1"]]
        return _loop("data_stopgap_motivelist", columns, rows)
    column = "rlnMicrographName" if kind == "relion3_star" else "rlnTomoName"
    columns = [
        "rlnCoordinateX",
        "rlnCoordinateY",
        "rlnCoordinateZ",
        "rlnAngleRot",
        "rlnAngleTilt",
        "rlnAnglePsi",
        column,
    ]
    rows = [f"{' '.join(at)} 10 20 30 {name}" for name in names or ["TS"]]
    if kind != "relion4_star":
        return _loop("data_", columns, rows)
    optics = _loop("data_optics", ["rlnOpticsGroup", "rlnImagePixelSize"], ["1 2.0"])
    return optics + _loop("data_particles", columns, rows)


def _loop(name: str, columns: Sequence[str], rows: Sequence[str]) -> str:
    heads = "".join(f"_{column} #{place}\n" for place, column in enumerate(columns, 1))
    return f"\n{name}\n\nloop_\n{heads}" + "".join(f"{row}\n" for row in rows) + "\n"


def _model(at: Sequence[float]) -> bytes:
    """An IMOD model of one object with one point, and the slicer angles at it (format: IMOD, model file specification 1.2)."""
    nz, ny, nx = VOLUME
    head = struct.pack(">8s128s4i", b"IMODV1.2", b"a model", nx, ny, nz, 1)
    head += struct.pack(">I4i6f5ff2i3f", 0, 1, 0, 0, 255, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 0)
    part = b"OBJT" + struct.pack(">64s64siIii3fi8sii", b"object", b"", 1, 0, 0, 1, 0, 1, 0, 2, b"", 0, 0)
    contour = b"CONT" + struct.pack(">iIii3f", 1, 0, 0, 0, *at)
    angles = b"SLAN" + struct.pack(">ii6f32s", 60, 1, 10.0, 20.0, 30.0, *at, b"")
    return head + part + contour + angles + b"IEOF"


def _run_start(path: Path, wanted: Wanted) -> None:
    path.write_bytes(b"")


def _picture(path: Path, wanted: Wanted) -> None:
    from PIL import Image

    Image.new("RGB", (64, 48), (30, 60, 90)).save(path)


def _other(path: Path, wanted: Wanted) -> None:
    raise AssertionError(f"nothing says what {path} is: {wanted}")


_WRITERS = {
    "tomograms": _volume, "tiltseries": _stack, "rawtilts": _angles, "collection_metadata": _mdoc, "frames": _image,
    "gains": _gain, "ctfs": _ctf, "alignments": _alignment, "identified_objects": _objects, "annotations": _annotation,
    "pictures": _picture, "runs": _run_start,
}  # fmt: skip


def evenly(low: float, high: float, count: int = 5) -> list[float]:
    """Tilt angles over a range, in degrees, with two decimals."""
    return [round(low + (high - low) * index / (count - 1), 2) for index in range(count)]
