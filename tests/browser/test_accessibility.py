"""Every page for everybody: axe-core, keyboard alone, without scripts, without motion, on paper; nothing shifts while it loads, nothing is
inline, nothing is absent, nothing comes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

pytest.importorskip("playwright")

from axe import LOOKS, axe_faults, with_axe
from every_page import ROUTES, Found, every_page
from fixtures_web import EMPTY_RUN, web_app, web_portal
from tomoportal.catalog import Tombstone, open_catalog
from tomoportal.settings import Settings
from tomoportal.web import render
from tomoportal.web.entities.withdrawn import Gone

pytestmark = pytest.mark.browser

ABSENT = "/nothing-is-here"
SHIFTS = """window.shifted = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) shifted.push(...entry.sources.map(({ node }) => (node?.outerHTML ?? node?.textContent ?? "").slice(0, 90)));
  }
}).observe({ type: "layout-shift", buffered: true });"""
"""Notes what moves while a page comes."""
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Waits for what the window looks like now."""
MOVING = """[...document.querySelectorAll('*')].filter(element => {
  const style = getComputedStyle(element);
  return parseFloat(style.transitionDuration) > .01 || parseFloat(style.animationDuration) > .01;
}).length"""
ON_PAPER = """() => ({
  tools: [...document.querySelectorAll(
      '.site-header nav, .site-search, .site-footer nav, .filters, .paging, .sorting, .actions, .copy, main .button')]
    .filter(element => element.checkVisibility()).map(element => element.outerHTML.slice(0, 90)),
  heading: document.querySelector('h1').checkVisibility(),
  ground: getComputedStyle(document.body).backgroundColor,
  ink: Math.max(...getComputedStyle(document.querySelector('h1')).color.match(/\\d+/g).slice(0, 3)),
})"""
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


@pytest.fixture
def looked(window, demo: str) -> Iterator[Any]:
    """A wide, light window that looks at pages without the viewer in them; none of them fetches what is absent or elsewhere."""
    opened = window(width=1280, color_scheme="light", reduced_motion="reduce")
    with_axe(opened.page)
    opened.page.context.add_init_script(SHIFTS)
    opened.page.route("**/viewer/v/**", lambda route: route.abort())
    absent: list[str] = []
    opened.page.on("response", lambda answer: absent.append(answer.url) if answer.status >= 400 else None)
    yield opened.page
    opened.complaints[:] = [text for text in opened.complaints if "ERR_FAILED" not in text]
    assert {urlsplit(url).path for url in absent} <= {ABSENT}
    assert opened.hosts == {urlsplit(demo).netloc}


def faults_of(page: Any) -> list[str]:
    """What is wrong with the page that the window shows: wide and light, dark and narrow, and on paper. The page is loaded once."""
    page.evaluate(DRAWN)
    faults = [f"moved while it came: {what}" for what in page.evaluate("shifted")] + axe_faults(page)
    if moving := page.evaluate(MOVING):
        faults.append(f"{moving} parts move")
    page.set_viewport_size({"width": 390, "height": 860})
    page.emulate_media(color_scheme="dark")
    faults += axe_faults(page, LOOKS)
    if page.evaluate("document.documentElement.scrollWidth") > 390:
        faults.append("wider than the window")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.emulate_media(media="print")
    faults += on_paper(page)
    page.emulate_media(media="screen", color_scheme="light")
    page.evaluate(DRAWN)
    return faults


def on_paper(page: Any) -> list[str]:
    """What is wrong with the page in print: only the matter belongs there, black on white."""
    if page.locator("body.viewer").count():
        return []
    paper = page.evaluate(ON_PAPER)
    faults = [f"on paper: {tool}" for tool in paper["tools"]]
    if not paper["heading"] or paper["ground"] != "rgb(255, 255, 255)" or paper["ink"] > 60:
        faults.append(f"on paper: {paper}")
    return faults


def test_nobody_is_shut_out_of_any_page(looked, demo, pages):
    faults = []
    for found in pages:
        looked.goto(demo + found.path, wait_until="load")
        faults += [f"{found.path}: {fault}" for fault in faults_of(looked)]
    assert not faults, "\n" + "\n".join(faults)


@pytest.fixture(scope="module")
def bare_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """HTML of what is rarely seen: errors, what was withdrawn, a portal and a run without anything."""
    folder, settings = tmp_path_factory.mktemp("bare"), Settings(title="Bare")
    stone = Tombstone("dataset", "10001", "Withdrawn cells", "The authors asked for it.", "2026-01-02", 10001)
    made = {
        "/made/error": render.error(500, "Something went wrong on our side", "", settings),
        "/made/tombstone": render.tombstone(Gone(stone), settings),
    }
    with open_catalog(f"sqlite:///{folder / 'none.sqlite'}", create=True) as catalog:
        client = TestClient(web_app(catalog, folder))
        for path in ("/", "/browse-data/datasets", "/browse-data/runs", "/objects", "/authors"):
            made[f"/made/none{path}"] = client.get(path).text
    with web_portal(folder, pictures=False) as catalog:
        made["/made/run"] = TestClient(web_app(catalog, folder)).get(f"/runs/{EMPTY_RUN}").text
    return made


def answering(html: str) -> Callable[[Any], None]:
    return lambda route: route.fulfill(body=html, content_type="text/html")


def test_nobody_is_shut_out_of_errors_and_empty_pages(looked, demo, bare_pages):
    faults = []
    for path, html in bare_pages.items():
        looked.route(demo + path, answering(html))
        looked.goto(demo + path, wait_until="load")
        faults += [f"{path}: {fault}" for fault in faults_of(looked)]
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("path", ["/", "/browse-data/datasets", "/runs/{id}", "/tomograms/{id}"])
def test_nothing_shifts_on_a_telephone(path, window, demo, pages):
    opened = window(width=390)
    opened.page.context.add_init_script(SHIFTS)
    page = opened.goto(demo + next(found.path for found in pages if found.route == path))
    page.evaluate(DRAWN)
    assert page.evaluate("shifted") == []


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
