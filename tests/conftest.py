"""Fixtures that several parts use live in the `fixtures_…` modules."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent

pytest_plugins = ["fixtures_browser", "fixtures_demo", "fixtures_postgres", "fixtures_tiny"]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their length: compressed ones hold the time, and the workers must agree on names."""
    return f"{argname}: {len(val)} bytes" if isinstance(val, bytes) else None


LONG = ("browser", "flow", "viewer", "client", "official", "copick", "docs", "configs", "cli")
"""Folders with the files that take longest, which are begun with: otherwise one worker ends long after the others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(TESTS).parts[0], len(LONG)))
