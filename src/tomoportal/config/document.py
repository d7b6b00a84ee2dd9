"""YAML text → one tree of nodes with line numbers, or the sentence that says why not.

Guards against files made to exhaust the machine: aliases are counted without expanding them, nesting is measured before the
tree is built. Scalars resolve as YAML 1.1 does (PyYAML), since deposition files rely on it. Knows no deposition language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tomoportal.problems import Problem

MAX_BYTES = 16 << 20
MAX_DEPTH = 60
MAX_NODES = 1_000_000
"""After all aliases are expanded; the largest known deposition file has some 10,000."""

TAG = "tag:yaml.org,2002:"
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A parsed file: its name and the node at the root."""

    file: str
    root: Node

    def line_of(self, where: str) -> int | None:
        """The line (from 1) of a dotted path, or of its nearest parent that exists."""
        node, found = self.root, line(self.root)
        for index, key in _STEP.findall(where):
            step = _item(node, int(index)) if index else _value(node, key)
            if step is None:
                break
            found, node = step
        return found


def _line_of(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark else None


def line(node: Node) -> int:
    """The line (from 1) where a node starts."""
    return int(node.start_mark.line) + 1


def read_document(path: Path) -> Document | Problem:
    """The tree of nodes of a YAML file. Raises `OSError` when the file cannot be read."""
    name = str(path)
    if path.stat().st_size > MAX_BYTES:
        return Problem(
            "yaml-too-large",
            f"the file has {path.stat().st_size >> 20} MB; expected a deposition file of at most {MAX_BYTES >> 20} MB",
            file=name,
            hint="Is this really a deposition file? Long lists of values belong into a run data map.",
        )
    return parse_document(path.read_bytes(), name)


def parse_document(data: bytes, name: str) -> Document | Problem:
    """The tree of nodes of YAML bytes."""
    text = _decoded(data, name)
    if isinstance(text, Problem):
        return text
    try:
        problem = _too_deep(text, name)
        root = None if problem else yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        return _syntax(error, text, name)
    if problem:
        return problem
    if root is None or root.tag == f"{TAG}null":
        return Problem(
            "yaml-empty", "the file is empty; expected a deposition file", file=name, line=1,
            hint="docs/deposition.md shows the smallest complete file.",
        )  # fmt: skip
    return _too_many(root, name) or Document(name, root)


def _decoded(data: bytes, name: str) -> str | Problem:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if b"\0" in data:
                return _binary(name)
            return Problem(
                "yaml-encoding", f"byte {error.start} is not UTF-8 text", file=name,
                line=data.count(b"\n", 0, error.start) + 1, hint="Save the file as UTF-8.",
            )  # fmt: skip
    return _binary(name) if _CONTROL.search(text) else text


def _binary(name: str) -> Problem:
    return Problem(
        "yaml-binary", "this is a binary file; expected YAML text", file=name, hint="Is it the right file?"
    )


def _syntax(error: yaml.YAMLError, text: str, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error)
    if "single document" in str(error):
        return Problem(
            "yaml-documents", "a second YAML document starts here; expected one document a file", file=name,
            line=mark.line + 1 if mark else None, hint="Put each deposition into a file of its own, or remove '---'.",
        )  # fmt: skip
    number = mark.line + 1 if mark else None
    written = text.split("\n")[mark.line] if mark and mark.line < text.count("\n") + 1 else ""
    if "\t" in written and "token" in what:
        return Problem(
            "yaml-tab", "a tab stands where YAML wants blanks", file=name, line=number,
            hint="Indent with blanks, not with tabs.",
        )  # fmt: skip
    within = getattr(error, "context", None)
    context = f" ({within})" if within else ""
    return Problem("yaml-syntax", f"this is not YAML: {what}{context}", file=name, line=number,
                   hint="Look at quotes, colons and the indentation here and in the line above.")  # fmt: skip


def _too_deep(text: str, name: str) -> Problem | None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return Problem(
                    "yaml-too-deep", f"more than {MAX_DEPTH} levels are nested here", file=name,
                    line=_line_of(event), hint="No part of a deposition file is that deep.",
                )  # fmt: skip
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _too_many(root: Node, name: str) -> Problem | None:
    """Counts nodes as if aliases were expanded; a node that contains itself counts as too many."""
    sizes: dict[int, int] = {}
    waiting: list[tuple[Node, bool]] = [(root, False)]
    open_nodes: set[int] = set()
    while waiting:
        node, done = waiting.pop()
        key = id(node)
        if done:
            open_nodes.discard(key)
            sizes[key] = 1 + sum(sizes[id(child)] for child in _children(node))
            if sizes[key] > MAX_NODES:
                return _bomb(
                    node, name, f"stands for more than {MAX_NODES:,} values when aliases are expanded"
                )
        elif key in open_nodes:
            return _bomb(node, name, "contains itself through an alias")
        elif key not in sizes:
            open_nodes.add(key)
            waiting.append((node, True))
            waiting.extend((child, False) for child in _children(node) if id(child) not in sizes)
    return None


def _bomb(node: Node, name: str, what: str) -> Problem:
    hint = "Write the values out, or use fewer aliases."
    return Problem(
        "yaml-aliases", f"the value that starts here {what}", file=name, line=line(node), hint=hint
    )


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, SequenceNode):
        yield from node.value


def _item(node: Node, index: int) -> tuple[int, Node] | None:
    if isinstance(node, SequenceNode) and index < len(node.value):
        return line(node.value[index]), node.value[index]
    return None


def _value(node: Node, key: str) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        for name, value in reversed(node.value):
            if isinstance(name, ScalarNode) and name.value == key:
                return line(name), value
    return None
