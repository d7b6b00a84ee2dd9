from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures_catalog import TODAY, small_portal
from fixtures_mirror import Mirror
from tomoportal.catalog import Addresses, Catalog, View, open_catalog

ADDRESSES = Addresses("http://portal.test/files/", "s3://bucket/")


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """The invented portal; nobody may write to it."""
    with small_portal(tmp_path_factory.mktemp("catalog")) as catalog:
        yield catalog


@pytest.fixture
def view(portal: Catalog) -> View:
    return portal.view(today=TODAY, addresses=ADDRESSES)


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "catalog.sqlite"
    open_catalog(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def empty(tmp_path: Path, empty_file: Path) -> Iterator[Catalog]:
    """A catalogue without rows, to be written to."""
    shutil.copyfile(empty_file, tmp_path / "catalog.sqlite")
    with open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}") as catalog:
        yield catalog


@pytest.fixture(scope="session")
def written_mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    return Mirror(tmp_path_factory.mktemp("mirror") / "files")


@pytest.fixture
def mirror(written_mirror: Mirror, tmp_path: Path) -> Mirror:
    """A mirror of the reference system in `tmp_path / "files"`, to be changed."""
    return written_mirror.copied(tmp_path / "files")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """A catalogue without rows, in `tmp_path / "catalog.sqlite"`."""
    with open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True) as catalog:
        yield catalog
