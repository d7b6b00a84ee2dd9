"""What copick says of a point beside its location: the shift in its transformation, and the instance it belongs to."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tomoportal.errors import FormatError
from tomoportal.formats.particles import Particles, TableForm, read_particles


def read(*points: dict[str, Any]) -> Particles:
    data = json.dumps({"points": points}).encode()
    return read_particles(data, "p.json", "copick", TableForm()).of(None)


def point(**more: Any) -> dict[str, Any]:
    return {"location": {"x": 10.0, "y": 20.0, "z": 30.0}, **more}


def test_the_shift_is_added_to_the_location() -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    matrix[:3, 3] = [1, 2, 3]
    found = read(point(transformation_=matrix.tolist()), point())
    assert found.positions.tolist() == [[11, 22, 33], [10, 20, 30]]
    assert found.rotations is not None
    assert found.rotations[0].tolist() == matrix[:3, :3].tolist()


def test_instances_are_those_of_the_file_where_it_tells_them_apart() -> None:
    assert read(point(instance_id=5), point(instance_id=0), point(instance_id=5)).instances.tolist() == [
        5,
        0,
        5,
    ]
    assert read(point(instance_id=0), point(), point(instance_id=None)).instances.tolist() == [0, 1, 2]


@pytest.mark.parametrize("which", ["a", 1.5, True, 2**70])
def test_an_instance_that_is_no_number(which: object) -> None:
    with pytest.raises(FormatError, match=r"p.json, point 2: instance_id is .* expected a whole number"):
        read(point(), point(instance_id=which))
