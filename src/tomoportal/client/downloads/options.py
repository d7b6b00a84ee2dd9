"""How a download is done."""

from __future__ import annotations

from dataclasses import dataclass

JOBS = 32
"""Requests in flight at most."""
PATIENCE = 180.0
"""Seconds for which a request is tried again while nothing comes."""


@dataclass(frozen=True, slots=True)
class Options:
    """`jobs`: requests in flight at most; `overwrite`: replace what else has the name of a file; `verify`: hash what is here already;
    `progress`: show a bar, None for: when standard error is a terminal; `patience`: seconds."""

    jobs: int = JOBS
    overwrite: bool = False
    verify: bool = False
    progress: bool | None = None
    patience: float = PATIENCE
