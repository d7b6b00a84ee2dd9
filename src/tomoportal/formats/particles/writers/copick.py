"""Particles as a pick file of copick: places in Å, orientations as 4 × 4 matrices.

Format: https://copick.github.io/copick/datamodel/ (CopickPicksFile).
"""

from __future__ import annotations

import json
import re
from itertools import repeat

import numpy as np

from tomoportal.formats.particles.table import Particles
from tomoportal.formats.particles.writers.destination import Destination

_INVALID = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\s_]')
_IDENTITY = np.eye(4).tolist()


def copick_name(text: str) -> str:
    """A name as copick takes it for objects, users and sessions: no blanks, underscores or signs that mean something in paths."""
    return _INVALID.sub("-", text).strip("-") or "unnamed"


def write_copick(particles: Particles, destination: Destination) -> bytes:
    """Places in Å from the centre of the first voxel; `trust_orientation` only for oriented points."""
    places = (particles.positions * destination.spacing).tolist()
    instances = repeat(0) if particles.instances is None else particles.instances.tolist()
    points = [
        {
            "location": {"x": x, "y": y, "z": z},
            "transformation_": matrix,
            "instance_id": instance,
            "score": 1.0,
        }
        for (x, y, z), matrix, instance in zip(places, _matrices(particles), instances, strict=False)
    ]
    content = {
        "pickable_object_name": copick_name(destination.object),
        "user_id": copick_name(destination.user),
        "session_id": copick_name(destination.session),
        "run_name": destination.name,
        "voxel_spacing": destination.spacing,
        "unit": "angstrom",
        "points": points,
        "trust_orientation": particles.rotations is not None,
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _matrices(particles: Particles) -> list[list[list[float]]]:
    if particles.rotations is None:
        return [_IDENTITY] * len(particles)
    whole = np.tile(np.eye(4), (len(particles), 1, 1))
    whole[:, :3, :3] = particles.rotations
    return whole.tolist()
