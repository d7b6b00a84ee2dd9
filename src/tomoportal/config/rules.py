"""Rules across values: between fields of one entity, between sections, between a name and an identifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tomoportal.config.deposition import Config
from tomoportal.problems import Problem


def rule_problems(config: Config, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Every broken rule. `data` is the file as read, in which faulty values are `FAULTY`."""
    yield from ()
