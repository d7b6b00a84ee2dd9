"""The reader: `napari --plugin tomoportal https://portal.example.org/tomograms/12`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tomoportal.napari.addresses import is_known, layers_at
from tomoportal.napari.appearance import LayerData

Reader = Callable[[str | Sequence[str]], list[LayerData]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """What reads these addresses; None when one of them is none of a portal."""
    return _read if all(is_known(address) for address in _several(path)) else None


def _read(path: str | Sequence[str]) -> list[LayerData]:
    return [layer for address in _several(path) for layer in layers_at(address)]


def _several(path: str | Sequence[str]) -> Sequence[str]:
    return [path] if isinstance(path, str) else path
