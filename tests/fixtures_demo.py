"""The small demo deposition, ingested once for all tests that only read it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tomoportal.demo import DemoFiles, truth, write_demo
from tomoportal.settings import Settings


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


@pytest.fixture(scope="session")
def demo_files(tmp_path_factory) -> DemoFiles:
    """The sources and deposition files of the small demo; do not change them."""
    return write_demo(tmp_path_factory.mktemp("demo-sources"), size="small")


@pytest.fixture(scope="session")
def demo_portal(tmp_path_factory, demo_files) -> DemoPortal:
    """A finished portal; do not change it."""
    from tomoportal.cli.ingest import ingest_config

    folder = tmp_path_factory.mktemp("demo-portal")
    settings = settings_in(folder)
    for config in demo_files.configs:
        report = ingest_config(config, str(demo_files.source), settings, quiet=True)
        assert not report.failed, report.sorted_problems()
    return DemoPortal(folder, settings, demo_files, truth(demo_files.truth.parent))


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
