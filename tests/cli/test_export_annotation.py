"""`tomoportal export annotation`: the same bytes as over HTTP, into files as one wants them."""

from __future__ import annotations

import pytest

from fixtures_command import Ran, tomoportal
from fixtures_demo import DemoPortal
from tomoportal.catalog import open_catalog
from tomoportal.exports import PLAIN, annotation_export
from tomoportal.model.query import Compare, Related, Select, Value
from tomoportal.storage import open_storage


@pytest.fixture
def id(demo_portal: DemoPortal) -> int:
    """An annotation of points."""
    points = Related("annotation_shapes", Compare("shape_type", "eq", "Point"))
    with open_catalog(demo_portal.settings.database) as catalog:
        return catalog.view().rows(Select("Annotation", (Value("id", "id"),), points))[0]["id"]


@pytest.fixture
def export(demo_portal: DemoPortal, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Ran:
        settings = demo_portal.settings
        return tomoportal(
            "export", "annotation", *words, "--storage", settings.storage, "--database", settings.database
        )

    return run


def expected(portal: DemoPortal, id: int, format: str) -> tuple[str, bytes]:
    with open_catalog(portal.settings.database) as catalog:
        planned = annotation_export(catalog.view(addresses=PLAIN), id, format=format)
    return planned.file_name, planned.make(open_storage(portal.settings.storage).read(planned.path))


@pytest.mark.parametrize(
    "format", ["ndjson", "csv", "relion5_star", "relion4_star", "stopgap_star", "dynamo_tbl", "copick", "mod"]
)
def test_a_file_of_its_name(format: str, export, id, demo_portal, tmp_path) -> None:
    name, data = expected(demo_portal, id, format)
    assert export(id, "--format", format).code == 0
    assert (tmp_path / name).read_bytes() == data
    assert len(data) > 100
    again = export(id, "--format", format)
    assert again.code == 2
    assert "exists already" in again.err


def test_where_it_is_wanted(export, id, demo_portal, tmp_path) -> None:
    name, data = expected(demo_portal, id, "csv")
    (tmp_path / "folder").mkdir()
    assert export(id, "--format", "csv", "--output", "folder").code == 0
    assert (tmp_path / "folder" / name).read_bytes() == data
    assert export(id, "--format", "csv", "--output", "other.csv").code == 0
    assert (tmp_path / "other.csv").read_bytes() == data


def test_what_is_refused(export, id) -> None:
    assert "pdf is no format of exports" in export(id, "--format", "pdf").err
    assert export(id, "--format", "pdf").code == 2
    missing = export(999999, "--format", "csv")
    assert (missing.code, "no such annotation here." in missing.err) == (2, True)
    nowhere = export(id, "--format", "csv", "--output", "none/x.csv")
    assert (nowhere.code, "make it first" in nowhere.err) == (2, True)
