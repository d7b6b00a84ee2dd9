"""The basket in a browser: picked without leaving the page, and with every page in its place for everybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / ".cache" / "axe-core" / "axe.min.js"
RUN_AXE = "async () => (await axe.run({resultTypes: ['violations']})).violations.map(found => found.id + ': ' + found.nodes[0].html)"


def test_things_are_picked_where_they_are(window, demo):
    opened = window()
    page = opened.goto(f"{demo}/browse-data/runs")
    box = page.locator("td.act .pick-box input").first
    box.check()
    expect(page).to_have_url(f"{demo}/browse-data/runs")
    page.get_by_role("button", name="Add ticked to basket").click()
    expect(page.locator("#basket-told")).to_have_text("1 put into the basket; it holds 1.")
    expect(page.locator("#basket-count")).to_have_text("1")
    expect(box).not_to_be_checked()
    page.get_by_role("button", name=re.compile("Add all 2 runs")).click()
    expect(page.locator("#basket-count")).to_have_text("2")
    page.get_by_label("membrane").first.check()
    page.wait_for_url("**object=membrane**")
    page.get_by_role("button", name="Add ticked to basket").click()
    expect(page.locator("#basket-told")).to_have_text("Nothing is ticked.")
    page.get_by_role("link", name="Basket 2").click()
    expect(page.get_by_role("heading", name="Basket", exact=True)).to_be_visible()
    page.get_by_role("link", name="TS_001").first.click()
    page.get_by_role("button", name="Take out of basket").click()
    expect(page.get_by_role("button", name="Add to basket")).to_be_visible()
    expect(page.locator("#basket-count")).to_have_text("1")


def test_choices_lead_to_a_download_without_scripts(window, demo):
    page = window(java_script_enabled=False).goto(f"{demo}/runs/1")
    page.get_by_role("button", name="Add to basket").click()
    expect(page).to_have_url(f"{demo}/runs/1")
    expect(page.locator("#basket-count")).to_have_text("1")
    page.goto(f"{demo}/basket")
    page.get_by_role("group", name="Tomograms").get_by_label("MRC").check()
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"get=tomograms\.mrc.*#files"))
    page.get_by_label("RELION 4").check()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download STAR").click()
    assert saved.value.suggested_filename == "particles_relion4.star"
    assert "_rlnCoordinateX" in Path(saved.value.path()).read_text()
    page.get_by_role("button", name="Empty the basket").click()
    expect(page.get_by_role("heading", name="The basket is empty")).to_be_visible()


@pytest.mark.parametrize(
    "look", [{"width": 1280, "color_scheme": "light"}, {"width": 390, "color_scheme": "dark"}]
)
def test_axe_finds_nothing_in_a_full_basket(look, window, demo):
    if not AXE.is_file():
        pytest.skip(f"{AXE} is missing (tests/prepare fetches it)")
    opened = window(**look, reduced_motion="reduce")
    opened.page.context.add_init_script(path=AXE)
    page = opened.goto(f"{demo}/basket?datasets=10901&runs=1-2&tomograms=1-3&annotations=1-2&tiltseries=1")
    assert page.evaluate(RUN_AXE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= look["width"]
