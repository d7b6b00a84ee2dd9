"""Pictures of volumes against mrcfile and numpy, which know nothing of how they are made; local and on a real S3 server."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import zarr
from PIL import Image
from starlette.testclient import TestClient

from fixtures_demo import settings_in
from fixtures_s3 import S3Server, s3_server  # noqa: F401
from fixtures_tiny import Tiny
from tomoportal.errors import FormatError
from tomoportal.exports.slices import pyramid
from tomoportal.exports.slices.levels import metadata_path
from tomoportal.settings import Settings
from tomoportal.storage import open_storage

SHAPE = (13, 21, 27)
"""z, y, x: odd, so that coarse levels reach beyond the volume."""


@pytest.fixture(scope="module")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A portal of one run with odd sides."""
    from tomoportal.cli.ingest import ingest_config

    folder = tmp_path_factory.mktemp("slices")
    tiny = Tiny(folder / "tiny").run("R1", shape=SHAPE).write()
    settings = settings_in(folder)
    report = ingest_config(tiny.file, str(tiny.source), settings, quiet=True)
    assert not report.failed, report.sorted_problems()
    return settings


@pytest.fixture(scope="module")
def volume(tiny_settings: Settings) -> np.ndarray:
    """What mrcfile reads, (z, y, x)."""
    (path,) = Path(tiny_settings.storage).rglob("Tomograms/*/R1.mrc")
    with mrcfile.open(path) as file:
        return np.array(file.data)


@pytest.fixture(scope="module")
def site(tiny_settings: Settings) -> Iterator[TestClient]:
    from tomoportal.server import build_app

    with TestClient(build_app(tiny_settings), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def tomogram(site: TestClient) -> int:
    return first_id(site, "tomograms")


def first_id(site: TestClient, root: str, field: str = "id") -> Any:
    answer = site.post("/graphql", json={"query": f"{{ {root} {{ {field} }} }}"}).json()
    return answer["data"][root][0][field]


def pixels(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(BytesIO(answer.content)))


def plane(volume: np.ndarray, axis: str, index: int, slab: int = 0) -> np.ndarray:
    """Rows and columns as the guide promises: y over x, z over x, y over z."""
    number = "zyx".index(axis)
    which = range(max(0, index - slab), min(volume.shape[number], index + slab + 1))
    mean = np.mean([volume.take(i, number).astype(float) for i in which], axis=0)
    return mean.T if axis == "x" else mean


def as_grey(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint((np.clip(values, low, high) - low) / (high - low) * 255).astype(np.uint8)


@pytest.mark.parametrize("slab", [0, 1, 4])
@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_every_pixel_is_that_of_numpy(site, tomogram, volume, axis, slab):
    side = volume.shape["zyx".index(axis)]
    for index in (0, 1, side // 2, side - 1):
        asked = {"axis": axis, "index": index, "slab": slab, "lo": -9, "hi": 3, "level": 0}
        found = pixels(site.get(f"/tomograms/{tomogram}/slice.png", params=asked))
        expected = as_grey(plane(volume, axis, index, slab), -9, 3)
        assert found.shape == expected.shape
        assert np.abs(found.astype(int) - expected).max() <= (0 if slab == 0 else 1)


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_coarse_levels_are_means_over_voxels_that_exist(site, tomogram, volume, axis):
    halves = [np.add.reduceat(np.ones(side), np.arange(0, side, 2)) for side in volume.shape]
    half = volume.astype(float)
    for number, counts in enumerate(halves):
        half = np.add.reduceat(half, np.arange(0, half.shape[number], 2), axis=number)
        half /= counts.reshape([-1 if i == number else 1 for i in range(3)])
    side = volume.shape["zyx".index(axis)]
    for index in (0, side // 2, side - 1):
        asked = {"axis": axis, "index": index, "lo": -9, "hi": 3, "level": 1}
        found = pixels(site.get(f"/tomograms/{tomogram}/slice.png", params=asked))
        assert np.abs(found.astype(int) - as_grey(plane(half, axis, index // 2), -9, 3)).max() <= 1


def test_a_narrow_picture_spans_the_same_voxels(site, tomogram, volume):
    """Averages over area: the sum of each part of the picture is that of the same part of the plane."""
    found = pixels(site.get(f"/tomograms/{tomogram}/slice.png?index=6&w=16&lo=-9&hi=3")).astype(float)
    _, y, x = volume.shape
    assert found.shape == (round(y * 16 / x), 16)
    expected = np.asarray(
        Image.fromarray(volume[6]).resize(found.shape[::-1], Image.Resampling.BOX), np.float64
    )
    assert np.abs(found - as_grey(expected, -9, 3)).max() <= 1


def test_contrast_is_that_of_the_3d_viewer(site, tomogram, volume):
    state = json.loads(first_id(site, "tomograms", "neuroglancerConfig"))
    low, high = state["layers"][0]["shaderControls"]["contrast"]["range"]
    found = pixels(site.get(f"/tomograms/{tomogram}/slice.png?level=0&index=6"))
    assert np.array_equal(found, as_grey(volume[6].astype(float), low, high))


@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_other_formats_look_alike(site, tomogram, kind):
    exact = pixels(site.get(f"/tomograms/{tomogram}/slice.png?level=0")).astype(float)
    found = Image.open(BytesIO(site.get(f"/tomograms/{tomogram}/slice.{kind}?level=0").content)).convert("L")
    assert np.abs(np.asarray(found, float) - exact).mean() < 12


@pytest.mark.parametrize(
    ("asked", "status", "word"),
    [
        ("index=13", 400, "numbered from 0 to 12"), ("index=-1", 400, "from 0"), ("index=1.5", 400, "whole number"),
        ("axis=t", 400, "z or y or x"), ("slab=51", 400, "from 0 to 50"), ("level=7", 400, "level 7"), ("w=9", 400, "from 16"),
        ("lo=3&hi=1", 400, "below white"), ("lo=nan", 400, "expected a number"), ("index=9999999999", 400, "whole number"),
        ("size=3", 400, "not understood"), ("hi=-1e30", 400, "below white"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_sentence(site, tomogram, asked, status, word):
    answer = site.get(f"/tomograms/{tomogram}/slice.png?{asked}")
    assert answer.status_code == status
    assert word in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/tomograms/999999/slice.png", 404), ("/tomograms/x/slice.png", 400), ("/tomograms/1/slice.gif", 404),
     ("/tiltseries/99/section.jpg", 404)],
)  # fmt: skip
def test_what_is_not_there(site, path, status):
    answer = site.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_an_unchanged_picture_is_not_sent_again(site, tomogram):
    first = site.get(f"/tomograms/{tomogram}/slice.jpg?index=3")
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in first.headers
    again = site.get(f"/tomograms/{tomogram}/slice.jpg?index=3", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert site.get(f"/tomograms/{tomogram}/slice.jpg?index=4").headers["etag"] != tag
    assert "max-age" in site.get(f"/tomograms/{tomogram}/slice.jpg?index=3&v=1").headers["cache-control"]


def test_sections_of_a_tilt_series(site, tiny_settings):
    id = first_id(site, "tiltseries")
    (path,) = Path(tiny_settings.storage).rglob("TiltSeries/*/R1.mrc")
    with mrcfile.open(path) as file:
        stack = np.array(file.data, float)
    for index in (0, len(stack) - 1):
        found = pixels(site.get(f"/tiltseries/{id}/section.png?index={index}"))
        low, high = np.quantile(stack[index], (0.005, 0.995))
        assert np.abs(found.astype(int) - as_grey(stack[index], low, high)).max() <= 1
    assert (
        "numbered from 0 to 4" in site.get(f"/tiltseries/{id}/section.png?index=5").json()["error"]["message"]
    )


def test_points_in_voxels_and_within_a_slab(site, tomogram):
    id = annotation(site, "ball")
    told = site.get(f"/annotations/{id}/points.json?tomogram={tomogram}").json()
    assert told["points"] == [[13.0, 10.0, 6.0], [3.0, 4.0, 5.0]]
    assert (told["unit"], told["spacing"], told["total"], told["shown"]) == ("voxel", 10.0, 2, 2)
    near = site.get(f"/annotations/{id}/points.json?tomogram={tomogram}&axis=x&from=2.5&to=3").json()
    assert near["points"] == [[3.0, 4.0, 5.0]]
    few = site.get(f"/annotations/{id}/points.json?tomogram={tomogram}&budget=1").json()
    assert (few["total"], few["shown"], len(few["points"])) == (2, 1, 1)


def test_colours_are_those_of_the_3d_viewer(site, tomogram):
    state = json.loads(first_id(site, "tomograms", "neuroglancerConfig"))
    colours = {
        layer["type"]: layer.get("annotationColor") or layer.get("segmentDefaultColor")
        for layer in state["layers"]
    }
    points = site.get(f"/annotations/{annotation(site, 'ball')}/points.json?tomogram={tomogram}").json()
    assert points["colour"] == colours["annotation"]
    mask = site.get(f"/annotations/{annotation(site, 'membrane')}/mask.png?tomogram={tomogram}")
    palette = Image.open(BytesIO(mask.content)).getpalette()
    assert bytes(palette[3:6]).hex() == colours["segmentation"][1:]


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_masks_cover_their_voxels(site, tomogram, tiny_settings, axis):
    (path,) = Path(tiny_settings.storage).rglob("*_segmentationmask.mrc")
    with mrcfile.open(path) as file:
        mask = np.array(file.data)
    assert mask.shape == SHAPE
    assert mask.any()
    id = annotation(site, "membrane")
    for index in (0, SHAPE["zyx".index(axis)] // 2):
        answer = site.get(f"/annotations/{id}/mask.png?tomogram={tomogram}&axis={axis}&index={index}&w=1024")
        codes = pixels(answer)
        assert np.array_equal(codes, plane(mask, axis, index).astype(np.uint8))
    alpha = np.asarray(Image.open(BytesIO(answer.content)).convert("RGBA"))[..., 3]
    assert (alpha[codes == 0] == 0).all()
    assert (alpha[codes == 1] == 128).all()


@pytest.mark.parametrize(
    ("name", "asked", "status", "word"),
    [
        ("ball", "points.json", 400, "Say with `tomogram`"), ("ball", "mask.png?tomogram={t}", 400, "has the shape Point"),
        ("membrane", "points.json?tomogram={t}", 400, "has the shape SegmentationMask"),
        ("ball", "points.json?tomogram=99999", 404, "99999"),
        ("ball", "points.json?tomogram={t}&from=a", 400, "expected a number"), ("ball", "points.json?tomogram={t}&budget=0", 400, "from 1"),
    ],
)  # fmt: skip
def test_overlays_that_make_no_sense(site, tomogram, name, asked, status, word):
    answer = site.get(f"/annotations/{annotation(site, name)}/{asked.format(t=tomogram)}")
    assert answer.status_code == status, answer.text
    assert word in answer.json()["error"]["message"]


def test_damaged_and_absent_files_are_told(tiny_settings, tmp_path):
    from tomoportal.server import build_app

    files = shutil.copytree(tiny_settings.storage, tmp_path / "files")
    (mrc,) = files.rglob("Tomograms/*/R1.mrc")
    for chunk in mrc.with_suffix(".zarr").glob("0/*/*/*"):
        chunk.write_bytes(b"broken")
    settings = Settings(storage=str(files), database=tiny_settings.database)
    with TestClient(build_app(settings), base_url="http://localhost") as site:
        id = first_id(site, "tomograms")
        assert site.get(f"/tomograms/{id}/slice.png?axis=z&level=0").status_code == 200
        damaged = site.get(f"/tomograms/{id}/slice.png?axis=x&level=0")
        assert damaged.status_code == 500
        assert "cannot be decoded" in damaged.json()["error"]["message"]
        mrc.unlink()
        assert site.get(f"/tomograms/{id}/slice.png?axis=z&index=2").status_code == 404


def test_the_same_from_an_object_store(s3_server, tiny_settings, site, tomogram, volume, monkeypatch):  # noqa: F811
    from tomoportal.server import build_app

    shutil.copytree(tiny_settings.storage, s3_server.folder / "slices" / "files")
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    remote = Settings(storage="s3://slices/files", database=tiny_settings.database)
    with TestClient(build_app(remote), base_url="http://localhost") as there:
        for asked in ("axis=z&level=0", "axis=y&slab=1&level=0", "axis=x&level=1", "axis=z&w=20"):
            path = f"/tomograms/{tomogram}/slice.png?{asked}&lo=-9&hi=3"
            here, far = pixels(site.get(path)).astype(int), pixels(there.get(path)).astype(int)
            assert np.abs(here - far).max() <= 1, asked


def annotation(site: TestClient, name: str) -> int:
    query = f'{{ annotations(where: {{objectName: {{_eq: "{name}"}}}}) {{ id }} }}'
    return int(site.post("/graphql", json={"query": query}).json()["data"]["annotations"][0]["id"])


V3_CODECS = {
    "plain": {"compressors": None},
    "blosc": {"compressors": zarr.codecs.BloscCodec(cname="zstd", shuffle="bitshuffle")},
    "zstd, checksum": {"compressors": [zarr.codecs.ZstdCodec(checksum=True), zarr.codecs.Crc32cCodec()]},
    "gzip, big endian": {"compressors": zarr.codecs.GzipCodec(), "serializer": zarr.codecs.BytesCodec(endian="big")},
    "flat names": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
}  # fmt: skip


def image_v3(folder: Path, made: np.ndarray, **how: Any) -> None:
    """NGFF 0.5 with one level, by zarr-python."""
    group = zarr.open_group(str(folder), mode="w", zarr_format=3)
    array = group.create_array("0", **{"shape": made.shape, "chunks": (3, 3, 3), "dtype": made.dtype} | how)
    array[:] = made
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    multiscales = [{"datasets": [{"path": "0", "coordinateTransformations": scale}]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}


@pytest.mark.parametrize("codecs", V3_CODECS)
def test_zarr_v3_is_read_as_zarr_python_writes_it(tmp_path, codecs):
    made = np.arange(6 * 5 * 8, dtype="f4").reshape(6, 5, 8)
    made[:3, :3, :3] = 0
    image_v3(tmp_path / "v.zarr", made, **V3_CODECS[codecs])
    storage = open_storage(str(tmp_path))
    assert metadata_path(storage, "v.zarr") == "v.zarr/zarr.json"
    opened = pyramid.open_pyramid(storage, "v.zarr", codecs)
    total = np.zeros(made.shape, "f4")
    for place, block in opened.blocks(opened.levels[0], (slice(0, 6), slice(0, 5), slice(0, 8))):
        total[place] = block
    assert np.array_equal(total, made)


def test_sharded_zarr_is_refused_with_a_sentence(tmp_path):
    image_v3(tmp_path / "v.zarr", np.ones((6, 6, 6), "f4"), shards=(6, 6, 6))
    with pytest.raises(FormatError, match="sharded OME-Zarr cannot be cut"):
        pyramid.open_pyramid(open_storage(str(tmp_path)), "v.zarr", "1")


def test_pictures_are_made_of_a_volume_that_has_zarr_v3_alone(tiny_settings, tmp_path):
    """The same picture as from Zarr v2."""
    from tomoportal.server import build_app

    folder = tmp_path / "copy"
    shutil.copytree(Path(tiny_settings.storage).parent, folder)
    settings = settings_in(folder)
    with TestClient(build_app(settings), base_url="http://localhost") as site:
        tomogram = site.post("/graphql", json={"query": "{ tomograms { id httpsOmezarrDir } }"}).json()[
            "data"
        ]["tomograms"][0]
        path = f"/tomograms/{tomogram['id']}/slice.png?axis=x&level=0&lo=-9&hi=3"
        before = pixels(site.get(path))
        home = folder / "files" / tomogram["httpsOmezarrDir"].partition("/files/")[2]
        made = zarr.open_array(str(home / "0"), mode="r")[:]
        shutil.rmtree(home)
        image_v3(home, made)
        next(home.parent.glob("*.mrc")).unlink()
    with sqlite3.connect(folder / "catalog.sqlite") as connection:
        connection.execute("UPDATE tomogram SET mrc_path = NULL")
    connection.close()
    with TestClient(build_app(settings), base_url="http://localhost") as site:
        assert np.array_equal(pixels(site.get(path)), before)


def test_only_chunks_that_meet_the_plane_are_read(tmp_path, monkeypatch):
    """Of a volume with several chunks along x, a cut across x reads one column of them."""
    made = np.arange(6 * 5 * 8, dtype="<f4").reshape(6, 5, 8)
    group = zarr.open_group(str(tmp_path / "v.zarr"), mode="w", zarr_format=2)
    keys = {"name": "v2", "separator": "/"}
    array = group.create_array(
        "0", shape=made.shape, chunks=(3, 3, 3), dtype="<f4", compressors=None, chunk_key_encoding=keys
    )
    array[:] = made
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    group.attrs["multiscales"] = [{"datasets": [{"path": "0", "coordinateTransformations": scale}]}]
    storage = open_storage(str(tmp_path))
    read: list[str] = []
    monkeypatch.setattr(type(storage), "read", _noting(type(storage).read, read))
    opened = pyramid.open_pyramid(storage, "v.zarr", "1")
    (level,) = opened.levels
    read.clear()
    total = np.zeros((6, 5, 1), "<f4")
    for place, block in opened.blocks(level, (slice(0, 6), slice(0, 5), slice(4, 5))):
        total[place] = block
    assert np.array_equal(total[..., 0], made[..., 4])
    assert sorted(read) == [f"v.zarr/0/{z}/{y}/1" for z in (0, 1) for y in (0, 1)]


def _noting(read: Callable[..., bytes], noted: list[str]) -> Callable[..., bytes]:
    def noting(self: Any, path: str, *rest: Any) -> bytes:
        noted.append(path)
        return read(self, path, *rest)

    return noting
