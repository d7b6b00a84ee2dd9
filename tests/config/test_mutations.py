"""Whatever stands in a file, reading it ends in a config or in sentences, never in an exception."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import yaml

from config.test_load import COMPLETE
from tomoportal.config import load_text

JUNK: list[Any] = [
    None, [], {}, "x", "", 1, -1.5, True, [[]], [{}], {"a": 1}, [None], float("inf"), "{x}", "float {y}", "a" * 300, "[", "{", 10**30,
    [{"literal": {"value": [1]}}], [[1, 2, 3, 4]] * 4,
]  # fmt: skip


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in _paths(value, (*path, key)))]


@pytest.mark.parametrize("junk", JUNK, ids=lambda value: repr(value)[:20])
def test_a_wrong_value_anywhere_is_told(junk: Any) -> None:
    for path in random.Random(repr(junk)).sample(_paths(COMPLETE), 12):
        data: Any = copy.deepcopy(COMPLETE)
        here = data
        for step in path[:-1]:
            here = here[step]
        if path:
            here[path[-1]] = copy.deepcopy(junk)
        else:
            data = junk

        loaded = load_text(yaml.safe_dump(data))

        assert loaded.config is not None or loaded.problems, path
        assert all(problem.line and problem.message for problem in loaded.problems), path
