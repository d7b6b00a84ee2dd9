"""The filters that the lists declare (every fourth of each kind, all with TOMOPORTAL_TEST_ALL=1), worked in the page as a
visitor does: the rows that plain Python finds, the same page from the address alone (without scripts), and everything as before
when the chip is taken off."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Locator, expect

from fixtures_catalog import fill
from fixtures_server import serving
from mixed_portal import VALUES, Mixed, Plain
from tomoportal.catalog import open_catalog
from tomoportal.settings import Settings
from tomoportal.web import urls
from tomoportal.web.lists.filter_kinds import Filter, Range
from tomoportal.web.lists.offered import DATASETS, DEPOSITIONS, PAGE, RUNS

pytestmark = pytest.mark.browser
LISTS = {
    "datasets": (DATASETS, urls.DATASETS),
    "runs": (RUNS, urls.RUNS),
    "depositions": (DEPOSITIONS, urls.DEPOSITIONS),
}
OTHERWISE = {"depositions": {"author": ("depositor 1",)}}
"""Values where those of runs do not occur."""
Asked = dict[str, list[str]]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Plain]]:
    """Address of a portal of random things, and what its rows mean."""
    folder = tmp_path_factory.mktemp("mixed")
    rows, database = Mixed(), f"sqlite:///{folder / 'catalog.sqlite'}"
    (folder / "files").mkdir()
    with open_catalog(database, create=True) as catalog:
        fill(catalog, rows.rows)
    with serving(Settings(storage=str(folder / "files"), database=database)) as url:
        yield url, Plain(rows)


def choices(word: str, item: Filter, plain: Plain) -> Iterator[Asked]:
    """What can be asked of one filter."""
    known = {**VALUES, **OTHERWISE.get(word, {})}
    if isinstance(item, Range):
        low, high, _ = item.names
        yield from ({low: [a], high: [b]} for a in known[low] for b in known[high] if float(a) <= float(b))
        return
    owners = {"dataset_id": "Dataset", "run_id": "Run"}
    values = known[item.parameter] or [str(row["id"]) for row in plain.mixed.rows[owners[item.parameter]]]
    yield from ({item.parameter: [value]} for value in values)


def narrowing(word: str, item: Filter, plain: Plain) -> tuple[Asked, set[int]]:
    """What leaves some rows and takes others, with the ids of those that stay; of all that do, what leaves most on one page."""
    meaning = getattr(plain, word)
    everything = meaning({})
    found = [(asked, meaning(asked)) for asked in choices(word, item, plain)]
    narrow = [(asked, rows) for asked, rows in found if rows and rows < everything]
    assert narrow, f"no value of {item.parameter} narrows the {word}"
    return max(narrow, key=lambda one: (len(one[1]) <= PAGE, len(one[1])))


def work(page: Any, item: Filter, asked: Asked) -> None:
    """Do what a visitor does to ask for it: write and press Enter, or check a box, found by typing where there are many."""
    first = page.locator(f"[name='{item.names[0]}']").first
    facet = page.locator("details.facet").filter(has=first)
    if item.kind != "text" and facet.get_attribute("open") is None:
        facet.locator("summary").click()
    if item.kind == "options":
        find, box = facet.locator(".facet-find"), option(page, asked)
        if find.count():
            find.fill(asked[item.parameter][0])
            expect(facet.locator("li:visible")).to_have_count(1)
        box.check()
        return
    for name, (value,) in asked.items():
        page.locator(f"[name={name}]").fill(value)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(rf"\b{name}="))


def chosen(filters: Iterable[Filter]) -> list[Filter]:
    """Every fourth of each kind, or all; `tests/web/lists/test_random_filters.py` asks every one of the pages without a browser."""
    kinds: dict[str, list[Filter]] = {}
    for item in filters:
        kinds.setdefault(item.kind, []).append(item)
    step = 1 if os.environ.get("TOMOPORTAL_TEST_ALL") else 4
    return [item for items in kinds.values() for item in items[::step]]


def option(page: Any, asked: Asked) -> Locator:
    ((name, (value,)),) = asked.items()
    return page.locator(f"input[name='{name}'][value='{value}']")


def expect_chosen(page: Any, item: Filter, asked: Asked) -> None:
    """The controls tell what is asked for."""
    if item.kind == "options":
        expect(option(page, asked)).to_be_checked()
    for name, (value,) in asked.items() if item.kind != "options" else ():
        expect(page.locator(f"[name={name}]")).to_have_value(value)


def expect_rows(page: Any, word: str, found: set[int]) -> None:
    """The list has these rows: all of them, if they fit on one page."""
    expect(page.locator("#results .tally strong")).to_have_text(str(len(found)))
    shown = set(map(int, re.findall(rf'href="/{word}/(\d+)', page.locator("#results").inner_html())))
    assert shown <= found, page.url
    assert len(shown) == min(len(found), PAGE), page.url


@pytest.mark.parametrize("word", LISTS)
def test_every_filter(word, window, mixed):
    url, plain = mixed
    of, address = LISTS[word]
    page, everything = window().goto(url + address), getattr(plain, word)({})
    later = window(java_script_enabled=False)
    for item in chosen(of.filters):
        asked, found = narrowing(word, item, plain)
        work(page, item, asked)
        expect(page.locator("#results .chips li")).to_have_count(2)
        for shown in (page, later.goto(page.url)):
            expect_rows(shown, word, found)
            expect_chosen(shown, item, asked)
        page.get_by_role("link", name=f"Remove {item.legend}").click()
        expect(page.locator("#results .chips")).to_have_count(0)
        expect_rows(page, word, everything)
        assert page.url == url + address
