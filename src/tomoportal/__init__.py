"""Tomoportal: a self-hostable data portal for cryo-electron tomography.

The names of the Python client (`Client`, `Dataset`, `Run`, `Tomogram`, …) live here; they are loaded when first used.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tomoportal.client import CLASSES, Client

    public = {"Client": Client, **CLASSES}
    if name not in public:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return public[name]


def __dir__() -> list[str]:
    from tomoportal.model.registry import ENTITIES

    return ["Client", "__version__", *(entity.__name__ for entity in ENTITIES)]
