"""Many readers while the catalogue is loaded: each sees the old rows or the new ones, and nobody fails."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from graphql import get_introspection_query

from fixtures_layout import Layout, dataset_sidecar, small_layout
from fixtures_postgres import Backend
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import Catalog, load, open_catalog
from tomoportal.layout.paths import Key

QUERY = """{ datasets { title runs { edges { node { name annotations { edges { node { objectName } } } } } } }
  runsAggregate { aggregate { count } } }"""
READERS, TIMES = 24, 6


def _read(service: Service, catalog: Catalog) -> set[str]:
    titles = set()
    for _ in range(TIMES):
        answer = json.loads(service.answer(catalog.view(), Request(QUERY)))
        (dataset,) = answer["data"]["datasets"]
        (run,) = dataset["runs"]["edges"]
        assert len(run["node"]["annotations"]["edges"]) == 1
        assert answer["data"]["runsAggregate"]["aggregate"] == [{"count": 1}]
        titles.add(dataset["title"])
    return titles


def test_readers_during_loads(backend: Backend, tmp_path: Path) -> None:
    layout: Layout = small_layout(tmp_path / "files")
    service = Service()
    with open_catalog(backend.url(tmp_path), create=True) as catalog:
        load(layout.storage, catalog)
        with ThreadPoolExecutor(READERS) as pool:
            readers = [pool.submit(_read, service, catalog) for _ in range(READERS)]
            for title in ("Second", "Third"):
                layout.put(Key("dataset", dataset="30001"), dataset_sidecar(30001, dataset_title=title))
                load(layout.storage, catalog)
            seen = set.union(*(reader.result() for reader in readers))
        assert seen <= {"Chloroplasts", "Second", "Third"}
        assert _read(service, catalog) == {"Third"}


def test_one_service_for_many_threads(tmp_path: Path) -> None:
    service = Service()
    with open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True) as catalog:
        view = catalog.view()
        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(lambda text: service.answer(view, Request(text)), [get_introspection_query()] * 4)
            )
    assert len(set(answers)) == 1
    assert "errors" not in answers[0][:100]
