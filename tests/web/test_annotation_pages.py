"""Pages of annotations, alignments, objects, organisms and authors, over the invented portal."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from fixtures_web import CROWDED, DAY, SECRET
from tomoportal.model.query import Aggregate, Compare, Figure, GroupKey, Groups, Select, Value

RIBOSOME = "GO:0022626"


def ids(portal, entity, where):
    return [row["id"] for row in portal.view(today=DAY).rows(Select(entity, (Value("id", "id"),), where))]


def counted(portal, where):
    groups = (
        Groups(
            "g",
            (
                GroupKey("d", ("run", "dataset_id")),
                Figure("n", "count"),
                Figure("r", "count", "run_id", distinct=True),
            ),
        ),
    )
    found = json.loads(portal.view(today=DAY).json(Aggregate("Annotation", groups, where)))["g"]
    return {item["d"]: (item["n"], item["r"]) for item in found}


@pytest.fixture(scope="module")
def truth(portal):
    where = Compare("object_id", "eq", RIBOSOME) & Compare("ground_truth_status", "eq", True)
    return ids(portal, "Annotation", where)[0]


@pytest.fixture(scope="module")
def prediction(portal):
    return ids(portal, "Annotation", Compare("ground_truth_status", "eq", False))[0]


def facts(page):
    """Labels with their values, of tables and of lists of terms."""
    return dict(zip(page.blocks.get("dt", []), page.blocks.get("dd", []), strict=True))


def test_the_page_of_an_annotation_tells_all_its_facts(browser, prediction):
    page = browser.page(f"/annotations/{prediction}")
    for words in (
        f"AN-{prediction}",
        "Precision",
        "93.5%",
        "Recall",
        "71.25%",
        "crYOLO",
        "automated",
        "Zoë Öz",
    ):
        assert words in page.text
    assert "Object name membrane · GO:0016020" in page.text
    assert "Ground truth no" in page.text
    assert "Release date 2025-01-10" in page.text


def test_a_ground_truth_is_not_measured_with_another_one(browser, truth):
    page = browser.page(f"/annotations/{truth}")
    assert "Ground truth used not applicable" in page.text
    assert [block for block in page.blocks["abbr"] if block == "Ground truth"]


def test_an_annotation_lists_its_files_and_the_tomograms_it_fits(browser, portal, truth):
    page = browser.page(f"/annotations/{truth}")
    assert "4.1 kB" in page.text
    row = portal.view(today=DAY).one("Annotation", truth, ("run_id", "alignment_id"))
    tomograms = ids(portal, "Tomogram", Compare("run_id", "eq", row["run_id"]))
    links = page.values("a", "href")
    assert all(f"/tomograms/{id}" in links for id in tomograms)
    assert page.text.count(" Yes ") == len(tomograms)
    assert f"/alignments/{row['alignment_id']}" in links
    assert f"/runs/{row['run_id']}" in links
    assert f"/objects/{RIBOSOME}" in links


def test_the_page_of_an_alignment_lists_what_stands_in_its_coordinates(browser, portal, truth):
    alignment = portal.view(today=DAY).one("Annotation", truth, ("alignment_id",))["alignment_id"]
    page = browser.page(f"/alignments/{alignment}")
    for entity, place in (("Tomogram", "tomograms"), ("Annotation", "annotations")):
        for id in ids(portal, entity, Compare("alignment_id", "eq", alignment)):
            assert f"/{place}/{id}" in page.values("a", "href")
    assert "patch tracking" in page.text


def test_an_object_is_counted_by_dataset(browser, portal):
    page = browser.page(f"/objects/{RIBOSOME}")
    expected = counted(portal, Compare("object_id", "eq", RIBOSOME))
    told = facts(page)
    assert told["datasets"] == str(len(expected))
    assert told["annotations"] == str(sum(count for count, _ in expected.values()))
    assert told["runs"] == str(sum(runs for _, runs in expected.values()))
    assert "amigo.geneontology.org" in " ".join(page.values("a", "href"))
    shown = [link for link in page.values("a", "href") if link.startswith("/annotations/")]
    assert len(shown) == min(20, sum(count for count, _ in expected.values()))


def test_the_annotations_of_an_object_are_paged(browser, portal):
    (id,) = {
        row["object_id"]
        for row in portal.view(today=DAY).rows(
            Select("Annotation", (Value("object_id", "object_id"), Value("name", "object_name")))
        )
        if row["name"] == "membrane"
    }
    total, seen, address = (
        len(ids(portal, "Annotation", Compare("object_id", "eq", id))),
        [],
        f"/objects/{id}",
    )
    for number in range(1, -(-total // 20) + 1):
        page = browser.page(f"{address}?annotations-page={number}")
        seen += [link for link in page.values("a", "href") if link.startswith("/annotations/")]
    assert len(seen) == len(set(seen)) == total


def test_the_lists_count_only_what_is_public(browser, portal):
    for path in ("/objects", "/organisms", "/authors"):
        assert browser.page(path).blocks["h1"]
    told = browser.page("/organisms").text
    assert "Escherichia coli NCBI:562" in told
    public = ids(portal, "Dataset", Compare("organism_taxid", "eq", 562))
    assert SECRET not in public
    assert facts(browser.page("/organisms/562"))["datasets"] == str(len(public))


def test_hidden_datasets_stand_on_no_page(browser, portal):
    hidden = f"/datasets/{SECRET}"
    paths = [f"/organisms/{taxid}" for taxid in (3055, 4932, 9606, 562, 2104)]
    paths += ["/authors/" + quote("Chandra Lekha"), "/authors/0000-0002-1825-0097", f"/objects/{RIBOSOME}"]
    for path in paths:
        page = browser.page(path)
        assert not [link for link in page.values("a", "href") if link.startswith(hidden)]


def test_a_list_is_narrowed_by_name_or_identifier(browser):
    for text in ("ribosome", "0022626"):
        page = browser.page(f"/objects?q={text}")
        assert f"/objects/{RIBOSOME}" in page.values("a", "href")
        assert "/objects/GO:0016020" not in page.values("a", "href")
    assert "No name holds “zzz”" in browser.page("/objects?q=zzz").text


def test_an_author_with_an_orcid_is_found_under_every_name(browser, portal):
    page = browser.page("/authors/0000-0002-1825-0097")
    assert {"Ada Ångström", "Béla Bartók"} <= set(
        page.text.split("Also written")[0].split("·") + page.blocks["h1"] + page.blocks["dd"]
    )
    assert "https://orcid.org/0000-0002-1825-0097" in page.values("a", "href")
    assert facts(page)["datasets"] == str(len(ids(portal, "Dataset", Compare("id", "neq", 0))))
    assert "/depositions/10300" in page.values("a", "href")


def test_an_author_of_annotations_alone(browser, portal):
    page = browser.page("/authors/" + quote("Zoë Öz"))
    assert facts(page)["annotations"] == str(len(ids(portal, "Annotation", Compare("id", "neq", 0))))


def test_names_lead_to_their_pages(browser):
    page = browser.page(f"/datasets/{CROWDED + 1}")
    links = page.values("a", "href")
    assert "/authors/0000-0002-1825-0097" in links
    assert any(link.startswith("/objects/GO:") for link in links)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/annotations/1", 404), ("/annotations/x", 400), ("/alignments/1", 404), ("/objects/GO:9999999", 404), ("/objects/a/b", 404),
        ("/organisms/1", 404), ("/organisms/x", 400), ("/authors/Nobody", 404), ("/authors/0000-0000-0000-0000", 404),
    ],
)  # fmt: skip
def test_what_is_not_there_has_a_designed_page(browser, path, status):
    assert str(status) in browser.page(path, status).text
