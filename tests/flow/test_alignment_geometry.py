"""The published alignment is right: with nothing but its sidecar, the published raw stack becomes the projections of the published
tomogram. By scipy alone, from the formulas in docs/layout.md."""

from __future__ import annotations

import json

import mrcfile
import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter

NEAR = 2.0
"""Pixels."""


def turn(angle):
    """Ry."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def projection(volume, angle):
    """Sums along the beam of a volume (z, y, x) turned by `angle` about y; as large as its plane."""
    depth, rows, columns = volume.shape
    across = turn(angle)[[0, 2]][:, [0, 2]]
    inverse = np.linalg.inv(across)[::-1, ::-1]
    shape = (2 * depth, columns)
    middle, target = (np.array([depth, columns]) - 1) / 2, (np.array(shape) - 1) / 2
    offset = middle - inverse @ target
    planes = [
        affine_transform(volume[:, row], inverse, offset, shape, order=1).sum(axis=0) for row in range(rows)
    ]
    return np.array(planes)


def aligned(image, section, spacing, shape):
    """a = Rᵀ (r - o): for every pixel a of the aligned image the place r = R⁻ᵀ a + o in the recorded one."""
    back = np.linalg.inv(np.transpose(section["in_plane_rotation"]))
    shift = np.array([section["x_offset"], section["y_offset"]]) / spacing
    middle, target = (np.array(image.shape) - 1) / 2, (np.array(shape) - 1) / 2
    swapped = back[::-1, ::-1]
    return affine_transform(
        image, swapped, middle + shift[::-1] - swapped @ target, shape, order=1, cval=image.mean()
    )


def off(one, two):
    """How far the peak of the cross-correlation lies from the middle, in pixels."""
    a, b = (gaussian_filter(image, 1.0) - gaussian_filter(image, 8.0) for image in (one, two))
    product = np.fft.fft2(a - a.mean()) * np.conj(np.fft.fft2(b - b.mean()))
    peak = np.unravel_index(np.argmax(np.fft.ifft2(product).real), a.shape)
    return float(np.hypot(*[(p + n // 2) % n - n // 2 for p, n in zip(peak, a.shape, strict=True)]))


def published(portal, run):
    """Sidecar of the alignment, of its tilt series, raw stack and tomogram, as they lie in the portal."""
    root = portal.layout
    (path,) = (root / "10901" / run / "Alignments").glob("*/alignment_metadata.json")
    alignment = json.loads(path.read_text())
    series = json.loads((root / alignment["tiltseries_path"]).read_text())
    spacing = f"{series['pixel_spacing']:.3f}"
    tomograms = (root / "10901" / run / f"Reconstructions/VoxelSpacing{spacing}/Tomograms").glob(
        "*/tomogram-metadata.json"
    )
    tomogram = next(
        one for one in map(json.loads, (path.read_text() for path in tomograms)) if one["processing"] == "raw"
    )
    assert tomogram["alignment_metadata_path"] == path.relative_to(root).as_posix()
    with (
        mrcfile.open(root / series["mrc_file"]) as stack,
        mrcfile.open(root / tomogram["mrc_file"]) as volume,
    ):
        return alignment, series, stack.data.astype(float), volume.data.astype(float)


@pytest.mark.parametrize(("run", "written"), [("TS_001", "IMOD"), ("TS_002", "ARETOMO3")])
def test_the_raw_stack_becomes_the_projections_of_the_tomogram(demo_portal, run, written):
    alignment, series, stack, volume = published(demo_portal, run)
    assert alignment["format"] == written
    assert alignment["offset_unit"] == "Å"
    sections = alignment["per_section_alignment_parameters"]
    assert [section["z_index"] for section in sections] == list(range(len(stack)))
    turned = 0
    for section in sections:
        image, expected = stack[section["z_index"]], projection(volume, section["tilt_angle"])
        found = aligned(image, section, series["pixel_spacing"], expected.shape)
        assert off(found, expected) < NEAR, section
        wrong = {**section, "in_plane_rotation": np.transpose(section["in_plane_rotation"])}
        turned += off(aligned(image, wrong, series["pixel_spacing"], expected.shape), expected) >= NEAR
    assert turned > 0.8 * len(sections), "turned the other way they do not fit"


@pytest.mark.parametrize("run", ["TS_001", "TS_002"])
def test_the_tilt_axis_has_the_sign_that_the_microscope_states(demo_portal, run):
    alignment, series, _, _ = published(demo_portal, run)
    for section in alignment["per_section_alignment_parameters"]:
        (cosine, _), (sine, _) = section["in_plane_rotation"]
        assert np.degrees(np.arctan2(sine, cosine)) == pytest.approx(series["tilt_axis"], abs=0.5)
