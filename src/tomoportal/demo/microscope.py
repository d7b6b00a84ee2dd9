"""The microscope and the reconstruction: phantom → tilt images → raw stack → aligned stack → tomogram.

Arrays are (z, y, x) and (tilt, y, x), float32; the tilt axis is y. A point of the phantom appears in the image of
tilt angle t at  x' - cx = (x - cx) cos t + (z - cz) sin t,  y' = y,  with c = (n - 1) / 2.
Nothing here knows of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

Image = NDArray[np.float32]
WAVELENGTH_300KV = 0.019687  # Å


@dataclass(frozen=True)
class Optics:
    """`pixel` Å, `defocus` Å (underfocus positive), `dose` e⁻/Å² per image, `contrast` of protein per Å, `mean_free_path` Å."""

    pixel: float
    defocus: float
    dose: float = 3.0
    contrast: float = 1.0e-3
    mean_free_path: float = 3000.0
    cs_mm: float = 2.7
    amplitude: float = 0.07


def ray_weights(angles: NDArray[Any], nz: int, nx: int, tiles: int) -> scipy.sparse.csr_matrix:
    """Linear interpolation weights, rows (z, x) of the volume, columns (tilt, x') of the images.

    With `tiles` > 0 the specimen continues that many times to both sides of the field of view as a copy of itself, so
    that tilted images are filled to their edges; use 0 for back-projection.
    """
    z, x = np.meshgrid(np.arange(nz) - (nz - 1) / 2, np.arange(nx) - (nx - 1) / 2, indexing="ij")
    rows, columns, weights = [], [], []
    voxel = np.arange(nz * nx).reshape(nz, nx)
    for k, angle in enumerate(np.deg2rad(angles)):
        for tile in range(-tiles, tiles + 1):
            place = (x + tile * nx) * np.cos(angle) + z * np.sin(angle) + (nx - 1) / 2
            left = np.floor(place).astype(np.int64)
            for column, weight in ((left, 1 - (place - left)), (left + 1, place - left)):
                hit = (column >= 0) & (column < nx)
                rows.append(voxel[hit])
                columns.append(column[hit] + k * nx)
                weights.append(weight[hit].astype(np.float32))
    shape = (nz * nx, len(angles) * nx)
    return scipy.sparse.csr_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape
    )


def project(volume: Image, angles: NDArray[Any]) -> Image:
    """Line integrals (in voxels) of (z, y, x) at each angle, as (tilt, y, x)."""
    nz, ny, nx = volume.shape
    slab = np.ascontiguousarray(volume.transpose(0, 2, 1)).reshape(nz * nx, ny)
    images = ray_weights(angles, nz, nx, tiles=1).T @ slab
    return np.ascontiguousarray(images.reshape(len(angles), nx, ny).transpose(0, 2, 1))


def expose(projections: Image, angles: NDArray[Any], optics: Optics, thickness: float) -> Image:
    """Mean counts per pixel for every image: contrast transfer, loss in the thickness of ice (Å), dose. Protein is dark."""
    ny, nx = projections.shape[1:]
    size = (scipy.fft.next_fast_len(ny, real=True), scipy.fft.next_fast_len(nx, real=True))
    padded = np.pad(projections, [(0, 0), (0, size[0] - ny), (0, size[1] - nx)], mode="wrap")
    spectrum = scipy.fft.rfft2(padded)
    spectrum *= contrast_transfer(size, optics)
    signal = scipy.fft.irfft2(spectrum, size)[:, :ny, :nx] * (optics.contrast * optics.pixel)
    counts = optics.dose * optics.pixel**2
    flux = counts * np.exp(-thickness / optics.mean_free_path * (1 / np.cos(np.deg2rad(angles)) - 1))
    return np.asarray(flux[:, None, None] * np.clip(1 - signal, 0.05, 3.0), np.float32)


def contrast_transfer(size: tuple[int, int], optics: Optics) -> Image:
    """sin of the phase shift of the objective lens on the half spectrum of an image, positive at low resolution.

    chi = pi lambda defocus q² - pi/2 Cs lambda³ q⁴ + asin(amplitude contrast); an envelope for the detector is included.
    """
    qy = scipy.fft.fftfreq(size[0], optics.pixel)[:, None]
    qx = scipy.fft.rfftfreq(size[1], optics.pixel)[None, :]
    q2 = qy**2 + qx**2
    spherical = optics.cs_mm * 1e7
    chi = np.pi * WAVELENGTH_300KV * optics.defocus * q2 - np.pi / 2 * spherical * WAVELENGTH_300KV**3 * q2**2
    envelope = np.exp(-q2 * (0.45 * optics.pixel) ** 2 * 2)
    return np.asarray(np.sin(chi + np.arcsin(optics.amplitude)) * envelope, np.float32)


def transforms(count: int, axis: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows A11 A12 A21 A22 DX DY (raw to aligned) for a tilt axis `axis` degrees counter-clockwise from vertical, with drift."""
    angle = np.deg2rad(axis + rng.normal(0, 0.05, count))
    drift = np.cumsum(rng.normal(0, 0.7, (count, 2)), axis=0) + rng.uniform(-2.5, 2.5, (count, 2))
    shift = drift - drift[count // 2]
    cos, sin = np.cos(angle), np.sin(angle)
    return np.column_stack([cos, sin, -sin, cos, shift])


def to_raw(images: Image, rows: NDArray[np.float64], shape: tuple[int, int]) -> Image:
    """What the detector (y, x) `shape` sees of images that lie in the aligned frame: raw(p) = aligned(A p + d)."""
    out = np.empty((len(images), *shape), np.float32)
    for k, row in enumerate(rows):
        _resample(images[k], row[:4].reshape(2, 2), row[4:], out[k], 3)
    return out


def to_aligned(raw: Image, rows: NDArray[np.float64], shape: tuple[int, int]) -> Image:
    """Apply the transforms to a raw stack: aligned(q) = raw(A⁻¹ (q - d)); outside the detector is the image's mean."""
    out = np.empty((len(raw), *shape), np.float32)
    for k, row in enumerate(rows):
        inverse = np.linalg.inv(row[:4].reshape(2, 2))
        _resample(raw[k], inverse, -inverse @ row[4:], out[k], 1)
    return out


def _resample(
    source: Image, matrix: NDArray[np.float64], shift: NDArray[np.float64], out: Image, order: int
) -> None:
    """out(q) = source(matrix q + shift), both in x, y about the images' centres (n - 1) / 2."""
    swapped = matrix[::-1, ::-1]
    centre_in, centre_out = ((np.array(a.shape) - 1) / 2 for a in (source, out))
    offset = centre_in + shift[::-1] - swapped @ centre_out
    mean = float(source.mean())
    affine_transform(
        source, swapped, offset, output_shape=out.shape, output=out, order=order, mode="constant", cval=mean
    )


def detect(mean_counts: Image, rng: np.random.Generator) -> NDArray[np.int16]:
    """Electrons counted: Poisson noise, as int16."""
    return rng.poisson(mean_counts).astype(np.int16)


def reconstruct(aligned: Image, angles: NDArray[Any], depth: int, cutoff: float = 0.35) -> Image:
    """Weighted back-projection to (depth, y, x), normalised to mean 0 and standard deviation 1.

    Every image is divided by its mean, weighted along x by the ramp |q|, which falls off like a Gaussian beyond
    `cutoff` (cycles per pixel), and smeared back along its rays. The missing wedge stays as it is.
    """
    count, ny, nx = aligned.shape
    flat = aligned / aligned.mean(axis=(1, 2), keepdims=True) - 1
    pad = scipy.fft.next_fast_len(nx + nx // 4, real=True)
    rows = np.pad(flat, [(0, 0), (0, 0), (0, pad - nx)], mode="linear_ramp")
    q = scipy.fft.rfftfreq(pad)
    ramp = np.maximum(q, 0.35 / pad) * np.where(q > cutoff, np.exp(-(((q - cutoff) / 0.05) ** 2) / 2), 1.0)
    filtered = scipy.fft.irfft(scipy.fft.rfft(rows) * ramp.astype(np.float32), pad)[:, :, :nx]
    columns = np.ascontiguousarray(filtered.transpose(0, 2, 1)).reshape(count * nx, ny)
    volume = (ray_weights(angles, depth, nx, tiles=0) @ columns).reshape(depth, nx, ny).transpose(0, 2, 1)
    return np.ascontiguousarray((volume - volume.mean()) / volume.std(), dtype=np.float32)


def denoise(tomogram: Image) -> Image:
    """Sum of a mild and a strong Gaussian low-pass, which gives back some of the coarse contrast that the lens takes away."""
    fine = gaussian_filter(tomogram, (1.4, 1.1, 1.1), truncate=3.0)
    coarse = gaussian_filter(binned(fine), 1.8, truncate=3.0)
    for axis in range(3):
        coarse = np.repeat(coarse, 2, axis=axis)
    smooth = fine + 1.3 * gaussian_filter(coarse, 0.8, truncate=2.0)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)


def binned(volume: NDArray[Any], factor: int = 2) -> Image:
    """Means over factor³ voxels; sizes must divide."""
    nz, ny, nx = (n // factor for n in volume.shape)
    blocks = volume.reshape(nz, factor, ny, factor, nx, factor)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), np.float32)
