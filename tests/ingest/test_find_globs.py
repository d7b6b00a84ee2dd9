"""Patterns match as Python's own glob does on a real folder."""

from __future__ import annotations

import glob
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tomoportal.ingest.find.globs import escaped, matching
from tomoportal.ingest.find.places import Target, Tree
from tomoportal.storage import LocalStorage

FILES = [
    "a.mrc", "b.mrc", "b.mrc.mdoc", "ab/a.mrc", "ab/ab/a.st", "ab/ab/b.mrc", "ab/.hidden/a.mrc", ".dot/a.mrc", "ab/.a.mrc",
    "a1/x_a.mrc", "a1/x_b.mrc", "a1/y_a.mrc", "a2/x_a.mrc", "a[1]/a.mrc", "TS 1/ü.mrc", "b/b/b/b/a.mrc",
]  # fmt: skip
SEGMENTS = st.lists(
    st.sampled_from(
        ["a", "b", "ab", "*", "?", "[ab]", "[!a]", "1", "x_", ".", ".mrc", "*.mrc", "[", "ü", "**"]
    ),
    min_size=1,
    max_size=4,
).map("".join)
PATTERNS = st.lists(st.one_of(st.just("**"), SEGMENTS), min_size=1, max_size=4).map("/".join)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
@given(pattern=PATTERNS)
def test_the_same_paths_as_pythons_glob(root: Path, pattern: str) -> None:
    if any(part in (".", "..") for part in pattern.split("/")):
        return
    oracle = {
        path for path in glob.glob(pattern, root_dir=root, recursive=True) if path and not path.endswith("/")
    }

    assert matching(Tree(LocalStorage(root), "", [""]), pattern) == sorted(oracle)
    assert matching(Target(LocalStorage(root)), pattern) == sorted(oracle)


@given(st.text(st.sampled_from("ab*?[]!-^"), min_size=1))
def test_escaped_texts_match_themselves_only(name: str) -> None:
    import fnmatch
    import re

    pattern = re.compile(fnmatch.translate(escaped(name)))
    assert pattern.match(name)
    assert not pattern.match(f"{name}a")


def test_folders_only(root: Path) -> None:
    assert matching(Target(LocalStorage(root)), "*", folders_only=True) == [
        "TS 1",
        "a1",
        "a2",
        "a[1]",
        "ab",
        "b",
    ]
