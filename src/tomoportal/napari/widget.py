"""The dock widget: the address of a portal, a search, its tree, details, and a button that opens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tomoportal.client.classes import Run, Tomogram
from tomoportal.client.connection import DEFAULT_URL, Client
from tomoportal.errors import PortalError
from tomoportal.napari.addresses import first_tomogram
from tomoportal.napari.appearance import LayerData
from tomoportal.napari.browsing import Row, below, datasets, found
from tomoportal.napari.details import Details, picture_of
from tomoportal.napari.layers import tomogram_layers
from tomoportal.napari.parts import Part
from tomoportal.napari.tree import Tree, row_of
from tomoportal.napari.work import Job

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtGui import QCloseEvent

RESOLUTIONS = (("all levels", None), ("full", 0), ("half", 1), ("quarter", 2))
"""What is offered, and the level of the pyramid that it means."""


class PortalWidget(QWidget):
    """Browse a portal, open its tomograms in `napari_viewer`. Nothing is asked before `connect_portal`."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.client: Client | None = None
        self._jobs: dict[str, Job] = {}
        self._make_parts()
        self._lay_out()
        self._wire()

    def _make_parts(self) -> None:
        self.address = QLineEdit(os.environ.get("TOMOPORTAL_URL") or DEFAULT_URL)
        self.connect_button = QPushButton("Connect")
        self.search = QLineEdit()
        self.search.setPlaceholderText("membrane ribosome, DS-10301, EMPIAR-10499 …")
        self.search.setClearButtonEnabled(True)
        self.tree, self.details = Tree(), Details()
        self.resolution = QComboBox()
        for text, level in RESOLUTIONS:
            self.resolution.addItem(text, level)
        self.open_button, self.cancel_button = QPushButton("Open"), QPushButton("Cancel")
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _lay_out(self) -> None:
        where = QHBoxLayout()
        where.addWidget(self.address)
        where.addWidget(self.connect_button)
        form = QFormLayout()
        form.addRow("Portal", where)
        form.addRow("Search", self.search)
        middle = QSplitter(Qt.Orientation.Vertical)
        middle.addWidget(self.tree)
        middle.addWidget(self.details)
        last = QHBoxLayout()
        for item in (QLabel("Resolution"), self.resolution, self.open_button, self.cancel_button):
            last.addWidget(item)
        whole = QVBoxLayout(self)
        whole.addLayout(form)
        whole.addWidget(middle, stretch=1)
        whole.addLayout(last)
        whole.addWidget(self.progress)
        whole.addWidget(self.message)
        self._show_state()

    def _wire(self) -> None:
        self.connect_button.clicked.connect(self.connect_portal)
        self.address.returnPressed.connect(self.connect_portal)
        self.search.returnPressed.connect(self.list_rows)
        self.tree.wanted.connect(self._list_below)
        self.tree.itemSelectionChanged.connect(self._show_details)
        self.tree.itemDoubleClicked.connect(self._on_double_click)
        self.open_button.clicked.connect(self.open_chosen)
        self.cancel_button.clicked.connect(self.cancel)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._jobs)

    def connect_portal(self) -> None:
        """Take the portal at the address and list what it has."""
        try:
            self.client = Client(self.address.text().strip())
        except PortalError as error:
            self.message.setText(str(error))
        else:
            self.list_rows()

    def list_rows(self) -> None:
        """All datasets, or what fits the words of the search."""
        if self.client is None:
            return self.connect_portal()
        client, words = self.client, self.search.text().strip()
        self.cancel()
        self.tree.clear()
        self.details.clear()

        def ended() -> None:
            if not self.tree.topLevelItemCount() and not self.message.text():
                self.message.setText(
                    f"Nothing was found for “{words}”." if words else "There are no datasets here."
                )

        return self._start(
            "list", lambda: found(client, words) if words else datasets(client), self.tree.put, ended
        )

    def open_chosen(self) -> None:
        """Open the tomogram that is selected with what is ticked below it, or the first tomogram of a run."""
        row, parts, level = self.tree.chosen(), self.tree.chosen_parts(), self.resolution.currentData()
        if isinstance(row, Part):
            row = row_of(self.tree.selectedItems()[0].parent())
        if not isinstance(row, (Run, Tomogram)):
            self.message.setText("Select a tomogram, or a run, to open it.")
            return
        chosen = row

        def work() -> Iterator[LayerData]:
            tomogram = first_tomogram(chosen) if isinstance(chosen, Run) else chosen
            yield from tomogram_layers(tomogram, parts, level)

        self._start("open", work, self._add_layer)

    def cancel(self) -> None:
        """End whatever is under way."""
        for job in self._jobs.values():
            job.stop()
        self._jobs.clear()
        self._show_state()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing arrives at a widget that is gone."""
        self.cancel()
        super().closeEvent(event)

    def _add_layer(self, data: LayerData) -> None:
        layer = Layer.create(*data)
        self.viewer.add_layer(layer)
        self.viewer.canvas.overlays.scale_bar.visible = True
        if data[2] == "points" and len(layer.size):
            self._thicken(float(layer.size.max() * layer.scale.max()) / 2)

    def _thicken(self, reach: float) -> None:
        """Let slices show points whose markers of this radius (Å) they cut. Volumes stay thin: they do not project."""
        dims = self.viewer.dims
        dims.margin_left = dims.margin_right = tuple(max(margin, reach) for margin in dims.margin_left)

    def _list_below(self, item: QTreeWidgetItem) -> None:
        def take(rows: Sequence[Row]) -> None:
            self.tree.put(rows, item)

        self._start(f"below {id(item)}", lambda: below(row_of(item)), take)

    def _show_details(self) -> None:
        row = self.tree.chosen()
        if row is None:
            return
        self.details.show_row(row)
        self._start("picture", lambda: picture_of(row), lambda found: self.details.show_picture(*found))

    def _on_double_click(self, item: QTreeWidgetItem) -> None:
        if isinstance(row_of(item), Tomogram):
            self.open_chosen()

    def _start(
        self,
        purpose: str,
        work: Callable[[], Iterator[Any]],
        take: Callable[[Any], None],
        done: Callable[[], None] | None = None,
    ) -> None:
        """Begin work that takes the place of what was under way for the same purpose."""
        if purpose in self._jobs:
            self._jobs.pop(purpose).stop()

        def ended() -> None:
            self._jobs.pop(purpose, None)
            self._show_state()
            if done is not None:
                done()

        self.message.clear()
        self._jobs[purpose] = Job(work, take, self.message.setText, ended)
        self._show_state()
        self._jobs[purpose].start()

    def _show_state(self) -> None:
        self.progress.setVisible(self.is_busy)
        self.cancel_button.setEnabled(self.is_busy)
