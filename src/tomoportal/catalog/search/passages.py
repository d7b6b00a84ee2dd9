"""What is searchable: the texts of rows and of those that belong to them, and how much a match there is worth.

The model says with which label a field is `searched`; all fields of a row with one label make one text, a line for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tomoportal.model.entity import Entity
from tomoportal.model.fields import Field
from tomoportal.model.registry import ENTITIES
from tomoportal.model.registry import entity as entity_named


@dataclass(frozen=True, slots=True)
class Label:
    """Where a word can match. `is_named`: the first line of such a text says whose it is."""

    words: str
    weight: int
    is_named: bool = False


IDENTIFIER = "identifier"
LABELS: dict[str, Label] = {
    IDENTIFIER: Label("identifier", 20),
    "title": Label("title", 20),
    "publication": Label("publication or database entry", 16),
    "name": Label("name", 12),
    "object": Label("object", 12, is_named=True),
    "organism": Label("organism", 12, is_named=True),
    "sample": Label("sample", 10),
    "author": Label("author", 6, is_named=True),
    "description": Label("description", 4),
    "method": Label("method or software", 3),
    "hardware": Label("microscope or camera", 3),
    "funding": Label("funding", 3),
}
"""The label of a field → what it is worth. Identifiers and titles count most, then names, people, descriptions."""

CONTAINED = 1
"""Worth of a match in a row that belongs to the one that is found."""
CONTAINED_OBJECT = 8
"""Objects say what a dataset is about, but stand only in the rows that belong to it."""


@dataclass(frozen=True, slots=True)
class Lent:
    """Rows at the end of `path` lend their texts of these labels, at this worth, or at that of the label."""

    path: tuple[str, ...]
    labels: tuple[str, ...]
    weight: int | None = None


_PEOPLE = Lent(("authors",), ("author",))


def _of_runs(*path: str) -> tuple[Lent, ...]:
    """What the rows of runs lend to whatever holds the runs."""
    return (
        Lent((*path, "annotations"), ("object",), CONTAINED_OBJECT),
        Lent((*path, "identified_objects"), ("object",), CONTAINED_OBJECT),
        Lent((*path, "annotations"), ("method", "publication"), CONTAINED),
        Lent((*path, "tiltseries"), ("hardware", "method", "publication"), CONTAINED),
        Lent((*path, "tomograms"), ("method", "publication"), CONTAINED),
    )


LENT: dict[str, tuple[Lent, ...]] = {
    "Dataset": (
        _PEOPLE, Lent(("funding_sources",), ("funding",)), Lent(("runs",), ("name",), CONTAINED), *_of_runs("runs")
    ),
    "Deposition": (
        _PEOPLE,
        Lent(("datasets",), ("title", "organism", "sample"), CONTAINED),
        Lent(("annotations",), ("object",), CONTAINED_OBJECT),
        Lent(("annotations",), ("method", "publication"), CONTAINED),
    ),
    "Run": _of_runs(),
    "Annotation": (_PEOPLE,),
    "Tomogram": (_PEOPLE,),
    "TiltSeries": (),
}  # fmt: skip
"""The entities that can be searched for, in the order in which results are grouped, and what is lent to them."""

SUBJECTS: tuple[str, ...] = tuple(LENT)
TITLES = {
    "Dataset": "title", "Deposition": "title", "Run": "name", "Annotation": "object_name", "Tomogram": "name",
    "TiltSeries": "microscope_model",
}  # fmt: skip
"""The field that stands for a row in a list of results."""

SPELLED = {"organism_taxid": "NCBITaxon:"}
"""What stands before a number in the text made of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of text by which rows of `entity` are found: that with `label` of the rows at the end of `path`."""

    number: int
    entity: str
    path: tuple[str, ...]
    label: str
    weight: int

    @property
    def kind(self) -> int:
        """The number of the entity among those that can be searched for."""
        return SUBJECTS.index(self.entity)

    def end(self) -> type[Entity]:
        """The entity in whose rows the texts stand."""
        found = entity_named(self.entity)
        for step in self.path:
            found = entity_named(found.relations[step].target)
        return found


@cache
def places() -> tuple[Place, ...]:
    """All of them; the index in this list is the number by which the database knows a place."""
    found: list[Place] = []
    for subject in SUBJECTS:
        own = Lent((), tuple(labels_of(entity_named(subject))))
        for lent in (own, *LENT[subject]):
            for label in lent.labels:
                weight = LABELS[label].weight if lent.weight is None else lent.weight
                found.append(Place(len(found), subject, lent.path, label, weight))
    return tuple(found)


def places_of(entity: str, labels: tuple[str, ...] = ()) -> list[Place]:
    """Those by which an entity is found, perhaps with some labels only."""
    return [place for place in places() if place.entity == entity and (not labels or place.label in labels)]


def labels_of(entity: type[Entity]) -> dict[str, list[Field]]:
    """The searched fields of an entity by their label, names before identifiers."""
    found: dict[str, list[Field]] = {}
    for field in sorted(entity.columns(), key=lambda field: not field.name.endswith("name")):
        if field.searched:
            found.setdefault(field.searched, []).append(field)
    return found


def sources() -> list[tuple[type[Entity], str]]:
    """Every pair of entity and label whose texts are found by."""
    needed = {(place.end().__name__, place.label) for place in places()}
    return [
        (entity, label)
        for entity in ENTITIES
        for label in labels_of(entity)
        if (entity.__name__, label) in needed
    ]


def is_searchable(entity: type[Entity]) -> bool:
    """Whether rows of this entity can be searched for."""
    return entity.__name__ in LENT


def fingerprint() -> str:
    """Changes with everything that decides what stands in the tables."""
    fields = [
        (entity.__name__, label, [f.name for f in labels_of(entity)[label]]) for entity, label in sources()
    ]
    return f"{places()} {fields} {SPELLED}"
