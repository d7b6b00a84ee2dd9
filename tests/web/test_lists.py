from __future__ import annotations

import itertools
import random
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from fixtures_catalog import fill, row
from fixtures_web import DAY, web_app
from tomoportal.catalog import open_catalog
from tomoportal.web.lists import DATASETS, RUNS


def tally(page) -> int:
    return int(re.search(r"([\d,]+) of [\d,]+ dataset", page.text)[1].replace(",", ""))


def options(page) -> dict[tuple[str, str], int]:
    """(parameter, value) → count, as a visitor sees them."""
    shown = re.findall(
        r'name="(\w+)" value="([^"]*)"[^>]*><span>[^<]*</span><span class="count">([\d,]+)<', page.html
    )
    assert len(shown) >= 3
    return {(name, value): int(count.replace(",", "")) for name, value, count in shown}


@pytest.fixture(scope="session")
def browse(browser):
    def get(**parameters):
        path = str(browser.client.build_request("GET", "/browse-data/datasets", params=parameters).url)
        page = browser.page(path)
        page.html = browser.client.get(path).text
        return page

    return get


@pytest.mark.parametrize(
    "chosen",
    [
        {}, {"organism": "Homo sapiens"}, {"object": ["membrane", "microtubule"]}, {"files": ["raw-frames", "annotation"]},
        {"organism": ["Homo sapiens", "Escherichia coli"], "object": "membrane"}, {"search": "yeast", "files": "tomogram"},
    ],
)  # fmt: skip
def test_counts_beside_filters_are_the_results_they_lead_to(browse, chosen):
    """Every option's count equals what is found with it: for a list of any-of the option alone, for all-of added to the chosen."""
    page = browse(**chosen)
    for (name, value), count in options(page).items():
        before = chosen.get(name, [])
        kept = ([before] if isinstance(before, str) else before) if name == "files" else []
        assert tally(browse(**{**chosen, name: [*kept, value]})) == count, (name, value)


def test_search_finds_titles_authors_organisms_and_objects(browse):
    assert 0 < tally(browse(search="thylakoid")) < 27
    assert tally(browse(search="angstrom")) == 27
    assert tally(browse(search="ruska")) < 27
    assert tally(browse(search="reinhardtii")) == 6
    assert 0 < tally(browse(search="microtubule")) < 27
    assert tally(browse(search="xyzzy")) == 0
    assert tally(browse(search="!!! ---")) in (0, 27)


def test_nothing_found_offers_the_way_back(browse):
    page = browse(search="xyzzy", organism="Homo sapiens")
    assert "No dataset fits" in page.text
    assert page.values("a", "href").count("/browse-data/datasets") >= 2


JUNK = (
    "page=0", "page=-1", "page=abc", "page=99999999999999999999", "page=²", "sort=junk", "files=junk", "organism=", "organism=%00",
    "foo=bar",
    "search=%22%27%3B--", "search=%25", "search=*", "search=NEAR(", "search=" + "a" * 5000, "organism=1;drop", "page=1e3",
    "object=%F0%9F%92%A9",
    "search=AND OR NOT", "&&&=&", "files=annotation&files=annotation", "runs=%22%3E5%22", "=", "organism=" + "&organism=x" * 200,
)  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_never_a_server_error(browser, junk):
    page = browser.page(f"/browse-data/datasets?{junk}")
    assert tally(page) >= 0
    browser.page(f"/datasets/10001?{junk.replace('organism', 'quality_score').replace('search', 'run-name')}")
    browser.page(f"/browse-data/depositions?{junk}")


@pytest.mark.parametrize(
    ("junk", "word"), [("page=abc", "abc"), ("sort=junk", "junk"), ("files=junk", "junk"), ("foo=bar", "foo")]
)
def test_junk_is_left_out_with_a_notice(browser, junk, word):
    page = browser.page(f"/browse-data/datasets?{junk}")
    assert tally(page) == 27
    assert re.search(rf"“{word}”.* left out", page.text)


def test_pages_of_a_list(browse):
    first, second, beyond = browse(), browse(page=2), browse(page=500)
    shown = [set(re.findall(r'href="(/datasets/\d+)"', page.html)) for page in (first, second, beyond)]
    assert [len(found) for found in shown] == [20, 7, 7]
    assert not shown[0] & shown[1]
    assert shown[1] == shown[2]
    assert "Previous" in first.text
    steps = [found["href"] for tag, found in first.tags if found.get("rel") == "next"]
    assert steps == ["/browse-data/datasets?page=2"]
    assert "Page" not in browse(organism="Homo sapiens").text


def test_orders(browse):
    def titles(**parameters):
        return re.findall(
            r'<h2 class="entry-title"><a href="/datasets/\d+">([^<]+)', browse(**parameters).html
        )

    assert titles(sort="title") == sorted(titles(sort="title"))
    assert titles(sort="asc") == titles(sort="title")
    assert titles(sort="desc")[0] == max(titles(sort="desc"))
    assert titles(sort="newest") == titles()


def test_chips_take_one_thing_off(browse):
    page = browse(search="cells", organism=["Homo sapiens", "Escherichia coli"], sort="title", page=2)
    removals = [address for address in page.values("a", "hx-get") if "page=" not in address]
    kept = [sorted(parse_qsl(urlsplit(address).query)) for address in removals]
    everything = {
        ("search", "cells"),
        ("organism", "Homo sapiens"),
        ("organism", "Escherichia coli"),
        ("sort", "title"),
    }
    assert len(kept) == 3
    assert all(len(everything - set(left)) == 1 for left in kept)


def test_the_form_works_without_scripts(browse):
    """What a browser would submit from the page with one more box ticked is what the filter means."""
    page = browse(object="membrane")
    (form,) = [found for tag, found in page.tags if tag == "form" and "browse" in found["class"]]
    assert (form["action"], form["method"]) == ("/browse-data/datasets", "get")
    checked = [
        (f["name"], f["value"]) for t, f in page.tags if f.get("type") == "checkbox" and "checked" in f
    ]
    assert checked == [("object", "membrane")]
    submitted = {"search": "", "organism": "Homo sapiens", "object": "membrane", "sort": "newest"}
    assert tally(browse(**submitted)) == tally(browse(organism="Homo sapiens", object="membrane"))
    assert "noscript" in page.blocks


def test_a_query_string_survives_reading():
    asked = [
        ("search", "a b"),
        ("organism", "Homo sapiens"),
        ("organism", "E. coli"),
        ("files", "ctf"),
        ("sort", "title"),
        ("page", "3"),
    ]
    choice = DATASETS.read(asked)
    assert sorted(choice.parameters(page=3)) == sorted(asked)
    assert DATASETS.read(choice.parameters(page=3)) == choice


def test_names_are_found_literally(portal):
    view = portal.view(today=DAY)
    for text, some in (("TS_0", True), ("ts_0", True), ("TSx0", False), ("%", False), ("\\", False)):
        assert bool(view.count("Run", RUNS.text(text))) is some, text


def test_what_is_remembered_goes_when_the_catalogue_changes(tmp_path):
    from fixtures_catalog import small_portal

    def with_object(catalog, name):
        members = DATASETS.read([]).members(catalog.view(today=DAY))
        bits = members.by_value(("runs", "annotations", "object_name")).get(name, 0)
        return members.places.ids(members.places.holding(bits))

    with small_portal(f"sqlite:///{tmp_path / 'catalog.sqlite'}") as catalog:
        assert with_object(catalog, "membrane") == (30001, 30002)
        assert with_object(catalog, "new thing") == ()
        new = row("Annotation", id=9, run_id=300011, object_name="new thing", deposition_id=20001)
        fill(catalog, {"Annotation": [new]})
        assert with_object(catalog, "new thing") == (30001,)


# ---- random states of the filters, against a plain evaluation and through the pages ----------------------------


def mixed_rows():
    """24 datasets whose runs hold random things, so that it matters which filters speak of the same run."""
    draw, rows, ids = random.Random(3), {}, itertools.count(1)

    def add(entity, **values):
        rows.setdefault(entity, []).append(row(entity, **{"id": next(ids), **values}))
        return rows[entity][-1]["id"]

    add("Deposition", id=1, title="All")
    for number in range(24):
        title = f"{draw.choice(['cells', 'phages'])} {number}"
        dataset = add("Dataset", title=title, deposition_id=1, organism_name=f"O{number % 3}")
        for _ in range(draw.choice((0, 1, 2, 4))):
            run = add("Run", name="r", dataset_id=dataset)
            for _ in range(draw.choice((0, 1, 1))):
                add(
                    "TiltSeries",
                    run_id=run,
                    deposition_id=1,
                    camera_manufacturer=draw.choice(("Gatan", "TFS", "FEI")),
                )
            for _ in range(draw.choice((0, 1, 2))):
                truth = draw.random() < 0.4
                annotation = add(
                    "Annotation",
                    run_id=run,
                    deposition_id=1,
                    object_name=draw.choice("abc"),
                    ground_truth_status=truth,
                )
                add("AnnotationShape", annotation_id=annotation, shape_type=draw.choice(("Point", "Mesh")))
            for _ in range(draw.choice((0, 1))):
                method = draw.choice(("WBP", "SIRT"))
                add(
                    "Tomogram",
                    run_id=run,
                    deposition_id=1,
                    reconstruction_method=method,
                    reconstruction_software="IMOD",
                )
    return rows


@pytest.fixture(scope="module")
def mixed(backend, tmp_path_factory):
    with open_catalog(backend.url(tmp_path_factory.mktemp("mixed")), create=True) as catalog:
        rows = mixed_rows()
        fill(catalog, rows)
        yield rows, catalog


def runs_with(rows):
    """What each run (by id) has under each filter."""

    def of(entity, key, id):
        return [item for item in rows[entity] if item[key] == id]

    found = {}
    for run in rows["Run"]:
        annotations, tomograms = (of(entity, "run_id", run["id"]) for entity in ("Annotation", "Tomogram"))
        tilt = of("TiltSeries", "run_id", run["id"])
        shapes = [
            shape for item in annotations for shape in of("AnnotationShape", "annotation_id", item["id"])
        ]
        held = {"annotation": annotations, "tomogram": tomograms, "tilt-series": tilt}
        found[run["id"]] = {
            "object": {item["object_name"] for item in annotations},
            "object_shape": {shape["shape_type"] for shape in shapes},
            "camera_manufacturer": {item["camera_manufacturer"] for item in tilt},
            "reconstruction_method": {item["reconstruction_method"] for item in tomograms},
            "reconstruction_software": {item["reconstruction_software"] for item in tomograms},
            "ground_truth": {"true"} if any(item["ground_truth_status"] for item in annotations) else set(),
            "files": {word for word, items in held.items() if items},
        }
    return found


def expected(rows, held, chosen):
    """Datasets of which one and the same run has all that is asked for about runs."""

    def has(run, name, values):
        return (
            set(values) <= held[run][name]
            if name in ("files", "ground_truth")
            else held[run][name] & set(values)
        )

    def fits(dataset):
        inside = [asked for asked in chosen.items() if asked[0] not in ("organism", "search")]
        runs = [run["id"] for run in rows["Run"] if run["dataset_id"] == dataset["id"]]
        return (
            dataset["organism_name"] in chosen.get("organism", [dataset["organism_name"]])
            and all(word in dataset["title"] for word in chosen.get("search", []))
            and (not inside or any(all(has(run, *asked) for asked in inside) for run in runs))
        )

    return {dataset["id"] for dataset in rows["Dataset"] if fits(dataset)}


VALUES = {
    "organism": ("O0", "O1", "O2"), "object": ("a", "b", "c"), "object_shape": ("Point", "Mesh"), "camera_manufacturer": ("Gatan", "TFS"),
    "reconstruction_method": ("WBP", "SIRT"), "files": ("annotation", "tomogram", "tilt-series"), "ground_truth": ("true",),
    "search": ("cells", "phages"),
}  # fmt: skip


def test_filters_speak_of_the_same_run_and_counts_agree(mixed, tmp_path):
    """For random states: the rows are those of a plain evaluation, and every count is the length of the list it leads to."""
    rows, catalog = mixed
    held, draw, client = runs_with(rows), random.Random(11), TestClient(web_app(catalog, tmp_path))

    def listed(chosen):
        choice = DATASETS.read([(name, value) for name, values in chosen.items() for value in values])
        members = choice.members(catalog.view(today=DAY))
        return choice, members, set(members.places.ids(choice.matching(members)[0]))

    for state in range(40):
        names = draw.sample(sorted(VALUES), draw.choice((0, 1, 2, 3, 4)))
        chosen = {
            name: draw.sample(VALUES[name], 1 if name == "search" else draw.randint(1, len(VALUES[name])))
            for name in names
        }
        choice, members, found = listed(chosen)
        assert found == expected(rows, held, chosen), chosen
        for item in choice.of.filters:
            for option in choice.options(item, members):
                kept = chosen.get(item.parameter, []) if item.needs_all else []
                added = {**chosen, item.parameter: [*kept, option.value]}
                assert option.count == len(listed(added)[2]), (added, option)
        if state % 8 == 0:
            page = client.get("/browse-data/datasets", params=chosen).text
            assert f"<strong>{len(found)}</strong> of 24 datasets" in page
