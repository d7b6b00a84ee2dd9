"""Names of the model in GraphQL and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind, Relation
from tomoportal.model.registry import ENTITIES

AGGREGATE = "Aggregate"
NUMERIC = {Kind.INT, Kind.FLOAT}


def camel(name: str) -> str:
    """`s3_omezarr_dir` → `s3OmezarrDir`."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def comparators_of_enum(enum: type[StrEnum]) -> str:
    """Name of the comparator input of an enumeration."""
    return f"{enum.__name__[0].upper()}{enum.__name__[1:]}EnumComparators"


@dataclass(frozen=True, slots=True)
class Words:
    """What the names of one GraphQL type mean."""

    entity: type[Entity]
    fields: dict[str, Field]
    """Scalars, foreign keys included, by GraphQL name."""
    relations: dict[str, Relation]

    @property
    def type(self) -> str:
        """The GraphQL type."""
        return self.entity.names.graphql

    def plain(self) -> dict[str, Field]:
        """Scalars without foreign keys."""
        return {name: field for name, field in self.fields.items() if field.target is None}

    def comparable(self) -> dict[str, Field]:
        """Scalars that can be compared."""
        return {name: field for name, field in self.fields.items() if field.kind is not Kind.MATRIX}

    def numeric(self) -> dict[str, Field]:
        """Scalars that can be summed."""
        return {name: field for name, field in self.plain().items() if field.kind in NUMERIC}

    def ordered(self) -> dict[str, Field]:
        """Scalars with a smallest and a largest value."""
        kinds = {*NUMERIC, Kind.STR, Kind.STATE, Kind.DATE}
        return {name: field for name, field in self.plain().items() if field.kind in kinds}

    def related(self, name: str) -> Relation | None:
        """The to-many relation whose aggregate has this name."""
        relation = self.relations.get(name.removesuffix(AGGREGATE)) if name.endswith(AGGREGATE) else None
        return relation if relation is not None and relation.many else None


def words_of(entity: type[Entity]) -> Words:
    """The words of an entity, in the order in which the model declares them."""
    return Words(
        entity,
        {camel(field.name): field for field in entity.public_fields()},
        {camel(name): relation for name, relation in entity.relations.items()},
    )


def vocabulary() -> dict[str, Words]:
    """The words of all entities, by entity class name."""
    return {entity.__name__: words_of(entity) for entity in ENTITIES}
