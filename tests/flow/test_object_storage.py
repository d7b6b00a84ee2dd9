# ruff: noqa: F811 - a fixture is imported
"""The same deposition from and to an S3 server gives the same files as on a disk, over good lines and bad ones."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr

from fixtures_command import FlowPortal, Ran, contents, tomoportal
from fixtures_proxy import Harm, Proxy, proxy_to
from fixtures_s3 import S3Server, s3_server  # noqa: F401 - a fixture
from fixtures_tiny import Tiny
from tomoportal.storage import access, open_storage

KILLS = 60 if os.environ.get("TOMOPORTAL_TEST_ALL") else 6
ALL = [harm for harm in Harm if harm is not Harm.HUNG]
HARMS = ALL if os.environ.get("TOMOPORTAL_TEST_ALL") else [Harm.ERROR_503, Harm.CUT, Harm.SHORTENED]
PROGRAM = str(Path(sys.executable).with_name("tomoportal"))
RCLONE = str(Path(sys.executable).with_name("rclone"))


@pytest.fixture
def line(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy in front of the server, through which ours goes."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setitem(access.RETRY["backoff"], "init_backoff", access.timedelta(milliseconds=1))
    monkeypatch.setitem(access.PATIENCE, "first_pause", 0.001)
    with proxy_to(s3_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


@pytest.fixture
def bucket(s3_server: S3Server, line: Proxy, request: pytest.FixtureRequest) -> str:
    """The URL of a bucket for this test alone."""
    name = hashlib.sha1(request.node.name.encode()).hexdigest()[:20]
    return s3_server.bucket(f"b{name}")


def rclone(server: S3Server, *arguments: str) -> None:
    """Another tool than ours, that goes to the server itself."""
    options = {"type": "s3", "provider": "Other", "endpoint": server.endpoint, "access_key_id": server.key,
               "secret_access_key": server.secret, "region": "us-east-1"}  # fmt: skip
    environment = {
        **os.environ,
        **{f"RCLONE_CONFIG_S_{key.upper()}": value for key, value in options.items()},
    }
    subprocess.run([RCLONE, "--config=/dev/null", *arguments], env=environment, check=True, timeout=120)


def upload(server: S3Server, folder: Path, url: str) -> str:
    rclone(server, "copy", str(folder), f"S:{url.removeprefix('s3://')}/sources")
    return f"{url}/sources"


def downloaded(server: S3Server, url: str, folder: Path) -> dict[str, bytes]:
    """The public files of a layout, as rclone brings them."""
    shutil.rmtree(folder, ignore_errors=True)
    rclone(server, "copy", f"S:{url.removeprefix('s3://')}", str(folder), "--exclude", "/.tomoportal/**")
    return contents(folder)


def ingest(tiny: Tiny, source: str, url: str, folder: Path) -> Ran:
    database = f"sqlite:///{folder / 'remote.sqlite'}"
    return tomoportal(
        "ingest",
        tiny.file,
        "--source",
        source,
        "--storage",
        f"{url}/portal",
        "--database",
        database,
        "--json",
    )


def on_disk(tiny: Tiny, folder: Path) -> dict[str, bytes]:
    portal = FlowPortal(folder)
    ran = portal.ingest(tiny.file, tiny.source)
    assert (ran.code, ran.problems) == (0, [])
    return portal.public()


def with_many_kinds(tiny: Tiny) -> Tiny:
    """Two more runs: an OME-Zarr tomogram in chunks that lie in bands, and one in chunks that do not."""
    for name, chunks in (("R2", (64, 64, 64)), ("R3", (48, 100, 30))):
        tiny.run(name, seed=3)
        (tiny.lab / f"tomograms/{name}.mrc").unlink()
        group = zarr.open_group(str(tiny.lab / f"tomograms/{name}.zarr"), mode="w", zarr_format=2)
        data = np.random.default_rng(3).normal(0, 1, (130, 140, 40)).astype(np.float32)
        group.create_array("0", shape=data.shape, chunks=chunks, dtype=data.dtype)[...] = data
        scale = {"type": "scale", "scale": [10.0, 10.0, 10.0]}
        group.attrs["multiscales"] = [{
            "version": "0.4", "axes": [{"name": n, "type": "space", "unit": "angstrom"} for n in "zyx"],
            "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
        }]  # fmt: skip
    tiny.config["runs"] = [
        {"sources": [{"source_glob": {"list_glob": "tomograms/*", "name_regex": r"(.*)\.(mrc|zarr)"}}]}
    ]
    tiny.config["tomograms"][0]["sources"] = [{"source_glob": {"list_glob": "tomograms/{run_name}.*"}}]
    tiny.config["annotations"].pop()
    return tiny.write()


def test_from_and_to_s3_as_on_a_disk(tiny, line, bucket, s3_server, tmp_path):
    expected = on_disk(with_many_kinds(tiny), tmp_path / "disk")
    source = upload(s3_server, tiny.source, bucket)
    ran = ingest(tiny, source, bucket, tmp_path)
    assert (ran.code, ran.problems) == (0, [])
    assert downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy") == expected
    requests = len(line.seen)
    again = ingest(tiny, source, bucket, tmp_path)
    assert (again.code, again.problems) == (0, [])
    assert not [
        seen for seen in line.seen[requests:] if seen.method in ("PUT", "POST") and "sources" in seen.target
    ]
    assert downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy") == expected


def test_volumes_are_read_once_and_in_ranges(tiny, line, bucket, s3_server, tmp_path):
    tiny.run("R1", shape=(140, 300, 64))
    source = upload(s3_server, tiny.source, bucket)
    name = "sources/lab/tomograms/R1.mrc"
    ran = ingest(tiny, source, bucket, tmp_path)
    assert ran.code == 0, ran.problems
    wanted = [seen.range for seen in line.seen if seen.method == "GET" and seen.target.endswith(name)]
    size = (tiny.lab / "tomograms/R1.mrc").stat().st_size
    spans = [[int(end) for end in span.removeprefix("bytes=").split("-")] for span in wanted]
    assert sum(last - first + 1 for first, last in spans) <= 1.05 * size + 3 * 65_536
    assert len(spans) <= 15
    assert max(last - first for first, last in spans) < size


@pytest.mark.parametrize("harm", HARMS)
def test_a_bad_line_ends_in_the_same_bytes(tiny, line, bucket, s3_server, tmp_path, harm):
    expected = on_disk(tiny, tmp_path / "disk")
    source = upload(s3_server, tiny.source, bucket)
    cut = harm in (Harm.CUT, Harm.DROPPED, Harm.SHORTENED)
    line.harm = lambda seen: (
        harm if seen.attempt == 0 and seen.number % 3 == 0 and (seen.method == "GET" or not cut) else None
    )
    ran = ingest(tiny, source, bucket, tmp_path)
    assert (ran.code, ran.problems) == (0, []), ran.err
    assert line.harmed[harm] > 10
    assert downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy") == expected


@pytest.mark.parametrize("harm", HARMS)
def test_a_file_that_cannot_be_read_fails_alone(tiny, line, bucket, s3_server, tmp_path, monkeypatch, harm):
    monkeypatch.setitem(access.RETRY, "max_retries", 1)
    monkeypatch.setitem(access.PATIENCE, "attempts", 2)
    expected = on_disk(tiny, tmp_path / "disk")
    source = upload(s3_server, tiny.source, bucket)
    line.harm = lambda seen: harm if seen.method == "GET" and seen.target.endswith("R1.st") else None
    ran = ingest(tiny, source, bucket, tmp_path)
    assert ran.code == 1
    problem = ran.problem("tiltseries-failed")
    assert "lab/R1.st" in problem["message"]
    half = downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy")
    assert not [path for path in half if "/TiltSeries/" in path]
    assert [path for path in half if "/Tomograms/" in path]
    line.harm = lambda _: None
    assert ingest(tiny, source, bucket, tmp_path).code == 0
    assert downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy") == expected


def test_a_volume_that_changes_while_it_is_read_is_not_published(tiny, line, bucket, s3_server, tmp_path):
    source = upload(s3_server, tiny.source, bucket)
    place = {"Bucket": bucket.removeprefix("s3://"), "Key": "sources/lab/tomograms/R1.mrc"}
    data = (tiny.lab / "tomograms/R1.mrc").read_bytes()
    begun = []

    def change(seen):
        if (
            seen.method == "GET"
            and seen.target.endswith(place["Key"])
            and seen.range.startswith("bytes=1024-")
        ):
            begun.append(seen)
            if len(begun) == 1:
                s3_server.client().put_object(**place, Body=data[:-1] + bytes([data[-1] ^ 1]))
        return

    line.harm = change
    ran = ingest(tiny, source, bucket, tmp_path)
    assert ran.code == 1
    assert "changed while it was being read" in ran.problem("tomogram-failed")["message"]
    assert not [
        path for path in downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy") if "/Tomograms/" in path
    ]
    assert ingest(tiny, source, bucket, tmp_path).code == 0


def _small_files_only() -> None:
    """In the child: no file may grow beyond 8 MB, which is how a full disk looks from inside."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_000, 8_000_000))


@pytest.mark.parametrize("way", ["from", "to"])
def test_full_scratch_stops_with_3(tiny, line, bucket, s3_server, tmp_path, way):
    tiny.run("R1", shape=(140, 300, 64))
    source = upload(s3_server, tiny.source, bucket) if way == "from" else str(tiny.source)
    storage = str(tmp_path / "files") if way == "from" else f"{bucket}/portal"
    command = [
        PROGRAM, "ingest", str(tiny.file), "--source", source, "--storage", storage,
        "--database", f"sqlite:///{tmp_path / 'remote.sqlite'}",
    ]  # fmt: skip
    ran = subprocess.run(command, preexec_fn=_small_files_only, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 3, ran.stderr
    assert "File too large" in ran.stderr
    assert "Traceback" not in ran.stderr
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr


def test_a_storage_that_takes_no_chunk_stops_with_3(tiny, line, bucket, s3_server, tmp_path, monkeypatch):
    monkeypatch.setitem(access.RETRY, "max_retries", 1)
    expected = on_disk(tiny, tmp_path / "disk")
    line.harm = lambda seen: Harm.ERROR_503 if seen.method == "PUT" and ".zarr/0/" in seen.target else None
    ran = ingest(tiny, str(tiny.source), bucket, tmp_path)
    assert ran.code == 3
    assert ".zarr/0/" in ran.err
    assert "Traceback" not in ran.err
    half = downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy")
    assert not [
        path for path in half if path.endswith(("tomogram-metadata.json", "tiltseries_metadata.json"))
    ]
    line.harm = lambda _: None
    assert ingest(tiny, str(tiny.source), bucket, tmp_path).code == 0
    assert downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy") == expected


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong-secret", "check the credentials"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "127.0.0.1:9"),
        (None, None, "no such bucket"),
    ],
)
def test_no_access_is_told_with_3(tiny, line, bucket, tmp_path, monkeypatch, variable, value, said):
    if variable:
        monkeypatch.setenv(variable, value)
    place = bucket if variable else "s3://no-such-bucket-here"
    for source, storage in ((place, str(tmp_path / "files")), (str(tiny.source), place)):
        ran = tomoportal(
            "ingest", tiny.file, "--source", source, "--storage", storage,
            "--database", f"sqlite:///{tmp_path / 'x.sqlite'}",
        )  # fmt: skip
        assert ran.code == 3, ran
        assert said in ran.err
        assert "wrong-secret" not in ran.err
        assert "Traceback" not in ran.err


def test_the_plan_tells_what_passes_through_scratch(tiny, line, bucket, s3_server, tmp_path):
    source = upload(s3_server, tiny.source, bucket)
    place = ("--storage", str(tmp_path / "files"), "--database", f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert "scratch" not in tomoportal("plan", tiny.file, "--source", tiny.source, *place).out
    told = tomoportal("plan", tiny.file, "--source", source, *place).out
    assert "read by ranges through scratch" in told


def test_other_addresses_are_refused(tiny, tmp_path):
    ran = tomoportal("plan", tiny.file, "--source", "https://host/data", "--storage", str(tmp_path))
    assert ran.code == 2
    assert "https://" in ran.err


def test_replacing_on_s3_leaves_no_stale_file(tiny, bucket, s3_server, tmp_path):
    assert ingest(tiny, str(tiny.source), bucket, tmp_path).code == 0
    tiny.run("R1", seed=5, shape=(8, 12, 16))
    assert ingest(tiny, str(tiny.source), bucket, tmp_path).code == 0
    assert downloaded(s3_server, f"{bucket}/portal", tmp_path / "copy") == on_disk(tiny, tmp_path / "fresh")


def _killed_at(number: int, tiny: Tiny, line: Proxy, url: str, folder: Path, scratch: Path) -> bool:
    """Ingest in a process of its own that is killed when it makes its request of this number; whether it came to that."""
    command = [
        PROGRAM, "ingest", str(tiny.file), "--source", str(tiny.source), "--storage", f"{url}/portal",
        "--database", f"sqlite:///{folder / 'remote.sqlite'}",
    ]  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(scratch)}
    begun = len(line.seen)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    def kill(seen):
        if seen.number - begun == number:
            process.kill()
        return

    line.harm = kill
    process.wait(60)
    line.harm = lambda _: None
    return process.returncode == -signal.SIGKILL


def test_killed_at_any_request_it_ends_in_the_same_bytes(
    tiny, line, bucket, s3_server, tmp_path, monkeypatch
):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    expected = on_disk(tiny, tmp_path / "disk")
    begun = len(line.seen)
    assert ingest(tiny, str(tiny.source), f"{bucket}/whole", tmp_path).code == 0
    requests = len(line.seen) - begun
    killed = 0
    for point in sorted(random.Random(11).sample(range(1, requests), min(KILLS, requests - 1))):
        folder = tmp_path / str(point)
        folder.mkdir()
        url = f"{bucket}/{point}"
        killed += _killed_at(point, tiny, line, url, folder, scratch)
        ran = ingest(tiny, str(tiny.source), url, folder)
        assert (ran.code, ran.problems) == (0, []), point
        assert downloaded(s3_server, f"{url}/portal", tmp_path / "copy") == expected, point
    assert killed > KILLS // 2
    assert not list(scratch.iterdir()), "what killed processes leave in scratch is removed by the next one"
    assert not [entry.path for entry in open_storage(bucket).list() if "/leases/" in entry.path]
