"""Reading Zarr of every flavour as a volume, and the metadata files against yaozarrs and known bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from tomoportal.errors import FormatError
from tomoportal.formats.ome_zarr import open_ome_zarr
from tomoportal.formats.ome_zarr_metadata import array_metadata, group_metadata, image_metadata

EVERYTHING = slice(None), slice(None), slice(None)
DATA = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)


def axes(names: str = "zyx", unit: str | None = "angstrom") -> list[dict]:
    kinds = {"t": "time", "c": "channel"}
    return [
        {"name": n, "type": kinds.get(n, "space")} | ({"unit": unit} if unit and n in "zyx" else {})
        for n in names
    ]


def image(
    path: Path,
    *,
    version: int = 2,
    data: np.ndarray = DATA,
    scale=(2.0, 3.0, 4.0),
    whole=None,
    named=None,
    **array,
) -> Path:
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    steps = [{"type": "scale", "scale": list(scale)}] if scale else []
    dataset = {"path": "0", "coordinateTransformations": steps}
    multiscale = {"axes": named if named is not None else axes(), "datasets": [dataset], "version": "0.4"}
    if whole:
        multiscale["coordinateTransformations"] = [{"type": "scale", "scale": list(whole)}]
    group.attrs.update(
        {"multiscales": [multiscale]}
        if version == 2
        else {"ome": {"version": "0.5", "multiscales": [multiscale]}}
    )
    group.create_array("0", data=data, **({"chunks": (2,) * data.ndim} | array))
    return path


@pytest.mark.parametrize(
    ("version", "array"),
    [
        (2, {"chunk_key_encoding": {"name": "v2", "separator": "/"}}),
        (2, {"chunk_key_encoding": {"name": "v2", "separator": "."}}),
        (3, {}),
        (3, {"shards": (4, 4, 4)}),
    ],
)
def test_zarr_2_and_3_sharded_or_not(tmp_path: Path, version: int, array: dict) -> None:
    volume = open_ome_zarr(image(tmp_path / "a.zarr", version=version, **array))
    assert np.array_equal(volume[EVERYTHING], DATA)
    assert np.array_equal(volume[slice(1, 3), slice(2, 6), slice(0, 1)], DATA[1:3, 2:6, :1])
    assert (volume.shape, volume.dtype, volume.chunks) == ((5, 6, 7), np.dtype("i2"), (2, 2, 2))
    assert volume.voxel_size == (4.0, 3.0, 2.0)
    assert volume.problems == ()


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("nanometer", (40.0, 30.0, 20.0)),
        ("micrometer", (4e4, 3e4, 2e4)),
        ("angstrom", (4.0, 3.0, 2.0)),
        (None, (4.0, 3.0, 2.0)),
    ],
)
def test_units_become_angstrom(tmp_path: Path, unit: str | None, expected: tuple) -> None:
    volume = open_ome_zarr(image(tmp_path / "a.zarr", named=axes(unit=unit)))
    assert volume.voxel_size == pytest.approx(expected)
    assert [problem.code for problem in volume.problems] == ([] if unit else ["zarr-unit"] * 3)


def test_group_and_dataset_scales_multiply(tmp_path: Path) -> None:
    volume = open_ome_zarr(
        image(tmp_path / "a.zarr", scale=(1, 1, 2), whole=(0.5, 0.6, 0.7), named=axes(unit="nanometer"))
    )
    assert volume.voxel_size == pytest.approx((14.0, 6.0, 5.0))


def test_single_time_and_channel_are_dropped_and_said(tmp_path: Path) -> None:
    data = DATA[None, None]
    volume = open_ome_zarr(image(tmp_path / "a.zarr", data=data, named=axes("tczyx"), scale=(1, 1, 2, 3, 4)))
    assert np.array_equal(volume[EVERYTHING], DATA)
    assert volume.voxel_size == (4.0, 3.0, 2.0)
    assert "t, c" in volume.problems[0].message


def test_axes_stored_in_another_order_are_turned_and_said(tmp_path: Path) -> None:
    volume = open_ome_zarr(image(tmp_path / "a.zarr", named=axes("xzy"), scale=(2, 3, 4)))
    assert np.array_equal(volume[EVERYTHING], DATA.transpose(1, 2, 0))
    assert np.array_equal(
        volume[slice(1, 4), slice(0, 2), slice(3, 5)], DATA.transpose(1, 2, 0)[1:4, 0:2, 3:5]
    )
    assert volume.voxel_size == (2.0, 4.0, 3.0)
    assert [problem.code for problem in volume.problems] == ["zarr-axes"]


def test_a_plain_array_is_a_volume_without_voxel_size(tmp_path: Path) -> None:
    zarr.create_array(str(tmp_path / "a.zarr"), data=DATA, zarr_format=2)
    volume = open_ome_zarr(tmp_path / "a.zarr")
    assert np.array_equal(volume[EVERYTHING], DATA)
    assert volume.voxel_size == (None, None, None)
    assert [problem.code for problem in volume.problems] == ["zarr-voxel-size"]


def test_a_bioformats_layout_with_one_image(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    image(tmp_path / "a.zarr" / "0")
    assert np.array_equal(open_ome_zarr(tmp_path / "a.zarr")[EVERYTHING], DATA)


def refused(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        open_ome_zarr(path, name="source/a.zarr")
    assert str(caught.value).startswith("source/a.zarr: ")
    return str(caught.value)


def test_what_is_no_volume_is_refused(tmp_path: Path) -> None:
    channels = image(tmp_path / "c.zarr", data=np.zeros((2, 3, 4, 5)), named=axes("czyx"), scale=(1, 1, 1, 1))
    assert "(2, 3, 4, 5) with axes c, z, y, x" in refused(channels)
    flat = image(tmp_path / "f.zarr", data=np.zeros((4, 5)), named=axes("yx"), scale=(1, 1))
    assert "(4, 5)" in refused(flat)
    assert "scale of 2 numbers" in refused(image(tmp_path / "s.zarr", scale=(1, 2)))
    assert "no array with the 4 axes" in refused(
        image(tmp_path / "n.zarr", named=axes("czyx"), scale=(1, 1, 1, 1))
    )
    empty = tmp_path / "empty.zarr"
    empty.mkdir()
    assert "not a readable Zarr image" in refused(empty)
    zarr.open_group(str(tmp_path / "g.zarr"), mode="w", zarr_format=2).create_group("inner")
    assert "inner" in refused(tmp_path / "g.zarr")
    broken = image(tmp_path / "b.zarr")
    (broken / "0" / ".zarray").write_text("{")
    refused(broken)


def test_a_damaged_chunk_is_named(tmp_path: Path) -> None:
    path = image(tmp_path / "a.zarr", chunk_key_encoding={"name": "v2", "separator": "/"})
    (path / "0" / "1" / "0" / "0").write_bytes(b"nonsense")
    volume = open_ome_zarr(path)
    with pytest.raises(FormatError, match=r"z, y, x = 2, 0, 0 cannot be decoded"):
        volume[slice(2, 4), slice(0, 2), slice(0, 2)]


def test_metadata_files_are_exact() -> None:
    assert group_metadata() == b'{\n    "zarr_format": 2\n}'
    array = json.loads(array_metadata((300, 928, 960), (128, 128, 128), "<f4", 2))
    assert array == {
        "chunks": [128, 128, 128],
        "compressor": {"blocksize": 0, "clevel": 5, "cname": "lz4", "id": "blosc", "shuffle": 2},
        "dimension_separator": "/", "dtype": "<f4", "fill_value": 0.0, "filters": None, "order": "C",
        "shape": [300, 928, 960], "zarr_format": 2,
    }  # fmt: skip
    assert b'"fill_value": 0,' in array_metadata((1, 1, 1), (1, 1, 1), "|i1", 1)
    text = image_metadata([(13.48, 13.48, 13.48), (26.96, 26.96, 26.96)])
    assert text.startswith(b'{\n    "multiscales": [\n        {\n            "axes": [')
    entry = json.loads(text)["multiscales"][0]
    assert list(entry) == ["axes", "datasets", "metadata", "name", "version"]
    assert entry["datasets"][1] == {
        "coordinateTransformations": [
            {"scale": [26.96] * 3, "type": "scale"},
            {"translation": [6.74] * 3, "type": "translation"},
        ],
        "path": "1",
    }
    assert entry["axes"][0] == {"name": "z", "type": "space", "unit": "angstrom"}
    assert (entry["name"], entry["version"], entry["metadata"]) == ("/", "0.4", {})


def test_real_zarr_files(shared: Path) -> None:
    place = shared / "portal-backend/test_infra/test_files/input_bucket/sample_tomos/input_omezarr.zarr"
    volume = open_ome_zarr(place)
    assert volume.shape == (4, 4, 4)
    assert volume.voxel_size == pytest.approx((14.08,) * 3)
    assert {problem.code for problem in volume.problems} == {"zarr-unit", "zarr-axes"}
    for flat in ("simple_0.4", "simple_0.5"):
        with pytest.raises(FormatError, match="axes y, x"):
            open_ome_zarr(shared / "neuroglancer/testdata/datasource/zarr/ome_zarr" / flat)
