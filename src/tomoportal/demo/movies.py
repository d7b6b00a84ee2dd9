"""Movies, gain reference and CTF estimates of one run, as detector and software would have left them.

Counts of a tilt image are dealt out to the images of its movie at random, so that a movie adds up to its tilt image; then the
detector's gain is laid over them, which a gain reference takes away again. To keep the demo small the movies are a quarter of the
size of the tilt images. Nothing here knows of files.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tomoportal.demo.shapes import Array

IMAGES = 6
"""Images of a movie."""
SMALLER = 4
GAIN_SPREAD = 0.05


def gain_reference(raw: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.float32]:
    """Factors (y, x) by which pixels of a movie are multiplied to correct them, log-normal around 1."""
    ny, nx = (side // SMALLER for side in raw.shape[1:])
    return np.asarray(rng.lognormal(0, GAIN_SPREAD, (ny, nx)), np.float32)


def movie(image: NDArray[np.int16], gain: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The movie (image, y, x) of a tilt image (y, x): mean counts of `SMALLER`² pixels, not gain-corrected."""
    ny, nx = gain.shape
    cut = np.asarray(image[: ny * SMALLER, : nx * SMALLER], np.float32)
    mean = cut.reshape(ny, SMALLER, nx, SMALLER).mean(axis=(1, 3))
    dealt = rng.multinomial(np.rint(mean).astype(np.int64).ravel(), [1 / IMAGES] * IMAGES)
    counts = dealt.T.reshape(IMAGES, ny, nx) / gain
    return np.asarray(np.clip(np.rint(counts), 0, 255), np.uint8)


def estimates(defocus: float, count: int, rng: np.random.Generator) -> Array:
    """What a program would find for images that all have `defocus` (Å): rows of major and minor defocus (Å), azimuth (degrees), phase
    shift (radians), cross correlation and resolution (Å)."""
    major = np.round(defocus + rng.normal(0, 150, count), 2)
    minor = np.round(major - np.abs(rng.normal(0, 80, count)), 2)
    azimuth = np.round(rng.uniform(-90, 90, count), 2)
    score, resolution = np.round(rng.uniform(0.05, 0.2, count), 5), np.round(rng.uniform(22, 30, count), 2)
    return np.column_stack([major, minor, azimuth, np.zeros(count), score, resolution])
