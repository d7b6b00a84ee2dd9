"""The point layer against Neuroglancer's own writer, and against a reader written from the format's description."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tomoportal.viewer.points import CELL_LIMIT, write_point_layer

RECORD = np.dtype(
    [("xyz", "<f4", 3), ("diameter", "<f4"), ("index", "<f4"), ("name", "u1"), ("color", "u1", 3)]
)


def layer(points: np.ndarray) -> dict[str, bytes]:
    return write_point_layer(points, spacing=13.48, label="ribosome", diameter=250.0, colour="#00ff7f")


def cell(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    (count,) = np.frombuffer(data, "<u8", 1)
    end = 8 + int(count) * RECORD.itemsize
    assert len(data) == end + 8 * int(count)
    return np.frombuffer(data[8:end], RECORD), np.frombuffer(data[end:], "<u8")


def by_id(info: dict, shard: bytes, wanted: int) -> np.ndarray | None:
    """Look one annotation up as a reader of the sharded format does."""
    bits = info["by_id"]["sharding"]["minishard_bits"]
    home = 16 << bits
    minishard = wanted & ((1 << bits) - 1)
    start, end = np.frombuffer(shard, "<u8", 2, offset=16 * minishard)
    index = np.frombuffer(shard[home + int(start) : home + int(end)], "<u8").reshape(3, -1)
    ids = np.cumsum(index[0])
    position = 0
    for number, (gap, size) in enumerate(zip(index[1], index[2], strict=True)):
        position += int(gap)
        if ids[number] == wanted:
            return np.frombuffer(shard, RECORD, 1, offset=home + position)[0]
        position += int(size)
    return None


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(3).uniform((-2, 0, 5), (950, 930, 200), (1500, 3))


def test_cell_holds_what_neuroglancers_writer_stores(points, tmp_path):
    from neuroglancer import AnnotationPropertySpec, CoordinateSpace
    from neuroglancer.write_annotations import AnnotationWriter

    files = layer(points)
    info = json.loads(files["info"])
    writer = AnnotationWriter(
        CoordinateSpace(names=["x", "y", "z"], units="m", scales=[13.48e-10] * 3),
        "point",
        properties=[
            AnnotationPropertySpec(
                **{key: value for key, value in entry.items() if key in ("id", "type")},
                enum_values=entry.get("enum_values"),
                enum_labels=entry.get("enum_labels"),
            )
            for entry in info["properties"]
        ],
    )
    for number, point in enumerate(points):
        writer.add_point(point, diameter=25.0, point_index=number, name=0, color="#00ff7f")
    writer.write(tmp_path)
    theirs = json.loads((tmp_path / "info").read_text())
    assert theirs["properties"] == info["properties"]
    assert theirs["@type"] == info["@type"]
    assert theirs["dimensions"] == info["dimensions"]
    their_records, their_ids = cell((tmp_path / "spatial0" / "0_0_0").read_bytes())
    records, ids = cell(files["spatial0/0_0_0"])
    order = np.argsort(ids)
    assert np.array_equal(ids[order], their_ids)
    assert np.array_equal(records[order], their_records)
    for wanted in (0, 1, 511, 512, 1499):
        assert (
            by_id(info, files["by_id/0.shard"], wanted).tobytes()
            == (tmp_path / "by_id" / str(wanted)).read_bytes()
        )
    assert by_id(info, files["by_id/0.shard"], 1500) is None


def test_bounds_hold_every_point(points):
    info = json.loads(layer(points)["info"])
    assert np.all(np.array(info["lower_bound"]) <= points.min(axis=0))
    assert np.all(np.array(info["upper_bound"]) >= points.max(axis=0))


def test_large_set_has_levels_and_each_point_once():
    points = np.random.default_rng(5).normal((400, 400, 90), (120, 120, 15), (60_000, 3))
    files = layer(points)
    info = json.loads(files["info"])
    assert len(info["spatial"]) > 1
    seen = []
    for level in info["spatial"]:
        size, lower = np.array(level["chunk_size"]), np.array(info["lower_bound"])
        assert np.allclose(size * level["grid_shape"], np.array(info["upper_bound"]) - lower)
        for path in (path for path in files if path.startswith(level["key"] + "/")):
            index = np.array([int(part) for part in path.split("/")[1].split("_")])
            records, ids = cell(files[path])
            assert len(ids) <= level["limit"] <= CELL_LIMIT
            assert np.all(records["xyz"] >= lower + index * size - 1e-3)
            assert np.all(records["xyz"] <= lower + (index + 1) * size + 1e-3)
            assert np.allclose(records["xyz"], points[ids], atol=1e-3)
            seen.extend(ids.tolist())
    assert sorted(seen) == list(range(60_000))
    for wanted in (0, 31_337, 59_999):
        assert np.allclose(by_id(info, files["by_id/0.shard"], wanted)["xyz"], points[wanted], atol=1e-3)


def test_same_points_give_the_same_bytes(points):
    assert layer(points) == layer(points.copy())


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points(count):
    files = layer(np.full((count, 3), 7.0))
    records, _ = cell(files["spatial0/0_0_0"])
    assert records["xyz"].tolist() == [[7.0, 7.0, 7.0]] * count


def test_more_points_at_one_place_than_a_cell_takes():
    files = layer(np.full((CELL_LIMIT * 2 + 5, 3), 3.5))
    counts = [len(cell(data)[1]) for path, data in files.items() if path.startswith("spatial")]
    assert sum(counts) == CELL_LIMIT * 2 + 5
