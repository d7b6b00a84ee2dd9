"""The dock widget against a served portal, and the reader: search, open up, open, cancel; sentences for what goes wrong."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest

from tomoportal import Client
from tomoportal.errors import RemoteError, UsageError

PATIENCE = 60.0
"""Seconds for what a thread does."""


@pytest.fixture
def widget(application, address, monkeypatch):
    from napari.components import ViewerModel

    from tomoportal.napari.widget import PortalWidget

    monkeypatch.setenv("TOMOPORTAL_URL", address)
    made = PortalWidget(ViewerModel())
    made.show()
    yield made
    made.cancel()
    made.close()


@pytest.fixture
def settled(application, widget):
    """Waits until nothing is under way."""

    def wait():
        until = time.monotonic() + PATIENCE
        while widget.is_busy:
            application.processEvents()
            time.sleep(0.002)
            assert time.monotonic() < until, widget.message.text()

    return wait


def _opened(widget, settled, *numbers):
    """The item reached through these numbers of rows, with what is below it."""
    widget.connect_button.click()
    settled()
    item = widget.tree.topLevelItem(0)
    for number in numbers:
        item.setExpanded(True)
        settled()
        item = item.child(number)
    item.setExpanded(True)
    settled()
    return item


def _texts(item):
    return [item.child(number).text(0) for number in range(item.childCount())]


def test_from_a_dataset_to_layers(widget, settled):
    from qtpy.QtCore import Qt

    tomogram = _opened(widget, settled, 0, 0)
    assert widget.tree.topLevelItem(0).text(1) == "DS-10901"
    assert _texts(tomogram.parent().parent()) == ["TS_001", "TS_002"]
    assert _texts(tomogram.parent()) == ["raw, 21.424 Å", "denoised, 21.424 Å", "raw, 42.848 Å"]
    ticked = {
        tomogram.child(n).text(0): tomogram.child(n).checkState(0) for n in range(tomogram.childCount())
    }
    assert ticked["membrane, segmentation, ground truth"] == Qt.CheckState.Checked
    assert ticked["actin filament, segmentation, ground truth"] == Qt.CheckState.Unchecked
    for number in range(tomogram.childCount()):
        wanted = tomogram.child(number).text(0).startswith("actin")
        tomogram.child(number).setCheckState(0, Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
    widget.tree.setCurrentItem(tomogram)
    settled()
    assert "21.424" in widget.details.toPlainText()
    widget.resolution.setCurrentIndex(widget.resolution.findData(2))
    widget.open_button.click()
    assert widget.cancel_button.isEnabled()
    assert widget.progress.isVisible()
    settled()
    assert widget.message.text() == ""
    assert not widget.progress.isVisible()
    names = [layer.name for layer in widget.viewer.layers]
    assert names == ["TS_001, raw, 21.424 Å", "actin filament, segmentation, ground truth"]
    assert widget.viewer.layers[0].data.shape == (8, 24, 24)
    assert widget.viewer.layers[0].scale == pytest.approx([4 * 21.424] * 3)
    assert widget.viewer.canvas.overlays.scale_bar.visible


def test_a_picture_comes_with_the_details(widget, settled):
    from qtpy.QtCore import QUrl
    from qtpy.QtGui import QTextDocument

    run = _opened(widget, settled, 0)
    widget.tree.setCurrentItem(run.child(1))
    settled()
    picture = run.child(1).data(0, 256).key_photo_thumbnail_url
    image = widget.details.document().resource(QTextDocument.ResourceType.ImageResource, QUrl(picture))
    assert image is not None
    assert image.width() > 0


def test_words_find_runs_and_a_run_opens_what_its_portal_shows_first(widget, settled):
    widget.search.setText("TS_002")
    widget.search.returnPressed.emit()
    settled()
    run = next(
        item
        for number in range(widget.tree.topLevelItemCount())
        if (item := widget.tree.topLevelItem(number)).text(1) == "RN-2"
    )
    assert "TS_002 (Simulated cell periphery" in run.text(0)
    widget.tree.setCurrentItem(run)
    widget.open_button.click()
    settled()
    assert widget.viewer.layers[0].name == "TS_002, denoised, 21.424 Å"
    assert len(widget.viewer.layers) > 2
    points = widget.viewer.layers["cytosolic ribosome, points, ground truth"]
    radius = points.size[0] * points.scale[0] / 2
    assert widget.viewer.dims.margin_left == pytest.approx((radius,) * 3)
    beside = points.data_to_world(points.data[0] + (1, 0, 0))
    widget.viewer.dims.point = beside
    assert points.get_value(beside, world=True) == 0, "a slice shows the points whose markers it cuts"
    assert all(layer.visible for layer in widget.viewer.layers)


def test_what_cannot_be_done_is_a_sentence(widget, settled):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for address, said in ((away, "cannot be reached"), ("portal", "no address of a portal")):
            widget.address.setText(address)
            widget.connect_button.click()
            settled()
            assert said in widget.message.text()
            assert widget.tree.topLevelItemCount() == 0


@pytest.mark.parametrize("error", [RuntimeError("error -1 while decompressing"), RecursionError("too deep")])
def test_what_nobody_has_foreseen_ends_too(widget, settled, monkeypatch, error):
    def broken(client):
        raise error

    monkeypatch.setattr("tomoportal.napari.widget.datasets", broken)
    widget.connect_button.click()
    settled()
    assert str(error) in widget.message.text()
    assert not widget.progress.isVisible()


def test_names_are_no_markup(application):
    from tomoportal.client.classes import Run
    from tomoportal.napari.tree import Tree

    tree = Tree()
    tree.put([Run(None, id=1, name="<img src='x'>")])
    assert tree.topLevelItem(0).text(0) == "<img src='x'>"
    assert "<img" not in tree.topLevelItem(0).toolTip(0)


def test_nothing_found_and_nothing_chosen_are_said(widget, settled):
    widget.search.setText("zzzzzz")
    widget.connect_button.click()
    settled()
    assert "“zzzzzz”" in widget.message.text()
    widget.open_button.click()
    assert "Select a tomogram" in widget.message.text()


def test_what_was_cancelled_does_not_arrive(widget, settled, application):
    from qtpy.QtCore import QThreadPool

    tomogram = _opened(widget, settled, 0, 0)
    widget.tree.setCurrentItem(tomogram)
    widget.open_button.click()
    widget.cancel_button.click()
    assert QThreadPool.globalInstance().waitForDone(int(PATIENCE * 1000))
    application.processEvents()
    assert len(widget.viewer.layers) == 0
    assert not widget.progress.isVisible()


def test_a_widget_that_is_closed_leaves_the_viewer_alone(widget, settled, application):
    from qtpy.QtCore import QThreadPool

    run = _opened(widget, settled, 0)
    widget.tree.setCurrentItem(run.child(2))
    widget.open_button.click()
    assert widget.is_busy
    widget.close()
    assert QThreadPool.globalInstance().waitForDone(int(PATIENCE * 1000))
    application.processEvents()
    assert not widget.is_busy
    assert len(widget.viewer.layers) == 0


@pytest.mark.parametrize(
    ("place", "first", "count"),
    [
        ("/tomograms/{0.id}?z=3", "TS_001, raw, 21.424 Å", 6),
        ("/runs/{0.run_id}", "TS_001, denoised, 21.424 Å", 6),
        ("/view/runs/{0.run_id}?tomogram={0.id}", "TS_001, raw, 21.424 Å", 6),
    ],
)
def test_addresses_of_pages_are_read(place, first, count, tomograms, client):
    from tomoportal.napari.reader import get_reader

    url = client.base_url + place.format(tomograms[0])
    layers = get_reader(url)(url)
    assert layers[0][1]["name"] == first
    assert len(layers) == count


def test_addresses_of_volumes_are_read(tomograms, client, demo_portal):
    from tomoportal.napari.parts import parts_of
    from tomoportal.napari.reader import get_reader

    mask = next(part for part in parts_of(tomograms[0]) if part.file.format == "zarr")
    addresses = [tomograms[0].https_omezarr_dir + "/", mask.file.https_path]
    (image, labels) = get_reader(addresses)(addresses)
    assert (image[2], labels[2]) == ("image", "labels")
    assert labels[1]["name"] == mask.name
    assert np.asarray(labels[0][0]).max() == 1


def test_addresses_that_lead_nowhere(client):
    from tomoportal.napari.addresses import layers_at
    from tomoportal.napari.reader import get_reader

    base = client.base_url
    assert get_reader("/home/me/image.zarr") is None
    assert get_reader([f"{base}/tomograms/1", "image.tif"]) is None
    for address, error, said in (
        (f"{base}/tomograms/99", UsageError, "no tomogram 99"),
        (f"{base}/runs/99", UsageError, "no run 99"),
        (f"{base}/files/none.zarr", RemoteError, "is no OME-Zarr image"),
        (f"{base}/datasets/1", UsageError, "expected the page of a tomogram"),
    ):
        with pytest.raises(error, match=said):
            list(layers_at(address))
    assert isinstance(client, Client)
