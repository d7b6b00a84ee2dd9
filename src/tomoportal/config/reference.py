"""The reference of the deposition language as Markdown tables, made from the declarations (`tomoportal schema`)."""

from __future__ import annotations

from collections.abc import Iterator

from tomoportal.config.scalars import bounds
from tomoportal.config.sections import ANNOTATION_SHAPES, SECTIONS, annotation_shape, entry_shape, finders_of
from tomoportal.config.shapes import Items, Key, Matrix, Object, Scalar, Shape
from tomoportal.model.fields import Kind

_KINDS = {Kind.INT: "whole number", Kind.FLOAT: "number", Kind.BOOL: "true or false", Kind.DATE: "date"}


def reference() -> str:
    """Markdown: a table of the sections, one for every kind of metadata, one of the annotation shapes."""
    return "\n".join([*_sections(), *_metadata(), *_shapes()]) + "\n"


def _sections() -> Iterator[str]:
    yield "### Sections"
    yield ""
    yield "| section | needed | metadata | finders | can be filtered by |"
    yield "|---|---|---|---|---|"
    for name, section in SECTIONS.items():
        finders = (
            "the shapes below" if name == "annotations" else ", ".join(f"`{f}`" for f in finders_of(name))
        )
        metadata = section.metadata.value if section.metadata else "–"
        yield f"| `{name}` | {section.level.value} | {metadata} | {finders} | {', '.join(section.parents) or '–'} |"
    yield ""


def _metadata() -> Iterator[str]:
    for name in SECTIONS:
        key = entry_shape(name).keys.get("metadata")
        if key and isinstance(key.shape, Object):
            yield f"### `{name}[].metadata`"
            yield ""
            yield "| key | needed | value | meaning |"
            yield "|---|---|---|---|"
            yield from _rows(key.shape, "")
            yield ""


def _rows(shape: Object, prefix: str) -> Iterator[str]:
    for name, key in shape.keys.items():
        yield f"| `{prefix}{name}` | {key.level.value} | {_value(key)} | {_meaning(key.shape)} |"
        inner = key.shape.item if isinstance(key.shape, Items) else key.shape
        if isinstance(inner, Object):
            mark = "[]" if isinstance(key.shape, Items) else ""
            yield from _rows(inner, f"{prefix}{name}{mark}.")


def _meaning(shape: Shape) -> str:
    return shape.description.replace("|", "\\|").replace("\n", " ").strip()


def _value(key: Key) -> str:
    shape = key.shape
    if isinstance(shape, Object):
        return "object"
    if isinstance(shape, Items):
        return "list" + (f" of at least {shape.at_least}" if shape.at_least else "")
    if isinstance(shape, Matrix):
        return f"{shape.size}×{shape.size} numbers"
    return _scalar(shape)


def _scalar(shape: Scalar) -> str:
    if shape.words:
        text = ", ".join(f"`{word}`" for word in shape.words)
    else:
        text = _KINDS.get(shape.kind, "text")
        text += f" {shape.unit}" if shape.unit else ""
        text += f", {limits}" if (limits := bounds(shape)) else ""
    if shape.rule.comma_list:
        text += ", several separated by commas"
    if shape.rule.placeholder:
        text += "; or a placeholder"
    return text + (f"; default {shape.default}" if shape.default not in (None, "") else "")


def _shapes() -> Iterator[str]:
    yield "### Annotation shapes"
    yield ""
    yield "| shape | file_format | parameters |"
    yield "|---|---|---|"
    for name, (formats, _) in ANNOTATION_SHAPES.items():
        listed = ", ".join(formats)
        keys = annotation_shape(name).keys
        parameters = ", ".join(
            f"`{key}` ({_value(keys[key])})"
            for key in keys
            if not key.startswith(("glob_string", "file_format"))
        )
        yield f"| `{name}` | {listed} | {parameters} |"
    yield ""
