"""What the portal has of objects, in numbers: how often they are annotated and seen, under which names, how and where.

All objects are gathered in as few readings of the catalogue as one; once that has happened, each is looked up.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.query import Compare, Figure, GroupKey, Groups
from tomoportal.web.kept import kept, known


@dataclass(slots=True)
class Share:
    """What a dataset has of an object: runs in which it is annotated and in which it was seen, annotations, and those of ground truth."""

    runs: int = 0
    annotations: int = 0
    truths: int = 0
    seen: int = 0


@dataclass(slots=True)
class ObjectNumbers:
    """One object. Its names (`seen_names`: where it was seen) and how it is annotated come with numbers of annotations; `objects`: how
    many were marked; `shares` by dataset."""

    names: Counter[str] = field(default_factory=Counter)
    seen_names: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    descriptions: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    shares: dict[int, Share] = field(default_factory=dict)

    def share(self, dataset: int) -> Share:
        """That of a dataset, to be filled."""
        return self.shares.setdefault(dataset, Share())

    @property
    def annotations(self) -> int:
        """How many there are."""
        return self.names.total()

    @property
    def runs(self) -> int:
        """In how many runs it is annotated."""
        return sum(share.runs for share in self.shares.values())

    @property
    def truths(self) -> int:
        """How many annotations of it are ground truth."""
        return sum(share.truths for share in self.shares.values())


Numbers = dict[str, ObjectNumbers]
"""By identifier."""


@kept
def numbers_of_all(view: View) -> Numbers:
    """Every object that is annotated or was seen."""
    return _gathered(view, query.EVERYTHING)


def numbers_of(view: View, id: str) -> ObjectNumbers:
    """One object; nothing but zeros when there is none with this identifier."""
    everything = known(numbers_of_all, view)
    found = _numbers_of_one(view, id) if everything is None else everything
    return found.get(id, ObjectNumbers())


@kept
def _numbers_of_one(view: View, id: str) -> Numbers:
    return _gathered(view, Compare("object_id", "eq", id))


_ID, _NAME = GroupKey("id", ("object_id",)), GroupKey("name", ("object_name",))
_IN_DATASET = GroupKey("dataset", ("run", "dataset_id"))
_COUNT, _RUNS = Figure("count", "count"), Figure("runs", "count", "run_id", distinct=True)
_MARKED = Figure("objects", "sum", "object_count")
_TOLD = {"methods": "method_type", "states": "object_state", "descriptions": "object_description"}


def _gathered(view: View, where: query.Condition) -> Numbers:
    found: Numbers = defaultdict(ObjectNumbers)
    keys = (_ID, _NAME, *(GroupKey(name, (path,)) for name, path in _TOLD.items()))
    for item in _groups(view, "Annotation", where, *keys, _COUNT, _MARKED):
        numbers = found[item["id"]]
        numbers.objects += int(item["objects"] or 0)
        numbers.names[item["name"]] += item["count"]
        for name in _TOLD:
            getattr(numbers, name)[item[name]] += item["count"]
    _gather_shares(view, where, found)
    shape, object_id = GroupKey("shape", ("shape_type",)), GroupKey("id", ("annotation", "object_id"))
    of_object = where if where == query.EVERYTHING else query.Related("annotation", where)
    for item in _groups(view, "AnnotationShape", of_object, object_id, shape, _COUNT):
        found[item["id"]].shapes[item["shape"]] += item["count"]
    for item in _groups(view, "IdentifiedObject", where, _ID, _NAME, _COUNT):
        found[item["id"]].seen_names[item["name"]] += item["count"]
    return dict(found)


def _gather_shares(view: View, where: query.Condition, found: Numbers) -> None:
    for item in _groups(view, "Annotation", where, _ID, _IN_DATASET, _COUNT, _RUNS):
        share = found[item["id"]].share(item["dataset"])
        share.annotations, share.runs = item["count"], item["runs"]
    true = where & Compare("ground_truth_status", "eq", True)
    for item in _groups(view, "Annotation", true, _ID, _IN_DATASET, _COUNT):
        found[item["id"]].share(item["dataset"]).truths = item["count"]
    for item in _groups(view, "IdentifiedObject", where, _ID, _IN_DATASET, _RUNS):
        found[item["id"]].share(item["dataset"]).seen = item["runs"]


def _groups(
    view: View, entity: str, where: query.Condition, *fields: query.GroupSelection
) -> Iterator[dict[str, Any]]:
    """Groups of rows that belong to an object."""
    asked = query.Aggregate(entity, (Groups("groups", fields),), where)
    return (item for item in json.loads(view.json(asked))["groups"] if item["id"])
