"""A small portal with real files under the invented rows, served by the application in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fixtures_catalog import small_portal
from fixtures_server import make_file
from tomoportal.settings import Settings

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
MRC = f"{HOME}/Tomograms/100/volume.mrc"
CHUNK = f"{HOME}/Tomograms/100/volume.zarr/0/0/0/0"
SECRET = "30003/TS_01/Reconstructions/VoxelSpacing10.000/Tomograms/100/volume.mrc"
EMBARGOED = f"{HOME}/Annotations/102/thylakoid.glb"
EMBARGOED_LAYER = f"{HOME}/NeuroglancerPrecompute/102-mesh_precompute/info"
STATE = f"{HOME}/NeuroglancerPrecompute/100-neuroglancer-config.json"
"""Names the layer of what is embargoed."""
BIG = 3_000_001


def contents() -> dict[str, bytes]:
    """Path → bytes of every public file, in no particular order."""
    big = bytes(range(256)) * (BIG // 256 + 1)
    return {
        MRC: big[:BIG],
        CHUNK: b"\x02\x01chunk" * 9,
        f"{HOME}/Tomograms/100/volume.zarr/.zattrs": b"{}",
        f"{HOME}/Tomograms/100/volume.zarr/0/.zarray": b"{}",
        f"{HOME}/Tomograms/100/tomogram-metadata.json": b'{"a": 1}',
        f"{HOME}/Tomograms/101/volume.mrc": b"second",
        f"{HOME}/Images/100/key-photo-snapshot.png": b"\x89PNG",
        f"{HOME}/Annotations/100/cytosolic_ribosome-1.0_point.ndjson": b'{"type":"point"}\n',
        f"{HOME}/NeuroglancerPrecompute/100-point_precompute/info": b"{}",
        "30001/dataset_metadata.json": b"{}",
        "30001/TS_01/run_metadata.json": b"{}",
        "30001/TS_01/Frames/ein Bild & mehr+é.mdoc": b"T = 1\n",
        "30001/TS_02/run_metadata.json": b"{ }",
        "30002/dataset_metadata.json": b"{}",
        "DepositionMetadata/20001/deposition_metadata.json": b"{}",
    }


@pytest.fixture(scope="module")
def public_files() -> dict[str, bytes]:
    return contents()


@pytest.fixture(scope="module")
def portal_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("portal")
    small_portal(folder).close()
    root = folder / "files"
    for path, content in contents().items():
        make_file(root, path, content)
    hidden = (
        SECRET,
        EMBARGOED,
        "30003/dataset_metadata.json",
        "30003/Images/snapshot.png",
        STATE,
        EMBARGOED_LAYER,
        "99999/unknown.txt",
        ".tomoportal/datasets/30001/index.json",
        "30001/.tmp-123",
        "30001/TS_01/.hidden/x",
    )
    for path in hidden:
        make_file(root, path, b"secret")
    outside = make_file(folder, "outside.txt", b"outside")
    (root / "30001/TS_01/leak.txt").symlink_to(outside)
    (root / "30001/TS_01/private.txt").symlink_to(root / ".tomoportal/datasets/30001/index.json")
    (root / "30001/TS_01/early.txt").symlink_to(root / "30003/dataset_metadata.json")
    (root / "30001/TS_01/later").symlink_to(root / "30003")
    (root / "30001/TS_01/Gains").symlink_to(root / "30001/TS_01/Reconstructions")
    (root / "30001/TS_01/out").symlink_to(folder)
    (root / "30001/TS_01/inside.txt").symlink_to(root / "30001/TS_01/run_metadata.json")
    return Settings(storage=str(root), database=f"sqlite:///{folder / 'catalog.sqlite'}", bucket="tomoportal")


@pytest.fixture(scope="module")
def root(portal_settings: Settings) -> Path:
    return Path(portal_settings.storage)


@pytest.fixture(scope="module")
def served(portal_settings: Settings) -> Iterator[str]:
    """Base URL of the real server."""
    from fixtures_server import serving

    with serving(portal_settings) as url:
        yield url


@pytest.fixture
def get(served: str) -> Iterator[Callable[..., httpx.Response]]:
    """`get(path, method="GET", **headers)`; the path is sent as it is."""
    with httpx.Client(timeout=20) as client:

        def call(path: str, method: str = "GET", **headers: str) -> httpx.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            url = httpx.URL(served).copy_with(raw_path=path.encode())
            return client.request(method, url, headers=named)

        yield call
