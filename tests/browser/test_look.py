"""From the list to the volume on the screen, as a visitor goes."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser


SHOW_ONLY = """kinds => {
  const types = Object.fromEntries(viewer.state.toJSON().layers.map(layer => [layer.name, layer.type]));
  viewer.layerManager.managedLayers.forEach(layer => layer.setVisible(kinds.includes(types[layer.name])));
}"""


def viewer_frame(page):
    """The frame of Neuroglancer when everything in it is drawn."""
    frame = page.frame_locator("iframe").locator("body")
    frame.wait_for()
    inner = next(frame for frame in page.frames if "/viewer/" in frame.url)
    inner.wait_for_function("() => window.viewer && window.viewer.isReady()", timeout=60_000)
    page.wait_for_timeout(1000)
    return inner


def panels(page) -> list[np.ndarray]:
    """RGB of the data panels (the first shows x and y, one of them all in three dimensions), each (height, width, 3)."""
    whole = np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")).astype(int)
    boxes = [
        panel.bounding_box()
        for panel in page.frame_locator("iframe").locator(".neuroglancer-rendered-data-panel").all()
    ]
    spans = [[round(box[key]) for key in ("x", "y", "width", "height")] for box in boxes]
    return [whole[y : y + height, x : x + width] for x, y, width, height in spans]


def coloured(pictures: list[np.ndarray]) -> int:
    """How many pixels are far from grey."""
    return sum(int((np.ptp(picture, axis=2) > 60).sum()) for picture in pictures)


def test_from_the_front_page_to_the_volume(window, demo):
    opened = window()
    page = opened.goto(demo)
    page.locator(".site-header").get_by_role("link", name="Datasets").click()
    page.get_by_label("Homo sapiens").check()
    page.wait_for_url("**organism=Homo*sapiens")
    page.locator(".entry-title a").first.click()
    assert page.locator("h1").inner_text().startswith("Simulated")
    pictures = page.locator("img")
    page.wait_for_load_state("networkidle")
    assert pictures.count() >= 2
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    page.locator("th[scope=row] a").first.click()
    name = page.locator("h1").inner_text()
    page.get_by_role("link", name="View tomogram", exact=True).first.click()
    frame = viewer_frame(page)
    layers = frame.evaluate("viewer.state.toJSON().layers.map(layer => [layer.type, layer.name])")
    assert layers[0][1] == name
    overlays = [name for _, name in layers[1:]]
    shapes = "points|oriented points|instances|segmentation|segmented instances|surface"
    assert all(re.match(rf".+, ({shapes})(, ground truth)?(, [0-9.]+ Å)?$", name) for name in overlays)
    assert {"image", "annotation", "segmentation"} <= {kind for kind, _ in layers}
    faults = "viewer.layerManager.managedLayers.flatMap(l => l.layer.dataSources.map(s => s.loadState?.error?.message)).filter(Boolean)"
    assert frame.evaluate(faults) == []
    assert panels(page)[0].std() > 25
    assert opened.hosts == {urlsplit(demo).netloc}


def test_image_points_and_mask_are_drawn_where_they_belong(window, demo):
    """Grey texture with only the image on; coloured pixels over it with the annotations; all gone with nothing on."""
    page = window().goto(demo)
    page.locator(".mosaic a").first.click()
    frame = viewer_frame(page)

    def shown(kinds: list[str]) -> list[np.ndarray]:
        frame.evaluate(SHOW_ONLY, kinds)
        frame.wait_for_function("() => window.viewer.isReady()")
        page.wait_for_timeout(1200)
        return panels(page)

    nothing, image = shown([]), shown(["image"])
    mask, points = shown(["image", "segmentation"]), shown(["image", "annotation"])
    assert image[0].std() > nothing[0].std() + 20
    height, width = image[0].shape[:2]
    beside_the_axes = image[0][height // 2 - 20 : height // 2 - 4, width // 2 - 60 : width // 2 - 20]
    assert beside_the_axes.std() > 8
    assert coloured(mask) > coloured(image) + 400
    assert coloured(points) > coloured(image) + 100


def test_switching_the_tomogram_keeps_the_run(window, demo):
    page = window().goto(f"{demo}/browse-data/datasets")
    page.locator(".entry-title a").first.click()
    page.get_by_role("link", name="View tomogram").first.click()
    viewer_frame(page)
    first = page.locator(".switch summary").inner_text()
    page.locator(".switch summary").click()
    page.locator(".switch li a:not([aria-current])").first.click()
    frame = viewer_frame(page)
    assert page.locator(".switch summary").inner_text() != first
    assert "tomogram=" in page.url
    assert frame.evaluate("viewer.state.toJSON().layers.length") >= 1
    page.locator(".viewer-header .crumbs a").last.click()
    assert page.locator("#tomograms").is_visible()


def test_downloads_are_the_files(window, demo, demo_portal):
    page = window().goto(f"{demo}/browse-data/datasets")
    page.locator(".entry-title a").first.click()
    page.locator("th[scope=row] a").first.click()
    page.get_by_text("Details and downloads").first.click()
    link = page.locator("#tomograms a[download]").first
    with page.expect_download() as started:
        link.click()
    path = urlsplit(link.get_attribute("href")).path.removeprefix("/files/")
    assert started.value.suggested_filename == path.rsplit("/", 1)[-1]
    assert Path(started.value.path()).read_bytes() == (demo_portal.layout / path).read_bytes()


def test_commands_are_copied(window, demo):
    opened = window(permissions=["clipboard-read", "clipboard-write"])
    page = opened.goto(f"{demo}/#programs")
    command = page.locator(".command").first
    command.get_by_role("button", name="Copy").click()
    command.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == command.locator("code").inner_text()
    assert f'Client("{demo}/graphql")' in copied
