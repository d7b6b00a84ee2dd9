"""The annotations of a run: filters against a plain evaluation, what follows a visitor to the run, and the ways back."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from fixtures_catalog import fill
from fixtures_web import _Portal, web_app
from tomoportal.catalog import open_catalog

RUN, OTHER = 70, 80
SEEN = "vault"


def _made() -> tuple[_Portal, list[dict]]:
    """A run with 46 annotations of everything, and one with a single annotation; what is known of each of the first."""
    draw, portal, known = random.Random(11), _Portal(), []
    for number in (1, 2):
        portal.add("Deposition", id=number, title=f"Look {number}", folder=f"DepositionMetadata/{number}")
    portal.add(
        "Dataset",
        id=7,
        title="Cells",
        deposition_id=1,
        organism_name="Homo sapiens",
        organism_taxid=9606,
        folder="7",
    )
    for run in (RUN, OTHER):
        portal.add("Run", id=run, dataset_id=7, name=f"TS_{run}", folder=f"7/TS_{run}")
        portal.add(
            "IdentifiedObject", run_id=run, object_name=SEEN, object_id="GO:0000001", folder=f"7/TS_{run}"
        )
    for number in range(47):
        told = {
            "object_name": draw.choice(("ribosome", "membrane", "100% actin_x")), "deposition_id": draw.choice((1, 2)),
            "ground_truth_status": draw.random() < 0.3, "object_count": draw.choice((None, 3, 40, 700)),
            "method_type": draw.choice(("manual", "hybrid", "automated")), "annotation_software": draw.choice((None, "crYOLO", "MemBrain")),
        }  # fmt: skip
        told["object_id"] = {"ribosome": "GO:0005840", "membrane": "GO:0016020"}.get(
            told["object_name"], "UniProtKB:P60709"
        )
        run, id = (OTHER, 999) if number == 46 else (RUN, 500 + number)
        portal.add("Annotation", id=id, run_id=run, folder=f"7/TS_{run}/{id}", **told)
        shapes, author = (
            draw.sample(("Point", "SegmentationMask"), draw.choice((1, 1, 2))),
            draw.choice(("Zoë Öz", "Ada")),
        )
        for shape in shapes:
            portal.add("AnnotationShape", annotation_id=id, shape_type=shape, folder=f"7/TS_{run}/{id}")
        orcid = "0000-0002-1825-0097" if author == "Ada" else None
        portal.add(
            "AnnotationAuthor",
            annotation_id=id,
            name=author,
            orcid=orcid,
            author_list_order=1,
            folder=f"7/TS_{run}/{id}",
        )
        if run == RUN:
            known.append({**told, "id": id, "shapes": shapes, "author": author})
    return portal, known


@pytest.fixture(scope="module")
def known() -> list[dict]:
    return _made()[1]


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory, browser) -> Iterator:
    folder = tmp_path_factory.mktemp("annotations")
    with open_catalog(f"sqlite:///{folder / 'catalog.sqlite'}", create=True) as catalog:
        fill(catalog, _made()[0].rows)
        yield type(browser)(TestClient(web_app(catalog, Path("no-files")), raise_server_exceptions=False))


TESTS = {
    "object=membrane": lambda a: a["object_name"] == "membrane",
    "object=membrane&object=ribosome": lambda a: a["object_name"] != "100% actin_x",
    "ground_truth=true": lambda a: a["ground_truth_status"],
    "object_shape=Point": lambda a: "Point" in a["shapes"],
    "method_type=manual": lambda a: a["method_type"] == "manual",
    "annotation-software=MemBrain": lambda a: a["annotation_software"] == "MemBrain",
    "deposition-id=CZCDP-2": lambda a: a["deposition_id"] == 2,
    "objects_min=40": lambda a: (a["object_count"] or 0) >= 40,
    "objects_max=40": lambda a: a["object_count"] is not None and a["object_count"] <= 40,
    "object-id=go_0005840": lambda a: a["object_id"] == "GO:0005840",
    "annotation=AN-501, 502": lambda a: a["id"] in (501, 502),
    "author=zoë": lambda a: a["author"] == "Zoë Öz",
    "annotation_author_orcid=https://orcid.org/0000-0002-1825-0097": lambda a: a["author"] == "Ada",
    "find=100%25 actin_": lambda a: a["object_name"] == "100% actin_x",
}  # fmt: skip


def listed(visitor, query: str) -> tuple[int, set[int]]:
    """What the list says it holds, and the annotations on all its pages."""
    found: set[int] = set()
    for number in itertools.count(1):
        page = visitor.page(f"/runs/{RUN}?{query}&page={number}")
        found |= {
            int(id[3:])
            for tag, told in page.tags
            if tag == "tbody" and (id := told.get("id") or "").startswith("AN-")
        }
        total = int(re.search(r"(\d+) of 46 annotations", page.text)[1])
        if number * 20 >= total:
            return total, found
    raise AssertionError


@pytest.mark.parametrize("query", ["", *TESTS])
def test_each_filter_finds_what_fulfils_it(visitor, known, query):
    wanted = {item["id"] for item in known if not query or TESTS[query](item)}
    assert listed(visitor, query) == (len(wanted), wanted)


def test_several_filters_must_hold_together_and_counts_are_rows(visitor, known):
    for one, other in (
        ("object=membrane", "method_type=manual"),
        ("ground_truth=true", "object_shape=Point"),
    ):
        wanted = {item["id"] for item in known if TESTS[one](item) and TESTS[other](item)}
        assert listed(visitor, f"{one}&{other}")[1] == wanted
    page = visitor.client.get(f"/runs/{RUN}.json?object_shape=Point").json()
    offered = [
        (facet["item"]["parameter"], option)
        for facet in page["listing"]["facets"]
        for option in facet["options"]
        if facet["item"]["parameter"] != "object_shape"
    ]
    assert len(offered) > 8
    for parameter, option in offered:
        assert listed(visitor, f"object_shape=Point&{parameter}={option['value']}")[0] == option["count"]


def test_the_headings_count_the_whole_list(visitor, known):
    truths = sum(item["ground_truth_status"] for item in known)
    first, last = (visitor.page(f"/runs/{RUN}?page={number}").text for number in (1, 3))
    assert f"{truths} ground truth annotations" in first
    assert f"{46 - truths} other annotations" in last
    assert "other annotations" not in visitor.page(f"/runs/{RUN}?sort=object").text


def test_an_object_that_was_only_seen_is_told_of(visitor):
    page = visitor.page(f"/runs/{RUN}?object={SEEN}")
    assert f"{SEEN} was seen in this run, but nobody has annotated it yet." in page.text
    assert "0 of 46 annotations" in page.text


def test_a_single_annotation_needs_no_filters(visitor):
    page = visitor.page(f"/runs/{OTHER}")
    assert "1 of 1 annotation" in page.text
    assert "show-filters" not in page.values("input", "id")
    assert "Remove Object ribosome" in visitor.page(f"/runs/{OTHER}?object=ribosome").text


def test_no_form_lies_in_another(visitor):
    depth = 0
    for tag in re.findall(r"<(/?form)\b", visitor.client.get(f"/runs/{RUN}").text):
        depth += 1 if tag == "form" else -1
        assert depth in (0, 1)


def follow(visitor, page, pattern):
    href = next(link for link in page.values("a", "href") if re.match(pattern, link))
    return href, visitor.page(href.partition("#")[0])


def asked(href):
    return dict(parse_qsl(urlsplit(href).query))


def test_filters_follow_from_datasets_to_the_run_and_every_step_leads_back(visitor):
    start = "object=membrane&organism=Homo+sapiens"
    _, dataset = follow(visitor, visitor.page(f"/browse-data/datasets?{start}"), r"/datasets/7\?")
    href, run = follow(visitor, dataset, r"/runs/70\?")
    assert asked(href)["object"] == "membrane"
    assert "Remove Object membrane" in run.text
    back, again = follow(visitor, run, r"/datasets/7\?")
    assert asked(back)["object"] == "membrane"
    assert "Remove Object membrane" in again.text
    lists, _ = follow(visitor, run, r"/browse-data/datasets\?")
    assert sorted(parse_qsl(urlsplit(lists).query)) == sorted(parse_qsl(start))
    dropped = next(link for link in run.values("a", "hx-get") if "object=" not in link.split("back=")[0])
    assert back in visitor.page(dropped).values("a", "href")


def test_the_list_of_runs_is_found_again(visitor):
    runs = visitor.page("/browse-data/runs?object_shape=Point&author=nobody")
    assert "0 of 2 runs" in runs.text
    href, run = follow(
        visitor, visitor.page("/browse-data/runs?object_shape=Point&sort=name-desc"), r"/runs/70\?"
    )
    assert (asked(href)["object_shape"], asked(href)["from"]) == ("Point", "runs")
    back, _ = follow(visitor, run, r"/browse-data/runs\?")
    assert asked(back) == {"object_shape": "Point", "sort": "name-desc"}


def test_from_a_deposition_only_what_it_brought_is_shown(visitor):
    deposition = visitor.page("/depositions/2?deposition-tab=annotations&group-by=")
    href, run = follow(visitor, deposition, r"/runs/70\?")
    assert asked(href)["deposition_id"] == "2"
    assert "Remove Deposition CZCDP-2" in run.text
    assert "Look 2" in run.blocks["nav"][1]
    assert any(link.startswith("/depositions/2") for link in run.values("a", "href"))
    _, dataset = follow(visitor, run, r"/datasets/7\?")
    assert "CZCDP-2" in dataset.text
    theirs = visitor.page(f"/runs/{RUN}?from=deposition-annotations&deposition-id=2&table-tab=Annotations")
    assert "Look 2" in theirs.blocks["nav"][1]
    assert "left out" not in theirs.text


@pytest.mark.parametrize(
    "query", ["from=x&back=a%3Db", "from=deposition-77", "from=deposition-annotations", "back=" + "a" * 5000]
)
def test_ways_back_that_make_no_sense_are_none(visitor, query):
    page = visitor.page(f"/runs/{RUN}?{query}")
    assert "Cells" in page.blocks["nav"][1]
