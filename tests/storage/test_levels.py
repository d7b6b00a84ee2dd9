"""What lies directly in a folder, told by a local folder and by an S3 server alike."""

from __future__ import annotations

import os

import pytest

from tomoportal.errors import StorageError
from tomoportal.storage import Level, LocalStorage


def test_folders_and_files_of_one_level(storage):
    for path in ("b.txt", "a/deep/x", "a/y", "a-b/z", "a.txt", "ü/1"):
        storage.write(path, path.encode())

    top, inner = storage.level(), storage.level("a")

    assert top.folders == ("a", "a-b", "ü")
    assert [(entry.path, entry.size) for entry in top.files] == [("a.txt", 5), ("b.txt", 5)]
    assert [entry.tag for entry in top.files] == [storage.stat(path).tag for path in ("a.txt", "b.txt")]
    assert (inner.folders, [entry.path for entry in inner.files]) == (("deep",), ["a/y"])


def test_what_is_not_there_is_empty(storage):
    storage.write("a/x", b"")

    assert storage.level("nothing") == storage.level("a/x") == storage.level("a/x/y") == Level()


def test_links_out_of_a_folder_are_remembered_not_followed(tmp_path):
    (tmp_path / "root/real").mkdir(parents=True)
    (tmp_path / "root/out").symlink_to(tmp_path)
    (tmp_path / "root/in").symlink_to(tmp_path / "root/real")
    (tmp_path / "root/real/circle").symlink_to(tmp_path / "root")
    (tmp_path / "root/nowhere").symlink_to(tmp_path / "gone")
    storage = LocalStorage(tmp_path / "root")

    assert storage.level() == Level(("in", "real"))
    assert storage.level("in") == storage.level("out") == storage.level("out/other") == Level()
    assert list(storage.list()) == []
    assert set(storage.unfollowed) == {"out", "out/other", "nowhere", "in/circle", "real/circle"}


def test_names_that_no_path_may_hold_are_left_out_and_told(tmp_path):
    (tmp_path / "good.mrc").write_bytes(b"1")
    (tmp_path / "two\nlines.mrc").write_bytes(b"1")
    (tmp_path / os.fsdecode(b"latin\xff")).mkdir()
    storage = LocalStorage(tmp_path)

    level = storage.level()
    assert (level.folders, [entry.path for entry in level.files]) == ((), ["good.mrc"])
    assert storage.unnameable == {r"'two\nlines.mrc'", r"'latin\udcff'"}


@pytest.mark.parametrize("path", ["..", "a/../..", "/etc", "a//b"])
def test_no_level_is_told_of_other_places(storage, path):
    with pytest.raises(StorageError):
        storage.level(path)
