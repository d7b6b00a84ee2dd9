"""The JSON twin of every page: the same facts, nothing hidden, no inner workings."""

from __future__ import annotations

import json

import pytest

from fixtures_web import HOSTILE
from tomoportal.web.site import PAGES

SITE = "https://portal.example"


@pytest.fixture(scope="module")
def of(browser):
    def get(address: str, status: int = 200):
        answer = browser.client.get(address)
        assert answer.status_code == status, answer.text[:300]
        if status == 200:
            assert answer.headers["content-type"].startswith("application/json")
        return answer.json() if status == 200 else None

    return get


def test_a_dataset_tells_what_its_page_tells(of, browser):
    told = of("/datasets/10001.json")
    page = browser.page("/datasets/10001")
    assert told["page"] == "DatasetPage"
    assert told["url"] == f"{SITE}/datasets/10001"
    assert told["title"] in page.text
    assert [person["name"] for person in told["authors"]] == ["Ada Ångström", "Béla Bartók"]
    assert len(told["runs"]) == 20
    assert all(run["name"] in page.text for run in told["runs"])
    assert told["listing"]["total"] == 45
    assert all(fact["label"] in page.text for fact in told["sample"]["known"])


def test_lists_take_the_query_string(of):
    whole, narrowed = (
        of("/browse-data/datasets.json"),
        of("/browse-data/datasets.json?organism=Homo+sapiens&sort=title"),
    )
    assert whole["listing"]["paging"]["total"] == 27
    assert 0 < narrowed["listing"]["paging"]["total"] < 27
    assert {card["organism"]["text"] for card in narrowed["datasets"]} == {"Homo sapiens"}
    assert narrowed["listing"]["choice"] == {
        "search": "", "chosen": {"organism": ["Homo sapiens"]}, "sort": "title",
    }  # fmt: skip
    assert narrowed["url"].endswith("?organism=Homo+sapiens&sort=title")


def test_nothing_of_the_inner_workings_is_told(of):
    text = json.dumps(of("/browse-data/datasets.json?organism=Homo+sapiens"))
    for word in ('"where"', '"members"', '"found"', "lambda", "object at 0x", "10028"):
        assert word not in text


def test_pages_lead_to_their_twins(browser, of):
    for address in (
        "/",
        "/datasets/10001?run-name=TS_001",
        "/runs/990",
        "/depositions/10300",
        "/search?q=%3Cb%3E%22",
    ):
        answer = browser.client.get(address)
        twin = answer.headers["link"].partition("<")[2].partition(">")[0]
        assert 'rel="alternate"; type="application/json"' in answer.headers["link"]
        page = browser.page(address)
        assert twin in [
            attributes["href"]
            for tag, attributes in page.tags
            if tag == "link" and attributes.get("type") == "application/json"
        ]
        assert of(twin)["page"]


def test_names_come_as_they_are(of):
    names = {run["name"] for run in of("/datasets/10002.json")["runs"]}
    assert HOSTILE in names


@pytest.mark.parametrize(
    "address", ["/datasets/10028.json", "/datasets/1.json", "/runs/1.json", "/tomograms/1.json"]
)
def test_what_is_hidden_has_no_twin(of, address):
    of(address, 404)


@pytest.mark.parametrize(
    ("address", "status", "code", "words"),
    [
        ("/datasets/999.json", 404, "not-found", "There is no dataset 999 here."),
        ("/datasets/x.json", 400, "query", "“x” is not a number"),
        ("/nowhere/at/all.json", 404, "not-found", "There is nothing here."),
    ],
)
def test_what_goes_wrong_is_told_as_json(browser, address, status, code, words):
    answer = browser.client.get(address)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    told = answer.json()["error"]
    assert (told["status"], told["code"], told["where"]) == (status, code, address)
    assert words in told["message"]


def test_every_page_has_one(of, browser):
    """Each address, with rows of the invented portal in the place of ids."""
    run = of("/datasets/10001.json")["runs"][0]["id"]
    tomogram = of(f"/runs/{run}.json")["tomograms"][0]["id"]
    known = {
        "/datasets/{id}": 10001, "/runs/{id}": run, "/depositions/{id}": 10300, "/tomograms/{id}": tomogram, "/view/runs/{id}": run,
        "/datasets/{id}/cite": 10001,
    }  # fmt: skip
    addresses = [
        path for path, *_ in PAGES if "{" not in path and path not in ("/search/suggest", "/download")
    ]
    addresses += [path.replace("{id}", str(id)) for path, id in known.items()]
    for address in [*addresses, "/download"]:
        query = f"?run={run}" if address == "/download" else ""
        told = of(f"{'/index' if address == '/' else address}.json{query}")
        assert told["url"] == f"{SITE}{address}{query}"
