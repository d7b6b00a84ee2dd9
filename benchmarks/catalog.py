"""How fast the catalogue answers: 500 datasets, 20,000 runs, 100,000 annotations, through GraphQL, in this process.

    python benchmarks/catalog.py [--database URL] [--runs 200000] [--annotations-only]

`catalog_data` says what is in it. A database at a URL is filled when it is empty, and kept. `load` is measured on a layout of its own:
sidecars on disk → rows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from catalog_data import fill  # noqa: E402
from catalog_questions import BROWSE, BY_ID, ILIKE, LIST, NESTED, RUN  # noqa: E402

from fixtures_layout import Layout, add_run, dataset_sidecar, deposition_sidecar  # noqa: E402
from tomoportal.api.graphql.execute import Request, Service  # noqa: E402
from tomoportal.catalog import View, load, open_catalog  # noqa: E402
from tomoportal.catalog.view import _totals  # noqa: E402
from tomoportal.layout.paths import Key  # noqa: E402
from tomoportal.model import query  # noqa: E402
from tomoportal.web import kept  # noqa: E402
from tomoportal.web.lists.filter_kinds import AllOf, OneOf  # noqa: E402
from tomoportal.web.lists.offered import DATASETS  # noqa: E402

BUDGETS = {
    "by id": 5, "20 nested runs": 12, "browse page": 60, "run page": 60, "20,000-row list": 200, "search": 60,
    "ilike on 100,000": 200, "totals": 60, "dataset of most runs": 200, "ranked search": 200,
    "ranked search of datasets": 60, "suggestions": 60,
    "filters with counts, first time": 500, "filters with counts": 60,
}  # fmt: skip
"""Milliseconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="URL; keep or find the filled database here")
    parser.add_argument("--runs", type=int, default=20_000, help="everything else in proportion")
    parser.add_argument("--annotations-only", action="store_true", help="of each run nothing but annotations")
    parser.add_argument("--load-into", help="URL of an empty database; measure loading from sidecars there")
    parser.add_argument("--load-runs", type=int, default=150, help="runs that loading is measured with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{folder}/catalog.sqlite"
        with open_catalog(url, create=True) as catalog:
            if catalog.fresh:
                print(fill(catalog, options.runs, annotations_only=options.annotations_only))
            report(measure(catalog.view(today=date(2026, 6, 1))))
        into = options.load_into or f"sqlite:///{folder}/loaded.sqlite"
        wall, busy = load_rate(Path(folder), into, options.load_runs)
        print(
            f"load from sidecars: {wall:,.0f} rows/s, {busy:,.0f} rows per second of processor time (budget 20,000)"
        )


def measure(view: View) -> dict[str, float]:
    """Medians in milliseconds."""
    service = Service()

    def ask(text: str) -> Callable[[], Any]:
        def once() -> None:
            answer = service.answer(view, Request(text))
            assert answer.startswith('{"data":{'), answer[:400]

        return once

    largest = view.rows(
        query.Select("Run", (query.Value("id", "id"), query.Value("d", "dataset_id")), limit=1)
    )[0]
    annotated = view.rows(query.Select("Annotation", (query.Value("run", "run_id"),), limit=1, offset=300))[0]
    search = query.Search("membrane ribo")
    tasks = {
        "by id": ask(BY_ID),
        "20 nested runs": ask(NESTED % largest["d"]),
        "browse page": ask(BROWSE),
        "run page": ask(RUN % annotated["run"]),
        "20,000-row list": ask(LIST),
        "ilike on 100,000": ask(ILIKE),
        "dataset of most runs": ask(
            BROWSE.replace("limitOffset: {limit: 20, offset: 0}", f"where: {{id: {{_eq: {largest['d']}}}}}")
        ),
        "search": lambda: view.count("Dataset", search),
        "ranked search": lambda: view.search(query.Ranked("membrane ribo")),
        "ranked search of datasets": lambda: view.search(query.Ranked("membrane ribo", ("Dataset",))),
        "suggestions": lambda: view.names(
            query.Named("ribo", "Dataset", ("title", "organism", "object", "author"))
        ),
        "filters with counts, first time": lambda: (forget(), filters(view)),
        "filters with counts": lambda: filters(view),
        "totals": lambda: (forget(), view.totals()),
    }
    return {name: median(task) for name, task in tasks.items()}


def filters(view: View) -> list[Any]:
    """All filters of the list of datasets with their counts, while some are set."""
    choice = DATASETS.read(
        [("object", "membrane 1"), ("files", "tomogram"), ("camera_manufacturer", "Gatan")]
    )
    rows = choice.members(view)
    return [choice.options(item, rows) for item in choice.of.filters if isinstance(item, OneOf | AllOf)]


def forget() -> None:
    """As after a load."""
    kept.forget()
    _totals.cache_clear()


def median(task: Callable[[], Any]) -> float:
    """Milliseconds of one call, after one to warm up."""
    task()
    times = []
    for _ in range(9):
        started = time.perf_counter()
        task()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def report(times: dict[str, float]) -> None:
    """A table for `benchmarks/README.md`."""
    print("| question | median ms | budget ms |\n|---|---|---|")
    for name, spent in times.items():
        print(f"| {name} | {spent:.1f} | {BUDGETS[name]} |")


def load_rate(folder: Path, url: str, runs: int) -> tuple[float, float]:
    """Rows a second from a layout with so many runs on this machine's disk: by the clock, and of processor time."""
    layout = Layout(folder / "files", gather=False)
    layout.put(Key("deposition", deposition="20001"), deposition_sidecar(20001))
    layout.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    layout.put(Key("dataset", dataset="30001"), dataset_sidecar(30001))
    for number in range(runs):
        add_run(layout, "30001", f"TS_{number:03d}", sections=40)
    layout.gather("30001")
    with open_catalog(url, create=True) as catalog:
        started, busy = time.perf_counter(), time.process_time()
        loaded = load(layout.storage, catalog)
        return loaded.rows / (time.perf_counter() - started), loaded.rows / (time.process_time() - busy)


if __name__ == "__main__":
    main()
