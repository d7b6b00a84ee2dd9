"""Reading Zarr of every flavour as a volume, and the metadata files against yaozarrs and known bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    moved=None,
    **array,
) -> Path:
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    steps = [{"type": "scale", "scale": list(scale)}] if scale else []
    if moved:
        steps.append({"type": "translation", "translation": list(moved)})
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


def test_of_several_images_the_first_is_taken_and_that_is_told(tmp_path: Path) -> None:
    for version, attributes in (
        (2, {"bioformats2raw.layout": 3}),
        (3, {"ome": {"version": "0.5", "bioformats2raw.layout": 3}}),
    ):
        path = tmp_path / f"{version}.zarr"
        zarr.open_group(str(path), mode="w", zarr_format=version).attrs.update(attributes)
        for number in (2, 10):
            image(path / str(number), version=version, data=DATA + number)
        zarr.open_group(str(path / "OME"), mode="w", zarr_format=version)
        volume = open_ome_zarr(path)
        assert np.array_equal(volume[EVERYTHING], DATA + 2)
        assert [problem.message for problem in volume.problems] == [
            "it holds 2 images; the first (2) is taken."
        ]
    twice = image(tmp_path / "t.zarr")
    text = json.loads((twice / ".zattrs").read_text())
    (twice / ".zattrs").write_text(json.dumps({"multiscales": text["multiscales"] * 2}))
    assert [problem.code for problem in open_ome_zarr(twice).problems] == ["zarr-images"]


def test_an_empty_bioformats_layout_is_refused(tmp_path: Path) -> None:
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    assert "no image" in refused(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("names", "shape"), [("zyxc", (5, 6, 7, 1)), ("zcyx", (5, 1, 6, 7)), ("ZYX", (5, 6, 7))]
)
def test_axes_of_one_may_stand_anywhere(tmp_path: Path, names: str, shape: tuple[int, ...]) -> None:
    scale = [{"z": 2.0, "y": 3.0, "x": 4.0}.get(axis.lower(), 1.0) for axis in names]
    named = [{"name": axis, "type": "space", "unit": "angstrom"} for axis in names]
    volume = open_ome_zarr(image(tmp_path / "a.zarr", data=DATA.reshape(shape), named=named, scale=scale))
    assert np.array_equal(volume[EVERYTHING], DATA)
    assert np.array_equal(volume[slice(1, 4), slice(0, 2), slice(3, 5)], DATA[1:4, 0:2, 3:5])
    assert (volume.voxel_size, volume.chunks[1]) == ((4.0, 3.0, 2.0), 2)


def test_old_metadata_without_axes(tmp_path: Path) -> None:
    path = image(tmp_path / "a.zarr", data=DATA[None, None], scale=None)
    text = json.loads((path / ".zattrs").read_text())
    del text["multiscales"][0]["axes"]
    (path / ".zattrs").write_text(json.dumps(text))
    volume = open_ome_zarr(path)
    assert np.array_equal(volume[EVERYTHING], DATA)
    assert volume.voxel_size == (None, None, None)
    assert [problem.code for problem in volume.problems] == ["zarr-axes", "zarr-voxel-size", "zarr-axes"]
    named = image(tmp_path / "b.zarr", named=list("zyx"))
    assert [problem.code for problem in open_ome_zarr(named).problems] == ["zarr-unit"] * 3


def test_translations_give_the_origin_and_are_told(tmp_path: Path) -> None:
    volume = open_ome_zarr(
        image(tmp_path / "a.zarr", moved=(1, 0, 2), whole=(2, 2, 2), named=axes(unit="nanometer"))
    )
    assert volume.origin == pytest.approx((40.0, 0.0, 20.0))
    assert [problem.code for problem in volume.problems] == ["zarr-origin"]
    assert "x, y, z = 40, 0, 20 Å" in volume.problems[0].message
    still = open_ome_zarr(image(tmp_path / "b.zarr", moved=(0, 0, 0)))
    assert (still.origin, still.problems) == ((0.0, 0.0, 0.0), ())


@pytest.mark.parametrize(
    "array", [{"version": 2, "chunks": (2, 2, 2)}, {"version": 3, "chunks": (2, 2, 2), "shards": (4, 4, 4)}]
)
def test_absent_chunks_are_told(tmp_path: Path, array: dict) -> None:
    path = image(tmp_path / "a.zarr", data=DATA + 1, **array)
    assert open_ome_zarr(path).absent() == ()
    chunks = sorted(
        file
        for file in (path / "0").rglob("*")
        if file.is_file() and not file.name.startswith((".z", "zarr"))
    )
    chunks[-1].unlink()
    (problem,) = open_ome_zarr(path).absent()
    assert problem.code == "zarr-chunks-absent"
    assert (
        "of 8 shards" if "shards" in array else "of 36 chunks"
    ) + " are absent, which means 0" in problem.message


def test_consolidated_metadata(tmp_path: Path) -> None:
    path = image(tmp_path / "a.zarr")
    zarr.consolidate_metadata(str(path), zarr_format=2)
    assert (path / ".zmetadata").exists()
    assert np.array_equal(open_ome_zarr(path)[EVERYTHING], DATA)


def test_a_store_instead_of_a_folder(tmp_path: Path) -> None:
    store = zarr.storage.LocalStore(image(tmp_path / "a.zarr"), read_only=True)
    volume = open_ome_zarr(store, name="lab/a.zarr")
    assert volume.name == "lab/a.zarr"
    assert np.array_equal(volume[EVERYTHING], DATA)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entry=st.dictionaries(
        st.sampled_from(["axes", "datasets", "coordinateTransformations"]),
        st.recursive(
            st.none()
            | st.integers()
            | st.floats()
            | st.text(max_size=5)
            | st.sampled_from(["0", "x", "y", "z", "scale"]),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["name", "unit", "path", "type", "scale", "translation"]),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ),
    )
)
def test_any_metadata_give_a_volume_or_a_sentence(tmp_path: Path, entry: dict) -> None:
    path = tmp_path / "any.zarr"
    if not path.exists():
        image(path)
    known = {"axes": axes(), "datasets": [{"path": "0"}]}
    (path / ".zattrs").write_text(json.dumps({"multiscales": [known | entry]}))
    try:
        volume = open_ome_zarr(path)
    except FormatError:
        return
    assert volume[EVERYTHING].shape == volume.shape


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
    for sides in ((), (4,), (4, 5), (2, 3, 4, 5)):
        plain = tmp_path / f"{len(sides)}.zarr"
        zarr.create_array(str(plain), data=np.zeros(sides), zarr_format=2)
        assert str(sides) in refused(plain)
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
    assert "its JSON is broken in line 1, column 2 (Expecting property name" in refused(broken)
    (broken / "0" / ".zarray").write_text('{"zarr_format": 2}')
    assert "image: there is no 'dtype'. A folder" in refused(broken / "0")
    (broken / "0" / ".zarray").write_text("[]")
    assert "level 0, are incomplete or damaged. Write" in refused(broken)


def test_chunks_that_hold_nothing_are_refused(tmp_path: Path) -> None:
    path = image(tmp_path / "a.zarr")
    metadata = json.loads((path / "0" / ".zarray").read_text()) | {"chunks": [0, 0, 0]}
    (path / "0" / ".zarray").write_text(json.dumps(metadata))
    assert "chunks of the shape (0, 0, 0)" in refused(path)


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
    with pytest.raises(FormatError, match=r"\(1, 3, 1, 64, 64\) with axes t, c, z, y, x"):
        open_ome_zarr(shared / "ome2024-ngff-challenge/tests/data/2d.zarr")


@pytest.mark.parametrize(
    ("example", "names", "voxel"),
    [
        ("multiscales_example", "czyx", (3603.981534640209, 3603.981534640209, 5002.025531914894)),
        ("image_label_example", "tczyx", None),
    ],
)
def test_metadata_of_the_examples_in_the_format_description(
    tmp_path: Path, shared: Path, example: str, names: str, voxel
) -> None:
    path = image(tmp_path / "a.zarr", data=DATA.reshape((1,) * (len(names) - 3) + DATA.shape))
    text = (shared / f"ome-zarr-models-py/tests/data/examples/v04/{example}.json").read_text()
    (path / ".zattrs").write_text(text)
    volume = open_ome_zarr(path)
    dataset = json.loads(text)["multiscales"][0]["datasets"][0]
    scale = next(step["scale"] for step in dataset["coordinateTransformations"] if step["type"] == "scale")
    assert volume.voxel_size == pytest.approx(voxel or tuple(1e4 * size for size in reversed(scale[-3:])))
    assert np.array_equal(volume[EVERYTHING], DATA)
    assert "zarr-axes" in {problem.code for problem in volume.problems}
