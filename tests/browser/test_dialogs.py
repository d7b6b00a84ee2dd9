"""Downloading and citing in a dialog over the page: address, keyboard, going back, choices, narrow windows, axe-core."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import expect

from axe import axe_faults, with_axe

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(window, lists):
    """A dataset of the invented portal, with axe-core and the clipboard."""
    found = window(permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
    with_axe(found.page)
    found.goto(f"{lists}/datasets/10002")
    return found.page


def test_the_download_opens_in_place_and_the_address_tells(opened, lists):
    page = opened
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Download", exact=True).click()
    dialog = page.get_by_role("dialog", name=re.compile("DS-10002"))
    expect(dialog.get_by_role("radio", name="Everything of this dataset")).to_be_checked()
    assert page.url == f"{lists}/download?dataset=10002"
    assert axe_faults(page) == []
    dialog.get_by_role("radio", name="Tomograms").check()
    expect(dialog.locator(".total")).to_contain_text("6 files, 6.8")
    expect(dialog.get_by_role("radio", name="Tomograms")).to_be_focused()
    dialog.get_by_role("checkbox", name="MRC").check()
    expect(dialog.locator(".total")).to_contain_text("12 files")
    expect(dialog.locator("> [role=status]")).to_contain_text("each volume twice")
    assert page.url.endswith("?dataset=10002&content=tomograms&format=mrc&format=zarr")
    expect(dialog.locator(".file-list li")).to_have_count(12)
    command = dialog.locator(".command").first
    command.get_by_role("button", name="Copy").click()
    command.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == command.locator("code").inner_text()
    assert page.evaluate("window.same") is True
    page.reload()
    expect(page.locator("main .total")).to_contain_text("12 files")
    page.get_by_role("checkbox", name="MRC").uncheck()
    expect(page.locator("main .total")).to_contain_text("6 files")
    page.go_back()
    expect(page.locator("h1")).not_to_contain_text("DS-10002")
    assert page.url == f"{lists}/datasets/10002"


def test_back_escape_the_button_and_the_ground_close_it(opened, lists):
    page = opened
    title, link = page.title(), page.get_by_role("link", name="Cite", exact=True)
    dialog = page.get_by_role("dialog")
    for close in (
        page.go_back,
        lambda: page.keyboard.press("Escape"),
        dialog.get_by_role("button", name="Close").click,
        lambda: page.mouse.click(4, 400),
    ):
        link.press("Enter")
        expect(dialog.locator(".citation")).to_be_visible()
        assert page.title().startswith("Cite ")
        assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
        close()
        expect(dialog).to_be_hidden()
        page.wait_for_url(f"{lists}/datasets/10002")
        expect(link).to_be_focused()
        assert page.title() == title
    page.go_forward()
    expect(dialog.locator(".citation")).to_be_visible()
    assert axe_faults(page) == []


def test_going_back_keeps_what_was_filtered(opened, lists):
    page = opened
    page.locator("#facets").get_by_label("membrane").check()
    page.wait_for_url("**object=membrane**")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Download", exact=True).click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_url("**/datasets/10002?object=membrane")
    assert page.evaluate("window.same") is True


def test_it_fills_a_narrow_window(opened):
    page = opened
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.get_by_role("link", name="Download", exact=True).click()
    box = page.get_by_role("dialog").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 800)
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 390
    assert axe_faults(page) == []


def test_without_scripts_the_page_itself_asks(window, lists):
    page = window(java_script_enabled=False).goto(f"{lists}/datasets/10002")
    page.get_by_role("link", name="Download", exact=True).click()
    page.get_by_role("radio", name="Tomograms").check()
    page.get_by_role("button", name="Show").click()
    assert "6 files, 6.8" in page.locator(".total").inner_text()
