"""The deposition language as JSON Schema (draft 2020-12), for editors that complete and check YAML while it is written.

Made from the same declarations as the checker. It says what JSON Schema can say; rules across values are the checker's.
"""

from __future__ import annotations

from typing import Any

from tomoportal.config.sections import VERSION, file_shape
from tomoportal.config.shapes import PLACEHOLDER, Form, Items, Matrix, Object, Scalar, Shape
from tomoportal.model.fields import Kind, Level

_NUMBER: dict[str, Any] = {"type": "number"}
_TYPES = {Kind.INT: "integer", Kind.FLOAT: "number", Kind.BOOL: "boolean"}


def json_schema() -> dict[str, Any]:
    """The schema of a whole deposition file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://tomoportal.readthedocs.io/schema/deposition-{VERSION}.json",
        "title": "Tomoportal deposition file",
        **_of(file_shape()),
    }


def _of(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Object):
        return _object(shape)
    if isinstance(shape, Items):
        least = {"minItems": shape.at_least} if shape.at_least else {}
        return _described(shape.description, {"type": "array", "items": _of(shape.item), **least})
    if isinstance(shape, Matrix):
        side = {"minItems": shape.size, "maxItems": shape.size}
        row = {"type": "array", "items": _NUMBER, **side}
        return _described(shape.description, {"type": "array", "items": row, **side})
    return _described(_said(shape), _scalar(shape))


def _object(shape: Object) -> dict[str, Any]:
    properties = {name: _key(key.shape, key.level) for name, key in shape.keys.items()}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    needed = [name for name, key in shape.keys.items() if key.level is Level.REQUIRED]
    if needed:
        schema["required"] = needed
    if shape.one_of:
        schema["oneOf"] = [{"required": [name]} for name in shape.one_of]
    return _described(shape.description, schema)


def _key(shape: Shape, level: Level) -> dict[str, Any]:
    schema = _of(shape)
    if level is Level.REQUIRED or (
        schema.get("type") is None and "anyOf" not in schema and "enum" not in schema
    ):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def _scalar(shape: Scalar) -> dict[str, Any]:
    if shape.form is Form.ANY:
        return {}
    if shape.words:
        plain: dict[str, Any] = {"enum": list(shape.words)}
    elif shape.kind is Kind.DATE:
        plain = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}
    elif shape.kind in _TYPES:
        plain = {"type": _TYPES[shape.kind], **_bounds(shape)}
    else:
        plain = _text(shape)
    if not shape.rule.placeholder:
        return plain
    return {"anyOf": [plain, {"type": "string", "pattern": PLACEHOLDER.pattern.replace("(?:", "(")}]}


def _text(shape: Scalar) -> dict[str, Any]:
    if shape.form is Form.NAME:
        return {"type": ["string", "integer"]}
    schema: dict[str, Any] = {"type": "string"}
    if shape.form in (Form.REGEX, Form.NAME_REGEX):
        schema["format"] = "regex"
    if shape.rule.pattern and not shape.rule.comma_list:
        schema["pattern"] = shape.rule.pattern
    return schema


def _bounds(shape: Scalar) -> dict[str, Any]:
    names = {
        "minimum": shape.rule.minimum,
        "maximum": shape.rule.maximum,
        "exclusiveMinimum": shape.rule.above,
    }
    return {name: value for name, value in names.items() if value is not None}


def _said(shape: Scalar) -> str:
    return shape.description + (f" ({shape.unit})" if shape.unit else "")


def _described(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **schema} if description else schema
