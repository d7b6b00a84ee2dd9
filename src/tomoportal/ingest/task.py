"""One unit of work as plain data, and what comes out of it. Another machine could do it from these and the storage URLs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomoportal.errors import FormatError
from tomoportal.ingest.depositor import DepositorFiles
from tomoportal.ingest.shared import SharedFiles
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Record
from tomoportal.problems import Problem
from tomoportal.storage.protocol import Storage

if TYPE_CHECKING:
    from tomoportal.ingest.volumes import MemoryBudget

COMPARED = ("tomogram", "frame", "tiltseries")
"""Roles of inputs of which a task reads no more than the header."""

WRITER = 2
"""Raise it when a step writes other bytes than before: everything is then made anew."""


@dataclass(frozen=True, slots=True)
class Input:
    """A source file or folder, with what tells whether it has changed."""

    path: str
    size: int
    tag: str


@dataclass(frozen=True, slots=True)
class Task:
    """Make one entity.

    `inputs` (role → files) and `parameters` decide the data; `metadata` and `links` (paths of other entities) go into the
    sidecar only; `why` tells the reader of a plan.
    """

    key: Key
    identity: dict[str, Any]
    inputs: dict[str, tuple[Input, ...]]
    parameters: dict[str, Any]
    metadata: dict[str, Any]
    links: dict[str, Any] = field(default_factory=dict)
    where: str = ""
    """File and line of the deposition file that asks for it."""
    why: str = "new"

    @property
    def kind(self) -> str:
        return self.key.kind

    def fingerprint(self) -> str:
        """Changes when the data must be made anew."""
        inputs = {role: [asdict(file) for file in files] for role, files in self.inputs.items()}
        return _digest([WRITER, asdict(self.key), inputs, self.parameters])

    def sidecar_fingerprint(self) -> str:
        """Changes when only the sidecar must be written anew."""
        return _digest([self.identity, self.metadata, self.links])

    def size(self) -> int:
        """Bytes to be read, for progress. Of what a task only compares with, the header is."""
        return sum(file.size for role, files in self.inputs.items() if role not in COMPARED for file in files)

    def as_json(self) -> str:
        """One line; `from_json` is the inverse."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Task:
        """Read what `as_json` wrote."""
        data = json.loads(text)
        data["key"] = Key(**data["key"])
        data["inputs"] = {
            role: tuple(Input(**file) for file in files) for role, files in data["inputs"].items()
        }
        return Task(**data)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step has made: the sidecar's additions, the files (layout path → size, sha256, …), facts for later steps."""

    extra: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What a step is given: the task, where to read, and a staging folder whose files lie as they will in the layout."""

    task: Task
    source: DepositorFiles
    target: Storage
    staged: Path
    scratch: Path
    threads: int
    budget: MemoryBudget
    progress: Callable[[int], None]
    known: Record | None = None
    """What is recorded of the entity: published, or broken off."""
    shared: SharedFiles = field(default_factory=SharedFiles)

    def place(self, path: str) -> Path:
        """Where to write the file that will lie at `path`. Raises `FormatError` when another source has taken that place."""
        file = self.staged / path
        if file.exists():
            raise FormatError(
                path, "two source files would become this one.",
                "Let the pattern or match_regex choose one of them, or make two entries of it.",
            )  # fmt: skip
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def put(self, path: str, data: bytes) -> dict[str, dict[str, Any]]:
        """Stage a small file; gives its entry for `Outcome.files`."""
        self.place(path).write_bytes(data)
        return {path: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}}

    def read(self, role: str) -> list[tuple[str, bytes]]:
        """(name, content) of every small input of this role."""
        return [(file.path, self.source.read(file.path)) for file in self.task.inputs.get(role, ())]


Step = Callable[[Work], Outcome]


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} cannot be part of a task")
