"""What was noted when a run was ingested: its files with their sizes, and what was noticed. Only what a visitor may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tomoportal.catalog import View, Visibility
from tomoportal.layout.paths import Key
from tomoportal.layout.private import Record, indexed, ledger_path, read_ledger
from tomoportal.problems import Problem, in_order
from tomoportal.storage.protocol import Storage

_WORDS = {
    "tiltseries": "tilt series",
    "voxel_spacing": "voxel spacing",
    "view": "pictures and view of tomogram",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed about an entity (`what`, in words; `run` it lies in, if any). `code` names the kind of finding; `where` is a
    place in the deposition file or the data."""

    what: str
    run: str
    code: str
    severity: str
    message: str
    hint: str
    where: str


def run_records(view: View, storage: Storage, run: Key) -> tuple[Record, ...]:
    """The records of what is published of a run. Raises `StorageError` when they cannot be read; none when it is a mirror."""
    ledger = read_ledger(storage, ledger_path(run))
    return tuple(record for record in ledger.records.values() if _is_public(view, record))


def _is_public(view: View, record: Record) -> bool:
    is_there = bool(record.files or record.published) and record.withdrawal is None
    return is_there and view.visible_entity(record.key) is Visibility.PUBLIC


def findings(records: Iterable[Record]) -> Iterator[Finding]:
    """What was noticed, entity by entity. Paths of source files are not for visitors."""
    for record in records:
        for problem in in_order(map(Problem.from_dict, record.problems)):
            yield Finding(
                _what(record.key), record.key.run, problem.code, problem.severity.value, problem.message, problem.hint,
                problem.where,
            )  # fmt: skip


def dataset_findings(view: View, storage: Storage, dataset: str) -> tuple[Finding, ...] | None:
    """What was noticed about a dataset and everything in it that a visitor may see; None when it was never ingested here. Raises
    `StorageError` when the records cannot be read."""
    with indexed(storage, dataset) as records:
        if records is None:
            return None
        return tuple(findings(record for record in records if record.problems and _is_public(view, record)))


def _what(key: Key) -> str:
    word = _WORDS.get(key.kind, key.kind.replace("_", " "))
    return f"{word} {key.id}" if key.id else word
