"""Every page for everybody: axe-core, keyboard alone, without scripts, without motion, on paper; nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from every_page import ROUTES, Found, every_page

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / ".cache" / "axe-core" / "axe.min.js"
LOOKS = {
    "light and wide": ({"width": 1280, "color_scheme": "light"}, None),
    "dark and narrow": (
        {"width": 390, "color_scheme": "dark"},
        ["color-contrast", "scrollable-region-focusable", "link-in-text-block"],
    ),
}
"""How a window looks, and the rules of axe whose answer that changes; None: all rules."""
RUN_AXE = """async only => (await axe.run({exclude: ['iframe']}, {
    resultTypes: ['violations'], preload: false, iframes: false, ...(only ? {runOnly: only} : {}),
  })).violations
  .map(found => `${found.id} (${found.impact}): ${found.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`)"""
FOCUS = """async () => {
  const at = document.activeElement, style = getComputedStyle(at);
  const isSeen = () => {
    const box = at.getBoundingClientRect();
    return at.checkVisibility() && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  };
  for (let frame = 0; frame < 120 && !isSeen(); frame++) await new Promise(requestAnimationFrame);  // it is scrolled into view
  return {
    name: at.outerHTML.slice(0, 90), visible: isSeen(),
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
  };
}"""


@pytest.fixture(scope="module")
def pages(demo: str) -> list[Found]:
    return every_page(demo)


def test_links_lead_to_every_page(pages):
    assert ROUTES - {found.route for found in pages} == set()


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(look, window, demo, pages):
    if not AXE.is_file():
        pytest.skip(f"{AXE} is missing (tests/prepare fetches it)")
    options, rules = LOOKS[look]
    opened = window(**options, reduced_motion="reduce")
    opened.page.context.add_init_script(path=AXE)
    opened.page.route("**/viewer/v/**", lambda route: route.abort())
    faults = []
    for found in pages:
        page = opened.page
        page.goto(demo + found.path, wait_until="domcontentloaded")
        faults += [f"{found.path}: {fault}" for fault in page.evaluate(RUN_AXE, rules)]
        if page.evaluate("document.documentElement.scrollWidth") > options["width"]:
            faults.append(f"{found.path}: wider than the window")
    opened.complaints[:] = [text for text in opened.complaints if "ERR_FAILED" not in text]
    assert not faults, "\n" + "\n".join(faults)
    assert opened.hosts == {demo.split("/")[2]}


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(demo, pages):
    for found in pages:
        assert "unsafe" not in found.policy, found.path
        tags = re.findall(r"<([a-z][\w-]*)\b([^>]*)>", found.html)
        for tag, attributes in tags:
            assert not re.search(r'\s(style|on\w+)\s*=\s*"', attributes), (found.path, tag, attributes)
            if tag == "script" and "src=" not in attributes:
                assert re.search(r'type="application/(ld\+)?json"', attributes), (found.path, attributes)
            if tag in ("script", "img", "iframe", "source") or (tag == "link" and "stylesheet" in attributes):
                for address in re.findall(r'\s(?:src|href)="([^"]*)"', attributes):
                    assert re.match(f"{re.escape(demo)}/|/(?!/)", address), (found.path, address)
        assert "<style" not in found.html


def test_days_can_be_read_by_machines(pages):
    for found in pages:
        for day in re.findall(r"<time\b([^>]*)>", found.html):
            assert re.search(r'datetime="\d{4}-\d\d-\d\d', day), (found.path, day)


@pytest.mark.parametrize("path", ["/", "/browse-data/datasets", "/about/faq"])
def test_the_keyboard_reaches_everything(path, window, demo):
    page = window().goto(demo + path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    last = page.evaluate("[...document.querySelectorAll('footer a')].at(-1).outerHTML.slice(0, 90)")
    for _ in range(400):
        focus = page.evaluate(FOCUS)
        assert focus["visible"], focus
        assert focus["outlined"], focus
        if focus["name"] == last:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{last} was not reached")


def test_everything_works_without_scripts(window, demo):
    page = window(java_script_enabled=False).goto(demo)
    page.locator("main input[type=search]").fill("membrane")
    page.keyboard.press("Enter")
    page.wait_for_url("**/browse-data/datasets?**search=membrane**")
    page.locator(".entry-title a").first.click()
    page.wait_for_url("**/datasets/*")
    page.locator("th[scope=row] a").first.click()
    page.wait_for_url("**/runs/*")
    page.get_by_role("contentinfo").get_by_role("link", name="FAQ").click()
    page.get_by_role("link", name="Data organisation", exact=True).first.click()
    page.wait_for_url("**/about/data-organisation")
    page.get_by_role("link", name="Docs").click()
    page.get_by_role("link", name="The deposition language").click()
    page.wait_for_url("**/docs/deposition")


def test_nothing_moves_for_those_who_ask_for_it(window, demo, pages):
    opened = window(reduced_motion="reduce")
    for found in pages:
        if found.route in ("/", "/browse-data/datasets", "/runs/{id}", "/tomograms/{id}"):
            moving = opened.goto(demo + found.path).evaluate(
                "[...document.querySelectorAll('*')].filter(element => { const style = getComputedStyle(element);"
                " return parseFloat(style.transitionDuration) > .01 || parseFloat(style.animationDuration) > .01; }).length"
            )
            assert moving == 0, found.path


def test_paper_gets_the_matter_alone(window, demo, pages):
    opened = window(color_scheme="dark")
    for found in pages:
        if found.route in ("/datasets/{id}", "/about/{slug}"):
            page = opened.goto(demo + found.path)
            page.emulate_media(media="print")
            assert not page.locator(".site-header nav").is_visible()
            assert page.locator("h1").is_visible()
            ground, ink = page.evaluate(
                "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('h1')).color]"
            )
            assert ground == "rgb(255, 255, 255)", found.path
            assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 150, found.path
