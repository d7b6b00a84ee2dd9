"""The tree of datasets, runs, tomograms and what fits them. Rows below a row are asked for when it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from tomoportal.napari.browsing import Row, named
from tomoportal.napari.parts import Part

_ROW = Qt.ItemDataRole.UserRole


class Tree(QTreeWidget):
    """`wanted` is emitted with a row whose rows below are not known yet."""

    wanted = Signal(QTreeWidgetItem)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["Name", ""])
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setUniformRowHeights(True)
        self.setAccessibleName("Datasets, runs and tomograms")
        self.itemExpanded.connect(self._on_expanded)

    def put(self, rows: Sequence[Row], above: QTreeWidgetItem | None = None) -> None:
        """Append rows, at the top or below another."""
        (above or self.invisibleRootItem()).addChildren([_item(row) for row in rows])

    def chosen(self) -> Row | None:
        """The row that is selected."""
        items = self.selectedItems()
        return row_of(items[0]) if items else None

    def chosen_parts(self) -> list[Part] | None:
        """What is ticked below the tomogram that is selected, or that a selected part belongs to; None while that is not known."""
        items = self.selectedItems()
        if not items:
            return None
        item = items[0]
        holder = item.parent() if isinstance(row_of(item), Part) else item
        parts = [one for one in _below(holder) if isinstance(row_of(one), Part)]
        if not parts:
            return None
        return [part for one in parts if _is_ticked(one) and isinstance(part := row_of(one), Part)]

    def _on_expanded(self, item: QTreeWidgetItem) -> None:
        if not item.childCount():
            self.wanted.emit(item)


def row_of(item: QTreeWidgetItem) -> Row:
    """What an item stands for."""
    return item.data(0, _ROW)


def _below(item: QTreeWidgetItem) -> Iterator[QTreeWidgetItem]:
    return (item.child(number) for number in range(item.childCount()))


def _is_ticked(item: QTreeWidgetItem) -> bool:
    return item.checkState(0) == Qt.CheckState.Checked


def _item(row: Row) -> QTreeWidgetItem:
    item = QTreeWidgetItem(list(named(row)))
    item.setData(0, _ROW, row)
    item.setToolTip(0, f"<span>{escape(named(row)[0])}</span>")
    if isinstance(row, Part):
        item.setCheckState(0, Qt.CheckState.Checked if row.is_visible else Qt.CheckState.Unchecked)
    else:
        item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
    return item
