"""Killed anywhere and run again, ingestion ends in the same bytes; readers meanwhile see old or new."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

import tomoportal.catalog.load
import tomoportal.config
import tomoportal.ingest.find
import tomoportal.ingest.removal
import tomoportal.ingest.run  # noqa: F401 - loaded once here, not in every forked process
from fixtures_command import FlowPortal
from fixtures_command import tomoportal as command
from fixtures_demo import settings_in
from fixtures_tiny import Tiny
from made_movies import with_gain, with_movies
from tomoportal.catalog import Addresses, Visibility, open_catalog
from tomoportal.cli.ingest import ingest_config
from tomoportal.model.query import Select, Value

POINTS = 100 if os.environ.get("TOMOPORTAL_TEST_ALL") else 6
FORK = multiprocessing.get_context("fork")


Work = Callable[[Tiny, Path], None]


def ingesting(tiny: Tiny, folder: Path) -> None:
    report = ingest_config(tiny.file, str(tiny.source), settings_in(folder), workers=2, quiet=True)
    assert not report.failed, report.sorted_problems()


def pruning(tiny: Tiny, folder: Path) -> None:
    settings = settings_in(folder)
    report = ingest_config(
        tiny.file, str(tiny.source), settings, prune=lambda doomed: None, workers=2, quiet=True
    )
    assert not report.failed, report.sorted_problems()


def withdrawing(tiny: Tiny, folder: Path) -> None:
    ran = command("withdraw", *WITHDRAWN, "--reason", "wrong", "--yes", *FlowPortal(folder).options)
    assert ran.code == 0, ran.err


def _do(work: Work, tiny: Tiny, folder: Path, kill_at: int | None, counted) -> None:
    """In a process of its own: work, counting the writes below `folder`; at the given one, SIGKILL."""
    os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
    seen = 0

    def watch(event: str, arguments: tuple) -> None:
        nonlocal seen
        if event == "open":
            is_write = (
                bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
                if arguments[2] is not None
                else False
            )
        else:
            is_write = event in ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir")
        if is_write and str(folder) in str(arguments[0]):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    work(tiny, folder)
    counted.value = seen


def _run(tiny: Tiny, folder: Path, kill_at: int | None = None, work: Work = ingesting) -> int:
    """Work in a forked process; gives the number of writes, -1 when it was killed."""
    counted = FORK.Value("i", -1)
    process = FORK.Process(target=_do, args=(work, tiny, folder, kill_at, counted))
    process.start()
    process.join(120)
    assert process.exitcode == (0 if counted.value >= 0 else -signal.SIGKILL), process.exitcode
    return counted.value


def _bytes_of(folder: Path) -> dict[str, str]:
    """Public path → digest."""
    root = folder / "files"
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not (name := path.relative_to(root).as_posix()).startswith(".tomoportal/")
    }


def _answers(folder: Path) -> list[dict]:
    with open_catalog(settings_in(folder).database) as catalog:
        view = catalog.view(today=date(2030, 1, 1), addresses=Addresses(files="", s3=""))
        fields = ("name", "size_x", "size_z", "file_size_mrc", "https_mrc_file", "https_omezarr_dir")
        return view.rows(Select("Tomogram", tuple(Value(name, name) for name in fields)))


def _id(folder: Path) -> int:
    with open_catalog(settings_in(folder).database) as catalog:
        view = catalog.view(today=date(2030, 1, 1), addresses=Addresses(files="", s3=""))
        return view.rows(Select("Tomogram", (Value("id", "id"),)))[0]["id"]


def _killed_copies(
    tiny: Tiny, begun: Path | None, tmp_path: Path, writes: int, work: Work = ingesting
) -> Iterator[tuple[int, Path]]:
    """`POINTS` folders, each with a process that was killed at another of its writes; `begun` is what they start from.

    How many writes there are differs a little from time to time (threads share some): a point that is not reached is replaced.
    """
    left = random.Random(7).sample(range(1, writes + 1), writes)
    for _ in range(min(POINTS, writes // 2)):
        while True:
            point = left.pop()
            folder = tmp_path / f"killed-{point}"
            if begun is not None:
                shutil.copytree(begun, folder)
            if _run(tiny, folder, point, work) == -1:
                break
            shutil.rmtree(folder)
        yield point, folder
        shutil.rmtree(folder)


@pytest.fixture(scope="module", autouse=True)
def statements(tmp_path_factory) -> None:
    """What is made once in a process is made here, not in every forked one."""
    folder = tmp_path_factory.mktemp("before")
    ingesting(Tiny(folder / "tiny").run("R1").write(), folder / "portal")


@pytest.fixture
def published(tiny, tmp_path):
    """A finished portal, to be copied."""
    _run(tiny, tmp_path / "published")
    return tmp_path / "published"


def test_a_new_deposition_killed_anywhere_ends_in_the_same_bytes(tiny, tmp_path):
    writes = _run(tiny, tmp_path / "whole")
    expected, rows = _bytes_of(tmp_path / "whole"), _answers(tmp_path / "whole")
    tried = 0
    for point, folder in _killed_copies(tiny, None, tmp_path, writes):
        _run(tiny, folder)
        assert _bytes_of(folder) == expected, point
        assert _answers(folder) == rows, point
        tried += 1
    assert tried == POINTS


def test_a_replacement_killed_anywhere_shows_old_or_new(tiny, published, tmp_path):
    old = _answers(published)
    tiny.run("R1", seed=2, shape=(16, 24, 28))
    shutil.copytree(published, tmp_path / "whole")
    writes = _run(tiny, tmp_path / "whole")
    expected, new = _bytes_of(tmp_path / "whole"), _answers(tmp_path / "whole")
    assert new != old
    states = []
    for point, folder in _killed_copies(tiny, published, tmp_path, writes):
        states.append(_seen_by_readers(folder, old, new))
        _run(tiny, folder)
        assert _bytes_of(folder) == expected, point
        assert _answers(folder) == new, point
        assert _id(folder) == _id(published), point
    assert len(states) == POINTS


def test_movies_killed_anywhere_are_those_of_the_source_in_the_end(tiny, tmp_path):
    """New ones, changed ones of the same size, one that is gone, another mdoc; a gain reference beside them."""
    with_movies(tiny)
    with_gain(tiny)
    for section in ("tiltseries", "rawtilts", "alignments", "tomograms", "annotations"):
        del tiny.config[section]
    tiny.write()
    _run(tiny, tmp_path / "published")
    movie, gain = tiny.lab / "frames/R1_001.tif", tiny.lab / "gains/CountRef.mrc"
    for file in (movie, gain):
        file.write_bytes(file.read_bytes()[:-4] + b"last")
    shutil.copyfile(movie, tiny.lab / "frames/R1_new.tif")
    (tiny.lab / "frames/R1_003.tif").unlink()
    mdoc = tiny.lab / "R1.mdoc"
    mdoc.write_text(mdoc.read_text().replace("ExposureDose = 3.0", "ExposureDose = 2.5"))
    for begun in (None, tmp_path / "published"):
        whole = tmp_path / f"whole-{begun is None}"
        if begun is not None:
            shutil.copytree(begun, whole)
        writes = _run(tiny, whole)
        expected = _bytes_of(whole)
        for point, folder in _killed_copies(tiny, begun, tmp_path, writes):
            _run(tiny, folder)
            assert _bytes_of(folder) == expected, (begun, point)


def test_changed_metadata_killed_anywhere_arrives_in_the_end(tiny, published, tmp_path):
    tiny.config["datasets"][0]["metadata"]["dataset_title"] = "Another title"
    tiny.config["tomograms"][0]["metadata"]["processing_software"] = "other"
    tiny.config["annotations"][0]["metadata"]["annotation_method"] = "by another hand"
    tiny.write()
    shutil.copytree(published, tmp_path / "whole")
    writes = _run(tiny, tmp_path / "whole")
    expected = _bytes_of(tmp_path / "whole")
    for point, folder in _killed_copies(tiny, published, tmp_path, writes):
        _run(tiny, folder)
        assert _bytes_of(folder) == expected, point


WITHDRAWN = ("20002/R1/Alignments/100", "20002/R2")


@pytest.mark.parametrize("work", [pruning, withdrawing])
def test_taking_down_killed_anywhere_ends_in_the_same_bytes(tiny, tmp_path, work):
    _run(tiny.run("R2", seed=2), tmp_path / "published")
    ids = _ids(tmp_path / "published")
    if work is pruning:
        (tiny.lab / "tomograms/R2.mrc").rename(tiny.lab / "R2.away")
        gone = tiny.config["annotations"].pop(0)
        tiny.write()
    shutil.copytree(tmp_path / "published", tmp_path / "whole")
    writes = _run(tiny, tmp_path / "whole", work=work)
    expected, rows = _bytes_of(tmp_path / "whole"), _ids(tmp_path / "whole")
    assert rows != ids
    killed = _killed_copies(tiny, tmp_path / "published", tmp_path, writes, work)
    for point, folder in islice(killed, POINTS // 2):
        _check_what_readers_see(folder, ids)
        _run(tiny, folder, work=work)
        assert _bytes_of(folder) == expected, point
        assert _ids(folder) == rows, point
        portal = FlowPortal(folder)
        assert portal.load().code == 0
        assert _ids(folder) == rows, point
    if work is pruning:
        (tiny.lab / "R2.away").rename(tiny.lab / "tomograms/R2.mrc")
        tiny.config["annotations"].insert(0, gone)
        assert portal_after(tiny.write(), tmp_path / "whole") == ids
    else:
        assert portal_after(tiny, tmp_path / "whole", "--restore") == ids


def portal_after(tiny: Tiny, folder: Path, *more: str) -> dict[str, list[int]]:
    ran = FlowPortal(folder).ingest(tiny.file, tiny.source, *more)
    assert ran.code == 0, ran.out
    return _ids(folder)


def _ids(folder: Path) -> dict[str, list[int]]:
    portal = FlowPortal(folder)
    kinds = ("Run", "TiltSeries", "Alignment", "Tomogram", "Annotation", "AnnotationFile", "Frame")
    return {kind: [row["id"] for row in portal.rows(kind, "id")] for kind in kinds}


def _check_what_readers_see(folder: Path, before: dict[str, list[int]]) -> None:
    """After a kill there is nothing new, and no row without the row that it stands on."""
    portal, found = FlowPortal(folder), _ids(folder)
    assert all(set(numbers) <= set(before[kind]) for kind, numbers in found.items())
    runs, alignments = set(found["Run"]), set(found["Alignment"])
    tomograms = portal.rows("Tomogram", "run_id", "alignment_id")
    assert all(row["run_id"] in runs and row["alignment_id"] in alignments for row in tomograms)


def _seen_by_readers(folder: Path, old: list[dict], new: list[dict]) -> str:
    """What a reader gets after the kill: the row, and unless its files say they are being replaced, files that fit it."""
    rows = _answers(folder)
    assert rows in (old, new)
    with open_catalog(settings_in(folder).database) as catalog:
        view = catalog.view(today=date(2030, 1, 1), addresses=Addresses(files="", s3=""))
        (row,) = rows
        mrc = row["https_mrc_file"]
        visible = view.visible(mrc)
    marked = (folder / "files" / mrc).with_name(".replacing").exists()
    if visible is Visibility.REPLACING or marked:
        return "replacing"
    assert (folder / "files" / mrc).stat().st_size == row["file_size_mrc"]
    level = json.loads((folder / "files" / row["https_omezarr_dir"] / "0" / ".zarray").read_text())
    assert level["shape"][2] == row["size_x"]
    assert level["shape"][0] == row["size_z"]
    return "old" if rows == old else "new"
