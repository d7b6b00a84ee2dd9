"""The bar above Neuroglancer in Chromium: each menu does what it says, the address brings the view back, by keyboard too."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("playwright")
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

STATE = "() => JSON.parse(JSON.stringify(viewer.state.toJSON()))"
SHOWN = "viewer.layerManager.managedLayers.filter(layer => layer.visible).map(layer => layer.name)"
ACTIN = "actin filament, segmentation, ground truth"


class Looked:
    """The viewer page in a window, when it is ready."""

    def __init__(self, opened: Any, address: str) -> None:
        self.page = opened.goto(address)
        self.page.locator("#viewer-bar[data-ready]").wait_for(timeout=60_000)
        self.frame = next(frame for frame in self.page.frames if "/viewer/v/" in frame.url)
        self.drawn()

    def drawn(self) -> None:
        self.frame.wait_for_function("viewer.isReady()", timeout=60_000)

    def state(self) -> dict[str, Any]:
        return self.frame.evaluate(STATE)

    def menu(self, name: str) -> Any:
        """The open menu."""
        menu = self.page.locator(".menu").filter(has=self.page.locator("summary", has_text=name))
        if menu.get_attribute("open") is None:
            menu.locator("summary").click()
        return menu

    def until(self, condition: str) -> None:
        self.frame.wait_for_function(condition)

    def address(self, pattern: str) -> str:
        """The address as soon as it is like this."""
        self.page.wait_for_url(re.compile(pattern))
        return str(self.page.url)

    def picture(self) -> np.ndarray:
        """RGB of the first panel below Neuroglancer's own buttons, (height, width, 3)."""
        self.page.keyboard.press("Escape")
        self.drawn()
        box = self.frame.locator(".neuroglancer-rendered-data-panel").first.bounding_box()
        image = Image.open(BytesIO(self.page.screenshot(clip=box))).convert("RGB")
        return np.asarray(image).astype(int)[40:]


@pytest.fixture(scope="module")
def run(demo) -> str:
    """The path of the viewer on the run that both kinds of tomograms and annotations are of."""
    return f"{demo}/view/runs/1"


def layer(name: str) -> str:
    """The selector of a layer's toggle."""
    return f'[data-layer="{name}"]'


def coloured(picture: np.ndarray) -> int:
    return int((np.ptp(picture, axis=2) > 60).sum())


def test_menus_act_on_the_viewer(window, demo, run):
    opened = window()
    look = Looked(opened, run)
    page = look.page
    assert "#" not in page.url
    first = look.state()

    annotations = look.menu("Annotations")
    names = annotations.locator("[data-layer]").evaluate_all("boxes => boxes.map(box => box.dataset.layer)")
    assert sorted(names) == sorted(layer["name"] for layer in first["layers"] if layer["type"] != "image")
    ticked = annotations.locator("[data-layer]:checked").evaluate_all(
        "boxes => boxes.map(box => box.dataset.layer)"
    )
    assert {*ticked, "TS_001"} == {*look.frame.evaluate(SHOWN)}
    assert annotations.locator(".gt").count() == sum("ground truth" in name for name in names)
    annotations.get_by_role("button", name="Hide all").click()
    look.until(f"{SHOWN}.length === 1")
    look.menu("View").get_by_label("Axis lines").uncheck()
    bare = look.picture()
    look.menu("Annotations").locator(layer("membrane, segmentation, ground truth")).check()
    look.until(f"{SHOWN}.length === 2")
    assert coloured(look.picture()) > coloured(bare) + 400
    look.menu("Annotations").get_by_role("button", name="Show all").click()
    look.until(f"{SHOWN}.length === {len(names) + 1}")
    look.menu("Annotations").get_by_role("button", name="Hide all").click()

    view = look.menu("View")
    view.get_by_label("Inverted").check()
    view.get_by_label("Scale bar").uncheck()
    inverted = look.picture()
    grey = bare.mean(axis=2) > 20
    assert np.corrcoef(bare[grey].mean(axis=1), inverted[grey].mean(axis=1))[0, 1] < -0.8
    view = look.menu("View")
    view.get_by_role("button", name="Light").click()
    expect(view.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
    look.frame.evaluate(
        "viewer.layerManager.managedLayers[0].layer.shaderControlState.restoreState({contrast: {range: [0, 9]}})"
    )
    view.get_by_role("button", name="Auto contrast").click()
    look.until(
        "JSON.stringify(viewer.layerManager.managedLayers[0].layer.shaderControlState.toJSON().contrast.range) === "
        + json.dumps(
            json.dumps(first["layers"][0]["shaderControls"]["contrast"]["range"], separators=(",", ":"))
        )
    )
    told = look.address(r"#!.*ffffff")
    assert "showScaleBar%22:false" in told
    look.menu("View").get_by_label("Neuroglancer's tabs of layers").check()
    look.frame.locator(".neuroglancer-layer-item").first.wait_for()

    layout = look.menu("Layout")
    for name, value in {"XZ": "xz", "3-D": "3d", "Four panels, the other way": "4panel-alt"}.items():
        layout.get_by_role("button", name=name, exact=True).click()
        look.until(f"viewer.state.toJSON().layout === '{value}'")
        expect(layout.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    look.menu("View").get_by_role("button", name="As at first").click()
    look.address(r"^[^#]*$")
    assert look.state() == first
    assert opened.hosts == {urlsplit(demo).netloc}


def test_links_bring_the_view_back(window, demo, run):
    shared = window(permissions=["clipboard-read", "clipboard-write"])
    look = Looked(shared, f"{run}?tomogram=2")
    look.frame.evaluate("viewer.state.restoreState({position: [20, 30.25, 9], crossSectionScale: 0.3})")
    look.menu("Layout").get_by_role("button", name="XY", exact=True).click()
    look.menu("Annotations").locator(layer(ACTIN)).check()
    look.frame.evaluate(
        "viewer.layerManager.managedLayers[1].layer.annotationDisplayState.shaderControls.restoreState({pointScale: 0.25})"
    )
    address = look.address("pointScale")
    seen = look.state()

    def copied(name: str) -> str:
        look.menu("Share").get_by_role("button", name=name).click()
        expect(look.page.locator("#viewer-told")).to_contain_text("clipboard")
        text = look.page.evaluate("navigator.clipboard.readText()")
        look.page.evaluate("document.getElementById('viewer-told').textContent = ''")
        return str(text)

    assert copied("Copy link to this view") == address
    assert len(address) < 600
    embedded = re.search(r'src="([^"]+)"', copied("Copy code to embed"))
    assert embedded
    whole = copied("Copy link with everything")
    assert embedded[1].replace("&amp;", "&") == whole
    slices = look.page.locator("#viewer-slices").get_attribute("href")
    assert slices == "/tomograms/2?z=9&y=30&x=20&view=XY"

    again = Looked(window(), address)
    again.address("pointScale")
    assert again.state() == seen
    assert again.page.url == address
    expect(again.menu("Annotations").locator(layer(ACTIN))).to_be_checked()
    again.page.goto(whole)
    again.page.wait_for_function(
        "window.viewer && viewer.isReady() && viewer.state.toJSON().layers.length > 5"
    )
    alone = again.page.evaluate(STATE)
    assert {name: alone[name] for name in ("position", "layout", "crossSectionScale")} == {
        name: seen[name] for name in ("position", "layout", "crossSectionScale")
    }


def test_another_tomogram_is_seen_at_the_same_place(window, run):
    look = Looked(window(), f"{run}?tomogram=2")
    page = look.page
    look.frame.evaluate("viewer.state.restoreState({position: [19.5, 29.5, 9.5], crossSectionScale: 0.3})")
    look.menu("Layout").get_by_role("button", name="XY", exact=True).click()
    look.menu("Annotations").get_by_role("button", name="Hide all").click()
    look.menu("WBP").locator("[data-tomogram='3']").click()
    look.until("viewer.state.toJSON().dimensions.x[0] > 4e-9 && viewer.isReady()")
    expect(page.locator("#viewer-told")).to_have_text("The same place in TM-3.")
    moved = look.state()
    assert moved["position"] == [9.5, 14.5, 4.5]
    assert moved["crossSectionScale"] == pytest.approx(0.15)
    assert moved["layout"] == "xy"
    assert look.frame.evaluate(SHOWN) == ["TS_001"]
    assert "42.848" in page.locator(".switch summary").inner_text()
    assert "tomogram=3" in look.address("tomogram=3#")

    def other(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("AL-1", "AL-9"))

    page.route("**/view/runs/1?tomogram=1", other)
    look.menu("WBP").locator("[data-tomogram='1']").click()
    look.until("viewer.state.toJSON().dimensions.x[0] < 3e-9 && viewer.isReady()")
    expect(page.locator("#viewer-told")).to_contain_text(
        "another alignment (AL-9): places are not comparable"
    )
    assert look.state()["position"] == [47, 47, 15]
    page.go_back()
    page.locator("#viewer-bar[data-ready]").wait_for(timeout=60_000)
    assert "tomogram=3" in page.url
    assert "42.848" in page.locator(".switch summary").inner_text()


def test_the_keyboard_opens_walks_and_closes(window, run):
    for strange in ("%7B%22crossSectionScale%22:-1%7D", "%7Bbroken"):
        look = Looked(window(), f"{run}?tomogram=2#!{strange}")
        page = look.page
        expect(page.locator("#viewer-told")).to_contain_text("cannot be read")
        assert look.state()["layers"][0]["name"] == "TS_001"
    at = "document.activeElement.textContent.trim()"
    page.locator(".crumbs a").last.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(at) == "Layout"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    look.until("viewer.state.toJSON().layout === '4panel-alt'")
    page.keyboard.press("Escape")
    assert page.locator(".menu[open]").count() == 0
    assert page.evaluate(at) == "Layout"
    look.menu("Share")
    look.menu("Help")
    assert page.locator(".menu[open]").count() == 1
    look.frame.locator(".neuroglancer-rendered-data-panel").first.click()
    expect(page.locator(".menu[open]")).to_have_count(0)
    before = look.state().get("showScaleBar", True)
    page.keyboard.press("b")
    look.until(f"(viewer.state.toJSON().showScaleBar ?? true) === {json.dumps(not before)}")
    look.menu("View")
    expect(page.get_by_label("Scale bar")).to_be_checked(checked=not before)


def test_without_scripts_the_slices_are_offered(window, run):
    page = window(java_script_enabled=False).goto(f"{run}?tomogram=2")
    assert "needs JavaScript" in page.locator(".viewer-off").inner_text()
    assert not page.locator("iframe").is_visible()
    page.get_by_role("link", name="Look at slices").click()
    assert urlsplit(page.url).path == "/tomograms/2"
