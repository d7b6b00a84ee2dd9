"""Packages that the light client does without until they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tomoportal.errors import UsageError


def needed(module: str, purpose: str, extra: str = "analysis") -> Any:
    """The module of this name. Raises `UsageError` that says how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{purpose} needs {error.name}, which is not installed: pip install 'tomoportal[{extra}]'"
        ) from error
