"""What the page of downloads offers, over the invented portal; `test_download_commands` runs what it says."""

from __future__ import annotations

import re

import pytest


def _offers(page, name):
    return {
        attributes["value"]: "checked" in attributes
        for tag, attributes in page.tags
        if tag == "input" and attributes.get("name") == name
    }


def test_a_dataset_comes_whole_unless_something_is_chosen(browser):
    page = browser.page("/download?dataset=10002")
    assert _offers(page, "content") == {
        "everything": True, "tomograms": False, "annotations": False, "tiltseries": False, "frames": False,
    }  # fmt: skip
    assert "84.0\u202fGB" in "".join(page.words)


def test_volumes_are_not_counted_twice_unless_both_forms_are_chosen(browser):
    usual = browser.page("/download?dataset=10002&content=tomograms")
    assert _offers(usual, "format") == {"mrc": False, "zarr": True}
    assert "6 files, 6.8 GB" in usual.text
    assert "twice" not in usual.text
    both = browser.page("/download?dataset=10002&content=tomograms&format=mrc&format=zarr")
    assert "12 files, 12.8 GB – each volume twice" in both.text


def test_files_are_named_after_run_and_owner(browser):
    page = browser.page("/download?dataset=10002&content=tomograms&format=mrc")
    names = [name for name in page.values("a", "download") if name]
    assert len(set(names)) == 6
    assert all(re.fullmatch(r"[\w.+-]+_TM-\d+\.mrc", name) for name in names)
    assert "local." not in page.text


def test_sizes_that_nobody_recorded_are_told(browser):
    page = browser.page("/download?dataset=10002&content=annotations")
    assert "at least" in page.text
    assert "is not recorded" in page.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("dataset=x", 400),
        ("dataset=10002&run=3", 400),
        ("dataset=10028", 404),
        ("tomogram=999999", 404),
        ("annotation=999999", 404),
        ("deposition=1", 404),
    ],
)
def test_what_is_not_there_or_hidden_is_not_offered(browser, query, status):
    assert browser.client.get(f"/download?{query}").status_code == status
    assert browser.client.get(f"/download.curl?{query}").status_code == status


def test_junk_choices_fall_back_to_the_usual_one(browser):
    usual = browser.page("/download?dataset=10002").text
    assert browser.page("/download?dataset=10002&content=%00secrets&format=exe").text == usual


def test_curl_is_not_offered_for_folders(browser):
    assert browser.client.get("/download.curl?dataset=10002&content=tomograms&format=zarr").status_code == 400
    listed = browser.client.get("/download.curl?dataset=10002&content=tomograms&format=mrc").text
    assert listed.count("url = ") == listed.count("output = ") == 6
    assert 'url = "https://portal.example/files/10002/' in listed


def test_a_run_without_files_says_so(browser):
    page = browser.page("/download?run=990")
    assert _offers(page, "content") == {"everything": True}


def test_pages_lead_to_it(browser):
    run = browser.client.get("/datasets/10002.json").json()["runs"][0]["id"]
    told = browser.client.get(f"/runs/{run}.json").json()
    for address, target in (
        ("/datasets/10002", "/download?dataset=10002"),
        ("/depositions/10300", "/download?deposition=10300"),
        (f"/runs/{run}", f"/download?run={run}"),
        (f"/tomograms/{told['tomograms'][0]['id']}", f"/download?tomogram={told['tomograms'][0]['id']}"),
        (
            f"/annotations/{told['annotations'][0]['id']}",
            f"/download?annotation={told['annotations'][0]['id']}",
        ),
    ):
        assert target in browser.page(address).values("a", "href")
        browser.page(target)
