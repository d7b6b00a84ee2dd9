"""Tables of the model's fields as Markdown, for pages of text: what the API calls them, what depositors have to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Level
from tomoportal.model.registry import ENTITIES, of_section

_SECTIONS = (
    "depositions",
    "datasets",
    "frames",
    "gains",
    "tiltseries",
    "alignments",
    "tomograms",
    "annotations",
)


def entity_tables() -> str:
    """For every entity with a page or a place in the deposition file: label, API field, description, unit."""
    return "\n\n".join(_entity(entity) for entity in _in_order())


def requirement_tables() -> str:
    """For every section of the deposition file: what must, should and may be written, and where."""
    return "\n\n".join(_section(name) for name in _SECTIONS if _has_fields(name))


TABLES: dict[str, Callable[[], str]] = {"fields": entity_tables, "requirements": requirement_tables}
"""What a page writes as `{{ fields }}` and `{{ requirements }}`."""


def _in_order() -> Iterator[type[Entity]]:
    """As data come about: from the deposition to the annotation; rows inside others follow them."""
    order = (
        "Deposition",
        "Dataset",
        "Run",
        "Frame",
        "GainFile",
        "TiltSeries",
        "Alignment",
        "TomogramVoxelSpacing",
        "Tomogram",
        "Annotation",
    )
    chosen = {entity.__name__: entity for entity in ENTITIES}
    for name in order:
        yield chosen.pop(name)
        yield from [
            chosen.pop(other) for other in sorted(chosen) if other.startswith(name) and other not in order
        ]
    yield from chosen.values()


def _entity(entity: type[Entity]) -> str:
    about = " ".join((entity.__doc__ or "").split())
    return f"### {entity.__name__}\n\n{about}\n\n{_field_table(entity)}"


def _field_table(entity: type[Entity]) -> str:
    rows = [
        f"| {_cell(field.label)} | `{field.name}` | {_cell(field.description)} | {_cell(field.unit)} |"
        for field in entity.public_fields()
    ]
    return "\n".join(["| Label | API field | Description | Unit |", "|---|---|---|---|", *rows])


def _has_fields(section: str) -> bool:
    entity = of_section(section)
    return entity is not None and bool(entity.config_fields())


def _section(name: str) -> str:
    entity = of_section(name)
    assert entity is not None
    rows = [*_rows(entity, ""), *(row for inner in _inner(entity) for row in _inner_rows(inner))]
    head = ["| Place in the YAML | Needed | Description | Unit |", "|---|---|---|---|"]
    return "\n".join([f"### {name}", "", f"Below `{name}[].metadata`:", "", *head, *rows])


def _inner(entity: type[Entity]) -> list[type[Entity]]:
    """Lists inside the metadata of an entity, such as its authors."""
    return [other for other in ENTITIES if other.rows.in_config and other.rows.sidecar == entity.rows.sidecar]


def _inner_rows(entity: type[Entity]) -> Iterator[str]:
    place = entity.rows.items
    least = f"; at least {entity.rows.at_least}" if entity.rows.at_least else ""
    about = " ".join((entity.__doc__ or "").split()).rstrip(".")
    yield _row(place, entity.rows.level, f"list: {about[:1].lower()}{about[1:]}{least}", "")
    yield from _rows(entity, f"{place}[].")


def _rows(entity: type[Entity], prefix: str) -> Iterator[str]:
    told: set[str] = set()
    for field in entity.config_fields():
        group = (field.config or "").split(".")[0]
        if group in entity.groups and group not in told:
            told.add(group)
            yield _row(prefix + group, entity.groups[group], "what belongs together below", "")
        if field.config:
            yield _row(prefix + field.config, field.rule.level, _meaning(field), field.unit)


def _meaning(field: Field) -> str:
    words = f" ({', '.join(field.rule.words)})" if field.rule.words else ""
    return field.description + words


def _row(place: str, level: Level, meaning: str, unit: str) -> str:
    needed = f"**{level.value}**" if level is Level.REQUIRED else level.value
    return f"| `{place}` | {needed} | {_cell(meaning)} | {_cell(unit)} |"


def _cell(text: str) -> str:
    """Text that Markdown takes as it is."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "|\\`*_[]<>~" else letter for letter in flat)
