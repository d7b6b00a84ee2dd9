"""How fast the catalogue answers: 500 datasets, 20,000 runs, 100,000 annotations in SQLite, through GraphQL, in this process.

    python benchmarks/catalog.py [--database FILE] [--keep] [--small]

The data are drawn from one seed: runs per dataset follow rank^-0.8, objects 1/rank, as in a large public portal. `load` is measured
on a layout of its own: sidecars on disk → rows.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from fixtures_catalog import PAST, row  # noqa: E402
from fixtures_layout import Layout, add_run, dataset_sidecar, deposition_sidecar  # noqa: E402
from tomoportal.api.graphql.execute import Request, Service  # noqa: E402
from tomoportal.catalog import Catalog, View, load, open_catalog  # noqa: E402
from tomoportal.catalog.rows import count_load, insert, settle  # noqa: E402
from tomoportal.layout.paths import Key  # noqa: E402
from tomoportal.model import query  # noqa: E402
from tomoportal.web import members  # noqa: E402
from tomoportal.web.lists import DATASETS  # noqa: E402

BUDGETS = {
    "by id": 5, "20 nested runs": 12, "browse page": 60, "run page": 60, "20,000-row list": 200, "search": 60,
    "ilike on 100,000": 200, "totals": 60, "dataset of most runs": 200, "ranked search": 200,
    "ranked search of datasets": 60, "suggestions": 60,
    "filters with counts, first time": 500, "filters with counts": 60,
}  # fmt: skip
"""Milliseconds."""

BY_ID = "{ datasets(where: {id: {_eq: 10250}}) { id title organismName releaseDate s3Prefix keyPhotoUrl } }"
NESTED = """{ datasets(where: {id: {_eq: %d}}) { id title runs(first: 20) { edges { node { id name
  tomograms { edges { node { id name sizeX sizeY sizeZ voxelSpacing httpsOmezarrDir } } } } } } } }"""
BROWSE = """{
  datasets(orderBy: [{releaseDate: desc}, {title: asc}], limitOffset: {limit: 20, offset: 0}) {
    id title organismName datasetPublications keyPhotoThumbnailUrl relatedDatabaseEntries releaseDate
    authors(orderBy: {authorListOrder: asc}) { edges { node { name primaryAuthorStatus correspondingAuthorStatus } } }
    runsCount: runsAggregate { aggregate { count } }
    runsAggregate { aggregate { groupBy { annotations { objectName groundTruthStatus } } count } }
    objects: runsAggregate { aggregate { groupBy { identifiedObjects { objectName } } count } } }
  datasetsAggregate { aggregate { count } }
}"""
RUN = """{ runs(where: {id: {_eq: %d}}) { id name httpsPrefix s3Prefix
  dataset { id title description organismName authors(orderBy: {authorListOrder: asc}) { edges { node { name orcid } } } }
  tiltseries(first: 1) { edges { node { id tiltMin tiltMax tiltSeriesQuality pixelSpacing cameraModel } } }
  annotations { edges { node { id objectName objectId groundTruthStatus releaseDate methodType
    authors { edges { node { name } } } methodLinks { edges { node { link name } } }
    annotationShapes { edges { node { shapeType annotationFiles { edges { node { format httpsPath fileSize } } } } } } } } }
  tomograms { edges { node { id name voxelSpacing processing neuroglancerConfig alignment { id alignmentType }
    authors { edges { node { name } } } } } }
  annotationsAggregate { aggregate { count groupBy { objectName } } }
  tomogramsAggregate { aggregate { count groupBy { voxelSpacing processing } } }
  framesAggregate { aggregate { count } } alignmentsAggregate { aggregate { count } }
  perSectionParametersAggregate(where: {majorDefocus: {_is_null: false}}) { aggregate { count } } } }"""
LIST = """query { runs(where: {name: {_ilike: "%TS%"}, tomogramVoxelSpacings: {tomograms: {sizeX: {_gt: 900}}}})
  { id datasetId name s3Prefix httpsPrefix } }"""
ILIKE = '{ runs(where: {annotations: {objectName: {_ilike: "%ribosome%"}}}) { id name } }'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=Path, help="keep or find the filled database here")
    parser.add_argument("--small", action="store_true", help="a tenth of the data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.database or Path(folder) / "catalog.sqlite"
        with open_catalog(f"sqlite:///{path}", create=True) as catalog:
            if catalog.fresh:
                fill(catalog, scale=0.1 if options.small else 1.0)
            report(measure(catalog.view(today=date(2026, 6, 1))))
        wall, busy = load_rate(Path(folder))
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
        "totals": view.totals,
    }
    return {name: median(task) for name, task in tasks.items()}


def filters(view: View) -> list[Any]:
    """All filters of the list of datasets with their counts, while some are set."""
    choice = DATASETS.read(
        [("object", "membrane 1"), ("files", "tomogram"), ("camera_manufacturer", "Gatan")]
    )
    rows = choice.members(view)
    return [choice.options(item, rows) for item in choice.of.filters]


def forget() -> None:
    """As after a load."""
    for remembered in (members._places, members._fulfilling, members._fulfilling_inside, members._by_value):
        remembered.cache_clear()


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


def load_rate(folder: Path) -> tuple[float, float]:
    """Rows a second from a layout with 150 runs on this machine's disk: by the clock, and of processor time."""
    layout = Layout(folder / "files", gather=False)
    layout.put(Key("deposition", deposition="20001"), deposition_sidecar(20001))
    layout.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    layout.put(Key("dataset", dataset="30001"), dataset_sidecar(30001))
    for number in range(150):
        add_run(layout, "30001", f"TS_{number:03d}", sections=40)
    layout.gather("30001")
    with open_catalog(f"sqlite:///{folder / 'loaded.sqlite'}", create=True) as catalog:
        started, busy = time.perf_counter(), time.process_time()
        loaded = load(layout.storage, catalog)
        return loaded.rows / (time.perf_counter() - started), loaded.rows / (time.process_time() - busy)


def fill(catalog: Catalog, scale: float) -> None:
    """Put the whole invented portal in."""
    started, total = time.perf_counter(), 0
    with catalog.database.write() as connection:
        for rows in portal(int(500 * scale), int(20_000 * scale), int(100_000 * scale)):
            total += insert(connection, catalog.database, rows)
        inserted = time.perf_counter()
        settle(connection, catalog.database, None)
        count_load(connection, catalog.database)
    done = time.perf_counter()
    print(f"{total:,} rows put in in {inserted - started:.0f} s, settled in {done - inserted:.0f} s")


class Numbers(dict[str, int]):
    """The last id given to each entity."""

    def next(self, entity: str) -> int:
        self[entity] = self.get(entity, 999) + 1
        return self[entity]


def portal(datasets: int, runs: int, annotations: int) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Rows of the portal, a dataset at a time, depositions first."""
    draw, numbers = random.Random(7), Numbers()
    depositions = [
        row("Deposition", id=20000 + n, title=f"Deposition {n}", release_date=PAST)
        for n in range(max(1, datasets // 2))
    ]
    yield {"Deposition": depositions}
    weights = [rank**-0.8 for rank in range(1, datasets + 1)]
    shares = [max(1, round(runs * weight / sum(weights))) for weight in weights]
    objects = [
        f"{draw.choice(['membrane', 'ribosome', 'microtubule', 'capsid', 'actin'])} {n}" for n in range(150)
    ]
    chances = [1 / rank for rank in range(1, 151)]
    per_run = annotations / runs
    for number, count in enumerate(shares):
        rows: dict[str, list[dict[str, Any]]] = {}

        def add(entity: str, rows: dict[str, list[dict[str, Any]]] = rows, **values: Any) -> int:
            values.setdefault("id", numbers.next(entity))
            rows.setdefault(entity, []).append(row(entity, **values))
            return values["id"]

        dataset = 10000 + number
        add(
            "Dataset", id=dataset, title=f"Dataset {number} of cells", description="lamellae of " + draw.choice(objects),
            deposition_id=20000 + number // 2, organism_name=f"Organism {number % 40}", organism_taxid=number % 40,
            folder_path=f"{dataset}/", folder=str(dataset),
            release_date=f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}T00:00:00+00:00",
        )  # fmt: skip
        for order in range(7):
            add(
                "DatasetAuthor",
                dataset_id=dataset,
                name=f"Author {draw.randrange(3000)}",
                author_list_order=order + 1,
            )
        for _ in range(count):
            _run(add, draw, dataset, numbers, objects, chances, per_run)
        yield rows


def _run(
    add: Callable[..., int], draw: random.Random, dataset: int, numbers: Numbers, objects: list[str], chances: list[float], per_run: float
) -> None:  # fmt: skip
    name = f"TS_{numbers.get('Run', 999) - 999:05d}"
    home = f"{dataset}/{name}"
    run = add("Run", name=name, dataset_id=dataset, folder_path=f"{home}/", folder=home)
    deposition = 20000 + (dataset - 10000) // 2
    tilt = add(
        "TiltSeries", run_id=run, deposition_id=deposition, tilt_series_quality=draw.randint(1, 5), folder=f"{home}/TiltSeries/100",
        camera_manufacturer=draw.choice(["Gatan", "TFS", "FEI"]), pixel_spacing=draw.uniform(1, 9),
    )  # fmt: skip
    if run % 4 == 0:
        for section in range(40):
            frame = add(
                "Frame",
                run_id=run,
                deposition_id=deposition,
                acquisition_order=section,
                folder=f"{home}/Frames",
            )
            add(
                "PerSectionParameters",
                run_id=run,
                frame_id=frame,
                tiltseries_id=tilt,
                z_index=section,
                major_defocus=draw.uniform(1e4, 5e4),
            )
    alignment = add(
        "Alignment", run_id=run, tiltseries_id=tilt, deposition_id=deposition, folder=f"{home}/Alignments/100"
    )
    spacing = add(
        "TomogramVoxelSpacing", run_id=run, voxel_spacing=10.0, folder_path=f"{home}/VS/", folder=f"{home}/VS"
    )
    tomogram = add(
        "Tomogram", run_id=run, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, deposition_id=deposition, name=name, size_x=960,
        reconstruction_method=draw.choice(["WBP", "SIRT"]), omezarr_path=f"{home}/t.zarr", release_date=PAST, folder=f"{home}/VS/T",
        neuroglancer_config='{"layers": []}' * 40,
    )  # fmt: skip
    for order in range(2):
        add("TomogramAuthor", tomogram_id=tomogram, name=f"Author {order}", author_list_order=order)
    add("IdentifiedObject", run_id=run, object_name=draw.choices(objects, chances)[0], object_id="GO:1")
    for _ in range(round(draw.uniform(0, 2 * per_run / 0.7)) if draw.random() < 0.7 else 0):
        named = draw.choices(objects, chances)[0]
        folder = f"{home}/VS/A"
        annotation = add(
            "Annotation", run_id=run, tomogram_voxel_spacing_id=spacing, deposition_id=deposition, object_name=named,
            object_id="GO:0005840",
            ground_truth_status=draw.random() < 0.3, release_date=PAST, metadata_path=f"{folder}/m.json", folder=folder,
        )  # fmt: skip
        for order in range(3):
            add(
                "AnnotationAuthor",
                annotation_id=annotation,
                name=f"Author {order}",
                author_list_order=order,
                folder=folder,
            )
        shape = add(
            "AnnotationShape",
            annotation_id=annotation,
            shape_type=draw.choice(["Point", "SegmentationMask"]),
            folder=folder,
        )
        add(
            "AnnotationFile", annotation_shape_id=shape, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, format="mrc",
            path=f"{folder}/x.mrc", file_size=1e6, folder=folder,
        )  # fmt: skip


if __name__ == "__main__":
    main()
