from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from fixtures_catalog import fill, row
from fixtures_web import DAY
from tomoportal.web.lists.offered import DATASETS, RUNS_OF_DATASET


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
    shown = [set(re.findall(r'href="(/datasets/\d+)["?]', page.html)) for page in (first, second, beyond)]
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
            r'<h2 class="entry-title"><a href="/datasets/\d+(?:\?[^"]*)?">([^<]+)', browse(**parameters).html
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
        assert bool(view.count("Run", RUNS_OF_DATASET.text(text))) is some, text


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
