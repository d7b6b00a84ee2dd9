"""What only a folder can do wrong: links, special files, full disks, names of other systems, files that
vanish."""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from tomoportal.errors import NotFound, StorageError
from tomoportal.storage import LocalStorage, open_storage
from tomoportal.storage import local as module


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "root")


def left_over(storage: LocalStorage) -> list[str]:
    return [name for _, _, names in os.walk(storage.root) for name in names if name.startswith(".tmp-")]


def test_the_address_of_a_folder(tmp_path):
    assert open_storage(f"file://{tmp_path}/x").url == open_storage(str(tmp_path / "x")).url


def test_links_out_of_the_root_are_not_followed(storage, tmp_path):
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "key").write_bytes(b"1")
    storage.write("d/own", b"1")
    (storage.root / "d/file").symlink_to(outside / "key")
    (storage.root / "folder").symlink_to(outside)
    (storage.root / "d/loop").symlink_to("loop")
    (storage.root / "dangling").symlink_to(outside / "none")
    assert [entry.path for entry in storage.list()] == ["d/own"]
    assert storage.folders() == ["d"]
    for path in ("d/file", "folder/key", "dangling"):
        assert not storage.exists(path)
        for action in (storage.read, storage.stat, storage.delete, lambda p: storage.write(p, b"2")):
            with pytest.raises(StorageError, match="leads out of the storage"):
                action(path)
    with pytest.raises(StorageError, match="leads out of the storage"):
        storage.delete_tree("folder")
    assert not storage.exists("d/loop")
    assert (outside / "key").read_bytes() == b"1"


def test_links_inside_are_followed(storage):
    storage.write("a/file", b"1")
    (storage.root / "b").symlink_to("a")
    assert [entry.path for entry in storage.list()] == ["a/file", "b/file"]
    storage.delete_tree("b")
    assert storage.read("a/file") == b"1"


def test_a_tree_with_a_link_out_is_removed_without_its_target(storage, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"1")
    storage.write("d/file", b"1")
    (storage.root / "d/link").symlink_to(outside)
    storage.delete_tree("d")
    assert storage.folders() == []
    assert (outside / "kept").exists()


def test_a_pipe_is_no_file_and_blocks_nobody(storage):
    storage.write("file", b"1")
    os.mkfifo(storage.root / "pipe")
    assert [entry.path for entry in storage.list()] == ["file"]
    assert not storage.exists("pipe")
    with pytest.raises(NotFound, match="not a file"):
        storage.read("pipe")


@pytest.mark.skipif(sys.platform == "darwin", reason="this file system takes UTF-8 names only")
@pytest.mark.parametrize("name", [b"bad\xffname", b"two\nlines"])
def test_names_that_cannot_travel_are_told(storage, name):
    storage.write("d/file", b"1")
    (Path(os.fsencode(storage.root).decode()) / "d" / os.fsdecode(name)).write_bytes(b"1")
    with pytest.raises(StorageError, match="rename the file") as caught:
        list(storage.list())
    str(caught.value).encode()


def test_files_that_vanish_during_a_listing_are_left_out(storage):
    for name in ("a", "b", "c/d", "e/f"):
        storage.write(name, b"1")
    listing = storage.list()
    found = [next(listing).path]
    storage.delete("b")
    storage.delete_tree("c")
    assert found + [entry.path for entry in listing] == ["a", "e/f"]


def test_a_folder_that_may_not_be_read_is_told(storage, monkeypatch):
    storage.write("d/file", b"1")

    def refuse(folder):
        raise PermissionError(errno.EACCES, "Permission denied", folder)

    monkeypatch.setattr(module.os, "scandir", refuse)
    for action in (lambda: list(storage.list()), lambda: storage.folders("d")):
        with pytest.raises(StorageError, match="Permission denied") as caught:
            action()
        assert not isinstance(caught.value, NotFound)


def test_unreadable_is_not_absent(storage, monkeypatch):
    storage.write("file", b"1")

    def refuse(self, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(StorageError, match="Permission denied"):
        storage.exists("file")


@pytest.mark.parametrize("action", ["write", "create", "upload"])
def test_a_full_disk_leaves_nothing_behind(storage, tmp_path, monkeypatch, action):
    storage.write("d/file", b"old")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    def other_disk(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(module.shutil, "copyfile", full)
    if action == "upload":
        monkeypatch.setattr(module.os, "replace", other_disk)
    file = tmp_path / "up"
    with file.open("wb") as opened:
        opened.write(b"new")
    argument = file if action == "upload" else b"new"
    with pytest.raises(StorageError, match="No space left"):
        getattr(storage, action)("d/file", argument)
    assert storage.read("d/file") == b"old"
    assert left_over(storage) == []
    assert file.exists()


def test_upload_from_another_disk_copies(storage, tmp_path, monkeypatch):
    file = tmp_path / "up"
    file.write_bytes(b"new")
    replace = os.replace
    monkeypatch.setattr(
        module.os,
        "replace",
        lambda a, b: replace(a, b) if Path(a) != file else _raise(OSError(errno.EXDEV, "x")),
    )
    assert storage.upload("d/file", file).size == 3
    assert storage.read("d/file") == b"new"
    assert not file.exists()
    assert left_over(storage) == []


def test_create_lets_one_of_many_win(storage):
    assert storage.reliable_create()
    won = []
    start = threading.Barrier(8)

    def race(number):
        start.wait()
        if storage.create("lease", b"%d" % number):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert storage.read("lease") == b"%d" % won[0]


def test_create_without_hard_links(storage, monkeypatch):
    monkeypatch.setattr(module.os, "link", lambda *_: _raise(PermissionError(errno.EPERM, "no links")))
    assert storage.create("lease", b"1") is True
    assert storage.create("lease", b"2") is False
    assert storage.read("lease") == b"1"
    assert left_over(storage) == []


def test_writing_where_a_file_or_folder_stands(storage):
    storage.write("a/b", b"1")
    for path in ("a", "a/b/c"):
        with pytest.raises(StorageError) as caught:
            storage.write(path, b"1")
        assert not isinstance(caught.value, NotFound)
    assert storage.read("a/b") == b"1"
    with pytest.raises(StorageError):
        storage.delete("a")


def test_others_may_read_what_is_written(storage, tmp_path):
    file = tmp_path / "up"
    file.write_bytes(b"1")
    file.chmod(0o600)
    storage.write("a", b"1")
    storage.create("b", b"1")
    storage.upload("c", file)
    modes = [stat.S_IMODE((storage.root / name).stat().st_mode) for name in "abc"]
    assert modes == [0o644] * 3


def test_a_file_of_many_gigabytes_is_read_in_places(storage):
    storage.write("big", b"")
    with (storage.root / "big").open("r+b") as file:
        file.truncate(64 << 30)
        file.seek(-3, os.SEEK_END)
        file.write(b"end")
    assert storage.stat("big").size == 64 << 30
    assert storage.read("big", (64 << 30) - 4, 10) == b"\0end"


def _raise(error: Exception) -> None:
    raise error
