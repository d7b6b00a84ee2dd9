"""The search box of the whole portal in a browser, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_suggestions_are_chosen_with_the_keyboard(window, lists):
    page = window().goto(lists)
    page.get_by_role("combobox", name="Search the whole portal").press_sequentially("mitoch")
    first = page.get_by_role("option").first
    expect(first).to_contain_text("Mitochondria of cultured cells")
    page.keyboard.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(page.locator("#site-search")).to_have_attribute("aria-activedescendant", "suggestion-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/datasets/10003")


def test_escape_closes_suggestions_and_enter_searches(window, lists):
    page = window(width=390).goto(f"{lists}/datasets/10003")
    page.locator("#site-search").press_sequentially("ribo")
    expect(page.get_by_role("listbox")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=ribo")
    expect(page.locator("mark").first).to_have_text("Ribosomes")


def test_it_works_without_scripts(window, lists):
    page = window(java_script_enabled=False).goto(lists)
    page.locator("#site-search").fill("proteasome")
    page.locator("#site-search").press("Enter")
    expect(page.get_by_role("heading", name="Search", exact=True)).to_be_visible()
    page.get_by_role("link", name="proteasome core complex", exact=True).last.click()
    expect(page.locator(".tally")).to_contain_text("of 27 datasets")
