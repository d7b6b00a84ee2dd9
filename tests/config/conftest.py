from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def real_configs() -> list[Path]:
    """The real deposition files of the reference system."""
    folder = Path(os.environ.get("TOMOPORTAL_SHARED", ROOT.parent / "shared")) / "data" / "configs"
    if not folder.is_dir():
        pytest.skip(f"the real deposition files are not at {folder}")
    return sorted(folder.glob("*.yaml")) + sorted(folder.glob("gjensen/*.yaml"))
