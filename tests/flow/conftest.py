"""A portal for each test, and the command line that fills it."""

from __future__ import annotations

import pytest

from fixtures_command import FlowPortal


@pytest.fixture
def portal(tmp_path) -> FlowPortal:
    """An empty portal."""
    return FlowPortal(tmp_path / "portal")
