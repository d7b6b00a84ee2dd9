"""`destination_filter`: entities of the portal chosen by what their metadata files say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tomoportal.config import Condition
from tomoportal.ingest.find.context import Context
from tomoportal.ingest.find.globs import escaped, matching
from tomoportal.ingest.find.places import Target
from tomoportal.layout.paths import folder

_PLACES = {"tiltseries": "TiltSeries/*/tiltseries", "tomograms": "Tomograms/*/tomogram"}
_ENDINGS = ("_metadata.json", "-metadata.json")


def filtered(target: Target, section: str, context: Context, conditions: tuple[Condition, ...]) -> list[str]:
    """Metadata files of this section, below this place, that fulfil all conditions."""
    if context.key is None or section not in _PLACES:
        return []
    stem = f"{escaped(folder(context.key))}/{_PLACES[section]}"
    files = sorted(path for ending in _ENDINGS for path in matching(target, stem + ending))
    return [path for path in files if all(fulfils(target.json(path), condition) for condition in conditions)]


def fulfils(data: Any, condition: Condition) -> bool:
    """Whether the value at the condition's place equals its value, or is one of them when that is a list. On the way a list
    stands for the values of all objects in it."""
    for step in condition.key:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list):
            data = [item.get(step) for item in data if isinstance(item, Mapping)]
        else:
            return False
        if not data and data != 0:
            break
    wanted = condition.value
    return bool(data in wanted if isinstance(wanted, list) else data == wanted)
