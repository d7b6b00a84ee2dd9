"""The private area `.tomoportal/`: identifiers, records and leases. It is never served.

.tomoportal/ids.json                              per entity type: the next portal-wide id that nobody has
.tomoportal/ids/[dataset].json                    blocks of ids that a dataset, or `deposition-…`, has reserved
.tomoportal/datasets/[dataset]/ledger.json        the dataset's own ids and record
.tomoportal/datasets/[dataset]/runs/[run].json    the same for everything in a run
.tomoportal/datasets/[dataset]/index.json         all of these in one object, for loading
.tomoportal/depositions/[deposition].json         the same for a deposition
.tomoportal/changing/[dataset, or deposition-…]   there from the first change until readers have been told of the last
.tomoportal/ontologies/[name].json.gz             ontologies that the site has loaded
.tomoportal/leases/[name].json                    who writes
.tomoportal/copied/[path of the entity].json      files that are in their places already while the entity is being made
.tomoportal/sums/[path of a folder].crc32         checksums of the files in an OME-Zarr
.tomoportal/slabs/[path of the entity].npz        the middle of a tomogram or mask, for pictures
.tomoportal/staging/[process]/                    what is being made
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tomoportal.errors import NotFound, StorageError
from tomoportal.layout.paths import PRIVATE, Key, folder
from tomoportal.layout.processes import SCRATCH, this_process
from tomoportal.layout.readers import REMOTE_READERS, readers
from tomoportal.layout.record_stream import records_in

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Entry, Storage

IDS = f"{PRIVATE}/ids.json"
STAGING = f"{PRIVATE}/staging"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """What is known about a published entity.

    `identity`: what it is identified by, for ever; `sidecar`: path; `sidecar_sha256`; `inputs`: fingerprint of what its data were
    made from; `files`: {path: {"size", "sha256" | None, "count"}} where a folder such as an OME-Zarr counts as one file;
    `ids`: {entity class name: {row key: portal-wide id}}, the entity's own row under the key "";
    `problems`: the findings of its making, as dictionaries; `writer`: program and version.
    """

    key: Key
    identity: dict[str, Any]
    sidecar: str = ""
    sidecar_sha256: str = ""
    inputs: str = ""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the data pass found out and pictures or states need later."""
    problems: tuple[dict[str, Any], ...] = ()
    writer: str = ""

    @property
    def published(self) -> bool:
        """Whether it has ever been complete; before that only its identity and ids are kept."""
        return bool(self.files if self.key.kind == "gains" else self.sidecar_sha256)

    @property
    def withdrawal(self) -> dict[str, Any] | None:
        """When and why it was withdrawn (`on`, `reason`, `title`, `release_date`); None for what was not."""
        return self.facts.get("withdrawn")

    def cleared(self, **facts: Any) -> Record:
        """What stays of an entity that is taken down: who it was, so that it keeps its ids when it comes back."""
        return Record(self.key, self.identity, ids=self.ids, facts=facts)

    def with_ids(self, ids: dict[str, dict[str, int]]) -> Record:
        """The same record with more ids."""
        merged = {name: dict(rows) for name, rows in self.ids.items()}
        for name, rows in ids.items():
            merged.setdefault(name, {}).update(rows)
        return replace(self, ids=merged)

    def total_size(self) -> int:
        """Bytes of all its files, the sidecar not counted."""
        return sum(int(file["size"]) for file in self.files.values())


@dataclass(frozen=True, slots=True)
class Ledger:
    """All records of a run, of a dataset itself, or of a deposition."""

    records: dict[str, Record] = field(default_factory=dict)
    """By entity folder."""
    _texts: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """What has been written of these records already, as JSON: a ledger is written anew for every entity of a run."""

    def get(self, key: Key) -> Record | None:
        """The record of an entity."""
        return self.records.get(folder(key))

    def put(self, record: Record) -> Ledger:
        """The ledger with one record new or replaced."""
        place = folder(record.key)
        texts = {other: text for other, text in self._texts.items() if other != place}
        return Ledger({**self.records, place: record}, texts)

    def to_json(self) -> str:
        """As it is stored; `read_ledger` reads it."""
        for place, record in self.records.items():
            if place not in self._texts:
                self._texts[place] = _dumped(_plain(record))
        records = ",".join(self._texts[place] for place in self.records)
        return f'{{"format":{FORMAT},"records":[{records}]}}'


def dataset_home(dataset: str) -> str:
    """The private folder of a dataset."""
    return f"{PRIVATE}/datasets/{dataset}"


def ledger_path(key: Key) -> str:
    """Where the record of an entity is kept."""
    if key.kind == "deposition":
        return f"{PRIVATE}/depositions/{key.deposition}.json"
    home = dataset_home(key.dataset)
    return f"{home}/ledger.json" if key.kind == "dataset" else f"{home}/runs/{key.run}.json"


def deposition_entries(storage: Storage) -> dict[str, Entry]:
    """The ledgers of the depositions of which anything is known, also withdrawn ones, by deposition."""
    home = f"{PRIVATE}/depositions"
    return {entry.path.removeprefix(f"{home}/")[:-5]: entry for entry in storage.level(home).files}


def deposition_ledgers(storage: Storage) -> list[str]:
    """The depositions of which anything is known."""
    return list(deposition_entries(storage))


def index_path(dataset: str) -> str:
    """The one object that tells everything about a dataset's entities."""
    return f"{dataset_home(dataset)}/index.json"


def blocks_path(owner: str) -> str:
    """Where the reserved blocks of ids of a dataset (its folder name) or deposition (`deposition-…`) are kept."""
    return f"{PRIVATE}/ids/{owner}.json"


def slab_path(key: Key, shape: str = "") -> str:
    """The kept middle of a tomogram, or of a mask of this shape."""
    return f"{PRIVATE}/slabs/{folder(key)}{f'-{shape.lower()}' if shape else ''}.npz"


def slabs_of(facts: Mapping[str, Any]) -> list[str]:
    """All that is kept for pictures of an entity with these facts."""
    layers = (layer.get("slab") for layer in facts.get("layers", ()))
    return sorted({path for path in (facts.get("slab"), *layers) if path})


def copied_path(key: Key) -> str:
    """What has been copied of an entity that is not published yet."""
    return f"{PRIVATE}/copied/{folder(key)}.json"


def lease_path(name: str) -> str:
    """The lease of whoever writes a dataset."""
    return f"{PRIVATE}/leases/{name}.json"


def read_ledger(storage: Storage, path: str) -> Ledger:
    """The ledger at `path`; an empty one when there is none. Raises `StorageError` when it is there but unreadable."""
    _, records = _ledger_items(storage, path)
    return Ledger({folder(record.key): record for record in records})


def _ledger_items(storage: Storage, path: str) -> tuple[list[dict[str, Any]], list[Record]]:
    """The records of a ledger as they are written, and as they are meant."""
    data = read_json(storage, path)
    if data is None:
        return [], []
    try:
        if not isinstance(data["records"], list):
            raise TypeError("`records` is not a list")
        return data["records"], [_record(item) for item in data["records"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            path, f"this ledger is damaged ({error}); restore it from a backup before going on"
        ) from error


def write_ledger(storage: Storage, path: str, ledger: Ledger) -> None:
    """Replace the ledger at `path`."""
    storage.write(path, ledger.to_json().encode())


def read_index(storage: Storage, dataset: str) -> list[Record] | None:
    """Every record of a dataset, itself first and its runs in order; None when the dataset was never gathered. See `indexed` for
    datasets of many runs."""
    with indexed(storage, dataset) as records:
        return None if records is None else list(records)


@contextmanager
def indexed(storage: Storage, dataset: str) -> Iterator[Iterator[Record] | None]:
    """Like `read_index`, one record after the other: however many there are, little is held at a time. Going on raises
    `StorageError` when the index is damaged."""
    path = index_path(dataset)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(storage.fetch(path))
        except NotFound:
            yield None
            return
        yield _records_of(stack.enter_context(file.open(encoding="utf-8")), path)


def _records_of(text: IO[str], path: str) -> Iterator[Record]:
    try:
        for item in records_in(text, path):
            yield _record(item)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise StorageError(path, f"this index is damaged: {error}") from error


def gather_index(storage: Storage, dataset: str) -> None:
    """Read all ledgers of a dataset and write its index, a ledger at a time. Raises `StorageError` when one of them is damaged."""
    own = f"{dataset_home(dataset)}/ledger.json"
    of_runs = (entry.path for entry in storage.list(f"{dataset_home(dataset)}/runs"))
    between = f'{{"format":{FORMAT},"records":['
    with _made(storage, index_path(dataset)) as file:
        for text in _texts(storage, chain([own], of_runs)):
            if text:
                file.write(between + text)
                between = ","
        file.write(("" if between == "," else between) + "]}")


@contextmanager
def _made(storage: Storage, path: str) -> Iterator[IO[str]]:
    """A file that takes its place when it is complete; it is written on the target's disk if it has one."""
    home = storage.local_path(f"{STAGING}/{this_process()}")
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{this_process()}.", dir=home) as folder:
            made = Path(folder, "index.json")
            with made.open("w", encoding="utf-8") as file:
                yield file
            storage.upload(path, made)
    except OSError as error:
        raise StorageError(path, f"this index cannot be written: {error.strerror or error}") from error
    finally:
        if home is not None:
            with suppress(OSError):
                home.rmdir()


def _texts(storage: Storage, paths: Iterable[str]) -> Iterator[str]:
    """The records of ledgers as JSON with commas between, in order, some of them held at a time."""
    left = iter(paths)
    with readers(storage) as each:
        while some := list(islice(left, 8 * REMOTE_READERS)):
            yield from each(lambda path: _as_text(storage, path), some)


def _as_text(storage: Storage, path: str) -> str:
    return ",".join(_dumped(item) for item in _ledger_items(storage, path)[0])


def begin_change(storage: Storage, owner: str) -> bool:
    """Note that what readers know of a dataset, or `deposition-…`, will be out of date; whether that was noted before, by somebody who
    was stopped."""
    path = _changing_path(owner)
    if storage.exists(path):
        return True
    storage.write(path, b"")
    return False


def is_changing(storage: Storage, owner: str) -> bool:
    """Whether readers have not been told of everything that was changed."""
    return storage.exists(_changing_path(owner))


def end_change(storage: Storage, owner: str) -> None:
    """Readers have been told."""
    storage.delete(_changing_path(owner))


def _changing_path(owner: str) -> str:
    return f"{PRIVATE}/changing/{owner}"


def read_json(storage: Storage, path: str) -> Any | None:
    """The JSON at `path`, None when absent. Raises `StorageError` when it is unreadable: absent and unreadable differ."""
    try:
        data = storage.read(path)
    except NotFound:
        return None
    try:
        content = json.loads(data)
    except ValueError as error:
        raise StorageError(path, f"this JSON file is damaged: {error}") from error
    if content is None:
        raise StorageError(path, "this JSON file is damaged: it holds nothing but null")
    return content


def write_json(storage: Storage, path: str, data: Any) -> None:
    """Write JSON for machines."""
    storage.write(path, _dumped(data).encode())


def _dumped(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


_OF_RECORD = tuple(item.name for item in fields(Record))
_OF_KEY = tuple(item.name for item in fields(Key))


def _plain(record: Record) -> dict[str, Any]:
    data = {name: getattr(record, name) for name in _OF_RECORD}
    data["key"] = {name: getattr(record.key, name) for name in _OF_KEY}
    data["ids"] = {name: packed_ids(rows) for name, rows in record.ids.items()}
    return data


def _record(data: dict[str, Any]) -> Record:
    values = {
        **data,
        "key": Key(**data["key"]),
        "problems": tuple(data["problems"]),
        "ids": {name: unpacked_ids(rows) for name, rows in data["ids"].items()},
    }
    return Record(**values)


def packed_ids(rows: dict[str, int]) -> dict[str, int]:
    """Runs of consecutive numbers with consecutive ids (`0…40`) as one item `0-40`: per-section rows are many."""
    numbers = sorted(int(key) for key in rows if key.isdecimal() and str(int(key)) == key)
    packed = {key: value for key, value in rows.items() if not (key.isdecimal() and str(int(key)) == key)}
    start = 0
    for position in range(1, len(numbers) + 1):
        first, last = numbers[start], numbers[position - 1]
        if position < len(numbers):
            number = numbers[position]
            if number == last + 1 and rows[str(number)] == rows[str(last)] + 1:
                continue
        packed[f"{first}..{last}" if last > first else str(first)] = rows[str(first)]
        start = position
    return packed


def unpacked_ids(rows: dict[str, int]) -> dict[str, int]:
    """The inverse of `packed_ids`."""
    unpacked: dict[str, int] = {}
    for key, value in rows.items():
        first, dots, last = key.partition("..")
        if dots and first.isdecimal() and last.isdecimal():
            unpacked |= {str(n): value + n - int(first) for n in range(int(first), int(last) + 1)}
        else:
            unpacked[key] = value
    return unpacked
