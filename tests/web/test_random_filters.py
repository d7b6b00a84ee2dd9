"""Random states of all filters of all lists: against a plain evaluation over the rows, every count against the list it leads to."""

from __future__ import annotations

import itertools
import random
import re

import pytest
from starlette.testclient import TestClient

from fixtures_catalog import fill, row
from fixtures_web import DAY, web_app
from tomoportal.catalog import open_catalog
from tomoportal.model.query import EVERYTHING, Compare
from tomoportal.web.filter_kinds import AllOf, OneOf, Range
from tomoportal.web.lists import DATASETS, DEPOSITIONS, RUNS, RUNS_OF_DATASET

ADDRESS = {DATASETS.entity: "datasets", RUNS.entity: "runs", DEPOSITIONS.entity: "depositions"}


class Mixed:
    """24 datasets of 4 depositions whose runs hold random things, so that it matters which filters speak of the same run."""

    def __init__(self):
        self.draw, self.rows, self.ids = random.Random(3), {}, itertools.count(1)
        for number in range(1, 5):
            self.add("Deposition", id=number, title=f"Deposition {number}")
            self.add(
                "DepositionAuthor", deposition_id=number, name=f"Depositor {number % 2}", author_list_order=1
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
                "Tomogram", run_id=run, deposition_id=2, reconstruction_method=self.some("WBP", "SIRT"), reconstruction_software="IMOD",
                voxel_spacing=self.some(7.84, 10.0, 13.48), processing=self.some("raw", "denoised"),
                fiducial_alignment_status=self.some("FIDUCIAL", "NON_FIDUCIAL"),
            )  # fmt: skip

    def of(self, entity, key, id):
        return [item for item in self.rows.get(entity, []) if item[key] == id]


@pytest.fixture(scope="module")
def mixed(backend, tmp_path_factory):
    with open_catalog(backend.url(tmp_path_factory.mktemp("mixed")), create=True) as catalog:
        rows = Mixed()
        fill(catalog, rows.rows)
        yield rows, catalog


VALUES = {
    "organism": ("O0", "O1", "O2"), "search": ("cells", "phages"), "files": ("annotation", "tomogram", "tilt-series"),
    "ground_truth": ("true",), "object": ("a", "b", "c", "d"), "annotated_objects": ("Yes",), "objects_min": ("4", "41"),
    "objects_max": ("40", "100"),
    "object_shape": ("Point", "Mesh"), "method_type": ("manual", "hybrid"), "annotation_software": ("crYOLO",),
    "camera_manufacturer": ("Gatan", "TFS"), "camera_model": ("K3", "F4"), "quality_score": ("1", "3", "5"), "tilt_min": ("95", "100.5"),
    "tilt_max": ("100.5", "130"), "spacing_min": ("7.84", "9"), "spacing_max": ("10", "13"), "reconstruction_method": ("WBP", "SIRT"),
    "processing": ("raw", "denoised"), "fiducial_alignment": ("FIDUCIAL", "NON_FIDUCIAL"), "run_name": ("ts_", "7", "%"),
    "object_id": ("GO:a", "GO:d"), "runs_min": ("1", "2"), "runs_max": ("2", "3"), "deposition_id": ("1", "4"),
    "empiar_id": ("118", "11830"), "emdb_id": ("118", "11830"), "author": ("ada_", "owl", "100%", "adax"), "author_orcid": ("0000-0001",),
    "dataset_id": (), "run_id": (),
}  # fmt: skip
SINGLE = ("search", "run_name", "object_id", "author", "author_orcid")
OF_RUNS = frozenset(
    (
        "files", "ground_truth", "object", "annotated_objects", "objects", "object_shape", "method_type", "annotation_software",
        "camera_manufacturer", "camera_model", "quality_score", "tilt", "spacing", "reconstruction_method", "processing",
        "fiducial_alignment", "run_name", "run_id", "object_id",
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
            case "reconstruction_method" | "processing":
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


def states(mixed, number, names, seed):
    """Random choices of a few filters."""
    draw = random.Random(seed)
    for _ in range(number):
        asked = {}
        for name in draw.sample(sorted(names), draw.choice((0, 1, 2, 3, 4))):
            values = VALUES[name] or tuple(
                str(item["id"]) for item in mixed.rows["Dataset" if name == "dataset_id" else "Run"]
            )
            most = 1 if name in SINGLE or name.endswith(("_min", "_max")) else min(len(values), 3)
            asked[name] = draw.sample(values, draw.randint(1, most))
        if not any(is_reversed(asked, name) for name in ("objects", "tilt", "spacing", "runs")):
            yield asked


def is_reversed(asked, name):
    low, high = asked.get(f"{name}_min"), asked.get(f"{name}_max")
    return bool(low and high and float(low[0]) > float(high[0]))


def listed(catalog, of, asked, within=EVERYTHING):
    choice = of.read([(name, value) for name, values in asked.items() for value in values])
    assert not choice.notices
    members = choice.members(catalog.view(today=DAY), within)
    return choice, members, set(members.places.ids(choice.matching(members)[0]))


def check_counts(catalog, choice, members, within=EVERYTHING):
    """Every count is the length of the list that it leads to."""

    def length(changed):
        return len(listed(catalog, choice.of, by_name(changed), within)[2])

    for item in choice.of.filters:
        chosen = choice.chosen.get(item.parameter, ())
        match item:
            case OneOf() | AllOf():
                for option in choice.options(item, members):
                    values = (*chosen, option.value) if item.needs_all else (option.value,)
                    assert option.count == length(choice.choosing(item.parameter, values)), (
                        item.parameter,
                        option,
                    )
            case Range():
                for bar in choice.spread(item, members):
                    below = (
                        str(bar.low),
                        f"{bar.high - 1e-6 * (bar.high - bar.low):.12g}"
                        if not item.is_whole
                        else str(bar.high - 1),
                    )
                    assert bar.count == length(choice.choosing(item.parameter, below)), (item.parameter, bar)


def by_name(choice):
    asked = {}
    for name, value in choice.parameters():
        asked.setdefault(name, []).append(value)
    return asked


ABOUT_RUNS = [name for name in VALUES if name not in ("search", "runs_min", "runs_max")]


@pytest.mark.parametrize("of", [DATASETS, RUNS], ids=["datasets", "runs"])
def test_filters_mean_what_a_plain_evaluation_finds_and_counts_agree(mixed, of, tmp_path):
    rows, catalog = mixed
    plain = Plain(rows)
    expected = plain.datasets if of is DATASETS else plain.runs
    client = TestClient(web_app(catalog, tmp_path))
    for at, asked in enumerate(states(rows, 90, VALUES if of is DATASETS else ABOUT_RUNS, 11)):
        choice, members, found = listed(catalog, of, asked)
        assert found == expected(asked), asked
        if at % 4 == 0:
            check_counts(catalog, choice, members)
        if at % 12 == 0:
            page = client.get(f"/browse-data/{ADDRESS[of.entity]}", params=asked).text
            assert f"<strong>{len(found)}</strong> of {len(members.places.rows)} " in page


def test_every_filter_alone(mixed):
    rows, catalog = mixed
    plain = Plain(rows)
    for name, values in VALUES.items():
        for value in values:
            assert listed(catalog, DATASETS, {name: [value]})[2] == plain.datasets({name: [value]}), (
                name,
                value,
            )
            if name in ABOUT_RUNS:
                assert listed(catalog, RUNS, {name: [value]})[2] == plain.runs({name: [value]}), (name, value)


def test_runs_of_a_dataset(mixed):
    rows, catalog = mixed
    plain = Plain(rows)
    dataset = max(rows.rows["Dataset"], key=lambda item: len(rows.of("Run", "dataset_id", item["id"])))["id"]
    within = Compare("dataset_id", "eq", dataset)
    names = {item for item in ABOUT_RUNS if re.sub("_m(in|ax)$", "", item) in OF_RUNS}
    for asked in states(rows, 25, names, 5):
        choice, members, found = listed(catalog, RUNS_OF_DATASET, asked, within)
        assert found == plain.runs({**asked, "dataset_id": [str(dataset)]}), asked
        check_counts(catalog, choice, members, within)


def test_depositions(mixed):
    rows, catalog = mixed
    names = ("files", "ground_truth", "organism", "object", "object_shape", "deposition_id", "author")
    for asked in states(rows, 15, [name for name in names if name != "author"], 7):
        choice, members, found = listed(catalog, DEPOSITIONS, asked)
        assert found == {id for id in (1, 2, 3, 4) if deposition_has(rows, id, asked)}, asked
        check_counts(catalog, choice, members)
    assert listed(catalog, DEPOSITIONS, {"author": ["depositor 1"]})[2] == {1, 3}


def deposition_has(rows, id, asked):
    annotations = rows.of("Annotation", "deposition_id", id)
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
    }
    return all(tests[name](values) for name, values in asked.items())


def test_all_filters_are_tried():
    tried = {re.sub("_m(in|ax)$", "", name) for name in VALUES}
    for of in (DATASETS, RUNS, RUNS_OF_DATASET, DEPOSITIONS):
        assert {item.parameter for item in of.filters} <= tried | {"reconstruction_software"}
