"""Entities as HTML for notebooks: picture, link and main fields. Everything that comes from a portal is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any, TypeGuard

from tomoportal.client.pages import page_of
from tomoportal.model.fields import Field, Kind

if TYPE_CHECKING:
    from tomoportal.client.entities import ClientEntity

MOST_FIELDS, MOST_COLUMNS, MOST_ROWS, MOST_LETTERS = 14, 6, 20, 160
NOT_REPORTED = "not_reported"
"""Stands in many datasets where nothing is known."""
_PICTURES = ("key_photo_thumbnail_url", "key_photo_url")
_LEFT = ' style="text-align:left"'


def card(entity: ClientEntity) -> str:
    """One entity."""
    shown = [one for one in _told(type(entity)) if entity.__dict__.get(one.name) not in (None, NOT_REPORTED)]
    rows = "".join(
        f"<tr><th{_LEFT}>{escape(field.label)}</th><td{_LEFT}>{_value(field, entity)}</td></tr>"
        for field in shown[:MOST_FIELDS]
    )
    return f"<div>{_title(entity)}<br>{_picture(entity, 160)}<table>{rows}</table></div>"


def gallery(entities: Sequence[ClientEntity]) -> str:
    """The first of many entities of one class, a row each."""
    kind = type(entities[0])
    columns = [one for one in _told(kind) if any(row.__dict__.get(one.name) is not None for row in entities)]
    columns = [one for one in columns if one.name not in ("id", "description")][:MOST_COLUMNS]
    head = "".join(f"<th{_LEFT}>{escape(column.label)}</th>" for column in columns)
    has_pictures = any(_picture(entity, 48) for entity in entities[:MOST_ROWS])
    rows = "".join(_row(entity, columns, has_pictures) for entity in entities[:MOST_ROWS])
    more = f"<p>… and {len(entities) - MOST_ROWS} more</p>" if len(entities) > MOST_ROWS else ""
    corner = "<th></th>" * (1 + has_pictures)
    return f"<table><thead><tr>{corner}{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


def _row(entity: ClientEntity, columns: list[Field[Any]], has_pictures: bool) -> str:
    picture = f"<td>{_picture(entity, 48)}</td>" if has_pictures else ""
    cells = "".join(f"<td{_LEFT}>{_value(column, entity)}</td>" for column in columns)
    return f"<tr>{picture}<td{_LEFT}>{_title(entity)}</td>{cells}</tr>"


def _told(kind: type[ClientEntity]) -> list[Field[Any]]:
    """Fields that a person reads: no addresses, references to other rows or to ontologies, states or matrices."""
    unread = (Kind.STATE, Kind.MATRIX)
    return [
        field
        for field in kind.fields.values()
        if field.address_of is None
        and field.kind not in unread
        and not field.name.endswith(("_id", "_taxid"))
    ]


def _title(entity: ClientEntity) -> str:
    text = escape(f"{entity.names.one} {entity.__dict__.get('id')}")
    page = page_of(entity)
    return f'<a href="{escape(page)}" target="_blank" rel="noopener">{text}</a>' if _is_web(page) else text


def _picture(entity: ClientEntity, height: int) -> str:
    address = next((entity.__dict__[name] for name in _PICTURES if entity.__dict__.get(name)), None)
    if not _is_web(address):
        return ""
    alternative = escape(f"{entity.names.one} {entity.__dict__.get('id')}")
    return f'<img src="{escape(address)}" alt="{alternative}" loading="lazy" style="max-height:{height}px">'


def _is_web(address: str | None) -> TypeGuard[str]:
    return address is not None and address.startswith(("http://", "https://"))


def _value(field: Field[Any], entity: ClientEntity) -> str:
    value = entity.__dict__.get(field.name)
    if value is None:
        return ""
    if isinstance(value, date):
        text = f"{value:%Y-%m-%d}"
    elif field.unit == "bytes":
        text = _size(value)
    else:
        text = f"{value}{f' {field.unit}' if field.unit else ''}"
    return escape(text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS] + "…")


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{number:.3g} {unit}"
