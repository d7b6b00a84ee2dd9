"""A field that is declared on an entity is loaded, stored, filtered by and answered, with no other edit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from graphql import print_schema

from fixtures_layout import small_layout, tomogram_sidecar
from fixtures_model import extra_field
from fixtures_postgres import Backend
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import load, open_catalog
from tomoportal.catalog.tables import model_hash
from tomoportal.errors import CatalogError
from tomoportal.layout.paths import Key
from tomoportal.model.fields import Float
from tomoportal.model.reconstruction import Tomogram


def test_from_declaration_to_answer(backend: Backend, tmp_path: Path) -> None:
    url = backend.url(tmp_path)
    layout = small_layout(tmp_path / "files")
    key = Key("tomogram", dataset="30001", run="TS_01", spacing="10.000", id=100)
    layout.put(key, tomogram_sidecar(key, "20001", measures={"thickness": 184.5}))
    open_catalog(url, create=True).close()
    before = model_hash()
    thickness = Float("thickness of the lamella", unit="nm", config="measures.thickness")
    with extra_field(Tomogram, "lamella_thickness", thickness):
        assert model_hash() != before
        with pytest.raises(CatalogError, match="tomoportal load"):
            open_catalog(url)
        with open_catalog(url, create=True) as catalog:
            load(layout.storage, catalog)
            assert "lamella_thickness" in catalog.database.tables.tables["tomogram"].c
            service = Service()
            sdl = print_schema(service.schema)
            assert '"""thickness of the lamella (nm)"""\n  lamellaThickness: Float' in sdl
            text = """{ tomograms(where: {lamellaThickness: {_gt: 184}}, orderBy: {lamellaThickness: desc}) { lamellaThickness }
              tomogramsAggregate { aggregate { max { lamellaThickness } groupBy { lamellaThickness } } } }"""
            answer = json.loads(service.answer(catalog.view(), Request(text)))
    group = {"max": {"lamellaThickness": 184.5}, "groupBy": {"lamellaThickness": 184.5}}
    assert answer["data"] == {
        "tomograms": [{"lamellaThickness": 184.5}], "tomogramsAggregate": {"aggregate": [group]},
    }  # fmt: skip
    assert "lamella_thickness" not in Tomogram.fields
