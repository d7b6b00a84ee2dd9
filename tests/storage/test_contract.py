"""What every storage does, tried on a local folder and on a real S3 server."""

from __future__ import annotations

import pickle

import pytest

from tomoportal.errors import NotFound, StorageError

ODD_NAMES = [
    "a b.txt",
    "[x]#%~?*.txt",
    "100%25.txt",
    "ü日.txt",
    "q+r&s=t",
    "z\\y",
    "VoxelSpacing10.000",
    "-dash",
    "..x",
]
HOSTILE = [
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/..",
    ".",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\udcffb",
]


def paths(storage, prefix=""):
    return [entry.path for entry in storage.list(prefix)]


def test_what_is_written_is_read(storage):
    entry = storage.write("d/e/file.json", b"content")
    assert (entry.path, entry.size) == ("d/e/file.json", 7)
    assert storage.read("d/e/file.json") == b"content"
    found = storage.stat("d/e/file.json")
    assert (found.path, found.size, found.tag) == (entry.path, 7, entry.tag)
    assert found.tag
    assert abs(found.modified - entry.modified) < 60
    assert [listed.tag for listed in storage.list("d")] == [entry.tag]
    assert storage.exists("d/e/file.json")


def test_the_tag_tells_a_change(storage):
    first = storage.write("file", b"one")
    second = storage.write("file", b"three")
    assert first.tag != second.tag
    assert storage.read("file") == b"three"


def test_an_empty_file(storage):
    assert storage.write("empty", b"").size == 0
    assert storage.read("empty") == b""
    assert storage.read("empty", 0, 10) == b""
    assert paths(storage) == ["empty"]
    with storage.fetch("empty") as file:
        assert file.read_bytes() == b""


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, None), (0, 4), (3, 4), (3, None), (0, 10), (0, 99), (8, 99), (10, 5), (50, 1), (50, None), (2, 0)],
)
def test_ranges(storage, start, length):
    storage.write("digits", b"0123456789")
    expected = b"0123456789"[start:] if length is None else b"0123456789"[start : start + length]
    assert storage.read("digits", start, length) == expected


def test_the_listing_is_sorted_and_keeps_to_the_folder(storage):
    names = ["a/b/c", "a/b.txt", "a-b/x", "a.txt", "a/z", "ab/y", "B/x", "a/b/a/1"]
    for name in names:
        storage.write(name, b"1")
    assert paths(storage) == sorted(names)
    assert paths(storage, "a") == ["a/b.txt", "a/b/a/1", "a/b/c", "a/z"]
    assert paths(storage, "a/b") == ["a/b/a/1", "a/b/c"]
    assert storage.folders() == ["B", "a", "a-b", "ab"]
    assert storage.folders("a") == ["b"]


def test_what_is_not_there(storage):
    storage.write("folder/file", b"1")
    for path in ("nothing", "folder", "folder/file/below", "folder/none", "n" * 300):
        assert not storage.exists(path)
        for ask in (
            storage.stat,
            storage.read,
            lambda p: storage.read(p, 1, 2),
            lambda p: storage.fetch(p).__enter__(),
        ):
            with pytest.raises(NotFound) as caught:
                ask(path)
            assert path in str(caught.value)
    assert paths(storage, "nothing") == []
    assert paths(storage, "folder/file") == []
    assert storage.folders("nothing") == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_but_legal_names(storage, name):
    storage.write(f"d {name}/{name}", name.encode())
    assert storage.read(f"d {name}/{name}") == name.encode()
    assert paths(storage) == [f"d {name}/{name}"]
    assert storage.folders() == [f"d {name}"]
    storage.delete_tree(f"d {name}")
    assert paths(storage) == []


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_refused(storage, path, tmp_path):
    file = tmp_path / "upload"
    file.write_bytes(b"1")
    actions = [
        lambda: storage.write(path, b"1"),
        lambda: storage.create(path, b"1"),
        lambda: storage.upload(path, file),
        lambda: storage.read(path),
        lambda: storage.stat(path),
        lambda: storage.delete(path),
        lambda: storage.delete_tree(path),
        lambda: list(storage.list(path)),
        lambda: storage.folders(path),
        lambda: storage.local_path(path),
        lambda: storage.fetch(path).__enter__(),
    ]
    for action in actions:
        with pytest.raises(StorageError) as caught:
            action()
        assert not isinstance(caught.value, NotFound)
        str(caught.value).encode()
    assert not storage.exists(path)
    assert file.exists()


def test_the_root_is_no_file(storage):
    storage.write("file", b"1")
    assert not storage.exists("")
    for action in (storage.read, storage.stat, storage.delete_tree, lambda p: storage.write(p, b"1")):
        with pytest.raises(StorageError):
            action("")
    assert paths(storage) == ["file"]


def test_create_keeps_what_is_there(storage):
    assert storage.create("lease", b"first") is True
    assert storage.create("lease", b"second") is False
    assert storage.read("lease") == b"first"
    assert paths(storage) == ["lease"]


def test_delete(storage):
    storage.write("a/b", b"1")
    storage.delete("a/b")
    storage.delete("a/b")
    storage.delete("a/b/c")
    assert not storage.exists("a/b")


def test_delete_tree_keeps_the_neighbours(storage):
    for name in ("a/b/c", "a/b/d/e", "a/bc", "a/b.txt"):
        storage.write(name, b"1")
    storage.delete_tree("a/b")
    storage.delete_tree("a/b")
    assert paths(storage) == ["a/b.txt", "a/bc"]


def test_upload_and_fetch_a_file_of_several_parts(storage, tmp_path):
    source = tmp_path / "big"
    block = bytes(range(256)) * 4096
    with source.open("wb") as file:
        for number in range(40):
            file.write(b"%08d" % number + block)
    expected = source.read_bytes()
    entry = storage.upload("up/big", source)
    assert entry.size == len(expected)
    assert not source.exists()
    assert storage.read("up/big", len(expected) - 5) == expected[-5:]
    with storage.fetch("up/big") as file:
        assert file.read_bytes() == expected
        scratch = file
    assert scratch.exists() is (storage.local_path("up/big") is not None)
    with pytest.raises(NotFound, match="missing"):
        storage.upload("up/none", tmp_path / "missing")


def test_it_travels_to_another_process(storage):
    storage.write("a", b"1")
    copy = pickle.loads(pickle.dumps(storage))
    assert (copy.url, copy.read("a")) == (storage.url, b"1")
