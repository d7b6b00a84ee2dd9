"""The small demo deposition, ingested once for all tests that only read it, whichever worker runs them."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tomoportal.demo import DemoFiles, truth, write_demo
from tomoportal.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class DemoPortal:
    """`settings` lead to a finished layout and catalogue in `folder`; `truth` is what was put into the phantoms."""

    folder: Path
    settings: Settings
    files: DemoFiles
    truth: dict[str, Any]

    @property
    def layout(self) -> Path:
        """The root of the standard layout."""
        return self.folder / "files"


def settings_in(folder: Path) -> Settings:
    """Storage and catalogue below `folder`."""
    return Settings(storage=str(folder / "files"), database=f"sqlite:///{folder / 'catalog.sqlite'}")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """What `make` gives for a new folder; the first worker that asks for this name makes it, the others wait and take the same."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    with (root / f"{name}.made").open("a+b") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        note.seek(0)
        if known := note.read():
            return pickle.loads(known)
        folder = root / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        made = make(folder)
        note.write(pickle.dumps(made))
        return made


@pytest.fixture(scope="session")
def demo_files(tmp_path_factory) -> DemoFiles:
    """The sources and deposition files of the small demo; do not change them."""
    return made_once(tmp_path_factory, "demo-sources", lambda folder: write_demo(folder, size="small"))


@pytest.fixture(scope="session")
def demo_portal(tmp_path_factory, demo_files) -> DemoPortal:
    """A finished portal; do not change it."""
    return made_once(tmp_path_factory, "demo-portal", lambda folder: _ingested(demo_files, folder))


def _ingested(files: DemoFiles, folder: Path) -> DemoPortal:
    from tomoportal.cli.ingest import ingest_config

    settings = settings_in(folder)
    for config in files.configs:
        report = ingest_config(config, str(files.source), settings, quiet=True)
        assert not report.failed, report.sorted_problems()
    return DemoPortal(folder, settings, files, truth(files.truth.parent))


@pytest.fixture
def demo_copy(tmp_path, demo_portal) -> DemoPortal:
    """A finished portal of the test's own, sources included."""
    folder = tmp_path / "portal"
    shutil.copytree(demo_portal.folder, folder)
    shutil.copytree(demo_portal.files.truth.parent, tmp_path / "demo")
    home = tmp_path / "demo"
    files = DemoFiles(
        tuple(home / config.name for config in demo_portal.files.configs),
        home / "sources",
        home / "truth.json",
    )
    return DemoPortal(folder, settings_in(folder), files, demo_portal.truth)
