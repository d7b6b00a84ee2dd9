"""Nodes + shapes → plain data + problems. Everything faulty is reported at its line; what is right is still read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tomoportal.config.document import TAG, Document, line
from tomoportal.config.legacy import moved
from tomoportal.config.scalars import Fault, found, is_null, nearest, plain, read_scalar
from tomoportal.config.shapes import Form, Items, Matrix, Object, Scalar, Shape
from tomoportal.model.fields import Kind, Level, Rule
from tomoportal.problems import Problem, Severity

FAULTY = object()
"""Stands for a value that is there but could not be read, so that no second problem is made of its absence."""

_NUMBER = Scalar(Kind.FLOAT, rule=Rule())


class Reader:
    """Reads one document. `problems` grows while reading. Values behind aliases are read once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self._told: set[tuple[int, str, str]] = set()
        self._known: dict[tuple[int, int], Any] = {}

    def add(self, fault: Fault, node: Node, where: str) -> None:
        """Report a fault of the value that starts at `node`, once even if aliases lead to it from several places."""
        if (id(node), fault.code, fault.message) in self._told:
            return
        self._told.add((id(node), fault.code, fault.message))
        self.problems.append(
            Problem(
                fault.code, fault.message, fault.severity, self.document.file, line(node), where, fault.hint
            )
        )

    def read(self, node: Node, shape: Shape, where: str) -> Any:
        """The value, `None` for null, `FAULTY` when it is of the wrong kind."""
        key = (id(node), id(shape))
        if key not in self._known:
            self._known[key] = self._read(node, shape, where)
        return self._known[key]

    def _read(self, node: Node, shape: Shape, where: str) -> Any:
        if isinstance(node, ScalarNode) and is_null(node):
            return None
        if isinstance(shape, Object):
            return self._object(node, shape, where)
        if isinstance(shape, Items):
            return self._items(node, shape, where)
        if isinstance(shape, Matrix):
            return self._matrix(node, shape, where)
        if shape.form is Form.ANY:
            return self._plain(node, where)
        if not isinstance(node, ScalarNode):
            self.add(_wrong_kind(node, "one value"), node, where)
            return FAULTY
        value, fault = read_scalar(node, shape)
        if fault:
            self.add(fault, node, where)
        return FAULTY if fault and fault.severity is Severity.ERROR else value

    def _object(self, node: Node, shape: Object, where: str) -> Any:
        if not isinstance(node, MappingNode):
            self.add(_wrong_kind(node, f"an object with {_listed(list(shape.keys))}"), node, where)
            return FAULTY
        values: dict[str, Any] = {}
        empty: dict[str, Node] = {}
        for name, key_node, value_node in self._pairs(node, where):
            place = f"{where}.{name}" if where else name
            if name in shape.keys:
                value = self.read(value_node, shape.keys[name].shape, place)
                if value is not None:
                    values[name] = value
                else:
                    empty[name] = key_node
            else:
                self._unknown(name, key_node, shape, where)
        self._missing(node, shape, values, empty, where)
        return values

    def _pairs(self, node: MappingNode, where: str) -> Iterator[tuple[str, Node, Node]]:
        """Names with their nodes, merged (`<<`) ones first; a name that stands twice is reported."""
        own: dict[str, tuple[Node, Node]] = {}
        merged: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{TAG}merge":
                merged |= {name: pair for name, pair in self._merged(value_node, where) if name not in merged}
                continue
            if not isinstance(key_node, ScalarNode):
                self.add(Fault("key", "a key must be one word"), key_node, where)
                continue
            name = key_node.value
            if name in own:
                first = line(own[name][0])
                self.add(Fault("duplicate-key", f"'{name}' stands here and in line {first}; only one can count",
                               "Remove or rename one."), key_node, f"{where}.{name}" if where else name)  # fmt: skip
            else:
                own[name] = (key_node, value_node)
        for name, (key_node, value_node) in {**merged, **own}.items():
            yield name, key_node, value_node

    def _merged(self, node: Node, where: str) -> Iterator[tuple[str, tuple[Node, Node]]]:
        if isinstance(node, SequenceNode):
            for item in node.value:
                yield from self._merged(item, where)
        elif isinstance(node, MappingNode):
            for name, key_node, value_node in self._pairs(node, where):
                yield name, (key_node, value_node)
        else:
            self.add(_wrong_kind(node, "an object to merge"), node, where)

    def _unknown(self, name: str, node: Node, shape: Object, where: str) -> None:
        near = nearest(name, list(shape.keys))
        hint = moved(where, name) or (
            f"Did you mean '{near}'?" if near else f"Known here: {_listed(list(shape.keys), 30)}."
        )
        self.add(Fault("unknown-key", f"'{name}' is not a known key here", hint), node,
                 f"{where}.{name}" if where else name)  # fmt: skip

    def _missing(
        self, node: Node, shape: Object, values: dict[str, Any], empty: dict[str, Node], where: str
    ) -> None:
        """Report required keys that are not there, in the line where they should be, or that have no value, in their own."""
        for name, key in shape.keys.items():
            if key.level is Level.REQUIRED and name not in values:
                place = f"{where}.{name}" if where else name
                what = "has no value" if name in empty else "is missing"
                fault = Fault("missing", f"'{name}' {what}; expected {_expected(key.shape)}")
                self.add(fault, empty.get(name, node), place)
        if not shape.one_of:
            return
        given = [name for name in shape.one_of if name in values]
        choices = _listed(list(shape.one_of))
        if not given:
            at = next((empty[name] for name in shape.one_of if name in empty), node)
            self.add(
                Fault("missing", f"nothing says what to take; expected exactly one of {choices}"), at, where
            )
        elif len(given) > 1:
            message = f"{' and '.join(given)} stand together; expected exactly one of {choices}"
            self.add(Fault("one-of", message, "Split it into several items."), node, where)

    def _items(self, node: Node, shape: Items, where: str) -> Any:
        if not isinstance(node, SequenceNode):
            self.add(_wrong_kind(node, "a list", "Begin each item with '- '."), node, where)
            return FAULTY
        items = []
        for index, item in enumerate(node.value):
            value = self.read(item, shape.item, f"{where}[{index}]")
            if value is None:
                self.add(Fault("missing", f"this item is empty; expected {_expected(shape.item)}"),
                         item, f"{where}[{index}]")  # fmt: skip
                value = FAULTY
            items.append(value)
        if len(items) < shape.at_least:
            self.add(Fault("missing", "the list is empty; expected at least one item"), node, where)
        return items

    def _matrix(self, node: Node, shape: Matrix, where: str) -> Any:
        size = shape.size
        rows = node.value if isinstance(node, SequenceNode) else []
        if len(rows) != size or any(not isinstance(r, SequenceNode) or len(r.value) != size for r in rows):
            self.add(Fault("matrix", f"expected {size} rows of {size} numbers",
                           f"Write {size} lists of {size} numbers."), node, where)  # fmt: skip
            return FAULTY
        values = [
            [self.read(cell, _NUMBER, f"{where}[{i}][{j}]") for j, cell in enumerate(row.value)]
            for i, row in enumerate(rows)
        ]
        return FAULTY if any(cell is FAULTY or cell is None for row in values for cell in row) else values

    def _plain(self, node: Node, where: str) -> Any:
        if isinstance(node, SequenceNode):
            return [self._plain(item, where) for item in node.value]
        if isinstance(node, MappingNode):
            return {name: self._plain(value, where) for name, _, value in self._pairs(node, where)}
        try:
            return plain(node)  # type: ignore[arg-type]
        except ValueError as error:
            self.add(Fault("value", f"this cannot be read: {error}"), node, where)
            return FAULTY


def _wrong_kind(node: Node, expected: str, hint: str = "") -> Fault:
    if isinstance(node, MappingNode):
        what = "an object"
    elif isinstance(node, SequenceNode):
        what = "a list"
    else:
        what = found(node)  # type: ignore[arg-type]
    return Fault("kind", f"found {what}, expected {expected}", hint)


def _listed(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def _expected(shape: Shape) -> str:
    if isinstance(shape, Object):
        return f"an object with {_listed(list(shape.keys))}"
    if isinstance(shape, Items):
        return "a list"
    if isinstance(shape, Matrix):
        return f"a {shape.size}×{shape.size} matrix"
    if shape.words:
        return f"one of {_listed(list(shape.words))}"
    words = {Kind.INT: "a whole number", Kind.FLOAT: "a number", Kind.BOOL: "true or false",
             Kind.DATE: "a date such as 2025-01-31"}  # fmt: skip
    what = words.get(shape.kind, "text")
    unit = f" in {shape.unit}" if shape.unit else ""
    return f"{what}{unit}" + (f" ({shape.description})" if shape.description else "")
