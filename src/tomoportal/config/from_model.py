"""The shape of a section's `metadata`, made from the entity it describes.

Every field with a `config` place is a key; dots open objects; lists that depositors write are the entities whose rows are
items of the same sidecar. A field added to an entity class is accepted and checked with nothing added here.
"""

from __future__ import annotations

from tomoportal.config.shapes import Items, Key, Matrix, Object, Scalar, Shape
from tomoportal.model import registry
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field, Kind, Level


def metadata_shape(section: str) -> Object | None:
    """The `metadata` of a section, None when no entity has this section."""
    entity = registry.of_section(section)
    return object_of(entity) if entity else None


def object_of(entity: type[Entity]) -> Object:
    """The object that describes one entity, its lists included."""
    tree: dict[str, Key] = {}
    groups: dict[str, dict[str, Key]] = {}
    for field in entity.config_fields():
        group, _, name = (field.config or "").rpartition(".")
        keys = groups.setdefault(group, {}) if group else tree
        keys[name] = Key(shape_of(field), field.rule.level)
    for group, keys in groups.items():
        tree[group] = Key(Object(keys), _level(entity, group))
    for child in registry.items_of(entity.rows.sidecar):
        if child.rows.in_config and not entity.rows.items:
            tree[child.rows.items] = _list_of(child)
    return Object(tree, entity.__doc__ or "")


def _level(entity: type[Entity], group: str) -> Level:
    return entity.groups.get(group, Level.OPTIONAL)


def _list_of(child: type[Entity]) -> Key:
    fields = child.config_fields()
    whole = next((field for field in fields if field.config == ""), None)
    item: Shape = shape_of(whole) if whole else object_of(child)
    return Key(Items(item, child.rows.at_least, child.__doc__ or ""), child.rows.level)


def shape_of(field: Field) -> Scalar | Matrix:
    """The value of one field."""
    if field.kind is Kind.MATRIX or isinstance(field.default, list):
        return Matrix(field.description)
    words = field.rule.words or (tuple(field.enum) if field.enum else ())
    kind = Kind.STR if field.kind is Kind.ENUM else field.kind
    return Scalar(kind, field.description, field.rule, tuple(str(word) for word in words),
                  unit=field.unit, default=field.default)  # fmt: skip
