"""Fixtures that several parts use live in the `fixtures_…` modules."""

pytest_plugins = ["fixtures_browser", "fixtures_demo", "fixtures_tiny"]
