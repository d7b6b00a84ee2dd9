"""Odd names: patterns against what bash finds, names as keyboards and disks spell them, names that clash, links that lead out."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.made_sources import MemoryStorage
from tomoportal.config import load_text
from tomoportal.ingest.find import Found, find
from tomoportal.ingest.find.globs import composed, matching
from tomoportal.ingest.find.places import Levels, Tree
from tomoportal.storage import LocalStorage

FILES = [
    "a.mrc", "A.mrc", "b c.mrc", "b.c.mrc", "[1].mrc", "1.mrc", "^.mrc", "-.mrc", "{x}.mrc", "x.mrc", "!.mrc", ".hidden.mrc", "ü.mrc",
    "deep/a.mrc", "deep/er/a.mrc", "deep/er/.b/a.mrc", "d.zip/a.mrc", "日本/トモ.mrc", "#~$&'.mrc",
]  # fmt: skip
PARTS = st.lists(
    st.sampled_from([
        "*", "?", "[a-c]", "[!a]", "[^a]", "[]a]", "[[]1]", "[!]x]", "[a-]", ".", "a", "b", ".mrc", " ", "{x}", "deep", "er", "ü", "[ü]",
    ]),
    min_size=1, max_size=4,
).map("".join)  # fmt: skip
PATTERNS = st.lists(st.one_of(st.just("**"), PARTS), min_size=1, max_size=3).map("/".join)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def in_bash(root: Path, patterns: list[str]) -> list[list[str]]:
    """What bash expands each pattern to, `**` included; quotes keep it from doing anything else."""
    script = ["shopt -s globstar nullglob; export LC_ALL=C.UTF-8; IFS="]
    script += ['pattern=$1; shift; printf "%s\\0" $pattern; printf "\\1\\0"'] * len(patterns)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script), "bash", *patterns], cwd=root, capture_output=True, check=True
    )
    groups = done.stdout.decode().split("\1\0")[:-1]
    return [sorted(name.rstrip("/") for name in group.split("\0") if name) for group in groups]


def is_portable(pattern: str) -> bool:
    """Not what shells read otherwise: `[^a]`, and a `**` at the end, for which they tell the folder above too."""
    return (
        "[^" not in pattern
        and not pattern.endswith("**")
        and all(part not in (".", "..") for part in pattern.split("/"))
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patterns=st.lists(PATTERNS.filter(is_portable), min_size=1, max_size=20))
@example(patterns=["*[!]x]", "[!]x]*", "[]a]*"])
def test_the_same_paths_as_bash(root: Path, patterns: list[str]) -> None:
    for pattern, expected in zip(patterns, in_bash(root, patterns), strict=True):
        if "*" not in pattern and "?" not in pattern and "[" not in pattern:
            expected = [pattern] if (root / pattern).exists() else []
        assert matching(Levels(LocalStorage(root)), pattern) == sorted(set(expected)), pattern
        assert matching(Tree(LocalStorage(root), "", [""]), pattern) == sorted(set(expected)), pattern


NFC, NFD = "Präparat_é", unicodedata.normalize("NFD", "Präparat_é")


def looked(source: Any, **sections: Any) -> Found:
    data: dict[str, Any] = {
        "version": "1.3.0",
        "standardization_config": {"deposition_id": 1, "source_prefix": "lab"} | sections.pop("settings", {}),
        "depositions": [{"sources": [{"literal": {"value": [1]}}]}],
        "datasets": [{"sources": [{"literal": {"value": ["10"]}}]}],
        "runs": [{"sources": [{"source_glob": {"list_glob": "*.mrc", "name_regex": r"(.*)\.mrc"}}]}],
        "voxel_spacings": [{"sources": [{"literal": {"value": [10]}}]}],
    }
    data |= {name: [{"sources": [source]}] for name, source in sections.items()}
    loaded = load_text(yaml.safe_dump(data, allow_unicode=True))
    assert loaded.config is not None, loaded.problems
    return find(loaded.config, source, MemoryStorage())


@pytest.mark.parametrize("on_disk", [NFC, NFD], ids=["composed", "decomposed"])
@pytest.mark.parametrize("in_table", [NFC, NFD], ids=["table-composed", "table-decomposed"])
@pytest.mark.parametrize("remote", [False, True])
def test_accents_match_however_they_are_composed(
    tmp_path: Path, on_disk: str, in_table: str, remote: bool
) -> None:
    files = {
        f"lab/{on_disk}.mrc": b"",
        f"lab/{on_disk}_b.gain": b"",
        "lab/runs.csv": f"run_name,x\n{in_table},1\n".encode(),
    }
    storage: Any = MemoryStorage(files)
    if not remote:
        storage = LocalStorage(tmp_path)
        for path, data in files.items():
            storage.write(path, data)
    found = looked(
        storage,
        settings={"run_data_map_file": "runs.csv"},
        gains={"source_glob": {"list_glob": "{run_name}_*.gain"}},
        rawtilts={"source_glob": {"list_glob": f"{NFC[:5]}*.gain"}},
        ctfs={"source_multi_glob": {"list_globs": [f"{in_table}_b.gain"]}},
    )

    ((_, run),) = found.runs()
    assert run.name == NFC
    assert run.row is not None
    for section in ("gains", "rawtilts", "ctfs"):
        assert [item.path for item in run.items[section]] == [f"lab/{on_disk}_b.gain"], section


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_composing_is_done_once(text: str) -> None:
    assert composed(composed(text)) == composed(text)


def test_names_that_differ_only_in_how_they_are_composed_clash() -> None:
    found = looked(MemoryStorage({f"lab/{NFC}.mrc": b"", f"lab/{NFD}.mrc": b"", "lab/T.mrc": b""}))

    assert [run.name for _, run in found.runs()] == ["T"]
    (problem,) = [problem for problem in found.problems if problem.code == "name-claimed-twice"]
    assert NFC in problem.message


def test_braces_in_names_are_doubled() -> None:
    files = {"lab/T.mrc": b"", "lab/{T}.gain": b"", "lab/T [1].gain": b""}
    found = looked(
        MemoryStorage(files),
        gains={"source_glob": {"list_glob": "{{{run_name}}}.gain"}},
        rawtilts={"source_glob": {"list_glob": "{run_name} [[]1].gain"}},
    )

    ((_, run),) = found.runs()
    assert [item.path for item in run.items["gains"]] == ["lab/{T}.gain"]
    assert [item.path for item in run.items["rawtilts"]] == ["lab/T [1].gain"]


def test_all_files_of_a_source_are_one_alignment_and_sources_stay_apart() -> None:
    files = {f"lab/{name}": b"" for name in ("T.mrc", "a/T.xf", "a/T.tlt", "b/T.xf", "b/T.tlt", "b/T.xtilt")}
    sources = [{"source_multi_glob": {"list_globs": [f"{folder}/{{run_name}}.*"]}} for folder in "ab"]
    found = looked(MemoryStorage(files), alignments=sources[0])
    ((_, run),) = found.runs()

    assert [item.files for item in run.items["alignments"]] == [("lab/a/T.tlt", "lab/a/T.xf")]


def test_links_out_of_the_source_are_told_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "S.mrc").touch()
    lab = tmp_path / "source/lab"
    lab.mkdir(parents=True)
    (lab / "T.mrc").touch()
    (lab / "L.mrc").symlink_to(outside / "S.mrc")
    (lab / "folder").symlink_to(outside)
    (lab / "loop").symlink_to(lab)
    gains = {"source_multi_glob": {"list_globs": ["**/S.mrc", "folder/S.mrc", "folder/*.mrc", "loop/T.*"]}}
    found = looked(LocalStorage(tmp_path / "source"), gains=gains)

    ((_, run),) = found.runs()
    assert (run.name, dict(run.items)) == ("T", {})
    (told,) = [problem.message for problem in found.problems if problem.code == "link-outside"]
    assert told.endswith(": lab/L.mrc, lab/folder, lab/loop")


def test_a_name_that_no_store_carries_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/a\nb.mrc").touch()
    (tmp_path / "lab/L.mrc").touch()

    found = looked(LocalStorage(tmp_path))
    (told,) = [problem for problem in found.problems if problem.code == "name-not-usable"]
    assert told.message.endswith(r": 'lab/a\nb.mrc'")
