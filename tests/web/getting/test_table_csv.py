"""Lists as CSV over the invented portal, read by the standard library and by pandas."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pandas as pd
import pytest

from fixtures_web import CROWDED, EMPTY_RUN, HOSTILE
from tomoportal.model.deposition import Dataset
from tomoportal.model.reconstruction import Tomogram
from tomoportal.web.getting import table_csv
from tomoportal.web.getting.table_csv import cell, harmless, titled


@pytest.fixture
def table(browser: Any):
    def get(address: str) -> list[dict[str, str]]:
        answer = browser.client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"), newline="")))

    return get


def names(browser: Any, address: str) -> list[str]:
    """The runs that the pages of a list show, in order."""
    found: list[str] = []
    mark = "&" if "?" in address else "?"
    for number in (1, 2, 3):
        page = browser.page(f"{address}{mark}page={number}")
        found += [name for name in re.findall(r"RN-(\d+)", page.text) if name not in found]
    return found


@pytest.mark.parametrize("asked", ["", "?run_name=TS_01", "?quality_score=3", "?sort=name-desc"])
def test_all_rows_in_the_order_of_the_pages(asked, table, browser):
    rows = table(f"/datasets/{CROWDED}.csv{asked}")
    assert [row["id"] for row in rows] == names(browser, f"/datasets/{CROWDED}{asked}")
    assert len(rows) == {"": 45, "?sort=name-desc": 45}.get(asked, len(rows)) > 1


def test_rows_of_a_search_come_best_first(table, browser):
    rows = table("/browse-data/runs.csv?search=TS_001")
    shown = names(browser, "/browse-data/runs?search=TS_001")
    assert [row["id"] for row in rows] == shown
    assert len(table("/browse-data/runs.csv?search=TS_001&sort=newest")) == len(rows)


def test_more_rows_than_are_ranked_follow(table, monkeypatch):
    monkeypatch.setattr(table_csv, "MOST_RANKED", 2)
    monkeypatch.setattr(table_csv, "STEP", 1)
    monkeypatch.setattr(table_csv, "BLOCK", 4)
    ids = [row["id"] for row in table("/browse-data/datasets.csv?search=cell")]
    found = [row["id"] for row in table("/search.csv?q=cell") if row["kind"] == "Dataset"]
    assert len(ids) == len(set(ids)) > 3
    assert sorted(ids) == sorted(found)
    assert ids[:2] == found[:2]


def test_pandas_reads_numbers_days_and_units(browser):
    run = browser.page(f"/datasets/{CROWDED}")
    id = re.search(r"RN-(\d+)", run.text)[1]
    text = browser.client.get(f"/runs/{id}/tomograms.csv").text
    frame = pd.read_csv(io.StringIO(text), parse_dates=["release_date"])
    assert set(frame["voxel_spacing [Å]"]) == {7.84}
    assert set(frame["size_x [px]"]) == {1000}
    assert frame["is_author_submitted"].dtype == bool
    assert frame["release_date"].dt.year.tolist() == [2025, 2025]
    assert set(frame["run_id"]) == {int(id)}
    assert frame["https_omezarr_dir"].str.endswith("/TS.zarr").all()


def test_what_rows_belong_to_and_hold(table):
    (row, *_) = table("/browse-data/runs.csv?dataset_id=10002&run_name=TS_002")
    assert (row["dataset_title"], row["tomograms_count"], row["tiltseries_count"]) == (
        "Ribosomes in growing yeast",
        "2",
        "1",
    )
    (dataset,) = table("/browse-data/datasets.csv?dataset_id=10001")
    assert dataset["runs_count"] == "45"
    assert dataset["file_size [bytes]"] == "42000000000.0"
    assert table("/browse-data/depositions.csv")[0]["datasets_count"] == "27"


def test_annotations_of_a_run_with_their_filters(table, browser):
    (run,) = table("/browse-data/runs.csv?dataset_id=10003&run_name=TS_002")
    rows = table(f"/runs/{run['id']}/annotations.csv")
    assert len(rows) == int(run["annotations_count"]) > 1
    some = table(f"/runs/{run['id']}/annotations.csv?object={rows[0]['object_name']}")
    assert {row["object_name"] for row in some} == {rows[0]["object_name"]}
    assert table(f"/runs/{EMPTY_RUN}/annotations.csv") == []


def test_hostile_names_stay_text(table, browser):
    rows = table("/datasets/10002.csv")
    assert HOSTILE in {row["name"] for row in rows}
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"):
        assert harmless(text) == f"'{text}"
    assert harmless("a=1") == "a=1"
    assert cell(Tomogram.fields["voxel_spacing"], -60.0) == "-60.0"
    assert cell(Dataset.fields["title"], "-60") == "'-60"
    assert cell(Dataset.fields["title"], None) == ""
    assert titled("voxel_spacing", Tomogram.fields["voxel_spacing"]) == "voxel_spacing [Å]"


def test_links_stand_under_the_lists(browser):
    page = browser.page("/browse-data/runs?object=membrane&page=1")
    assert "/browse-data/runs.csv?object=membrane" in page.values("a", "href")
    assert f"/datasets/{CROWDED}.csv" in browser.page(f"/datasets/{CROWDED}").values("a", "href")


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("/datasets/10028.csv", 404, "There is no dataset 10028 here."),
        ("/datasets/x.csv", 400, "is not a number"),
        ("/runs/1/tomograms.csv", 404, "There is no run 1 here."),
        ("/runs/1/annotations.csv", 404, "There is no run 1 here."),
        ("/basket/runs.csv?runs=x", 400, "is no number of runs"),
        ("/basket/people.csv", 404, "nothing here"),
    ],
)
def test_what_is_not_there(address, status, sentence, browser):
    answer = browser.client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert sentence in answer.text


@pytest.mark.parametrize("query", ["sort=junk", "page=-1", "search=%00", "object=%27%22", "spacing_min=x"])
def test_junk_is_left_out_as_on_the_page(query, table):
    assert table(f"/browse-data/runs.csv?{query}") is not None
