"""Random states of all filters of all lists: against a plain evaluation over the rows, every count against the list it leads to."""

from __future__ import annotations

import random
import re

import pytest
from starlette.testclient import TestClient

from fixtures_catalog import fill
from fixtures_web import DAY, web_app
from mixed_portal import OF_RUNS, SINGLE, VALUES, Mixed, Plain
from tomoportal.catalog import open_catalog
from tomoportal.model.query import EVERYTHING, Compare
from tomoportal.web.lists.filter_kinds import AllOf, OneOf, Range
from tomoportal.web.lists.offered import DATASETS, DEPOSITIONS, RUNS, RUNS_OF_DATASET

ADDRESS = {DATASETS.entity: "datasets", RUNS.entity: "runs", DEPOSITIONS.entity: "depositions"}


@pytest.fixture(scope="module")
def mixed(backend, tmp_path_factory):
    with open_catalog(backend.url(tmp_path_factory.mktemp("mixed")), create=True) as catalog:
        rows = Mixed()
        fill(catalog, rows.rows)
        yield rows, catalog


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
        assert found == Plain(rows).depositions(asked), asked
        check_counts(catalog, choice, members)
    assert listed(catalog, DEPOSITIONS, {"author": ["depositor 1"]})[2] == {1, 3}


def test_all_filters_are_tried():
    tried = {re.sub("_m(in|ax)$", "", name) for name in VALUES}
    for of in (DATASETS, RUNS, RUNS_OF_DATASET, DEPOSITIONS):
        assert {item.parameter for item in of.filters} <= tried
