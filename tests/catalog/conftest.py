from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures_catalog import TODAY, small_portal
from fixtures_mirror import Mirror
from fixtures_postgres import Backend
from tomoportal.catalog import Addresses, Catalog, View, open_catalog

ADDRESSES = Addresses("http://portal.test/files/", "s3://bucket/")


@pytest.fixture(scope="session")
def portal(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """The invented portal; nobody may write to it."""
    with small_portal(backend.url(tmp_path_factory.mktemp("catalog"))) as catalog:
        yield catalog


@pytest.fixture
def view(portal: Catalog) -> View:
    return portal.view(today=TODAY, addresses=ADDRESSES)


@pytest.fixture(scope="session")
def empty_url(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = backend.url(tmp_path_factory.mktemp("empty"))
    open_catalog(url, create=True).close()
    return url


@pytest.fixture
def empty(backend: Backend, tmp_path: Path, empty_url: str) -> Iterator[Catalog]:
    """A catalogue without rows, to be written to."""
    with open_catalog(backend.copy(empty_url, tmp_path)) as catalog:
        yield catalog


@pytest.fixture(scope="session")
def written_mirror(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    return Mirror(tmp_path_factory.mktemp("mirror") / "files")


@pytest.fixture
def mirror(written_mirror: Mirror, tmp_path: Path) -> Mirror:
    """A mirror of the reference system in `tmp_path / "files"`, to be changed."""
    return written_mirror.copied(tmp_path / "files")


@pytest.fixture
def url(backend: Backend, tmp_path: Path) -> str:
    """The URL of a new database."""
    return backend.url(tmp_path)


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    """A catalogue that has just been made in the database at `url`."""
    with open_catalog(url, create=True) as catalog:
        yield catalog
