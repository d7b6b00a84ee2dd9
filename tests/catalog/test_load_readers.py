"""While a dataset is loaded again and again, a reader sees one version of it or the other, in all parts of an answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from fixtures_layout import add_run, dataset_sidecar, deposition_sidecar, small_layout
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import Catalog, load
from tomoportal.layout.paths import Key

QUERY = """{ datasets { title runs { edges { node { name } } } runsAggregate { aggregate { count } } authors { edges { node { id } } } }
  runsAggregate { aggregate { count } } tomogramsAggregate { aggregate { count } }
  perSectionParametersAggregate { aggregate { count } } }"""
READERS, LOADS = 2, 4

Seen = tuple[str, int, int, int, int, int]


def test_no_reader_sees_half_a_dataset(catalog: Catalog, tmp_path: Path) -> None:
    few = small_layout(tmp_path / "few")
    few.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    many = few.copied(tmp_path / "many")
    many.put(Key("dataset", dataset="30001"), dataset_sidecar(30001, dataset_title="Many"))
    for name in ("TS_02", "TS_03"):
        add_run(many, "30001", name, sections=10)
    load(few.storage, catalog)
    service, over = Service(), Event()
    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(_read_until, over, service, catalog) for _ in range(READERS)]
        try:
            for number in range(LOADS):
                assert not load((few if number % 2 else many).storage, catalog).problems
        finally:
            over.set()
        seen = set.union(*(reader.result() for reader in readers))
    assert seen <= {("Chloroplasts", 1, 1, 1, 2, 2), ("Many", 3, 3, 3, 6, 22)}
    assert _read(service, catalog) == ("Chloroplasts", 1, 1, 1, 2, 2)


def _read_until(over: Event, service: Service, catalog: Catalog) -> set[Seen]:
    seen = {_read(service, catalog)}
    while not over.is_set():
        seen.add(_read(service, catalog))
    return seen


def _read(service: Service, catalog: Catalog) -> Seen:
    data = json.loads(service.answer(catalog.view(), Request(QUERY)))["data"]
    (dataset,) = data["datasets"]

    def total(of: dict[str, dict[str, list[dict[str, int]]]], name: str) -> int:
        return of[name]["aggregate"][0]["count"]

    return (
        dataset["title"], len(dataset["runs"]["edges"]), total(dataset, "runsAggregate"), total(data, "runsAggregate"),
        total(data, "tomogramsAggregate"), total(data, "perSectionParametersAggregate"),
    )  # fmt: skip
