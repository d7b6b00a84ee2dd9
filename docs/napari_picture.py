"""Photograph napari with the plugin into docs/images/napari.jpg; needs a screen, such as that of `xvfb-run`.

xvfb-run -a -s "-screen 0 1600x1000x24" python docs/napari_picture.py URL
"""

from __future__ import annotations

import sys
from pathlib import Path

import napari
from PIL import Image
from qtpy.QtWidgets import QApplication

PICTURE = Path(__file__).parent / "images" / "napari.jpg"
WIDE = (1400, 875)


def settle(widget) -> None:
    """Wait until nothing is under way."""
    while widget.is_busy:
        QApplication.processEvents()


def open_up(widget, item) -> None:
    """Show what is below a row."""
    item.setExpanded(True)
    settle(widget)


def main(url: str) -> None:
    """The first run of the first dataset, as a user would find and open it."""
    viewer = napari.Viewer()
    viewer.window.resize(*WIDE)
    _, widget = viewer.window.add_plugin_dock_widget("tomoportal", "Tomoportal")
    widget.address.setText(url)
    widget.connect_portal()
    settle(widget)
    item = widget.tree.topLevelItem(0)
    for _ in range(2):
        open_up(widget, item)
        item = item.child(0)
    tomogram = item.parent().child(1)
    open_up(widget, tomogram)
    widget.tree.setCurrentItem(tomogram)
    widget.open_chosen()
    settle(widget)
    viewer.reset_view()
    QApplication.processEvents()
    Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB").save(
        PICTURE, quality=84
    )
    viewer.close()


if __name__ == "__main__":
    main(sys.argv[1])
