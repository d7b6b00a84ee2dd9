"""What is known of the row that is selected: its picture and its fields."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtCore import QUrl
from qtpy.QtGui import QImage, QTextDocument
from qtpy.QtWidgets import QTextBrowser

from tomoportal.client.entities import ClientEntity
from tomoportal.client.notebook import card
from tomoportal.napari.browsing import Row
from tomoportal.napari.parts import Part

LINK = "#4a9be0"
"""Can be read on napari's dark and light."""
PICTURE_WIDTH = 240
"""Pixels."""
_PICTURES = ("key_photo_thumbnail_url", "key_photo_url")


class Details(QTextBrowser):
    """A card of an entity."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenExternalLinks(True)
        self.document().setDefaultStyleSheet(f"a {{ color: {LINK} }}")
        self.setAccessibleName("Details")

    def show_row(self, row: Row) -> None:
        """The fields; the picture follows with `show_picture`."""
        self.setHtml(card(_entity(row)))

    def show_picture(self, address: str, content: bytes) -> None:
        """The picture with this address."""
        image = QImage.fromData(content)
        if image.width() > PICTURE_WIDTH:
            image = image.scaledToWidth(PICTURE_WIDTH)
        text = self.toHtml()
        self.document().addResource(QTextDocument.ResourceType.ImageResource, QUrl(address), image)
        self.setHtml(text)


def picture_of(row: Row) -> Iterator[tuple[str, bytes]]:
    """Address and content of the picture of a row, if it has one that can be had."""
    entity = _entity(row)
    for address in (entity.__dict__.get(name) for name in _PICTURES):
        if address and (answer := entity.client.get(address)).status_code == 200:
            yield address, answer.content
            return


def _entity(row: Row) -> ClientEntity:
    if not isinstance(row, Part):
        return row
    assert row.file.annotation_shape is not None
    annotation = row.file.annotation_shape.annotation
    assert annotation is not None
    return annotation
