"""One run of the demo: scene → tilt series → tomograms → annotations → files, and the facts about it.

Takes a plan, a seed and the folder of its dataset; writes only below that folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomoportal.demo import microscope
from tomoportal.demo.phantom import ACTIN, MEMBRANE, MICROTUBULE, Particle, Scene, render
from tomoportal.demo.sources import CELLS, DOSE, CellFiles, RunPlan, Series, VesicleFiles

NOMINAL = np.arange(-60.0, 60.1, 3.0)
LABELS = {"membrane": MEMBRANE, "microtubule": MICROTUBULE, "actin filament": ACTIN}


@dataclass(frozen=True)
class RunResult:
    """`facts` for the truth table; `predicted`: how many predicted picks are right, made, and could have been right."""

    facts: dict[str, Any]
    predicted: tuple[int, int, int]


def simulate(plan: RunPlan, seed: Sequence[int], folder: Path) -> RunResult:
    """Simulate a run and write its files below `folder`."""
    rng = np.random.default_rng([*seed, 0])
    scene = plan.scene(plan.lattice, rng)
    density, padded = render(scene, plan.lattice, rng)
    labels = np.ascontiguousarray(plan.lattice.inner(padded))
    series = record(plan, density, rng)
    del density, padded
    layout = CellFiles(plan, folder) if plan.dataset == CELLS else VesicleFiles(plan, folder)
    layout.series(series)
    layout.tomograms(tomogram(plan, series))
    visible = [
        p
        for p in scene.particles
        if ((p.centre >= 0) & (p.centre <= plan.lattice.extent - plan.lattice.spacing)).all()
    ]
    predicted = layout.annotations(visible, labels, np.random.default_rng([*seed, 1]))
    layout.shapes(scene, visible)
    facts = _facts(plan, scene, visible, labels, series, layout.written)
    if plan.movies:
        facts["acquisition"] = layout.movies(series, np.random.default_rng([*seed, 2]))
    return RunResult(facts, predicted)


def record(plan: RunPlan, density: microscope.Image, rng: np.random.Generator) -> Series:
    """Expose the phantom at every angle and detect it on a turned, drifting detector."""
    nominal = np.round(NOMINAL + rng.normal(0, 0.01, NOMINAL.size), 4)
    refined = np.round(nominal + rng.normal(0, 0.03, NOMINAL.size), 2)
    optics = microscope.Optics(plan.lattice.spacing, plan.defocus, DOSE)
    clear = microscope.expose(
        microscope.project(density, refined), refined, optics, float(plan.lattice.extent[2])
    )
    rows = np.round(microscope.transforms(NOMINAL.size, plan.axis, rng), 7)
    rows[:, 4:] = np.round(rows[:, 4:], 3)
    ny, nx = plan.lattice.shape[1:]
    detector = (ny + ny // 10 // 2 * 2, nx + nx // 10 // 2 * 2)
    return Series(microscope.detect(microscope.to_raw(clear, rows, detector), rng), nominal, refined, rows)


def tomogram(plan: RunPlan, series: Series) -> microscope.Image:
    """Align the recorded series with its transforms and reconstruct it (z, y, x)."""
    aligned = microscope.to_aligned(series.raw.astype(np.float32), series.rows, plan.lattice.shape[1:])
    return microscope.reconstruct(aligned, series.refined, plan.lattice.shape[0])


def _facts(
    plan: RunPlan,
    scene: Scene,
    visible: Sequence[Particle],
    labels: NDArray[np.int8],
    series: Series,
    written: dict[str, str],
) -> dict[str, Any]:
    fine, coarse = plan.spacings
    nz, ny, nx = plan.lattice.shape
    step = plan.lattice.spacing
    counts = {name: int((labels == value).sum()) for name, value in LABELS.items()}
    return {
        "spacings": [fine, coarse],
        "dimensions": {fine: [nz, ny, nx], coarse: [nz // 2, ny // 2, nx // 2]},
        "tilt_series_deposited": plan.tilts,
        "tilt_axis": plan.axis,
        "nominal_angles": series.nominal.tolist(),
        "refined_angles": series.refined.tolist(),
        "transforms": series.rows.tolist(),
        "particles": [_particle(p, step, fine, coarse) for p in visible],
        "filaments": [
            {
                "kind": f.kind,
                "object_id": f.object_id,
                "radius_angstrom": f.radius,
                "path_angstrom": f.path.round(3).tolist(),
            }
            for f in scene.filaments
        ],
        "membranes": [m.facts() for m in scene.membranes],
        "gold_angstrom": scene.gold.round(3).tolist(),
        "labels": {
            name: {"value": LABELS[name], "voxels": count, "volume_angstrom3": round(count * step**3, 1)}
            for name, count in counts.items()
        },
        "files": written,
    }


def _particle(particle: Particle, step: float, fine: str, coarse: str) -> dict[str, Any]:
    voxel = particle.centre / step
    return {
        "species": particle.species,
        "object_id": particle.object_id,
        "xyz_angstrom": particle.centre.round(4).tolist(),
        "xyz_voxel": {fine: voxel.round(4).tolist(), coarse: ((voxel + 0.5) / 2 - 0.5).round(4).tolist()},
        "rotation": particle.rotation.round(6).tolist(),
    }
