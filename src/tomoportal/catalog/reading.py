"""Sidecars → rows, by what the fields of the model say about their places.

A field of a sidecar is read at its dotted place; words that begin with @ are answered from where the sidecar lies. A row
whose field must not be null and is, is refused with a sentence; so is every row that needs it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tomoportal.catalog.conversion import converter
from tomoportal.catalog.rows import in_order_of_need
from tomoportal.catalog.sidecars import Found, Published
from tomoportal.catalog.tables import FOLDER, RELEASE
from tomoportal.layout import paths, tree
from tomoportal.layout.private import Record
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field
from tomoportal.model.reconstruction import TomogramVoxelSpacing
from tomoportal.problems import Problem, Severity

KINDS = (
    "deposition", "dataset", "run", "frames", "gains", "tiltseries", "alignment", "identified_objects", "tomogram", "annotation",
)  # fmt: skip
"""Kinds of sidecars, each after those it points at."""


@dataclass(slots=True)
class Rows:
    """Rows by entity class name, and what was found wrong on the way."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Known:
    """The ids that rows may point at: only those of rows that really come into the catalogue."""

    depositions: frozenset[int]
    dataset: int | None = None
    dataset_deposition: str = ""
    release: str = ""
    """From when on the dataset is visible, as far as it says so itself."""
    runs: dict[str, int] = field(default_factory=dict)
    sidecars: dict[tuple[str, str], int] = field(default_factory=dict)
    """(entity class name, path of the sidecar) → id."""
    items: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """(entity class name, folder of the sidecar, row key) → id."""


_NEED = {entity.__name__: position for position, entity in enumerate(in_order_of_need())}


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column is read and what becomes of its value, worked out once."""

    field: Field
    word: Callable[[_Row], Any] | None
    """What answers a word that begins with @."""
    steps: tuple[str, ...]
    """The place in the item, or with `in_root` in the sidecar itself."""
    in_root: bool
    is_pointer: bool
    """The value stands for a row of another sidecar."""
    convert: Callable[[Any], Any]
    name: str
    key: str | None
    """The key in the item, where that and the conversion are all there is to it."""
    may_lack: bool
    """Without a value it is null, and nothing else is to be thought of."""

    @staticmethod
    def of(field: Field) -> Column:
        """Of a stored field of the model."""
        place = field.sidecar or ""
        in_root = place.startswith("@parent.")
        word = _WORDS[place] if place.startswith("@") and not in_root else None
        place = place.removeprefix("@parent.")
        steps = tuple(place.split(".")) if place and word is None else ()
        is_pointer = bool(field.target) and word is None
        is_plain = len(steps) == 1 and not in_root and not is_pointer and field.read is None
        assert word is None or field.read is None
        return Column(
            field, word, steps, in_root, is_pointer, converter(field),
            name=field.name, key=steps[0] if is_plain else None,
            may_lack=field.nullable and field.default is None and field.target != "Deposition",
        )  # fmt: skip


class _Refused(Exception):
    """A row cannot be taken; the sentence is among the problems already."""


class Reader:
    """Reads the sidecars of one dataset (or deposition) in order of need. From when on a row is visible is a guess, out of what its own
    sidecar and the dataset say; `rows.settle` corrects it."""

    def __init__(self, found: Found, known: Known) -> None:
        self.found, self.known, self.out = found, known, Rows()
        self._spacings = {paths.folder(record.key): record for record in found.spacings}
        self._columns: dict[type[Entity], list[Column]] = {}
        self._frames: dict[str, str] = {}

    def columns(self, entity: type[Entity]) -> list[Column]:
        """The columns of an entity with their places."""
        if entity not in self._columns:
            self._columns[entity] = [Column.of(field) for field in entity.columns()]
        return self._columns[entity]

    def read(self, *, skip: Iterable[str] = ()) -> Rows:
        """All rows. Kinds in `skip` are read, so that others may point at them, but give no rows."""
        for record in self.found.replacing:
            self._remember(record)
        by_kind: dict[str, list[Published]] = defaultdict(list)
        for published in self.found.published:
            by_kind[published.record.key.kind].append(published)
        for kind in KINDS:
            for published in by_kind[kind]:
                self._sidecar(published)
            if kind in skip:
                self.out.rows.clear()
        return self.out

    def _sidecar(self, published: Published) -> None:
        if self._has_no_home(published.record.key):
            return
        own: int | None = None
        release = self.known.release
        rows = tree.rows(published.record.key.kind, published.sidecar)
        for row in sorted(rows, key=lambda row: _NEED[row.entity.__name__]):
            try:
                values = _Row(self, published, row, own).values()
            except _Refused:
                if row.row_key == tree.OWN:
                    return
                continue
            name, place = row.entity.__name__, published.folder
            self.known.items[name, place, row.row_key] = values["id"]
            if row.row_key == tree.OWN:
                own = values["id"]
                release = max(release, values.get("release_date") or "")
                self.known.sidecars[name, published.record.sidecar] = own
                self._remember_container(published, own, release)
            self.out.rows[name].append({**values, RELEASE: release})

    def _has_no_home(self, key: paths.Key) -> bool:
        """Whether its dataset or run is not in the catalogue, so that it cannot be either; the reason is told there."""
        if key.kind in ("deposition", "dataset"):
            return False
        return self.known.dataset is None if key.kind == "run" else key.run not in self.known.runs

    def _remember_container(self, published: Published, own: int, release: str) -> None:
        key = published.record.key
        if key.kind == "dataset":
            self.known.dataset, self.known.release = own, release
            self.known.dataset_deposition = str(published.sidecar.get("deposition_id"))
        elif key.kind == "run":
            self.known.runs[key.run] = own

    def _remember(self, record: Record) -> None:
        """An entity that is being replaced keeps its rows; others may go on pointing at them."""
        for name, ids in record.ids.items():
            for row_key, number in ids.items():
                self.known.items[name, paths.folder(record.key), row_key] = number
                if row_key == tree.OWN:
                    self.known.sidecars[name, record.sidecar] = number
        if record.key.kind == "run" and tree.OWN in record.ids.get("Run", {}):
            self.known.runs[record.key.run] = record.ids["Run"][tree.OWN]

    def frames_of(self, key: paths.Key) -> str:
        """The folder of the frames of a run."""
        if key.run not in self._frames:
            self._frames[key.run] = paths.folder(key.of("frames", spacing=""))
        return self._frames[key.run]

    def spacing(self, published: Published) -> int | None:
        """The id of the voxel spacing of a tomogram or annotation, whose row is made when it is first needed."""
        key = published.record.key.of("voxel_spacing")
        place = paths.folder(key)
        if (known := self.known.items.get(("TomogramVoxelSpacing", place, tree.OWN))) is not None:
            return known
        record = self._spacings.get(place)
        if record is None:
            return None
        row = tree.Row(TomogramVoxelSpacing, tree.OWN, {}, 0)
        values = _Row(self, Published(record, {}), row, None).values()
        self.out.rows["TomogramVoxelSpacing"].append({**values, RELEASE: self.known.release})
        self.known.items["TomogramVoxelSpacing", place, tree.OWN] = values["id"]
        return values["id"]


class _Row:
    """One row in the making."""

    def __init__(self, reader: Reader, published: Published, row: tree.Row, own: int | None) -> None:
        self.reader, self.published, self.row, self.own = reader, published, row, own
        self.key, self.folder = published.record.key, published.folder

    def values(self) -> dict[str, Any]:
        """All columns but `_release`. Raises `_Refused`."""
        values = {column.name: self._quickly(column) for column in self.reader.columns(self.row.entity)}
        values[FOLDER] = self.folder
        return values

    def _quickly(self, column: Column) -> Any:
        """The value of a column in the common case; all else is left to `_value`."""
        item = self.row.item
        if column.word is not None:
            value = column.word(self)
        elif column.key is not None and type(item) is dict:
            value = item.get(column.key)
        else:
            return self._value(column)
        if value is None:
            return None if column.may_lack else self._value(column)
        try:
            return column.convert(value)
        except (ValueError, TypeError, KeyError, AttributeError):
            return self._value(column)

    def _value(self, column: Column) -> Any:
        field = column.field
        if column.word is not None:
            value = column.word(self)
        else:
            value = _at(self.published.sidecar if column.in_root else self.row.item, column.steps)
            if value is None and field.target == "Deposition":
                value = _at(self.published.sidecar, column.steps)
        if value is None and field.default is not None:
            value = field.default
            if not field.nullable:
                self._problem(field, f"is absent; {value!r} is used", Severity.WARNING)
        if value is not None:
            value = self._pointed_at(field, value) if column.is_pointer else self._read(column, value)
        if value is None and not field.nullable:
            name = self.row.entity.names.one.lower()
            self._problem(field, f"is absent, and {name} needs it: {field.description}")
            raise _Refused
        return value

    def _read(self, column: Column, value: Any) -> Any:
        field = column.field
        try:
            if field.read is not None and (value := field.read(value)) is None:
                return None
            return column.convert(value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            is_told = isinstance(error, ValueError) and field.read is None
            expected = str(error) if is_told else field.description
            severity = Severity.WARNING if field.nullable else Severity.ERROR
            self._problem(field, f"is {value!r}; expected {expected}", severity)
            if field.nullable:
                return None
            raise _Refused from None

    def _pointed_at(self, column: Field, value: Any) -> int | None:
        """The id that a foreign key stands for: a deposition by number, a frame or shape by its key, all else by sidecar."""
        target, known = column.target or "", self.reader.known
        if value == "":
            return None
        if target == "Deposition":
            number = int(value) if str(value).isdecimal() else None
            found = number if number in known.depositions else None
        elif target == "Frame":
            found = known.items.get((target, self.reader.frames_of(self.key), str(value)))
        elif target == "AnnotationShape":
            found = known.items.get((target, self.folder, str(value)))
        else:
            found = known.sidecars.get((target, str(value)))
        if found is None:
            severity = Severity.WARNING if column.nullable else Severity.ERROR
            self._problem(column, f"names {value!r}, and no such {target} is in the catalogue", severity)
            if not column.nullable:
                raise _Refused
        return found

    def _problem(self, column: Field, message: str, severity: Severity = Severity.ERROR) -> None:
        place = (column.sidecar or column.name).removeprefix("@parent.")
        where = (
            place
            if self.row.row_key == tree.OWN
            else f"{self.row.entity.rows.items}[{self.row.position}].{place}"
        )
        self.reader.out.problems.append(
            Problem(
                code=f"load-{column.name.replace('_', '-')}",
                message=f"{where or column.name} {message}",
                severity=severity,
                file=self.published.record.sidecar or self.folder,
                where=where,
                hint="The row is left out of the catalogue." if severity is Severity.ERROR else "",
            )
        )


def _at(data: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def _id(row: _Row) -> int | None:
    return row.published.record.ids.get(row.row.entity.__name__, {}).get(row.row.row_key)


def _position(row: _Row) -> int:
    given = row.row.item.get("author_list_order") if isinstance(row.row.item, dict) else None
    return given if isinstance(given, int) else row.row.position + 1


def _author_submitted(row: _Row) -> bool | None:
    deposition = row.published.sidecar.get("deposition_id")
    return None if deposition is None else str(deposition) == row.reader.known.dataset_deposition


def _source(row: _Row) -> str | None:
    is_author = _author_submitted(row)
    if is_author is None:
        return None
    if is_author:
        return "dataset_author"
    return "portal_standard" if row.published.sidecar.get("is_portal_standard") else "community"


_WORDS: Mapping[str, Callable[[_Row], Any]] = {
    "@id": _id,
    "@parent": lambda row: row.own,
    "@run": lambda row: row.reader.known.runs.get(row.key.run),
    "@dataset": lambda row: row.reader.known.dataset,
    "@voxel_spacing": lambda row: row.reader.spacing(row.published),
    "@spacing": lambda row: float(row.key.spacing),
    "@folder": lambda row: f"{row.folder}/",
    "@sidecar": lambda row: row.published.record.sidecar,
    "@position": _position,
    "@size": lambda row: row.reader.found.total_size,
    "@viewer_state": lambda row: row.published.viewer_state,
    "@author_submitted": _author_submitted,
    "@source": _source,
}
