"""Layers of oriented points and of instances against Neuroglancer's own writer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from neuroglancer import AnnotationPropertySpec, CoordinateSpace
from neuroglancer.write_annotations import AnnotationWriter
from scipy.spatial.transform import Rotation

from tomoportal.viewer.points import (
    AXIS_LENGTH,
    CELL_LIMIT,
    instance_colours,
    write_instance_layer,
    write_oriented_layer,
)

SPACING, DIAMETER = 13.48, 250.0


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(3).uniform((-2, 0, 5), (950, 930, 200), (300, 3))


def theirs(info: dict, folder: Path, kind: str) -> AnnotationWriter:
    """Neuroglancer's writer with the same space and properties."""
    properties = [
        AnnotationPropertySpec(
            id=entry["id"],
            type=entry["type"],
            enum_values=entry.get("enum_values"),
            enum_labels=entry.get("enum_labels"),
        )
        for entry in info["properties"]
    ]
    return AnnotationWriter(
        CoordinateSpace(names=["x", "y", "z"], units="m", scales=[SPACING * 1e-10] * 3),
        kind,
        properties=properties,
    )


def by_id(data: bytes, width: int) -> dict[int, bytes]:
    """The records of a cell by their ids."""
    (count,) = np.frombuffer(data, "<u8", 1)
    ids = np.frombuffer(data, "<u8", offset=8 + int(count) * width)
    assert len(ids) == count
    return {
        int(number): data[8 + place * width : 8 + (place + 1) * width] for place, number in enumerate(ids)
    }


def test_axes_are_the_columns_of_the_matrices(points: np.ndarray, tmp_path: Path) -> None:
    turns = Rotation.random(len(points), rng=4).as_matrix()
    files = write_oriented_layer(points, turns, spacing=SPACING, label="ribosome", diameter=DIAMETER)
    info = json.loads(files["info"])
    assert info["annotation_type"] == "line"
    writer = theirs(info, tmp_path, "line")
    colours = ("#ff4040", "#40dc40", "#5080ff")
    for number, (point, turn) in enumerate(zip(points, turns, strict=True)):
        for axis in range(3):
            end = point + turn @ np.eye(3)[axis] * AXIS_LENGTH * DIAMETER / SPACING
            writer.add_line(point, end, diameter=25.0, point_index=number, name=0, color=colours[axis])
    writer.write(tmp_path)
    expected = json.loads((tmp_path / "info").read_text())
    assert expected["properties"] == info["properties"]
    ours, others = (
        by_id(data, 36) for data in (files["spatial0/0_0_0"], (tmp_path / "spatial0/0_0_0").read_bytes())
    )
    assert ours == others


def test_instances_carry_their_number_and_colour(points: np.ndarray, tmp_path: Path) -> None:
    instances = np.arange(len(points)) // 10
    files = write_instance_layer(points, instances, spacing=SPACING, label="filament", diameter=DIAMETER)
    info = json.loads(files["info"])
    writer = theirs(info, tmp_path, "point")
    for number, point in enumerate(points):
        red, green, blue = instance_colours(instances[number : number + 1])[0]
        colour = f"#{red:02x}{green:02x}{blue:02x}"
        writer.add_point(
            point, diameter=25.0, point_index=number, instance=int(instances[number]), name=0, color=colour
        )
    writer.write(tmp_path)
    assert json.loads((tmp_path / "info").read_text())["properties"] == info["properties"]
    ours, others = (
        by_id(data, 28) for data in (files["spatial0/0_0_0"], (tmp_path / "spatial0/0_0_0").read_bytes())
    )
    assert ours == others


def test_colours_of_instances_differ_and_stay() -> None:
    colours = instance_colours(np.arange(200)).astype(int)
    apart = np.abs(np.diff(colours, axis=0)).sum(axis=1)
    assert apart.min() > 100
    assert colours.max(axis=1).min() >= 190
    assert np.array_equal(instance_colours(np.array([7])), colours[7:8])


def test_every_axis_of_a_large_set_is_there_once() -> None:
    points = np.random.default_rng(5).normal((400, 400, 90), (120, 120, 15), (CELL_LIMIT * 3, 3))
    turns = np.tile(np.eye(3), (len(points), 1, 1))
    files = write_oriented_layer(points, turns, spacing=SPACING, label="a", diameter=DIAMETER)
    levels = json.loads(files["info"])["spatial"]
    assert len(levels) > 1
    seen = [
        number for path, data in files.items() if path.startswith("spatial") for number in by_id(data, 36)
    ]
    assert sorted(seen) == list(range(3 * len(points)))
