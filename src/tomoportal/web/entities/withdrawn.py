"""What was withdrawn, as pages tell it."""

from __future__ import annotations

from dataclasses import dataclass

from tomoportal.catalog import Tombstone
from tomoportal.layout.paths import Key
from tomoportal.layout.tree import own_entity
from tomoportal.web.context import Crumb, PageError, Visit

_WORDS = {"tiltseries": "tilt series", "voxel_spacing": "voxel spacing", "frames": "exposures"}


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """`word`: its kind in words; `name`: its number with the prefix of the kind; `title` is empty where that of its
    run would stand; `on`: the day (ISO)."""

    kind: str
    word: str
    name: str
    title: str
    on: str
    reason: str


class Gone(PageError):
    """What is asked for was withdrawn (410). `back`: what it was part of."""

    def __init__(self, stone: Tombstone, back: tuple[Crumb, ...] = ()) -> None:
        reason = f": {stone.reason.rstrip('.')}" if stone.reason else ""
        super().__init__(410, f"{stone.folder} was withdrawn on {stone.on}{reason}.")
        self.stone, self.back = stone, back


def withdrawn(stone: Tombstone) -> Withdrawn:
    """A tombstone in the words of pages."""
    entity, parts = own_entity(stone.kind), stone.folder.split("/")
    prefix = entity.names.prefix if entity else ""
    name = f"{prefix}-{stone.number}" if prefix and stone.number is not None else parts[-1]
    is_run_name = stone.kind != "run" and stone.title in parts[1:2]
    title = "" if is_run_name else stone.title
    return Withdrawn(stone.kind, _WORDS.get(stone.kind, stone.kind), name, title, stone.on, stone.reason)


def withdrawn_in(visit: Visit, dataset: int, run: str) -> tuple[Tombstone, ...]:
    """What was withdrawn of a run that is still there, last first."""
    return visit.view.tombstones_in(Key("run", dataset=str(dataset), run=run))
