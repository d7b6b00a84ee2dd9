"""Declaring one more field for the length of a test, to see it everywhere without another edit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field


@contextmanager
def extra_field(entity: type[Entity], name: str, field: Field) -> Iterator[Field]:
    """`entity.name = field` as if the class had been written so; taken back at the end."""
    assert name not in entity.fields
    field.__set_name__(entity, name)
    setattr(entity, name, field)
    entity.fields[name] = field
    try:
        yield field
    finally:
        delattr(entity, name)
        del entity.fields[name]
