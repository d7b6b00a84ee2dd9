"""The pages of datasets, runs and depositions: contents, methods, coordinates, deposited data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fixtures_catalog import FUTURE, fill
from fixtures_web import CROWDED, DAY, EMPTY_RUN, SECRET, _Portal, web_app
from tomoportal.catalog import open_catalog
from tomoportal.model.query import Compare, Related, Select, Value
from tomoportal.web.entities.estimates import estimated

DEPOSITION = "/depositions/10300"


def ids(portal, entity, where):
    return [row["id"] for row in portal.view(today=DAY).rows(Select(entity, (Value("id", "id"),), where))]


def run_id(portal, name: str) -> int:
    where = Compare("dataset_id", "eq", CROWDED) & Compare("name", "eq", name)
    return ids(portal, "Run", where)[0]


def contents(page) -> dict[str, str]:
    """The strip of numbers: words with numbers, or what stands in their place."""
    return dict(zip(page.blocks["dt"], page.blocks["dd"], strict=True))


def test_what_was_not_submitted_is_told(browser):
    told = contents(browser.page(f"/runs/{EMPTY_RUN}"))
    for word in ("tilt series", "movie frames", "alignments", "tomograms", "annotations"):
        assert told[word] == "Not submitted"
    assert contents(browser.page(f"/datasets/{CROWDED}"))["runs with CTF"] == "Not submitted"


def test_a_dataset_leads_to_its_organism_and_explains_the_quality(browser):
    page = browser.page(f"/datasets/{CROWDED}")
    assert "/organisms/3055" in page.values("a", "href")
    scale = page.text.index("as its authors judge it")
    assert re.findall(r"(\d) – ([a-z ]+?) (?=\d|A run)", page.text[scale : scale + 200]) == [
        ("5", "excellent"), ("4", "good"), ("3", "moderate"), ("2", "poor"), ("1", "very poor"),
    ]  # fmt: skip


def test_methods_are_put_together_and_counted(browser, portal):
    page = browser.page(f"/datasets/{CROWDED}")
    series = ids(portal, "TiltSeries", Related("run", Compare("dataset_id", "eq", CROWDED)))
    assert f"{len(series)} " in page.text[page.text.index("Acquisition") :]
    for words in ("Krios G4", "FALCON 4i", "300 kV", "2.7 mm", "dose-symmetric from 0°", "1.96 Å"):
        assert words in page.text
    tomograms = page.text[page.text.index("CTF corrected") :]
    assert "45 7.84 Å WBP AreTomo3 denoised" in tomograms
    assert "45 7.84 Å WBP AreTomo3 raw" in tomograms


def test_a_deposition_tells_the_methods_of_what_it_brought(browser, portal):
    page = browser.page(DEPOSITION)
    truths = ids(portal, "Annotation", Compare("ground_truth_status", "eq", True))
    assert f"{len(truths)} manual template matching, checked by eye crYOLO" in page.text
    assert "Experimental conditions" in page.text
    assert "Quantifoil R2/1, blotted 4 s" in page.text


@pytest.mark.parametrize(("tab", "entity"), [("annotations", "Annotation"), ("tomograms", "Tomogram")])
def test_deposited_data_are_listed_page_by_page(browser, portal, tab, entity):
    total = len(ids(portal, entity, Compare("deposition_id", "eq", 10300)))
    seen = []
    for number in range(1, -(-total // 20) + 1):
        page = browser.page(f"{DEPOSITION}?deposition-tab={tab}&page={number}")
        links = (link for link in page.values("a", "href") if link.startswith(f"/{tab}/"))
        seen += dict.fromkeys(links)  # picture and name
    assert len(seen) == len(set(seen)) == total


def test_deposited_data_by_dataset_lead_to_those_of_each(browser, portal):
    page = browser.page(f"{DEPOSITION}?group-by=deposited_location&deposition-tab=tomograms")
    link = next(link for link in page.values("a", "href") if f"dataset_id={CROWDED}" in link)
    inside = browser.page(link.partition("#")[0])
    assert "Only those in" in inside.text
    runs = {f"/runs/{id}" for id in ids(portal, "Run", Compare("dataset_id", "eq", CROWDED))}
    shown = {link.partition("?")[0] for link in inside.values("a", "href") if link.startswith("/runs/")}
    assert shown
    assert shown <= runs


def test_deposited_data_by_organism_add_up(browser, portal):
    page = browser.page(f"{DEPOSITION}?group-by=organism")
    html = browser.client.get(f"{DEPOSITION}?group-by=organism").text
    (table,) = re.findall(r'aria-label="Deposited annotations in groups">(.*?)</table>', html, re.S)
    cells = re.findall(r'data-label="Annotations"[^>]*>(?:<a[^>]*>)?([\d,]+)', table)
    counts = [int(cell.replace(",", "")) for cell in cells]
    assert len(counts) == 5
    assert sum(counts) == len(ids(portal, "Annotation", Compare("deposition_id", "eq", 10300)))
    assert "/organisms/9606" in page.values("a", "href")


def test_hidden_datasets_are_in_no_group(browser):
    for grouping in ("", "deposited_location", "organism"):
        for tab in ("annotations", "tomograms"):
            page = browser.page(f"{DEPOSITION}?group-by={grouping}&deposition-tab={tab}")
            assert str(SECRET) not in page.text
    assert "No annotations here" in browser.page(f"{DEPOSITION}?dataset_id={SECRET}").text


@pytest.mark.parametrize("query", ["deposition-tab=x", "group-by=x", "dataset_id=x", "page=x", "page=999999"])
def test_choices_that_make_no_sense_are_as_none(browser, query):
    assert browser.page(f"{DEPOSITION}?{query}").blocks["h1"] == ["Crowded cells, a survey"]


def test_one_alignment_fits_all(browser, portal):
    page = browser.page(f"/runs/{run_id(portal, 'TS_002')}")
    assert "every annotation fits every tomogram" in page.text
    assert "as told for the dataset" in page.text


def test_several_alignments_part_annotations_from_tomograms(tmp_path: Path, browser):
    portal = _Portal()
    portal.add("Deposition", id=1, folder="DepositionMetadata/1")
    portal.add("Deposition", id=2, title="A second look", folder="DepositionMetadata/2")
    portal.add("Deposition", id=3, title="Not yet", release_date=FUTURE, folder="DepositionMetadata/3")
    portal.add("Dataset", id=7, deposition_id=1, folder="7")
    portal.add("Run", id=70, dataset_id=7, name="TS", folder_path="7/TS/", folder="7/TS")
    place = "7/TS/Reconstructions/VoxelSpacing8.000"
    portal.add(
        "TomogramVoxelSpacing", id=71, run_id=70, voxel_spacing=8.0, folder_path=f"{place}/", folder=place
    )
    for number, deposition in ((100, 1), (101, 2)):
        alignment = portal.add(
            "Alignment", run_id=70, deposition_id=deposition, folder=f"7/TS/Alignments/{number}"
        )
        portal.add(
            "Tomogram", id=number, run_id=70, alignment_id=alignment, deposition_id=deposition, tomogram_voxel_spacing_id=71,
            voxel_spacing=8.0, folder=f"{place}/Tomograms/{number}",
        )  # fmt: skip
    shared = portal.rows["Alignment"][1]["id"]
    portal.add(
        "Annotation", id=500, run_id=70, alignment_id=shared, deposition_id=2, tomogram_voxel_spacing_id=71,
        object_name="ribosome", folder=f"{place}/Annotations/100",
    )  # fmt: skip
    catalog = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True)
    fill(catalog, portal.rows)
    visitor = type(browser)(TestClient(web_app(catalog, Path("no-files"))))
    text = visitor.page("/runs/70").text
    fits = text[text.index("Annotations that fit them") :]
    assert "TM-100, 8 Å none" in fits
    assert "TM-101, 8 Å AN-500, ribosome" in fits
    page = visitor.page("/annotations/500").text
    assert re.search(r"TM-100 No, another alignment", page)
    assert re.search(r"TM-101 Yes", page)
    dataset = visitor.page("/datasets/7")
    assert "Further contributions A second look" in dataset.text
    assert "Not yet" not in dataset.text


def test_an_estimate_of_one_defocus_alone_is_shown():
    figures = {"count": 2, "minor": None, "least": 20000.0, "most": 31000.0}
    (fact,) = estimated({"estimated": {"groups": [figures]}})
    assert fact.values[0].text == "2.00 to 3.10\u202fµm, 2 images"
    (fact,) = estimated({"estimated": {"groups": [{**figures, "minor": 19000.0}]}})
    assert fact.values[0].text.startswith("1.90 to 3.10")


def test_a_deposition_tells_what_its_annotations_are_of(browser, portal):
    page = browser.page(DEPOSITION)
    head = page.text[page.text.index("Annotated objects") : page.text.index("Methods")]
    assert "cytosolic ribosome GT" in head
    assert "Annotation shapes point, segmentation mask" in head
    assert "Escherichia coli" in head
    grouped = browser.page(f"{DEPOSITION}?group-by=organism")
    link = next(link for link in grouped.values("a", "href") if "organism=Homo" in link)
    assert "Remove Deposition ID CZCDP-10300" in browser.page(link).text


def test_objects_are_those_annotated_and_those_only_seen(browser, tmp_path):
    portal = _Portal()
    portal.add("Deposition", id=1, folder="DepositionMetadata/1")
    entries = "EMD-16183, EMPIAR-11830"
    portal.add(
        "Dataset", id=7, deposition_id=1, organism_name="", related_database_entries=entries, folder="7"
    )
    portal.add("Run", id=70, dataset_id=7, name="TS", folder="7/TS")
    described = {"object_name": "Ribosome", "object_id": "GO:0005840"}
    for number, state in enumerate(("translating", "translating", None)):
        portal.add(
            "Annotation", id=500 + number, run_id=70, deposition_id=1, object_state=state, ground_truth_status=number == 0,
            folder=f"7/TS/{number}", **described,
        )  # fmt: skip
    portal.add("IdentifiedObject", run_id=70, folder="7/TS", **described)
    portal.add(
        "IdentifiedObject", run_id=70, folder="7/TS", object_name="vault", object_id="GO:1990904",
        object_description="hollow", object_state="intact",
    )  # fmt: skip
    catalog = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True)
    fill(catalog, portal.rows)
    visitor = type(browser)(TestClient(web_app(catalog, Path("no-files"))))
    run = visitor.page("/runs/70").text
    rows = run[run.index("Seen by the authors Annotations") :]
    assert "Ribosome GO:0005840 – – yes 1" in rows
    assert "Ribosome GT GO:0005840 translating – yes 2" in rows
    assert "vault GO:1990904 intact hollow yes none yet" in rows
    assert "Seen, not annotated vault" in run
    card = visitor.page("/browse-data/datasets").text
    assert "Ribosome GT vault" in card
    assert "EMPIAR EMPIAR-11830 Runs" in card
    assert "Ribosome GT vault" in visitor.page("/datasets/7").text
