"""napari with a real window, as a user starts it: the plugin's reader opens an address, its widget is docked, the canvas is drawn.

python canvas.py ADDRESS OUT.npz      writes what was drawn of the slice through a point, at the finest and at the coarsest level
"""

from __future__ import annotations

import sys

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

ZOOM = 0.15
"""Pixels of the canvas in an ångström."""


def main(address: str, out: str) -> None:
    """Only the image and one list of points are left visible."""
    viewer = napari.Viewer()
    image, *others = viewer.open(address, plugin="tomoportal")
    _, widget = viewer.window.add_plugin_dock_widget("tomoportal", "Tomoportal")
    points = next(layer for layer in others if layer.name == "cytosolic ribosome, points, ground truth")
    for layer in others:
        layer.visible = layer is points
    points.opacity = 1.0
    place = points.data_to_world(points.data[0])
    viewer.dims.point = place
    camera, drawn = viewer.scene.camera, {}
    camera.zoom = ZOOM
    for level in (0, 2):
        image.locked_data_level = level
        QApplication.processEvents()
        drawn[f"level{level}"] = viewer.screenshot(canvas_only=True, flash=False)
    np.savez(
        out, place=place, colour=points.face_color[0], centre=camera.center, widget=type(widget).__name__, **drawn
    )  # fmt: skip
    viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
