"""What a page tells about a row, made from the fields of the model: a new field appears without an edit here.

Takes an entity class and a row as the catalogue answers it; gives labelled, formatted, linked facts. Reads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tomoportal.model import query
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Address, Field, Kind
from tomoportal.web import formats, identifiers
from tomoportal.web.identifiers import Link

_AXIS = re.compile(r"(?:^|_)[xyz](?=_|$)")
_DIMENSIONS = re.compile(r"\d+,\d+,\d+")

IDENTIFIERS = {
    "organism_taxid": "organism_name",
    "tissue_id": "tissue_name",
    "cell_type_id": "cell_name",
    "cell_strain_id": "cell_strain_name",
    "cell_component_id": "cell_component_name",
    "assay_ontology_id": "assay_label",
    "development_stage_ontology_id": "development_stage_name",
    "disease_ontology_id": "disease_name",
    "object_id": "object_name",
}
"""Identifier fields that are shown behind the name they stand for."""

UNSTATED = (None, "", "not_reported", "not reported")
"""What depositors write when they have nothing to say."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, its values (some with links) and what the label means. `matrix` has rows of cells instead of values."""

    label: str
    values: tuple[Link, ...]
    help: str = ""
    matrix: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known, and the labels of what is not stated."""

    known: tuple[Fact, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file or folder of a row: address for browsers, address for S3 tools, size in bytes when known."""

    label: str
    https: str
    s3: str
    size: float | None
    is_folder: bool


def shown_fields(entity: type[Entity], without: Collection[str] = ()) -> list[Field]:
    """The fields that pages tell about: scalars of the API that are no addresses, keys or viewer states."""
    return [
        field
        for field in entity.public_fields()
        if field.address_of is None
        and field.target is None
        and field.kind is not Kind.STATE
        and field.name not in without
    ]


def selected(entity: type[Entity]) -> tuple[query.Selection, ...]:
    """What to ask the catalogue for, so that `facts` and `files` can tell everything."""
    fields = [*shown_fields(entity), *(field for field in entity.public_fields() if field.address_of)]
    return tuple(query.Value(field.name, field.name) for field in fields)


def facts(entity: type[Entity], row: dict[str, Any], without: Collection[str] = ()) -> Facts:
    """All facts about a row in the order of the model. Fields of one quantity along x, y, z make one fact."""
    known, missing = [], []
    for fields in _together(shown_fields(entity, (*without, "id"))):
        if all(row.get(field.name) in UNSTATED for field in fields):
            missing.append(_label(fields))
        else:
            known.append(_fact(fields, row))
    return Facts(tuple(known), tuple(missing))


def facts_of(entity: type[Entity], row: dict[str, Any], names: Collection[str]) -> Facts:
    """The facts that these fields tell."""
    return facts(entity, row, [field.name for field in shown_fields(entity) if field.name not in names])


def values_of(entity: type[Entity], name: str, value: Any) -> tuple[Link, ...]:
    """A value of a field, formatted and linked; nothing when it is not stated."""
    return _values(entity.fields[name], value)


def files(entity: type[Entity], row: dict[str, Any]) -> tuple[FileLink, ...]:
    """The files that the addresses of a row lead to, without its pictures and the folder of the whole row."""
    found = []
    for field in entity.public_fields():
        address = row.get(field.name)
        if not address or not field.address_of or field.address_of[0] is not Address.HTTPS:
            continue
        if field.name.startswith("key_photo") or field.name.endswith("_prefix"):
            continue
        s3 = next((f.name for f in entity.public_fields() if f.address_of == (Address.S3, field.column)), "")
        size = row.get(f"file_size_{field.column.removesuffix('_path')}", row.get("file_size"))
        is_folder = address.rstrip("/").endswith(".zarr")
        found.append(FileLink(field.description, address, row.get(s3) or "", size, is_folder))
    return tuple(found)


def _together(fields: list[Field]) -> Iterator[list[Field]]:
    groups: dict[str, list[Field]] = {}
    names = {field.name for field in fields}
    for field in fields:
        partner = IDENTIFIERS.get(field.name)
        key = partner if partner in names else _AXIS.sub("", field.name)
        groups.setdefault(str(key), []).append(field)
    for group in groups.values():
        group.sort(key=lambda field: field.name in IDENTIFIERS)
        is_one_quantity = len(group) == 3 or any(field.name in IDENTIFIERS for field in group)
        yield from [group] if is_one_quantity else [[field] for field in group]


def _label(fields: list[Field]) -> str:
    first = fields[0]
    if len(fields) == 3:
        return re.sub(r"\s+[xyz]\b", "", first.label) + " (x, y, z)"
    if first.kind is Kind.BOOL and first.label.startswith("Is "):
        return first.label[3:].capitalize()
    return first.label


def _fact(fields: list[Field], row: dict[str, Any]) -> Fact:
    first = fields[0]
    if len(fields) == 3:
        separator = " × " if "size" in first.name or "dimension" in first.name else ", "
        numbers = separator.join(formats.number(row.get(field.name)) for field in fields)
        text = f"{numbers}\u202f{first.unit}" if first.unit else numbers
        return Fact(_label(fields), (Link(text),), re.sub(r" along .*", "", first.description))
    if cells := _cells(first, row.get(first.name)):
        return Fact(_label(fields), (), first.description, cells)
    values = [value for field in fields for value in _values(field, row.get(field.name))]
    return Fact(_label(fields), tuple(dict.fromkeys(values)), first.description)


def _cells(field: Field, value: Any) -> tuple[tuple[str, ...], ...]:
    """The cells of a matrix, which may be stored as JSON text; nothing when it is none."""
    if field.kind is not Kind.MATRIX and not field.name.endswith("_matrix"):
        return ()
    try:
        return formats.matrix(value)
    except (TypeError, ValueError):
        return ()


def _values(field: Field, value: Any) -> tuple[Link, ...]:
    if value in UNSTATED:
        return ()
    if field.name.endswith("_taxid"):
        return (identifiers.taxon(value),)
    if field.rule.comma_list:
        return identifiers.links(value)
    match field.kind:
        case Kind.BOOL:
            return (Link("yes" if value else "no"),)
        case Kind.DATE:
            return (Link(formats.day(value)),)
        case Kind.ENUM:
            return (Link(formats.words(value)),)
        case Kind.INT | Kind.FLOAT:
            return (Link(formats.quantity(value, field.unit)),)
    if field.unit and _DIMENSIONS.fullmatch(str(value)):
        return (Link(" × ".join(map(formats.number, map(int, value.split(",")))) + f"\u202f{field.unit}"),)
    return (identifiers.link(f"{value} {field.unit}" if field.unit else str(value)),)
