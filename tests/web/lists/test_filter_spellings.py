"""What the address says: the spellings of the reference system, nonsense, and filters that go along from page to page."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from tomoportal.web.lists.annotation_filters import ANNOTATIONS_OF_RUN
from tomoportal.web.lists.offered import DATASETS, DEPOSITIONS, RUNS, RUNS_OF_DATASET

REFERENCE = (
    ("ground_truth=true", {"ground_truth": ("true",)}),
    ("files=raw-frames&files=tilt-series-alignment", {"files": ("raw-frames", "tilt-series-alignment")}),
    ('runs=">5"', {"runs": ("6", "")}),
    ('runs=">100"', {"runs": ("101", "")}),
    ("dataset_id=10301&dataset_id=DS-10302", {"dataset_id": ("10301", "10302")}),
    ("dataset_id=ds10301,+DS-7", {"dataset_id": ("10301", "7")}),
    ("deposition-id=CZCDP-10300", {"deposition_id": ("10300",)}),
    ("empiar_id=empiar-11830&emdb_id=EMD-41923", {"empiar_id": ("11830",), "emdb_id": ("41923",)}),
    ("emdb_id=emdb+41923", {"emdb_id": ("41923",)}),
    ("run-id=rn-5&run-name=TS_1", {"run_id": ("5",), "run_name": ("TS_1",)}),
    ("author=Ada&author_orcid=https://orcid.org/0000-0002-1825-009x", {"author": ("Ada",), "author_orcid": ("0000-0002-1825-009X",)}),
    ("organism=A&organism=B", {"organism": ("A", "B")}),
    ("camera_manufacturer=Gatan", {"camera_manufacturer": ("Gatan",)}),
    ("tilt_min=40&tilt_max=120.5°", {"tilt": ("40", "120.5")}),
    ("tilt_max=120", {"tilt": ("", "120")}),
    ("fiducial_alignment=false", {"fiducial_alignment": ("NON_FIDUCIAL",)}),
    ("reconstruction_method=WBP&reconstruction_software=IMOD", {"reconstruction_method": ("WBP",), "reconstruction_software": ("IMOD",)}),
    ("object=ribosome&object-id=go_0005840&annotated_objects=Yes", {
        "object": ("ribosome",), "object_id": ("GO:0005840",), "annotated_objects": ("Yes",)}),
    ("object_shape=Point&quality_score=5", {"object_shape": ("Point",), "quality_score": ("5",)}),
    ("method-type=automated&annotation-software=crYOLO", {"method_type": ("automated",), "annotation_software": ("crYOLO",)}),
    ("table-tab=Tomograms&from=deposition-annotations&download-step=configure&annotations-page=2&enable-feature=x&group-by=organism", {}),
)  # fmt: skip


@pytest.mark.parametrize(("asked", "chosen"), REFERENCE)
def test_spellings_of_the_reference_are_understood(asked, chosen):
    choice = DATASETS.read(parse_qsl(asked))
    assert (choice.chosen, choice.notices) == (chosen, ())
    assert DATASETS.read(choice.parameters()) == choice


NONSENSE = (
    ("dataset_id=RN-5", "10301 or DS-10301"), ("dataset_id=10301x", "DS-10301"), ("empiar_id=.*", "EMPIAR-11830"),
    ("tilt_min=nan", "a number"),
    ("tilt_max=1e999", "a number"), ("runs=many", "a whole number"), ("runs_min=2.5", "a whole number"),
    ("author_orcid=Ada", "0000-0002-1825-0097"),
    ("object-id=ribosome", "GO:0005840"), ("quality_score=good", "1 to 5"), ("ground_truth=maybe", "true"), ("files=films", "raw-frames"),
    ("tilt_min=90&tilt_max=30", "lower bound first"), ("deposition-id=%00%27", "CZCDP-10300"), ("sort=sideways", "newest"),
)  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), NONSENSE)
def test_nonsense_is_told_with_what_was_expected(browser, asked, expected):
    for address in (
        "/browse-data/datasets",
        "/browse-data/runs",
        "/browse-data/depositions",
        "/datasets/10001",
    ):
        browser.page(f"{address}?{asked}")
    page = browser.page(f"/browse-data/datasets?{asked}")
    assert "27 of 27 datasets" in page.text
    assert re.search(rf"expected [^.]*{re.escape(expected)}.* left out", page.text)


def follow(browser, page, pattern):
    href = next(link for link in page.values("a", "href") if re.match(pattern, link))
    return href, browser.page(href)


def test_filters_go_along_to_the_dataset_and_the_way_back_is_kept(browser):
    start = "object=membrane&organism=Homo+sapiens&tilt_min=60&sort=title"
    browse = browser.page(f"/browse-data/datasets?{start}")
    href, dataset = follow(browser, browse, r"/datasets/\d+\?")
    asked = dict(parse_qsl(urlsplit(href).query))
    assert {name: asked[name] for name in ("object", "tilt_min")} == {"object": "membrane", "tilt_min": "60"}
    assert "organism" not in asked
    assert "Remove Object membrane" in dataset.text
    back, _ = follow(browser, dataset, r"/browse-data/datasets\?.*object")
    assert sorted(parse_qsl(urlsplit(back).query)) == sorted(parse_qsl(start))
    dropped = next(
        link
        for link in dataset.values("a", "hx-get")
        if "tilt_min" in link and "object=" not in link.split("back=")[0]
    )
    again = browser.page(dropped)
    assert back in again.values("a", "href")


def test_ways_back_stay_on_the_portal(browser):
    page = browser.page("/datasets/10001?back=" + "https%3A%2F%2Fevil.example%2F%3Fa%3Db")
    crumbs = [href for href in page.values("a", "href") if href.startswith("/browse-data/datasets")]
    assert crumbs
    assert not any(href.startswith(("https://evil", "//")) for href in page.values("a", "href"))


def test_tabs_keep_what_the_other_list_understands(browser):
    page = browser.page("/browse-data/datasets?object=membrane&runs_min=2&search=cells")
    runs = next(href for href in page.values("a", "href") if href.startswith("/browse-data/runs?"))
    assert sorted(parse_qsl(urlsplit(runs).query)) == [("object", "membrane"), ("search", "cells")]
    totals = {
        name: int(count.replace(",", ""))
        for name, count in re.findall(r"(Datasets|Runs|Depositions) ([\d,]+)", " ".join(page.blocks["nav"]))
    }
    assert totals["Datasets"] == 27
    assert totals["Runs"] == 45 + 26 * 3


def test_the_list_of_runs_tells_what_runs_hold(browser):
    page = browser.page("/browse-data/runs?dataset_id=10001&run_name=TS_002")
    assert "1 of 123 runs" in page.text
    row = page.blocks["tbody"][0]
    for text in (
        "TS_002",
        "7.84",
        "2 – poor",
        "2 tomograms",
        "cytosolic ribosome 220",
        "Thylakoid membranes",
    ):
        assert text in row.replace("\u202f", " ").replace("\u00a0", " "), text


def test_every_list_has_names_for_its_parameters_only_once():
    for of in (DATASETS, RUNS, RUNS_OF_DATASET, DEPOSITIONS, ANNOTATIONS_OF_RUN):
        names = [name for item in of.filters for name in item.names]
        assert len(names) == len(set(names))
