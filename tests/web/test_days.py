"""Days in the order of the visitor's language."""

from __future__ import annotations

import json

import pytest

from fixtures_web import CROWDED
from tomoportal.web.days import Order, order_for
from tomoportal.web.formats import day


@pytest.mark.parametrize(
    ("accepted", "order"),
    [
        ("en-US,en;q=0.9", Order.MONTH), ("en-GB,en-US;q=0.7", Order.DAY), ("de", Order.DAY), ("sv-SE", Order.YEAR), ("zh-CN", Order.YEAR),
        ("fr;q=0.2, en-us;q=0.8", Order.MONTH), ("", Order.YEAR), ("*", Order.YEAR), ("en;q=x", Order.MONTH), (",;q=,", Order.YEAR),
    ],
)  # fmt: skip
def test_the_language_tells_the_order(accepted, order):
    assert order_for(accepted) is order


def test_a_day_is_text_for_programs():
    assert json.dumps(day("2024-05-03T00:00:00+00:00")) == '"2024-05-03"'
    assert day(None) == "–"


@pytest.mark.parametrize(
    ("language", "release", "fact"),
    [
        ("en-US", "January 10, 2025", "May 23, 2024"), ("de-DE", "10 January 2025", "23 May 2024"), ("", "2025-01-10", "2024-05-23"),
    ],
)  # fmt: skip
def test_pages_show_days_in_that_order(browser, language, release, fact):
    headers = {"accept-language": language} if language else {}
    run = browser.client.get(f"/datasets/{CROWDED}.json").json()["runs"][1]["id"]
    annotation = browser.client.get(f"/runs/{run}.json").json()["annotations"][0]["id"]
    dataset, listed = f"/datasets/{CROWDED}", "/browse-data/datasets?sort=oldest"
    for address, words in (
        (dataset, release),
        (listed, release),
        ("/search?q=CZCDP-10300", fact),
        (f"/runs/{run}", fact),
        (f"/annotations/{annotation}", fact),
    ):
        answer = browser.client.get(address, headers=headers)
        assert "accept-language" in answer.headers["vary"]
        assert words in answer.text.replace("\u00a0", " "), address
    assert '<time datetime="2025-01-10">' in browser.client.get(f"/datasets/{CROWDED}", headers=headers).text
    twin = browser.client.get(f"/datasets/{CROWDED}.json", headers=headers).text
    assert "2025-01-10" in twin
    assert "<time" not in twin
