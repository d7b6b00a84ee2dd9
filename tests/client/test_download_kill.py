"""Downloads that are killed at any moment, and servers that go away in the middle: in the end the bytes are those of the portal."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from fixtures_proxy import Harm, Request, proxy_to
from fixtures_server import serving
from tomoportal.client.downloads import engine, pieces
from tomoportal.client.downloads.engine import Engine
from tomoportal.client.downloads.fetching import planned
from tomoportal.client.downloads.listing import FILES, Source
from tomoportal.client.downloads.options import Options
from tomoportal.client.downloads.place import Destination, Place

ALL = bool(os.environ.get("TOMOPORTAL_TEST_ALL"))
SEEDS, KILLS = (20, 2) if ALL else (5, 1)
RUN = """
import sys
from tomoportal.client.downloads import engine, pieces
pieces.PIECE = 64 << 10
engine.LARGE = 256 << 10
from tomoportal.cli import main
sys.argv = ["tomoportal", *sys.argv[1:]]
main()
"""
"""The command line, with files of the demo counting as large."""
DATASET = "10901"
TARGET = DATASET if ALL else f"{DATASET}/TS_001"
"""What is brought: a run has files of all kinds."""
SPACING = f"{DATASET}/TS_001/Reconstructions/VoxelSpacing21.424"
FOLDERS = (f"{SPACING}/NeuroglancerPrecompute/100-point_precompute", f"{SPACING}/Images")


@pytest.fixture(scope="module")
def server(demo_portal):
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="module")
def wanted(demo_portal) -> dict[str, str]:
    """All public files of the target: path → SHA-256."""
    return digests(demo_portal.layout / TARGET)


def digests(folder: Path) -> dict[str, str]:
    """Everything under a final name."""
    found = {}
    for home, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith(".part")]
        for name in names:
            if not (name == ".tomoportal-downloads" or name.endswith((".part", ".part.state"))):
                path = Path(home, name)
                found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def whole_folders(paths: set[str]) -> set[str]:
    """The folders among them that are of no use in parts."""
    return {path.partition(".zarr/")[0] + ".zarr" for path in paths if ".zarr/" in path}


def started(url: str, folder: Path) -> subprocess.Popen[bytes]:
    arguments = ["download", TARGET, "--url", url, "--to", folder, "--json"]
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )  # fmt: skip


def ended(process: subprocess.Popen[bytes]) -> str:
    """What it said, when it ended well."""
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_anywhere_and_run_again_the_bytes_are_those_of_the_portal(
    seed, server, wanted, demo_portal, tmp_path
):
    chance = random.Random(seed)
    total = sum((demo_portal.layout / TARGET / path).stat().st_size for path in wanted)
    with proxy_to(server) as proxy:
        for _ in range(KILLS):
            begun = sum(proxy.sent.values())
            moment = chance.randrange(total)
            process = started(proxy.endpoint, tmp_path)
            while process.poll() is None and sum(proxy.sent.values()) - begun < moment:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            here = digests(tmp_path / TARGET)
            assert here.items() <= wanted.items(), "nothing wrong under a final name"
            for folder in whole_folders(set(here)):
                assert {path for path in wanted if path.startswith(f"{folder}/")} <= here.keys(), (
                    f"{folder} in parts"
                )
        ended(started(proxy.endpoint, tmp_path))
    assert digests(tmp_path) == {f"{TARGET}/{path}": digest for path, digest in wanted.items()}
    assert not list(tmp_path.rglob("*.part*"))


def test_what_is_whole_is_not_asked_for_again(server, tmp_path):
    with proxy_to(server) as proxy:
        with planned(proxy.endpoint, sources(proxy.endpoint), 5.0) as manifest:
            for _ in range(2):
                proxy.seen.clear()
                outcome = Engine(manifest, Destination(tmp_path), Options(progress=False)).run()
                assert not outcome.failed
        assert outcome.kept_files == outcome.totals.all_files
        assert not [request for request in proxy.seen if request.target.startswith("/files/")]


def test_a_server_that_goes_away_and_comes_back_is_waited_for(demo_portal, server, wanted, tmp_path):
    with ExitStack() as first, proxy_to(first.enter_context(serving(demo_portal.settings))) as proxy:
        process = started(proxy.endpoint, tmp_path)
        while process.poll() is None and len(proxy.seen) < 40:
            time.sleep(0.001)
        assert process.poll() is None
        first.close()
        proxy.server = server
        ended(process)
    assert digests(tmp_path / TARGET) == wanted


def test_a_connection_that_fails_again_and_again_is_got_through(server, wanted, tmp_path):
    chance = random.Random(1)
    harms = (Harm.DROPPED, Harm.CUT, Harm.REFUSED, Harm.ERROR_500, Harm.ERROR_503, Harm.TOO_MANY)

    def harm(request: Request) -> Harm | None:
        return (
            chance.choice(harms) if request.target.startswith("/files/") and chance.random() < 0.2 else None
        )

    with proxy_to(server) as proxy:
        proxy.harm = harm
        ended(started(proxy.endpoint, tmp_path))
        assert set(proxy.harmed) == set(harms)
    assert digests(tmp_path / TARGET) == wanted


def test_ctrl_c_ends_it_with_a_sentence(server, wanted, tmp_path):
    with proxy_to(server) as proxy:
        proxy.rate = 2e6
        process = started(proxy.endpoint, tmp_path)
        while process.poll() is None and len(proxy.seen) < 40:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "run the same command again" in said.decode()
        assert "Traceback" not in said.decode()
        proxy.rate = 0
        ended(started(proxy.endpoint, tmp_path))
    assert digests(tmp_path / TARGET) == wanted


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        (Place, "standing", 1),
        (Place, "begin", 1),
        (Place, "is_done", 1),
        (Place, "mark_done", 1),
        (Place, "finish", 0),
        (os, "ftruncate", 1),
        (os, "ftruncate", 2),
        (os, "replace", 0),
        (os, "replace", 1),
        (pieces, "_allocate", 1),
    ],
)
def test_an_interrupt_finds_nothing_half_done(owner, name, call, server, wanted, tmp_path, monkeypatch):
    """As Ctrl-C in a notebook, where the same process runs it again: at the n-th call of something that changes the disk."""
    monkeypatch.setattr(pieces, "PIECE", 64 << 10)
    monkeypatch.setattr(engine, "LARGE", 256 << 10)
    below = tuple(f"{path.removeprefix(f'{TARGET}/')}/" for path in FOLDERS)
    in_first = {path for path in wanted if path.startswith(below[0])}
    with planned(server, sources(server), 5.0) as manifest:
        first = Engine(manifest, Destination(tmp_path), Options(jobs=4, progress=False))
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, interrupting(getattr(owner, name), call, first))
            with pytest.raises(KeyboardInterrupt):
                first.run()
        here = digests(tmp_path / TARGET)
        assert here.items() <= wanted.items(), "nothing wrong under a final name"
        assert {path for path in here if path.startswith(below[0])} in (set(), in_first), "no folder in parts"
        again = Engine(manifest, Destination(tmp_path), Options(jobs=4, progress=False)).run()
        assert not again.failed
    assert digests(tmp_path / TARGET) == {path: sum for path, sum in wanted.items() if path.startswith(below)}
    assert not list(tmp_path.rglob("*.part*"))


def sources(url: str) -> list[Source]:
    """A folder that is of no use in parts, and pictures large and small."""
    return [Source(path, f"{url}/files/", FILES, True, path) for path in FOLDERS]


def interrupting(function, call: int, download: Engine):
    """`function`, that is interrupted at its n-th call and goes on when the download knows of it."""
    calls = count()

    def called(*arguments, **named):
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGINT)
            assert download._stop.wait(10)
        return function(*arguments, **named)

    return called
