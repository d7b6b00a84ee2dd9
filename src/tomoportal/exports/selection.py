"""What somebody has chosen: datasets, runs, tomograms, annotations and tilt series by their ids. An address can hold it all:
`runs=1-20_25&tomograms=7`.

Choosing something chooses what is in it: all tomograms of a run, all files of an annotation.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from tomoportal.catalog import View
from tomoportal.errors import UsageError
from tomoportal.model import idsets
from tomoportal.model.entity import Entity
from tomoportal.model.query import Compare, Condition, Or, Select, Value, through
from tomoportal.model.registry import entity

KINDS = {
    "datasets": "Dataset", "runs": "Run", "tomograms": "Tomogram", "annotations": "Annotation", "tiltseries": "TiltSeries",
}  # fmt: skip
"""Words of addresses, and the entities they name."""

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids in rising order by the words of `KINDS`; words without ids are left out."""

    ids: dict[str, Ids] = field(default_factory=dict)

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]]) -> Self:
        """What the parameters of an address say; others are not looked at. Raises `UsageError`."""
        found: dict[str, set[int]] = {}
        named = 0
        for word, text in parameters:
            if word in KINDS:
                ids = idsets.read(text, plural(word))
                found.setdefault(word, set()).update(ids)
                named += len(ids)
                if named > idsets.MOST_NAMED:
                    raise idsets.named_again(plural(word))
        return cls._of(found)

    @classmethod
    def _of(cls, found: dict[str, set[int]]) -> Self:
        """Raises `UsageError` for more ids than are taken."""
        for word, ids in found.items():
            if len(ids) > idsets.MOST_IDS:
                raise idsets.too_many(plural(word))
        return cls({word: tuple(sorted(found[word])) for word in KINDS if found.get(word)})

    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The parameters of an address that say the same."""
        return tuple((word, idsets.written(ids)) for word, ids in self.ids.items())

    def of(self, word: str) -> Ids:
        """The ids of a kind."""
        return self.ids.get(word, ())

    def __len__(self) -> int:
        return sum(map(len, self.ids.values()))

    def holds(self, word: str, id: int) -> bool:
        """Whether this is chosen itself."""
        ids = self.of(word)
        at = bisect_left(ids, id)
        return at < len(ids) and ids[at] == id

    def __or__(self, other: Selection) -> Selection:
        """Both together. Raises `UsageError` for more ids than are taken."""
        return Selection._of({word: {*self.of(word), *other.of(word)} for word in KINDS})

    def __sub__(self, other: Selection) -> Selection:
        return Selection._of({word: {*self.of(word)} - {*other.of(word)} for word in KINDS})

    def seen(self, view: View) -> Selection:
        """What of it is there for this reader."""
        return replace(
            self, ids={word: known for word, ids in self.ids.items() if (known := _known(view, word, ids))}
        )

    def checked(self, view: View) -> Selection:
        """The same. Raises `UsageError` when it is empty, or names something that is not there for this reader."""
        if not self.ids:
            raise UsageError("Nothing is chosen; name some, such as runs=1-20 or tomograms=7.")
        lost = self - self.seen(view)
        if lost.ids:
            raise UsageError(f"There is no {lost.told()} here. Take it out of the selection.")
        return self

    def told(self, most: int = 5) -> str:
        """The first few as people name them: `RN-1, RN-2 and 7 more`."""
        names = [kind_of(word).names.number(id) for word, ids in self.ids.items() for id in ids[:most]]
        more = len(self) - len(names[:most])
        return ", ".join(names[:most]) + (f" and {more:,} more" if more else "")

    def where(self, **ways: tuple[str, ...]) -> Condition:
        """Rows of any entity that belong to it: for each kind (a word of `KINDS`) the way to the field with its id."""
        return Or(
            tuple(
                through(way[:-1], Compare(way[-1], "in", self.of(word)))
                for word, way in ways.items()
                if self.of(word)
            )
        )


def kind_of(word: str) -> type[Entity]:
    """The class that a word names."""
    return entity(KINDS[word])


def plural(word: str) -> str:
    """A word as people read it."""
    return kind_of(word).names.many.lower()


def _known(view: View, word: str, ids: Ids) -> Ids:
    rows = view.rows(Select(KINDS[word], (Value("id", "id"),), Compare("id", "in", ids)))
    return tuple(sorted(row["id"] for row in rows))
