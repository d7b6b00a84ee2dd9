"""Which runs a deposition file has led to: what it no longer leads to can be told from what another file has brought.

.tomoportal/deposited/[deposition]/[name of the deposition file].json     {dataset: [runs]}

It is written before anything of a run is, and lists runs in which nothing was published as well: ledgers decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from tomoportal.layout.paths import PRIVATE
from tomoportal.layout.private import read_json, write_json

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage

Runs = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Deposited:
    """`mine`: dataset → runs that this file has led to; `others`: name of another file of the same deposition → the same."""

    mine: Runs = field(default_factory=dict)
    others: Mapping[str, Runs] = field(default_factory=dict)

    def other(self, dataset: str, run: str) -> str | None:
        """Another file that has led to this run."""
        return next((file for file, runs in self.others.items() if run in runs.get(dataset, ())), None)


def read_deposited(storage: Storage, deposition: str, file: str) -> Deposited:
    """What is known of a deposition, seen from one of its files (by name)."""
    home, own = _home(deposition), _path(deposition, file)
    found = {entry.path: _runs(storage, entry.path) for entry in storage.list(home)}
    return Deposited(
        found.pop(own, {}), {path.removeprefix(f"{home}/")[:-5]: runs for path, runs in found.items()}
    )


def remember(storage: Storage, deposition: str, file: str, runs: Mapping[str, Iterable[str]]) -> None:
    """Add runs by dataset."""
    known = _runs(storage, _path(deposition, file))
    more = {name: known.get(name, set()) | set(names) for name, names in runs.items()}
    _write(storage, _path(deposition, file), known, {**known, **more})


def _write(storage: Storage, path: str, old: Runs, new: Runs) -> None:
    if new != old:
        write_json(storage, path, {name: sorted(names) for name, names in sorted(new.items())})


def _runs(storage: Storage, path: str) -> Runs:
    return {name: set(names) for name, names in (read_json(storage, path) or {}).items()}


def _home(deposition: str) -> str:
    return f"{PRIVATE}/deposited/{deposition}"


def _path(deposition: str, file: str) -> str:
    return f"{_home(deposition)}/{quote(file, safe=' ')[:180]}.json"
