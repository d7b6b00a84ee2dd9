"""The truth table is true: density, masks and alignment are where it says."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from demo_oracle import centres, darkness
from tomoportal.demo import DemoFiles, truth
from tomoportal.demo.deposition import plans
from tomoportal.demo.membranes import Sheet, Vesicle
from tomoportal.demo.microscope import project
from tomoportal.demo.phantom import MEMBRANE, MICROTUBULE, Filament, Lattice, Scene, render
from tomoportal.demo.runs import NOMINAL
from tomoportal.demo.shapes import joined

Volumes = Callable[[str], NDArray[np.float64]]


@pytest.fixture(scope="module")
def runs(demo: DemoFiles) -> dict[str, Any]:
    return truth(demo.truth.parent)["datasets"]["10901"]["runs"]


@pytest.mark.parametrize("name", ["TS_001", "TS_002"])
def test_ribosomes_are_dark_where_the_table_says(runs: dict[str, Any], volume: Volumes, name: str) -> None:
    facts = runs[name]
    spacing = facts["spacings"][0]
    tomogram = volume(facts["files"]["tomogram"])
    there = centres(facts, spacing)
    assert len(there) >= 8
    size = np.array(tomogram.shape[::-1])
    chance = np.random.default_rng(0).uniform(0, size - 1, (500, 3))
    right = darkness(tomogram, there, spacing).mean()
    assert right > darkness(tomogram, chance, spacing).mean() + 3
    wrong = {
        "mirrored in x": np.column_stack([size[0] - 1 - there[:, 0], there[:, 1], there[:, 2]]),
        "mirrored in y": np.column_stack([there[:, 0], size[1] - 1 - there[:, 1], there[:, 2]]),
        "mirrored in z": np.column_stack([there[:, 0], there[:, 1], size[2] - 1 - there[:, 2]]),
        "x and y swapped": there[:, [1, 0, 2]],
    }
    for what, points in wrong.items():
        assert darkness(tomogram, points, spacing).mean() < 0.5 * right, what


def test_ribosomes_in_the_binned_tomogram(runs: dict[str, Any], volume: Volumes) -> None:
    facts = runs["TS_001"]
    spacing = facts["spacings"][1]
    tomogram = volume(facts["files"]["binned"])
    there = centres(facts, spacing)
    right = darkness(tomogram, there, spacing).mean()
    assert right > 3
    assert darkness(tomogram, there * 2, spacing).mean() < 0.5 * right


def test_tables_hold_the_same_points(demo: DemoFiles, runs: dict[str, Any]) -> None:
    facts = runs["TS_001"]
    folder = demo.source / "cell_periphery"
    table = np.loadtxt(folder / facts["files"]["ribosomes"], delimiter=",", skiprows=1)
    assert np.allclose(table / 4, centres(facts, facts["spacings"][0]), atol=0.003)
    picks = np.loadtxt(folder / facts["files"]["predicted"], delimiter=",")
    there = centres(facts, facts["spacings"][1])
    nearest = np.linalg.norm(picks[:, None] - there[None], axis=2).min(axis=1)
    assert 0.6 < (nearest < 3).mean() < 1


def test_traces_run_along_the_microtubules(demo: DemoFiles, runs: dict[str, Any]) -> None:
    for facts in runs.values():
        table = np.loadtxt(
            demo.source / "cell_periphery" / facts["files"]["traces"], delimiter=",", skiprows=1
        )
        tubules = [one for one in facts["filaments"] if one["kind"] == "microtubule"]
        assert set(table[:, 0]) <= set(range(len(tubules)))
        assert len(set(table[:, 0])) > 1
        for number, x, y, z in table:
            path = np.array(tubules[int(number)]["path_angstrom"])
            fine = np.concatenate([np.linspace(a, b, 50) for a, b in pairwise(path)])
            place = np.array([x, y, z]) * float(facts["spacings"][0])
            assert np.linalg.norm(fine - place, axis=1).min() < 5


def test_surfaces_lie_in_the_membranes(demo: DemoFiles, runs: dict[str, Any], volume: Volumes) -> None:
    trimesh = pytest.importorskip("trimesh")
    for facts in runs.values():
        labels = volume(facts["files"]["labels"])
        mesh = trimesh.load(demo.source / "cell_periphery" / facts["files"]["surfaces"], process=False)
        assert mesh.is_watertight
        assert all(part.volume > 0 for part in mesh.split())
        vesicles = [one for one in facts["membranes"] if "vesicle" in one["name"]]
        for part in mesh.split():
            nearest = min(vesicles, key=lambda one: np.linalg.norm(part.center_mass - one["centre_angstrom"]))
            off = np.linalg.norm(part.center_mass - nearest["centre_angstrom"])
            assert off < 0.1 * nearest["radius_angstrom"]
        voxels = np.rint(mesh.vertices / float(facts["spacings"][0])).astype(int)
        seen = (voxels >= 0).all(axis=1) & (voxels < labels.shape[::-1]).all(axis=1)
        assert (labels[tuple(voxels[seen].T[::-1])] == MEMBRANE).mean() > 0.9


def test_rotations_are_rotations(runs: dict[str, Any]) -> None:
    for facts in runs.values():
        for particle in facts["particles"]:
            matrix = np.array(particle["rotation"])
            assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-4)
            assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-4)


def test_mask_volumes_are_the_analytic_ones() -> None:
    lattice = Lattice((80, 90, 100), 8.0, 4)
    ball = Vesicle((400.0, 360.0, 320.0), 220.0)
    path = np.array([[90.0, -80.0, 200.0], [90.0, 900.0, 200.0]])
    tube = Filament("microtubule", "GO:0005874", path, 60.0, MICROTUBULE)
    scene = Scene((ball,), (tube,), (), np.zeros((0, 3)), joined([]), 0.0)
    _, padded = render(scene, lattice, np.random.default_rng(0))
    labels = lattice.inner(padded)
    shell = 4 / 3 * np.pi * (250.0**3 - 190.0**3)
    rod = np.pi * 60.0**2 * 90 * 8.0
    assert (labels == MEMBRANE).sum() * 8.0**3 == pytest.approx(shell, rel=0.05)
    assert (labels == MICROTUBULE).sum() * 8.0**3 == pytest.approx(rod, rel=0.05)


def test_label_volumes_match_the_table(runs: dict[str, Any], volume: Volumes) -> None:
    for facts in runs.values():
        labels = volume(facts["files"]["labels"])
        for entry in facts["labels"].values():
            assert (labels == entry["value"]).sum() == entry["voxels"]
        assert facts["labels"]["membrane"]["voxels"] > 1000


def test_distance_to_a_sheet_is_a_distance() -> None:
    sheet = Sheet(direction=0.3, offset=500.0, wave=40.0, length=1500.0)
    points = np.random.default_rng(1).uniform(0, 1000, (2000, 3))
    near = points[np.abs(sheet.distance(*points.T)) < 30]
    steps = [sheet.distance(*(near + 0.5 * e).T) - sheet.distance(*(near - 0.5 * e).T) for e in np.eye(3)]
    assert np.linalg.norm(steps, axis=0) == pytest.approx(np.ones(len(near)), abs=0.15)


def test_one_voxel_is_projected_where_the_formula_says() -> None:
    volume = np.zeros((32, 5, 64), np.float32)
    volume[25, 2, 40] = 1
    for angle, image in zip((-45.0, 0.0, 30.0), project(volume, np.array([-45.0, 0.0, 30.0])), strict=True):
        t = np.deg2rad(angle)
        x = (40 - 31.5) * np.cos(t) + (25 - 15.5) * np.sin(t) + 31.5
        row = image[2]
        near = row[int(x) - 2 : int(x) + 4]
        assert near @ np.arange(int(x) - 2, int(x) + 4) / near.sum() == pytest.approx(x, abs=1e-3)


def test_alignment_brings_the_raw_stack_onto_the_phantom(
    demo: DemoFiles, runs: dict[str, Any], volume: Volumes
) -> None:
    """Apply the .xf as IMOD describes it and correlate with projections of the phantom, made anew."""
    name, facts = next(iter(runs.items()))
    raw = volume(facts["files"]["tiltseries"])
    rows = np.loadtxt(demo.source / "cell_periphery" / name / f"{name}.xf")
    plan = plans(small=True)[0]
    rng = np.random.default_rng([7, 0, 0])
    phantom, _ = render(plan.scene(plan.lattice, rng), plan.lattice, rng)
    margin = plan.lattice.margin
    reprojected = -project(phantom, np.array(facts["refined_angles"]))[:, margin:-margin, margin:-margin]
    size = reprojected.shape[1:]
    for index in (0, 10, 20, 30, 40):
        a, d = rows[index, :4].reshape(2, 2), rows[index, 4:]
        inverse = np.linalg.inv(a)[::-1, ::-1]
        middle, target = (np.array(raw.shape[1:]) - 1) / 2, (np.array(size) - 1) / 2
        offset = middle - inverse @ (target + d[::-1])
        aligned = affine_transform(
            raw[index], inverse, offset, output_shape=size, order=1, cval=raw[index].mean()
        )
        assert shift(aligned, reprojected[index]) < 2, f"image {index}"
        untouched = raw[index][
            tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(raw.shape[1:], size, strict=True))
        ]
        assert shift(untouched, reprojected[index]) >= 2, f"image {index} needs no alignment"


def shift(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Distance in pixels of the peak of the band-passed cross-correlation from zero."""
    a, b = (gaussian_filter(i, 1.0) - gaussian_filter(i, 8.0) for i in (one, two))
    product = np.fft.fft2(a) * np.conj(np.fft.fft2(b))
    peak = np.unravel_index(np.argmax(np.fft.ifft2(product).real), a.shape)
    return float(np.hypot(*[(p + n // 2) % n - n // 2 for p, n in zip(peak, a.shape, strict=True)]))


def test_nominal_angles() -> None:
    assert len(NOMINAL) == 41
    assert NOMINAL[[0, 20, 40]].tolist() == [-60, 0, 60]
