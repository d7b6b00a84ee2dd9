"""The reference of all entities as Markdown, made from the model."""

from __future__ import annotations

from collections.abc import Iterator

from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field
from tomoportal.model.registry import ENTITIES


def reference() -> str:
    """One section per entity: its fields and relations, as Python and GraphQL know them."""
    return "\n".join(line for entity in ENTITIES for line in _section(entity))


def _section(entity: type[Entity]) -> Iterator[str]:
    names = entity.names
    yield f"## {entity.__name__}\n\n{entity.__doc__}\n\nGraphQL: type `{names.graphql}`, root field `{names.root}`.\n"
    yield "| field | type | unit | in the deposition file | meaning |\n|---|---|---|---|---|"
    for field in entity.public_fields():
        place = f"`{names.section or entity.rows.items}: {field.config}`" if field.config else ""
        yield f"| `{field.name}` | {_type(field)} | {field.unit} | {place} | {field.description} |"
    if entity.relations:
        yield "\n| relation | leads to | meaning |\n|---|---|---|"
    for relation in entity.relations.values():
        yield f"| `{relation.name}` | {'many ' if relation.many else ''}{relation.target} | {relation.description} |"
    yield ""


def _type(field: Field) -> str:
    words = " ".join(f"`{word}`" for word in field.enum) if field.enum else field.kind.value
    return words if field.nullable else f"{words}, always"
