"""Estimates of the contrast transfer function: one record for each image of a tilt series.

read_ctf(data, name, format) → (CtfSection, …)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tomoportal.errors import UsageError
from tomoportal.formats.ctf.ctffind import read_ctffind
from tomoportal.formats.ctf.gctf import read_gctf
from tomoportal.formats.ctf.imod_defocus import read_imod_defocus
from tomoportal.formats.ctf.section import CtfSection

__all__ = ["FORMATS", "CtfSection", "read_ctf"]

FORMATS: Mapping[str, Callable[[bytes, str], tuple[CtfSection, ...]]] = {
    "CTFFIND": read_ctffind,
    "Gctf": read_gctf,
    "IMOD": read_imod_defocus,
}
"""The words of a deposition file's `ctfs[].metadata.format`, and the readers of these files."""


def read_ctf(data: bytes, name: str, format: str) -> tuple[CtfSection, ...]:
    """The estimates in order of their sections; images without an estimate are not among them.

    `format` is one of `FORMATS`, in any case. Raises `FormatError` with the line for what is no such table, and
    `UsageError` for an unknown format.
    """
    readers = {word.lower(): reader for word, reader in FORMATS.items()}
    if format.lower() not in readers:
        raise UsageError(f"{name}: there is no CTF format {format!r}; expected one of {', '.join(FORMATS)}.")
    return readers[format.lower()](data, name)
