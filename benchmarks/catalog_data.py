"""The invented portal that catalogues are measured with, drawn from one seed, put straight into the tables.

Runs per dataset follow rank^-0.8, objects 1/rank, as in a large public portal; per 20,000 runs there are 500 datasets, 100,000 annotations
with authors, shapes and files, and 200,000 frames. `annotations_only` leaves out everything that runs hold but annotations.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fixtures_catalog import PAST, row
from tomoportal.catalog import Catalog
from tomoportal.catalog.rows import count_load, insert
from tomoportal.catalog.search import index
from tomoportal.catalog.tables import RELEASE

RUNS_PER_DATASET, ANNOTATIONS_PER_RUN = 40, 5
AT_A_TIME = 500
"""Runs whose rows are held at a time."""
STATE = json.dumps({"layers": [], "title": "x" * 530})
"""The stored view of a tomogram."""

Rows = dict[str, list[dict[str, Any]]]


def fill(catalog: Catalog, runs: int, *, annotations_only: bool = False) -> str:
    """Put the whole portal into an empty catalogue; indexes are made at the end. Returns how long it took, in words."""
    database, started, total = catalog.database, time.perf_counter(), 0
    indexes = [index for table in database.tables.sorted_tables for index in table.indexes]
    with database.write() as connection:
        for made in indexes:
            made.drop(connection)
        for rows in Portal(runs, annotations_only).portions():
            total += insert(connection, database, rows)
        inserted = time.perf_counter()
        for made in indexes:
            made.create(connection)
        indexed = time.perf_counter()
        database.look_over(connection)
        index.settle(connection, database, None)
        count_load(connection, database)
    done = time.perf_counter()
    steps = f"put in in {inserted - started:.0f} s, indexes in {indexed - inserted:.0f} s, search in {done - indexed:.0f} s"
    return f"{total:,} rows {steps}"


@cache
def _template(entity: str) -> dict[str, Any]:
    return row(entity)


@dataclass
class Portal:
    """The portal in the making."""

    runs: int
    annotations_only: bool
    draw: random.Random = field(default_factory=lambda: random.Random(7))
    last: dict[str, int] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)

    def __post_init__(self) -> None:
        words = ["membrane", "ribosome", "microtubule", "capsid", "actin"]
        self.objects = [f"{self.draw.choice(words)} {n}" for n in range(150)]
        self.chances = [1 / rank for rank in range(1, 151)]

    def portions(self) -> Iterator[Rows]:
        """All rows by entity class name, some at a time."""
        datasets = max(1, self.runs // RUNS_PER_DATASET)
        for number in range(max(1, datasets // 2)):
            self.add("Deposition", PAST, id=20000 + number, title=f"Deposition {number}", release_date=PAST)
        weights = [rank**-0.8 for rank in range(1, datasets + 1)]
        for number, weight in enumerate(weights):
            release = self.dataset(10000 + number, number)
            for _ in range(max(1, round(self.runs * weight / sum(weights)))):
                self.run(10000 + number, 20000 + number // 2, release)
                if len(self.rows["Run"]) >= AT_A_TIME:
                    yield self.taken()
        yield self.taken()

    def taken(self) -> Rows:
        """What has been made since the last time."""
        rows, self.rows = self.rows, {"Run": []}
        return rows

    def add(self, entity: str, release: str, **values: Any) -> int:
        """One row, visible from `release` on; returns its id."""
        if "id" not in values:
            values["id"] = self.last[entity] = self.last.get(entity, 999) + 1
        folder = values.pop("folder", "")
        made = {**_template(entity), **values, "_folder": folder, RELEASE: release}
        self.rows.setdefault(entity, []).append(made)
        return values["id"]

    def dataset(self, id: int, number: int) -> str:
        """A dataset with its authors; returns from when on it is visible."""
        own = f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}T00:00:00+00:00"
        release = max(own, PAST)
        self.rows.setdefault("Run", [])
        self.add(
            "Dataset", release, id=id, title=f"Dataset {number} of cells", description="lamellae of " + self.draw.choice(self.objects),
            deposition_id=20000 + number // 2, organism_name=f"Organism {number % 40}", organism_taxid=number % 40,
            folder_path=f"{id}/", folder=str(id), release_date=own,
        )  # fmt: skip
        for order in range(1, 8):
            name = f"Author {self.draw.randrange(3000)}"
            self.add("DatasetAuthor", release, dataset_id=id, name=name, author_list_order=order)
        return release

    def run(self, dataset: int, deposition: int, release: str) -> None:
        """A run with all that it holds."""
        name = f"TS_{self.last.get('Run', 999) - 999:05d}"
        home = f"{dataset}/{name}"
        run = self.add("Run", release, name=name, dataset_id=dataset, folder_path=f"{home}/", folder=home)
        if self.annotations_only:
            alignment = spacing = None
        else:
            alignment, spacing = self.acquired(run, deposition, home, release)
        many = round(self.draw.uniform(0, 2 * ANNOTATIONS_PER_RUN / 0.7)) if self.draw.random() < 0.7 else 0
        for _ in range(many):
            self.annotation(run, deposition, alignment, spacing, f"{home}/VS/A", release)

    def acquired(self, run: int, deposition: int, home: str, release: str) -> tuple[int, int]:
        """Tilt series, frames of every fourth run, alignment and tomogram; returns the ids of alignment and voxel spacing."""
        of = {"run_id": run, "deposition_id": deposition}
        tilt = self.add(
            "TiltSeries", release, **of, tilt_series_quality=self.draw.randint(1, 5), folder=f"{home}/TiltSeries/100",
            camera_manufacturer=self.draw.choice(["Gatan", "TFS", "FEI"]), pixel_spacing=self.draw.uniform(1, 9),
        )  # fmt: skip
        for section in range(40 if run % 4 == 0 else 0):
            frame = self.add("Frame", release, **of, acquisition_order=section, folder=f"{home}/Frames")
            defocus = self.draw.uniform(1e4, 5e4)
            self.add(
                "PerSectionParameters", release, run_id=run, frame_id=frame, tiltseries_id=tilt, z_index=section, major_defocus=defocus
            )  # fmt: skip
        alignment = self.add("Alignment", release, **of, tiltseries_id=tilt, folder=f"{home}/Alignments/100")
        spacing = self.add(
            "TomogramVoxelSpacing", release, run_id=run, voxel_spacing=10.0, folder_path=f"{home}/VS/", folder=f"{home}/VS"
        )  # fmt: skip
        tomogram = self.add(
            "Tomogram", release, **of, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, name=f"tomogram of {home}", size_x=960,
            reconstruction_method=self.draw.choice(["WBP", "SIRT"]), omezarr_path=f"{home}/t.zarr", release_date=PAST,
            folder=f"{home}/VS/T", neuroglancer_config=STATE,
        )  # fmt: skip
        for order in range(2):
            self.add(
                "TomogramAuthor",
                release,
                tomogram_id=tomogram,
                name=f"Author {order}",
                author_list_order=order,
            )
        named = self.draw.choices(self.objects, self.chances)[0]
        self.add("IdentifiedObject", release, run_id=run, object_name=named, object_id="GO:1")
        return alignment, spacing

    def annotation(
        self, run: int, deposition: int, alignment: int | None, spacing: int | None, folder: str, release: str
    ) -> None:  # fmt: skip
        """An annotation; with authors, shape and file when everything is made."""
        annotation = self.add(
            "Annotation", release, run_id=run, tomogram_voxel_spacing_id=spacing, deposition_id=deposition, object_id="GO:0005840",
            object_name=self.draw.choices(self.objects, self.chances)[0], ground_truth_status=self.draw.random() < 0.3,
            release_date=PAST, metadata_path=f"{folder}/m.json", folder=folder,
        )  # fmt: skip
        if self.annotations_only:
            return
        for order in range(3):
            of = {"annotation_id": annotation, "folder": folder}
            self.add("AnnotationAuthor", release, **of, name=f"Author {order}", author_list_order=order)
        kind = self.draw.choice(["Point", "SegmentationMask"])
        shape = self.add("AnnotationShape", release, annotation_id=annotation, shape_type=kind, folder=folder)
        self.add(
            "AnnotationFile", release, annotation_shape_id=shape, alignment_id=alignment, tomogram_voxel_spacing_id=spacing, format="mrc",
            path=f"{folder}/x.mrc", file_size=1e6, folder=folder,
        )  # fmt: skip
