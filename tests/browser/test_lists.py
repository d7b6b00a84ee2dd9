from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import (
    expect,  # waits by selectors: page functions would need the `eval` that our pages forbid
)

from fixtures_browser import CONTRAST

pytestmark = pytest.mark.browser


def tally(page) -> str:
    return " ".join(page.locator("#results .tally").inner_text().split())


def test_filters_change_results_and_address_without_a_new_page(window, lists):
    page = window().goto(f"{lists}/browse-data/datasets")
    page.evaluate("window.same = true")
    assert tally(page).startswith("27 of 27 datasets")
    page.get_by_label("Homo sapiens").check()
    page.wait_for_url(re.compile(r"/browse-data/datasets\?organism=Homo(\+|%20)sapiens$"))
    page.locator("#results .chips").wait_for()
    assert tally(page) == "5 of 27 datasets"
    expected = int(page.locator("label", has_text="membrane").locator(".count").inner_text())
    page.get_by_label("membrane").check()
    page.wait_for_url("**object=membrane**")
    expect(page.locator(".entries > li")).to_have_count(expected)
    assert tally(page) == f"{expected} of 27 datasets"
    page.get_by_role("link", name="Remove Organism Homo sapiens").click()
    page.wait_for_url(re.compile(r"datasets\?object=membrane$"))
    assert page.evaluate("window.same") is True
    page.go_back()
    expect(page.locator(".chips li")).to_have_count(3)
    assert tally(page) == f"{expected} of 27 datasets"
    assert page.get_by_label("Homo sapiens").is_checked()


def test_search_while_typing_keeps_the_cursor(window, lists):
    page = window().goto(f"{lists}/browse-data/datasets")
    page.locator("#search").press_sequentially("thylak", delay=30)
    page.wait_for_url("**/browse-data/datasets?search=thylak")
    expect(page.locator(".entries > li")).to_have_count(6)
    page.keyboard.type("oid zzz")
    page.locator(".nothing").wait_for()
    assert page.locator("#search").input_value() == "thylakoid zzz"
    assert page.evaluate("document.activeElement.id") == "search"


def test_enter_searches_once(window, lists):
    page = window().goto(f"{lists}/browse-data/datasets")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "search=" in request.url else None)
    page.locator("#search").press_sequentially("thylak")
    page.keyboard.press("Enter")
    expect(page.locator(".entries > li")).to_have_count(6)
    page.wait_for_timeout(600)
    assert len(asked) == 1


def test_a_filter_chosen_meanwhile_takes_the_place_of_what_was_asked(window, lists):
    """And nobody complains in the console."""
    page = window().goto(f"{lists}/browse-data/datasets")
    held: list[object] = []
    page.route("**/datasets?organism=*", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/datasets?organism=*"):
        page.get_by_label("Homo sapiens").check()
    with page.expect_event("requestfailed"):
        page.locator("[name=object][value=membrane]").check()
    expect(page.locator(".chips li")).to_have_count(3)


def test_the_table_of_runs_is_a_list_of_cards_on_a_phone(window, lists):
    page = window(width=390).goto(f"{lists}/datasets/10001")
    button = page.get_by_role("link", name="View tomogram").first
    box = button.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    heights = page.evaluate(
        "[...document.querySelectorAll('.rows.runs > tbody > tr')].map(row => row.getBoundingClientRect().height)"
    )
    assert 120 < max(heights) < 420
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_pages_of_the_list(window, lists):
    page = window().goto(f"{lists}/browse-data/datasets")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**?page=2")
    expect(page.locator(".entries > li")).to_have_count(7)
    assert page.get_by_role("link", name="Next").count() == 0


def test_everything_works_without_scripts(window, lists):
    page = window(java_script_enabled=False).goto(f"{lists}/browse-data/datasets")
    page.get_by_label("Escherichia coli").check()
    page.locator("[name=sort]").select_option("title")
    page.get_by_role("button", name="Apply filters").click()
    assert tally(page) == "5 of 27 datasets"
    page.locator(".entry-title a").first.click()
    assert page.locator("h1").inner_text() == "Chemoreceptor arrays at the pole"
    page.locator("th[scope=row] a").first.click()
    page.get_by_text("Details and downloads").first.click()
    assert page.locator(".command").first.is_visible()


def test_with_the_keyboard_alone(window, lists):
    page = window().goto(f"{lists}/browse-data/datasets")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "checkbox" and page.evaluate(
            "document.activeElement.name"
        ):
            break
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    page.keyboard.press("Space")
    page.wait_for_url("**?organism=**")
    page.locator("#results .chips").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_small_phone_and_text_can_be_read(window, lists, scheme):
    opened = window(width=360, color_scheme=scheme)
    for path in (
        "/", "/browse-data/datasets?organism=Homo+sapiens", "/datasets/10001", "/datasets/10002", "/depositions/10300", "/nothing",
        "/browse-data/depositions",
    ):  # fmt: skip
        page = opened.goto(lists + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate(CONTRAST) >= 4.5, path
    page.goto(f"{lists}/datasets/10002")
    page.locator("th[scope=row] a").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(CONTRAST) >= 4.5


def test_nothing_is_wider_than_windows_between_phones_and_screens(window, lists):
    page = window(width=641).goto(f"{lists}/datasets/10002")
    for width in (641, 768, 900, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
