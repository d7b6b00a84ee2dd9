"""The basket over the invented portal: putting in and taking out without scripts, sharing, and what is refused."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from fixtures_web import CROWDED, SECRET
from tomoportal.model.idsets import written
from tomoportal.web.basket.remembered import LONGEST

HOME = "https://portal.example"


@pytest.fixture
def visitor(browser: Any) -> Any:
    """A visitor with a basket of his own."""
    return type(browser)(
        TestClient(browser.client.app, HOME, raise_server_exceptions=False, follow_redirects=False)
    )


@pytest.fixture
def runs(browser: Any) -> list[int]:
    """The first runs of the crowded dataset."""
    page = browser.page(f"/datasets/{CROWDED}")
    return sorted({int(found) for href in page.values("a", "href") if (found := _id(href))})


def _id(href: str) -> str:
    found = re.match(r"/runs/(\d+)", href)
    return found[1] if found else ""


def put(visitor: Any, headers: dict[str, str] | None = None, **fields: object):
    return visitor.client.post("/basket", data=fields, headers=headers)


def shared(visitor: Any) -> dict[str, str]:
    """What the address of the basket says."""
    page = visitor.page("/basket")
    (address,) = [text for text in page.blocks["code"] if "/basket?" in text]
    return dict(parse_qsl(urlsplit(address).query))


def test_it_is_empty_at_first(visitor):
    page = visitor.page("/basket")
    assert "The basket is empty" in page.text
    assert "basket-count" in page.values("span", "id")


def test_a_button_puts_in_and_takes_out_and_leads_back(visitor, runs):
    here = f"/runs/{runs[0]}?back=search%3Dx"
    (button,) = [
        found
        for tag, found in visitor.page(here).tags
        if tag == "button" and found.get("form") == "basket-form" and found.get("value") == f"runs.{runs[0]}"
    ]
    answer = put(visitor, {"referer": f"{HOME}{here}"}, **{str(button["name"]): button["value"]})
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert answer.headers["set-cookie"].endswith("HttpOnly; SameSite=Lax; Secure")
    assert shared(visitor) == {"runs": str(runs[0])}
    again = visitor.page(here)
    assert "Take out of basket" in again.text
    assert "cookie" in visitor.client.get(here).headers["vary"]
    put(visitor, remove=button["value"])
    assert "The basket is empty" in visitor.page("/basket").text


def test_the_rows_say_what_they_are(visitor, runs):
    put(visitor, add=[f"runs.{runs[0]}", f"datasets.{CROWDED}"])
    page = visitor.page("/basket")
    assert "1 dataset, 1 run, to be downloaded together" in page.text
    assert f"DS-{CROWDED} Dataset" in page.text
    assert "45 runs" in page.text
    assert f"RN-{runs[0]} Run" in page.text
    assert "2 tomograms" in page.text


def test_all_rows_of_a_filtered_list(visitor, browser):
    page = visitor.page("/browse-data/runs?object=membrane")
    (button,) = [found for tag, found in page.tags if tag == "button" and found.get("name") == "list"]
    answer = put(visitor, {"accept": "application/json"}, list=button["value"])
    shown = int(re.search(r"([\d,]+) of [\d,]+ runs", page.text)[1])
    assert shown > 10
    assert answer.json() == {"count": shown, "text": f"{shown} put into the basket; it holds {shown}."}
    assert put(visitor, {"accept": "application/json"}, list=button["value"]).json()["count"] == shown
    visitor.client.cookies.clear()
    within = put(visitor, {"accept": "application/json"}, list=f"/datasets/{CROWDED}?run_name=TS_00").json()
    assert within["count"] == 9


def test_a_shared_basket_is_shown_and_taken_over(visitor, browser, runs):
    address = f"/basket?runs={written(runs[:3])}"
    assert "This basket came with the address. Your own is empty." in visitor.page(address).text
    put(visitor, add=f"runs.{runs[5]}")
    assert "Your own holds 1 thing." in visitor.page(address).text
    assert "Take out" not in visitor.page(address).text
    put(visitor, do="merge", runs=written(runs[:3]))
    assert shared(visitor) == {"runs": written([*runs[:3], runs[5]])}
    put(visitor, do="replace", runs=written(runs[:3]))
    assert "Take out" in visitor.page(address).text
    put(visitor, do="empty")
    assert "The basket is empty" in visitor.page("/basket").text


def test_pages_of_a_long_basket(visitor):
    ids = written(range(1000, 1400))
    page = visitor.page(f"/basket?runs={ids}&tomograms={ids}&annotations={ids}&tiltseries={ids}&page=2")
    assert any("page=3" in href and "tomograms=" in href for href in page.values("a", "href"))
    assert "cannot be had: withdrawn, not released yet, or never here" in page.text


def test_what_is_hidden_or_never_was_is_not_there(visitor, browser):
    page = visitor.page(f"/basket?datasets={SECRET}&runs=5")
    assert f"DS-{SECRET}, RN-5 cannot be had" in page.text
    assert "The basket is empty" in page.text
    answer = put(visitor, add=f"datasets.{SECRET}")
    assert answer.status_code == 400
    assert f"There is no DS-{SECRET} here." in answer.text


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"add": "runs.x"}, 400, "is no number of runs"),
        ({"add": "people.1"}, 400, "is nothing that a basket holds"),
        ({"add": "runs"}, 303, ""),
        ({"add": "runs.1-99999"}, 400, "more than 10,000 runs"),
        ({"add": [f"runs.1-{last}" for last in range(9980, 10001)]}, 400, "named again and again"),
        ({"list": "http://[x"}, 400, "is no list that can be put into a basket"),
        ({"list": ["/browse-data/runs"] * 2}, 400, "2 lists"),
        ({"list": "/about"}, 400, "is no list that can be put into a basket"),
        ({"list": "//evil.example/browse-data/runs?sort=%00&page=-1"}, 303, ""),
        ({"do": "dance"}, 303, ""),
        ({"remove": "runs.7"}, 303, ""),
        ({"add": "runs.~AAAA"}, 400, "damaged"),
    ],
)
def test_forms_that_make_no_sense(fields, status, sentence, visitor):
    answer = put(visitor, **fields)
    assert answer.status_code == status
    assert sentence in answer.text
    told = put(visitor, {"accept": "application/json"}, **fields)
    if status == 400:
        assert sentence in told.json()["error"]["message"]


def test_requests_of_other_sites_are_refused(visitor, runs):
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://[x"},
    ):
        answer = put(visitor, headers, add=f"runs.{runs[0]}")
        assert answer.status_code == 403, headers
        assert "set-cookie" not in answer.headers
    for headers in (
        {"sec-fetch-site": "same-origin", "origin": "https://other"},
        {"origin": HOME},
        {},
    ):
        assert put(visitor, headers, add=f"runs.{runs[0]}").status_code == 303, headers


def test_nobody_is_led_away(visitor, runs):
    for referer in (
        "https://evil.example//evil.example/",
        "javascript:alert(1)",
        "https://x/\\evil",
        "https://[x/runs/1",
        "https://x/basket?runs=1",
    ):
        answer = put(visitor, {"referer": referer}, add=f"runs.{runs[0]}")
        assert answer.headers["location"] == "/basket"


@pytest.mark.parametrize(
    "text", ["runs=x", "%%%", "runs=~AAAA", "a" * 9000, "runs=1-2000000000", '"<script>"', "runs=٣"]
)
def test_a_cookie_that_makes_no_sense(text, visitor):
    visitor.client.headers = {"cookie": f"basket={text}".encode()}
    page = visitor.page("/basket")
    assert "makes no sense; the basket is empty" in page.text
    assert "<script>" not in page.text
    assert visitor.client.get("/basket.json").json()["count"] == 0


@pytest.mark.parametrize("query", ["runs=x", "runs=1-", "tomograms=~eJ", "runs=1-999999", "runs=%00"])
def test_an_address_that_makes_no_sense(query, visitor):
    answer = visitor.client.get(f"/basket?{query}")
    assert answer.status_code == 400
    assert re.search(r"numbers and ranges such as|damaged|more than 10,000", answer.text)


def test_a_form_that_is_too_large(visitor):
    answer = put(visitor, add="x" * 300_000)
    assert (answer.status_code, "at most 256 kB" in answer.text) == (413, True)


def test_more_than_a_cookie_holds(visitor, browser, monkeypatch):
    monkeypatch.setattr("tomoportal.web.basket.remembered.LONGEST", 20)
    answer = put(visitor, list="/browse-data/runs")
    assert answer.status_code == 400
    assert "are too many for a basket: it is remembered in a cookie, which takes 20 letters" in answer.text
    assert LONGEST < 4096


def test_the_twin_tells_the_same(visitor, runs):
    told = visitor.client.get(f"/basket.json?runs={written(runs[:2])}").json()
    assert [entry["number"] for entry in told["entries"]] == [f"RN-{id}" for id in runs[:2]]
    assert told["share"] == f"{HOME}/basket?runs={written(runs[:2])}"
    kinds = {
        kind: {offer["word"]: offer["amount"]["count"] for offer in offers}
        for kind, offers in told["files"]["kinds"]
    }
    assert kinds["Tomograms"] == {"tomograms.mrc": 4, "tomograms.zarr": 4}
