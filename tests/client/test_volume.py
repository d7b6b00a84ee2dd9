"""Volumes and points without downloading: over a counted line from a real server, against the files themselves."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
from collections import Counter

import httpx
import mrcfile
import numpy as np
import pandas
import pytest
import zarr
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype

from fixtures_proxy import Harm, proxy_to
from fixtures_server import serving
from tomoportal import Annotation, AnnotationFile, Client, TiltSeries, Tomogram
from tomoportal.client import retrying
from tomoportal.client.http_store import HttpStore
from tomoportal.client.points import ROTATION
from tomoportal.client.volume import open_volume
from tomoportal.errors import FormatError, RemoteError, UsageError


@pytest.fixture(scope="module")
def line(demo_portal):
    with serving(demo_portal.settings) as url, proxy_to(url) as line:
        yield line


@pytest.fixture(scope="module")
def client(line):
    with Client(line.endpoint) as client:
        yield client


@pytest.fixture(scope="module")
def tomogram(client):
    return Tomogram.find(client, [Tomogram.run.name == "TS_001", Tomogram.processing == "raw"])[0]


def _stored(portal, address):
    return portal.layout / address.partition("/files/")[2]


@pytest.mark.parametrize("via", ["https", "s3"])
def test_a_tomogram_is_the_same_array(client, demo_portal, tomogram, via):
    volume = tomogram.open(via=via)
    with mrcfile.open(_stored(demo_portal, tomogram.https_mrc_file)) as file:
        assert (np.asarray(volume) == file.data).all()
    assert volume.shape == (tomogram.size_z, tomogram.size_y, tomogram.size_x)
    assert volume.voxel_size == pytest.approx((tomogram.voxel_spacing,) * 3)
    assert (volume.axes, volume.level, volume.levels) == ("zyx", 0, 3)


def test_s3_of_a_portal_that_keeps_files_elsewhere(client, line, tomogram, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{line.endpoint}/s3")
    there = Tomogram(
        client, id=1, s3OmezarrDir=tomogram.s3_omezarr_dir, httpsOmezarrDir="https://elsewhere.example/a.zarr"
    )
    assert (np.asarray(there.open(level=2, via="s3")) == np.asarray(tomogram.open(level=2))).all()


def test_coarser_levels_and_tilt_series(client, demo_portal, tomogram):
    coarse = tomogram.open(level=2)
    assert coarse.voxel_size == pytest.approx((4 * tomogram.voxel_spacing,) * 3)
    stored = zarr.open_group(_stored(demo_portal, tomogram.https_omezarr_dir), mode="r")["2"]
    assert (coarse[1:3].compute() == stored[1:3]).all()
    series = TiltSeries.find(client, limit=1)[0]
    assert series.open().shape == (series.size_z, series.size_y, series.size_x)
    assert "voxels of" in repr(coarse)


def test_only_the_chunks_that_are_needed_travel(client, demo_portal, line):
    series = TiltSeries.find(client, limit=1)[0]
    stored = zarr.open_group(_stored(demo_portal, series.https_omezarr_dir), mode="r")["0"]
    assert stored.nchunks > 3, "else the test says nothing"
    volume = series.open()
    before = len(line.seen)
    plane = volume[stored.chunks[0], :4, :4].compute()
    asked = [
        one.target
        for one in line.seen[before:]
        if "/0/" in one.target and not one.target.endswith((".zarray", "zarr.json"))
    ]
    assert len(asked) == 1
    assert (plane == stored[stored.chunks[0], :4, :4]).all()


def test_trouble_on_the_way_is_outlived_and_other_processes_read_too(client, line, tomogram, monkeypatch):
    monkeypatch.setattr(retrying.time, "sleep", lambda _: None)
    volume = tomogram.open()
    whole = np.asarray(volume)
    asked: Counter[str] = Counter()

    def harm(request):
        asked[request.target] += 1
        return [Harm.CUT, Harm.ERROR_503, Harm.REFUSED, None][min(asked[request.target], 4) - 1]

    line.harm = harm
    try:
        assert (np.asarray(pickle.loads(pickle.dumps(tomogram)).open()) == whole).all()
    finally:
        line.harm = lambda _: None
    assert asked
    assert all(times == 4 for times in asked.values()), asked
    assert (pickle.loads(pickle.dumps(volume.array)).compute() == whole).all()


def test_what_a_store_cannot_give_is_an_error_not_a_hole(client, line, tomogram, monkeypatch):
    monkeypatch.setattr(retrying.time, "sleep", lambda _: None)
    volume = tomogram.open()
    line.harm = lambda _: Harm.ERROR_500
    try:
        with pytest.raises(RemoteError, match="answered 500"):
            np.asarray(volume)
    finally:
        line.harm = lambda _: None


def test_parts_of_a_key(client, demo_portal, tomogram):
    store = HttpStore(client, tomogram.https_omezarr_dir)
    content = (_stored(demo_portal, tomogram.https_omezarr_dir) / ".zattrs").read_bytes()
    for part, wanted in [
        (None, content),
        (RangeByteRequest(2, 9), content[2:9]),
        (OffsetByteRequest(5), content[5:]),
        (SuffixByteRequest(4), content[-4:]),
    ]:
        got = asyncio.run(store.get(".zattrs", default_buffer_prototype(), part))
        assert got.to_bytes() == wanted
    assert asyncio.run(store.exists(".zattrs"))
    assert not asyncio.run(store.exists("nothing"))
    with pytest.raises(NotImplementedError, match="cannot be listed"):
        store.list()


def test_a_mask_is_opened_from_its_file(client, demo_portal):
    mask = AnnotationFile.find(client, AnnotationFile.format == "zarr")[0]
    stored = zarr.open_group(_stored(demo_portal, mask.https_path), mode="r")["0"]
    assert (np.asarray(mask.open()) == stored[:]).all()
    with pytest.raises(UsageError, match="of the format mrc; only zarr can be opened"):
        AnnotationFile.find(client, AnnotationFile.format == "mrc")[0].open()


def test_what_cannot_be_opened_is_said(client, tomogram, line):
    with pytest.raises(UsageError, match="levels 0 to 2; there is no level 7"):
        tomogram.open(7)
    with pytest.raises(UsageError, match="expected 'https' or 's3'"):
        tomogram.open(via="ftp")
    with pytest.raises(UsageError, match="has no OME-Zarr image"):
        Tomogram(client, id=1, httpsOmezarrDir=None).open()
    with pytest.raises(RemoteError, match="is no OME-Zarr image"):
        Tomogram(client, id=1, httpsOmezarrDir=f"{line.endpoint}/files/10901/nothing.zarr").open()


def _image(folder, **image):
    group = zarr.open_group(folder, mode="w", zarr_format=2)
    group.create_array("0", shape=(2, 3, 4), chunks=(2, 3, 4), dtype="u1")
    group.attrs["multiscales"] = [{"datasets": [{"path": "0", **image.pop("level", {})}], **image}]
    return folder


SCALE = {"coordinateTransformations": [{"type": "scale", "scale": [1.0, 2.0, 3.0]}]}


def test_voxel_sizes_follow_units_and_both_scales(tmp_path):
    axes = [{"name": name, "unit": "nanometer"} for name in "zyx"]
    whole = [{"type": "scale", "scale": [2.0, 2.0, 2.0]}]
    folder = _image(tmp_path / "a.zarr", level=SCALE, axes=axes, coordinateTransformations=whole)
    assert open_volume(str(folder), "a.zarr").voxel_size == (20.0, 40.0, 60.0)


@pytest.mark.parametrize(
    "image",
    [
        {"level": SCALE, "axes": [{"name": name, "unit": "parsec"} for name in "zyx"]},
        {"level": SCALE, "axes": [{"name": name} for name in "xyz"]},
        {"axes": [{"name": name} for name in "zyx"]},
    ],
    ids=["unit", "order", "no scale"],
)
def test_volumes_that_would_be_guesses_are_refused(image, tmp_path):
    with pytest.raises(FormatError, match="expected z, y, x"):
        open_volume(str(_image(tmp_path / "a.zarr", **image)), "a.zarr")


def _annotation(client, shape):
    return Annotation.find(
        client, [Annotation.annotation_shapes.shape_type == shape, Annotation.run.name == "TS_001"]
    )[0]


def _lines(portal, annotation, shape):
    files = AnnotationFile.annotation_shape
    (file,) = AnnotationFile.find(
        annotation.client,
        [files.annotation_id == annotation.id, files.shape_type == shape, AnnotationFile.format == "ndjson"],
    )
    return [json.loads(line) for line in _stored(portal, file.https_path).read_text().splitlines()]


@pytest.mark.parametrize("shape", ["Point", "OrientedPoint", "InstanceSegmentation"])
def test_points_are_those_of_the_file(client, demo_portal, shape):
    annotation = _annotation(client, shape)
    table, lines = annotation.points(shape=shape), _lines(demo_portal, annotation, shape)
    assert table[["x", "y", "z"]].to_numpy().tolist() == [
        [line["location"][axis] for axis in "xyz"] for line in lines
    ]
    if shape == "OrientedPoint":
        matrices = table[list(ROTATION)].to_numpy().reshape(-1, 3, 3)
        assert matrices.tolist() == [line["xyz_rotation_matrix"] for line in lines]
    if shape == "InstanceSegmentation":
        assert table["instance_id"].tolist() == [line["instance_id"] for line in lines]
    more = {"OrientedPoint": list(ROTATION), "InstanceSegmentation": ["instance_id"]}.get(shape, [])
    assert list(table.columns) == ["x", "y", "z", *more]


def test_units_and_tomograms_agree_with_the_export(client, tmp_path):
    annotation = _annotation(client, "Point")
    spacing = annotation.tomogram_voxel_spacing.voxel_spacing
    voxels, angstrom = annotation.points(shape="Point"), annotation.points("angstrom", shape="Point")
    assert np.allclose(voxels * spacing, angstrom)
    assert angstrom.attrs == {"unit": "angstrom", "voxel_spacing": spacing}
    own = Tomogram.alignment_id == annotation.alignment_id
    other = Tomogram.find(client, [own, Tomogram.voxel_spacing != spacing])[0]
    exported = pandas.read_csv(annotation.export(tmp_path, format="csv", tomogram=other, shape="Point"))
    assert not math.isclose(other.voxel_spacing, spacing)
    for asked in (other, other.id):
        assert np.allclose(
            annotation.points(tomogram=asked, shape="Point"), exported[["x", "y", "z"]], atol=1e-4
        )


def test_points_that_there_are_not(client):
    mask = next(one for one in Annotation.find(client) if one.object_name == "membrane")
    with pytest.raises(UsageError, match="SegmentationMask; there are no points"):
        mask.points()
    point = _annotation(client, "Point")
    for options, said in [
        ({"shape": "Mesh"}, "Mesh is no shape of points"),
        ({"shape": "InstanceSegmentation"}, "there is no InstanceSegmentation"),
        ({"unit": "nm"}, "expected 'voxel' or 'angstrom'"),
        ({"tomogram": 10**6}, "there is no tomogram 1000000"),
        ({"tomogram": Tomogram.find(client, Tomogram.run.name == "TS_002")[0]}, "not comparable"),
    ]:
        with pytest.raises(UsageError, match=said):
            point.points(**options)


GOOD = '{"location": {"x": 1, "y": 2, "z": 3}}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{GOOD}\nnot json", "line 2: 'not json' is not a point"),
        ('{"location": {"x": 1, "y": 2}}', "line 1: .* is not a point"),
        ("[1]", "is not a point"),
        ('{"location": {"x": 1, "y": 2, "z": NaN}}', "has numbers that are none"),
        (GOOD[:-1] + ', "xyz_rotation_matrix": [[1, 0], [0, 1]]}', "not as many as a point has"),
        (GOOD[:-1] + ', "instance_id": "a"}', "has numbers that are none"),
        (GOOD + "\n" + GOOD[:-1] + ', "instance_id": 3}', "expected one kind of point"),
    ],
)
def test_lines_that_are_no_points_are_said_with_their_number(text, said):
    file = {
        "id": 1, "format": "ndjson", "httpsPath": "http://portal.test/files/a.ndjson", "alignmentId": 1,
        "annotationShape": {"shapeType": "Point"}, "tomogramVoxelSpacing": {"voxelSpacing": 10.0},
    }  # fmt: skip

    def handle(request: httpx.Request) -> httpx.Response:
        answer = httpx.Response(200, text=text)
        return (
            answer
            if request.method == "GET"
            else httpx.Response(200, json={"data": {"annotationFiles": [file]}})
        )

    with Client("http://portal.test") as client:
        client._http = httpx.Client(transport=httpx.MockTransport(handle))
        with pytest.raises(FormatError, match=said):
            Annotation(client, id=1).points()


def test_points_of_a_file_that_is_gone(client, demo_portal, monkeypatch):
    point = _annotation(client, "Point")
    stream = Client.stream
    monkeypatch.setattr(Client, "stream", lambda self, url: stream(self, url + "x"))
    with pytest.raises(RemoteError, match="answered 404"):
        point.points()
