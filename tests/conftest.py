"""Fixtures that several parts use live in the `fixtures_…` modules."""

pytest_plugins = ["fixtures_browser", "fixtures_demo", "fixtures_postgres", "fixtures_tiny"]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their length: compressed ones hold the time, and the workers must agree on names."""
    return f"{argname}: {len(val)} bytes" if isinstance(val, bytes) else None
