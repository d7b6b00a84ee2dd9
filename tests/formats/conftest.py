"""Where the real sample files lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    root = Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[3] / "shared")) / "data"
    if not root.is_dir():
        pytest.skip(f"the real sample files are not there ({root}); set TOMOPORTAL_SHARED")
    return root
