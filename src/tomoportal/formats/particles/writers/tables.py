"""Particles as plain tables: comma-separated values, and the tables of Dynamo."""

from __future__ import annotations

import numpy as np

from tomoportal.formats.particles.table import Particles
from tomoportal.formats.particles.writers.destination import Destination, angles_of
from tomoportal.formats.rotations import to_dynamo

_DYNAMO_COLUMNS = 35
_WHOLE = (1, 2, 3, 13, 20, 21, 22)
"""Columns of a Dynamo table (from 1) that count something."""


def write_csv(particles: Particles, _: Destination) -> bytes:
    """A header and one point a line: `x,y,z` in voxels; `r11` to `r33`, the rotation matrix row by row, of oriented points;
    `instance_id` of instances."""
    titles, parts = ["x", "y", "z"], [particles.positions]
    if particles.rotations is not None:
        titles += [f"r{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3)]
        parts.append(particles.rotations.reshape(-1, 9))
    numbers = np.concatenate(parts, axis=1).tolist()
    lines = [",".join(map(repr, row)) for row in numbers]
    if particles.instances is not None:
        titles.append("instance_id")
        lines = [f"{line},{which}" for line, which in zip(lines, particles.instances.tolist(), strict=True)]
    return "".join(f"{line}\n" for line in [",".join(titles), *lines]).encode()


def write_dynamo(particles: Particles, destination: Destination) -> bytes:
    """Columns 24 to 26 in pixels without shifts, angles in 7 to 9, the tomogram's number in 20, instances as the region in 21.

    Format: https://wiki.dynamo.biozentrum.unibas.ch/w/index.php/Table
    """
    table = np.zeros((len(particles), _DYNAMO_COLUMNS))
    table[:, 0] = np.arange(1, len(particles) + 1)
    table[:, 1] = 1
    angles = angles_of(particles, to_dynamo)
    if angles is not None:
        table[:, 6:9] = angles
    table[:, 19] = destination.number
    if particles.instances is not None:
        table[:, 20] = particles.instances
    table[:, 21] = 1
    table[:, 23:26] = particles.positions
    forms = ["%d" if column in _WHOLE else "%.6f" for column in range(1, _DYNAMO_COLUMNS + 1)]
    line = " ".join(forms) + "\n"
    return "".join(line % tuple(row) for row in table.tolist()).encode()
