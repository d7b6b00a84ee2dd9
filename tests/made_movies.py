"""Movies and gain references as microscopes leave them, by tifffile and mrcfile; EER by its mark alone."""

from __future__ import annotations

import struct
from pathlib import Path

import mrcfile
import numpy as np
import tifffile

from fixtures_tiny import ANGLES, Tiny

SIZE = (30, 40)
"""Rows and columns of an image."""
IMAGES = 10


def tiff(path: Path, seed: int = 1, *, images: int = IMAGES, size: tuple[int, int] = SIZE) -> bytes:
    """An LZW movie; gives its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(seed).poisson(2, (images, *size)).astype(np.uint8)
    tifffile.imwrite(path, data, compression="lzw", photometric="minisblack", metadata=None)
    return path.read_bytes()


def eer(path: Path, *, images: int = 4) -> bytes:
    """A BigTIFF whose pages carry EER's compression code; what is inside them is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.zeros((images, *SIZE), np.uint8)
    tifffile.imwrite(path, data, bigtiff=True, photometric="minisblack", metadata=None)
    plain, marked = (struct.pack("<HHQQ", 259, 3, 1, code) for code in (1, 65001))
    content = path.read_bytes()
    assert content.count(plain) == images
    path.write_bytes(content.replace(plain, marked))
    return path.read_bytes()


def mrc(path: Path, *, images: int = 1, size: tuple[int, int] = SIZE) -> bytes:
    """A movie or gain reference as float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(np.ones((images, *size), np.float32))
    return path.read_bytes()


def with_movies(tiny: Tiny, run: str = "R1") -> dict[str, bytes]:
    """Give every section of the run's mdoc its movie, and the deposition file the pattern; name → bytes."""
    tiny.config["frames"][0]["sources"] = [{"source_glob": {"list_glob": "frames/{run_name}_*"}}]
    names = [f"{run}_{number:03d}.tif" for number in range(len(ANGLES))]
    return {name: tiff(tiny.lab / "frames" / name, number) for number, name in enumerate(names)}


def with_gain(tiny: Tiny, name: str = "CountRef.mrc", *, size: tuple[int, int] = SIZE) -> bytes:
    """A gain reference for all runs."""
    tiny.config["gains"] = [{"sources": [{"source_glob": {"list_glob": "gains/*"}}]}]
    return mrc(tiny.lab / "gains" / name, size=size)
