"""An invented portal whose runs hold random things, and what every filter of the lists means there in plain Python.

`Mixed().rows` are rows for `fixtures_catalog.fill`; `Plain(mixed)` tells the ids of the datasets, runs and depositions that a choice of
filters means, from these rows alone: the choice is `{parameter: [values]}`.
"""

from __future__ import annotations

import itertools
import random
import re

from fixtures_catalog import row


class Mixed:
    """24 datasets of 4 depositions whose runs hold random things, so that it matters which filters speak of the same run."""

    def __init__(self):
        self.draw, self.rows, self.ids = random.Random(3), {}, itertools.count(1)
        for number in range(1, 5):
            self.add("Deposition", id=number, title=f"Deposition {number}")
            self.add(
                "DepositionAuthor",
                deposition_id=number,
                name=f"Depositor {number % 2}",
                orcid="0000-0001-0000-0001" if number == 2 else None,
                author_list_order=1,
            )
        for number in range(24):
            self.dataset(number)

    def add(self, entity, **values):
        self.rows.setdefault(entity, []).append(row(entity, **{"id": next(self.ids), **values}))
        return self.rows[entity][-1]["id"]

    def some(self, *of):
        return self.draw.choice(of)

    def dataset(self, number):
        entries = self.some(None, "EMPIAR-118", "EMPIAR-11830, EMD-118", "EMD-11830")
        dataset = self.add(
            "Dataset", title=f"{self.some('cells', 'phages')} {number}", deposition_id=self.some(1, 2, 3), organism_name=f"O{number % 3}",
            related_database_entries=entries,
        )  # fmt: skip
        name, orcid = self.some(("Ada_X", "0000-0001-0000-0001"), ("Bob 100%", None))
        self.add(
            "DatasetAuthor",
            dataset_id=dataset,
            name=name,
            orcid=orcid,
            kaggle_id=self.some(None, "owl"),
            author_list_order=1,
        )
        for _ in range(self.some(0, 1, 2, 4)):
            self.run(dataset)

    def run(self, dataset):
        run = self.add("Run", name=self.some("TS_1", "TSx1", "pos 7"), dataset_id=dataset)
        for _ in range(self.some(0, 1, 1, 2)):
            self.add(
                "TiltSeries", run_id=run, deposition_id=1, camera_manufacturer=self.some("Gatan", "TFS"),
                camera_model=self.some("K3", "F4"),
                tilt_series_quality=self.some(1, 3, 5), tilt_range=self.some(90.0, 100.5, 120.0),
            )  # fmt: skip
        for _ in range(self.some(0, 1, 2)):
            name = self.some("a", "b", "c")
            annotation = self.add(
                "Annotation", run_id=run, deposition_id=self.some(1, 4), object_name=name, object_id=f"GO:{name}",
                ground_truth_status=self.draw.random() < 0.4, object_count=self.some(None, 3, 40, 700),
                method_type=self.some("manual", "hybrid"), annotation_software=self.some(None, "crYOLO"),
            )  # fmt: skip
            self.add("AnnotationShape", annotation_id=annotation, shape_type=self.some("Point", "Mesh"))
        for _ in range(self.some(0, 0, 1)):
            name = self.some("a", "d")
            self.add("IdentifiedObject", run_id=run, object_name=name, object_id=f"GO:{name}")
        for _ in range(self.some(0, 1)):
            self.add(
                "Tomogram", run_id=run, deposition_id=2, reconstruction_method=self.some("WBP", "SIRT"),
                reconstruction_software=f"R{self.draw.randrange(12):02}",
                voxel_spacing=self.some(7.84, 10.0, 13.48), processing=self.some("raw", "denoised"),
                fiducial_alignment_status=self.some("FIDUCIAL", "NON_FIDUCIAL"),
            )  # fmt: skip

    def of(self, entity, key, id):
        return [item for item in self.rows.get(entity, []) if item[key] == id]


VALUES = {
    "organism": ("O0", "O1", "O2"), "search": ("cells", "phages"), "files": ("annotation", "tomogram", "tilt-series"),
    "ground_truth": ("true",), "object": ("a", "b", "c", "d"), "annotated_objects": ("Yes",), "objects_min": ("4", "41"),
    "objects_max": ("40", "100"),
    "object_shape": ("Point", "Mesh"), "method_type": ("manual", "hybrid"), "annotation_software": ("crYOLO",),
    "camera_manufacturer": ("Gatan", "TFS"), "camera_model": ("K3", "F4"), "quality_score": ("1", "3", "5"), "tilt_min": ("95", "100.5"),
    "tilt_max": ("100.5", "130"), "spacing_min": ("7.84", "9"), "spacing_max": ("10", "13"), "reconstruction_method": ("WBP", "SIRT"),
    "processing": ("raw", "denoised"), "reconstruction_software": tuple(f"R{number:02}" for number in range(12)),
    "fiducial_alignment": ("FIDUCIAL", "NON_FIDUCIAL"), "run_name": ("ts_", "7", "%"),
    "object_id": ("GO:a", "GO:d"), "runs_min": ("1", "2"), "runs_max": ("2", "3"), "deposition_id": ("1", "4"),
    "empiar_id": ("118", "11830"), "emdb_id": ("118", "11830"), "author": ("ada_", "owl", "100%", "adax"), "author_orcid": ("0000-0001",),
    "dataset_id": (), "run_id": (),
}  # fmt: skip
SINGLE = ("search", "run_name", "object_id", "author", "author_orcid")
"""What takes one value."""
OF_RUNS = frozenset(
    (
        "files", "ground_truth", "object", "annotated_objects", "objects", "object_shape", "method_type", "annotation_software",
        "camera_manufacturer", "camera_model", "quality_score", "tilt", "spacing", "reconstruction_method", "processing",
        "fiducial_alignment", "reconstruction_software", "run_name", "run_id", "object_id",
    )
)  # fmt: skip


class Plain:
    """What rows mean, without a catalogue."""

    def __init__(self, mixed):
        self.mixed = mixed
        self.held = {run["id"]: self.parts(run) for run in mixed.rows["Run"]}

    def parts(self, run):
        words = ("Annotation", "Tomogram", "TiltSeries", "IdentifiedObject")
        return {"run": run, **{word: self.mixed.of(word, "run_id", run["id"]) for word in words}}

    def run_has(self, id, asked):
        about = [name for name in asked if re.sub("_m(in|ax)$", "", name) in OF_RUNS]
        return all(self._run_has(self.held[id], name, asked[name], asked) for name in about)

    def _run_has(self, held, name, values, asked):
        annotations, tomograms, tilts = held["Annotation"], held["Tomogram"], held["TiltSeries"]

        def any_of(items, field):
            return any(str(item[field]) in values for item in items)

        match name:
            case "files":
                kinds = {"annotation": annotations, "tomogram": tomograms, "tilt-series": tilts}
                return all(kinds[value] for value in values)
            case "ground_truth":
                return any(item["ground_truth_status"] for item in annotations)
            case "annotated_objects":
                return bool(annotations)
            case "object":
                counted = [
                    item for item in annotations if self.within(item["object_count"], "objects", asked)
                ]
                is_counted = "objects_min" in asked or "objects_max" in asked
                seen = [] if is_counted or "annotated_objects" in asked else held["IdentifiedObject"]
                return any_of([*(counted if is_counted else annotations), *seen], "object_name")
            case "objects_min" | "objects_max":
                named = [
                    item
                    for item in annotations
                    if item["object_name"] in asked.get("object", [item["object_name"]])
                ]
                return any(self.within(item["object_count"], "objects", asked) for item in named)
            case "tilt_min" | "tilt_max":
                return any(self.within(item["tilt_range"], "tilt", asked) for item in tilts)
            case "spacing_min" | "spacing_max":
                return any(self.within(item["voxel_spacing"], "spacing", asked) for item in tomograms)
            case "object_shape":
                shapes = [
                    shape
                    for item in annotations
                    for shape in self.mixed.of("AnnotationShape", "annotation_id", item["id"])
                ]
                return any_of(shapes, "shape_type")
            case "method_type" | "annotation_software":
                return any_of(annotations, name)
            case "camera_manufacturer" | "camera_model":
                return any_of(tilts, name)
            case "quality_score":
                return any_of(tilts, "tilt_series_quality")
            case "reconstruction_method" | "reconstruction_software" | "processing":
                return any_of(tomograms, name)
            case "fiducial_alignment":
                return any_of(tomograms, "fiducial_alignment_status")
            case "run_name":
                return values[0].lower() in held["run"]["name"].lower()
            case "run_id":
                return str(held["run"]["id"]) in values
            case "object_id":
                return any_of([*annotations, *held["IdentifiedObject"]], "object_id")
        raise AssertionError(name)

    def within(self, value, name, asked):
        low, high = (
            float(asked.get(f"{name}_{end}", [nothing])[0])
            for end, nothing in (("min", "-inf"), ("max", "inf"))
        )
        return value is not None and low <= value <= high

    def dataset_has(self, dataset, asked):
        """What is asked of the dataset itself."""
        authors = self.mixed.of("DatasetAuthor", "dataset_id", dataset["id"])
        entries = (dataset["related_database_entries"] or "").split(", ")
        tests = {
            "organism": lambda values: dataset["organism_name"] in values,
            "dataset_id": lambda values: str(dataset["id"]) in values,
            "empiar_id": lambda values: any(f"EMPIAR-{value}" in entries for value in values),
            "emdb_id": lambda values: any(f"EMD-{value}" in entries for value in values),
            "author": lambda values: any(values[0].lower() in f"{item['name']} {item['kaggle_id']}".lower() for item in authors),
            "author_orcid": lambda values: any((item["orcid"] or "").startswith(values[0]) for item in authors),
        }  # fmt: skip
        return all(test(asked[name]) for name, test in tests.items() if name in asked)

    def of_deposition(self, run, values):
        held = self.held[run]
        return any(
            str(item["deposition_id"]) in values for kind in ("Annotation", "Tomogram") for item in held[kind]
        )

    def datasets(self, asked):
        return {dataset["id"] for dataset in self.mixed.rows["Dataset"] if self._dataset(dataset, asked)}

    def depositions(self, asked):
        return {
            item["id"]
            for item in self.mixed.rows["Deposition"]
            if deposition_has(self.mixed, item["id"], asked)
        }

    def _dataset(self, dataset, asked):
        runs = [run["id"] for run in self.mixed.of("Run", "dataset_id", dataset["id"])]
        inside = {name for name in asked if re.sub("_m(in|ax)$", "", name) in OF_RUNS}
        given = asked.get("deposition_id")
        return (
            self.dataset_has(dataset, asked)
            and all(word in dataset["title"] for word in asked.get("search", []))
            and self.within(len(runs), "runs", asked)
            and (
                not given
                or str(dataset["deposition_id"]) in given
                or any(self.of_deposition(run, given) for run in runs)
            )
            and (not inside or any(self.run_has(run, {name: asked[name] for name in inside}) for run in runs))
        )

    def runs(self, asked):
        owners = {dataset["id"]: dataset for dataset in self.mixed.rows["Dataset"]}
        given = asked.get("deposition_id")
        return {
            run["id"]
            for run in self.mixed.rows["Run"]
            if self.dataset_has(owners[run["dataset_id"]], asked)
            and (
                not given
                or str(owners[run["dataset_id"]]["deposition_id"]) in given
                or self.of_deposition(run["id"], given)
            )
            and self.run_has(run["id"], asked)
        }


def deposition_has(rows, id, asked):
    """Whether a deposition fulfils what is asked of it and of what it brought."""
    annotations, authors = (rows.of(kind, "deposition_id", id) for kind in ("Annotation", "DepositionAuthor"))
    shapes = [
        shape for item in annotations for shape in rows.of("AnnotationShape", "annotation_id", item["id"])
    ]
    kinds = {"annotation": "Annotation", "tomogram": "Tomogram", "tilt-series": "TiltSeries"}
    tests = {
        "files": lambda values: all(rows.of(kinds[value], "deposition_id", id) for value in values),
        "ground_truth": lambda values: any(item["ground_truth_status"] for item in annotations),
        "organism": lambda values: any(
            item["organism_name"] in values for item in rows.of("Dataset", "deposition_id", id)
        ),
        "object": lambda values: any(item["object_name"] in values for item in annotations),
        "object_shape": lambda values: any(shape["shape_type"] in values for shape in shapes),
        "deposition_id": lambda values: str(id) in values,
        "author": lambda values: any(values[0].lower() in item["name"].lower() for item in authors),
        "author_orcid": lambda values: any((item["orcid"] or "").startswith(values[0]) for item in authors),
    }
    return all(tests[name](values) for name, values in asked.items())
