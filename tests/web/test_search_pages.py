"""The page of a search, what the search box suggests, and lists in the order of how well words fit."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from fixtures_web import DAY, HOSTILE, SECRET, web_app, web_portal
from tomoportal.model import query as q


@pytest.fixture(scope="module")
def found(backend, tmp_path_factory):
    """The invented portal on either database: its view, and its pages."""
    folder = tmp_path_factory.mktemp("found")
    with web_portal(folder, backend.url(folder), pictures=False) as catalog:
        yield catalog.view(today=DAY), TestClient(web_app(catalog, folder / "files"))


def shown(client, path, **parameters):
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_everything_that_fits_is_there_as_a_table(found):
    html = shown(found[1], "/search", q="membrane")
    assert 'href="/search.csv?q=membrane">as CSV</a>' in html
    rows = found[1].get("/search.csv?q=membrane").text.splitlines()[1:]
    counted = re.search(r'class="tally"[^>]*>(.*?)</p>', html, re.S)[1]
    assert len(rows) == sum(int(count) for count in re.findall(r"<strong>(\d+)</strong>", counted)) > 20


def test_a_basket_of_every_kind_is_counted_alike(found):
    """Whatever the database: how much there is of each sort, and of points."""
    client, ids = found[1], "1000-1400"
    kinds = ("runs", "tomograms", "annotations", "tiltseries")
    whole = client.get("/basket.json", params={"datasets": "10003_10004", **dict.fromkeys(kinds, ids)}).json()
    sorts = {o["word"]: o["amount"]["count"] for _, offers in whole["files"]["kinds"] for o in offers}
    assert sorts["tomograms.mrc"] == sorts["tomograms.zarr"] > sorts["annotations.ndjson"] > 1
    only = client.get("/basket.json", params={"annotations": ids}).json()
    assert {label for label, _ in only["files"]["kinds"]} == {"Annotations"}
    assert whole["points"]["lists"] >= only["points"]["lists"] > 1


def titles(html):
    return [
        re.sub("<[^>]+>", "", title)
        for title in re.findall(r'<h2 class="entry-title"><a [^>]*>(.*?)</a>', html)
    ]


def test_results_are_grouped_by_type_with_their_numbers(found):
    view, client = found
    html = shown(client, "/search", q="ribosome")
    for entity, words in (("Dataset", "datasets"), ("Run", "runs"), ("Annotation", "annotations")):
        assert (
            f'<a href="#{words}"><strong>{view.count(entity, q.Search("ribosome"))}</strong> {words}</a>'
            in html
        )
    assert "<mark>Ribosomes</mark> in growing yeast" in html
    assert re.search(r"<dt>object</dt><dd>cytosolic <mark>ribosome</mark></dd>", html)
    assert "title of a dataset" in html
    assert re.search(r'<h3><a href="/annotations/\d+">cytosolic <mark>ribosome</mark></a>', html)


def test_objects_organisms_and_authors_lead_to_their_datasets(found):
    _, client = found
    for text, name in (
        ("ribosome", "cytosolic ribosome"),
        ("ruska", "Ernst Ruska"),
        ("sapiens", "Homo sapiens"),
        ("membrane", "membrane"),
    ):
        html = shown(client, "/search", q=text)
        (href, count), *_ = re.findall(
            rf'<a href="([^"]+)">{name}</a> <span class="count">(\d+) datasets?<', html
        )
        listed = client.get(href.replace("&amp;", "&")).text
        assert int(re.search(r"<strong>(\d+)</strong> of 27 datasets", listed)[1]) >= int(count) > 0


@pytest.mark.parametrize(
    "text", ["", "zzzz", "-yeast", "%", "\x00", HOSTILE, "a" * 5000, "—", "DS-", '"', "-" * 300]
)
def test_whatever_is_typed(found, text):
    _, client = found
    for path in ("/search", "/search/suggest"):
        assert "<script>alert" not in shown(client, path, q=text)
    if text == "zzzz":
        assert "Nothing fits" in shown(client, "/search", q=text)


def test_an_identifier_leads_to_its_row(found):
    _, client = found
    for text, href in (
        ("DS-10003", "/datasets/10003"),
        ("RN-990", "/runs/990"),
        ("CZCDP-10300", "/depositions/10300"),
    ):
        first = re.search(r'<h3><a href="([^"]+)">', shown(client, "/search", q=text))
        assert first[1] == href or href in shown(client, "/search", q=text)


def test_nothing_of_the_future(found):
    _, client = found
    assert "Nothing fits" in shown(client, "/search", q=f"DS-{SECRET}")
    assert f"/datasets/{SECRET}" not in shown(client, "/search", q="minimal cell") + shown(
        client, "/search/suggest", q="chemo"
    )


def test_suggestions(found):
    _, client = found
    html = shown(client, "/search/suggest", q="mito")
    assert '<span class="suggested">Mitochondria of cultured cells under stress</span>' in html
    assert 'data-href="/datasets/10003"' in html
    organism = shown(client, "/search/suggest", q="homo sap")
    assert "organism · 5 datasets" in organism
    assert "/browse-data/datasets?organism=Homo+sapiens" in organism
    assert "<html" not in html


def test_a_list_with_words_is_in_order_of_how_well_they_fit(found):
    view, client = found
    html = shown(client, "/browse-data/datasets", search="ribosome")
    hits = view.search(q.Ranked("ribosome", ("Dataset",), limit=20))["hits"]
    assert titles(html) == [hit["title"] for hit in hits]
    assert '<option value="" selected>Best match</option>' in html
    assert "<mark>Ribosomes</mark> in growing yeast" in html


def test_other_orders_keep_the_matches(found):
    _, client = found
    html = shown(client, "/browse-data/datasets", search="ribosome", sort="title")
    assert titles(html) == sorted(titles(html))
    assert "<mark>ribosome</mark>" in html
    assert 'value="title" selected' in html


def test_pages_filters_and_words_go_together(found):
    view, client = found
    where = q.Search("cells") & q.Compare("organism_name", "eq", "Homo sapiens")
    html = shown(client, "/browse-data/datasets", search="cells", organism="Homo sapiens", page=2)
    assert f"<strong>{view.count('Dataset', where)}</strong> of 27" in html
    first, second = (
        titles(shown(client, "/browse-data/datasets", search="vitrified", page=page)) for page in (1, 2)
    )
    assert (len(first), len(second)) == (20, 7)
    assert not set(first) & set(second)


def test_depositions_are_ranked_too(found):
    _, client = found
    html = shown(client, "/browse-data/depositions", search="angstrom survey")
    assert "<mark>survey</mark>" in html
    assert "<mark>Ångström</mark>" in html


def test_without_words_nothing_is_marked(found):
    _, client = found
    for search in ("", "-yeast"):
        html = shown(client, "/browse-data/datasets", search=search)
        assert "<mark>" not in html
        assert "Best match" not in html
