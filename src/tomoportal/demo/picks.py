"""What people hand in of a scene beside tables and masks: oriented particles, points along filaments, surfaces.

Gives lines of text in the formats of other programs, written here from their documentation. Lengths are in ångström unless
said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from tomoportal.demo.membranes import Membrane, Vesicle
from tomoportal.demo.phantom import Filament, Particle
from tomoportal.demo.shapes import Array, path_frames

_LABELS = (
    "rlnTomoName", "rlnCoordinateX", "rlnCoordinateY", "rlnCoordinateZ", "rlnOriginXAngst", "rlnOriginYAngst", "rlnOriginZAngst",
    "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnOpticsGroup",
)  # fmt: skip
_STEP = 82.0
"""The length of a tubulin dimer."""
_RINGS, _SECTORS = 16, 32


def relion_lines(name: str, particles: Sequence[Particle], pixel: float) -> list[str]:
    """A RELION 4 list: whole pixels of the tilt series (`pixel` Å) less origins in Å, angles of the turn from particle to reference.

    https://relion.readthedocs.io/en/latest/Reference/Conventions.html
    """
    lines = ["", "data_optics", "", "loop_", "_rlnOpticsGroup #1", "_rlnOpticsGroupName #2", "_rlnVoltage #3",
             "_rlnTomoTiltSeriesPixelSize #4", f"1 opticsGroup1 300.000000 {pixel:.6f}", "",
             "", "data_particles", "", "loop_"]  # fmt: skip
    lines += [f"_{label} #{number}" for number, label in enumerate(_LABELS, start=1)]
    for particle in particles:
        whole = np.ceil(particle.centre / pixel)
        origin = whole * pixel - particle.centre
        angles = Rotation.from_matrix(particle.rotation.T).as_euler("ZYZ", degrees=True)
        row = " ".join(f"{value:.6f}" for value in (*whole, *origin, *angles))
        lines.append(f"{name} {row} 1")
    return [*lines, ""]


def tardis_lines(filaments: Sequence[Filament], extent: Array, spacing: float) -> list[str]:
    """Points in voxels along each filament, as far as it runs inside the tomogram; `ID` tells the filaments apart, counted from 0."""
    lines = ["ID,X,Y,Z"]
    for number, filament in enumerate(filaments):
        places, _ = path_frames(filament.path, _STEP)
        inside = places[((places >= 0) & (places <= extent - spacing)).all(axis=1)]
        lines += [f"{number},{x:.2f},{y:.2f},{z:.2f}" for x, y, z in inside / spacing]
    return lines


def closed_vesicles(membranes: Sequence[Membrane], extent: Array) -> list[tuple[Array, Array]]:
    """Vertices (n, 3) and faces (m, 3), counted from 0, of the vesicles that lie in the tomogram as a whole."""
    found = [_globe(membrane) for membrane in membranes if isinstance(membrane, Vesicle)]
    return [globe for globe in found if ((globe[0] >= 0) & (globe[0] <= extent)).all()]


def obj_lines(surfaces: Sequence[tuple[Array, Array]]) -> list[str]:
    """A Wavefront OBJ file in Å; faces count vertices from 1."""
    vertices, faces, count = [], [], 1
    for points, triangles in surfaces:
        vertices += [f"v {x:.2f} {y:.2f} {z:.2f}" for x, y, z in points]
        faces += [f"f {a} {b} {c}" for a, b, c in triangles + count]
        count += len(points)
    return ["# membranes of vesicles, in angstrom", *vertices, *faces]


def _globe(vesicle: Vesicle) -> tuple[Array, Array]:
    """The middle of a vesicle's membrane as a globe of parallels and meridians, its faces counter-clockwise from outside."""
    latitude = np.repeat(np.linspace(0, np.pi, _RINGS + 1)[1:-1], _SECTORS)
    longitude = np.tile(np.arange(_SECTORS) * 2 * np.pi / _SECTORS, _RINGS - 1)
    ring = np.sin(latitude)
    around = np.stack([ring * np.cos(longitude), ring * np.sin(longitude), np.cos(latitude)], axis=1)
    outwards = np.concatenate([[[0.0, 0.0, 1.0]], around, [[0.0, 0.0, -1.0]]])
    centre = np.array(vesicle.centre)
    reach = 2 * vesicle.radius - vesicle.distance(*(centre + 2 * vesicle.radius * outwards).T)
    return centre + outwards * reach[:, None], _globe_faces()


def _globe_faces() -> Array:
    """Triangles of a globe whose vertices are the north pole, the parallels southwards, the south pole."""
    here = np.arange(_SECTORS)
    east = (here + 1) % _SECTORS
    starts = 1 + _SECTORS * np.arange(_RINGS - 1)
    last = starts[-1] + _SECTORS
    faces = [np.stack([0 * here, 1 + here, 1 + east], axis=1)]
    for north, south in pairwise(starts):
        faces.append(np.stack([north + here, south + here, south + east], axis=1))
        faces.append(np.stack([north + here, south + east, north + east], axis=1))
    return np.concatenate([*faces, np.stack([starts[-1] + here, last + 0 * here, starts[-1] + east], axis=1)])
