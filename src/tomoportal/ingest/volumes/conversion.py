"""Which type a volume is published in, and blocks brought to that type. Nothing is clipped or wrapped: what does not fit is
refused, what changes type is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tomoportal.errors import FormatError
from tomoportal.ingest.volumes.facts import MaskRecipe, VolumeKind
from tomoportal.ingest.volumes.source import Source
from tomoportal.problems import Problem, Severity

Convert = Callable[[np.ndarray], np.ndarray]

_KEPT = ("int8", "uint8", "int16", "uint16", "float32")
_EXACT_IN_FLOAT32 = 1 << 24
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Conversion:
    """`convert` brings a source block to `dtype`, the type in Zarr; `mrc_dtype` is the type in MRC. `identity` says that
    source bytes are already right. `fits_mrc`: without it no MRC is written, no type of which holds the values. `problems` records
    every change of type."""

    dtype: np.dtype
    mrc_dtype: np.dtype
    convert: Convert
    identity: bool
    problems: tuple[Problem, ...] = ()
    fits_mrc: bool = True


def plan_conversion(source: Source, kind: VolumeKind, recipe: MaskRecipe | None) -> Conversion:
    """How `source` is brought to its published type. Raises `FormatError` for types that cannot be published."""
    native = source.dtype.newbyteorder("=")
    if native.kind not in "biuf" or native.itemsize > 8:
        raise FormatError(
            source.name, f"data of type {native} cannot be published as a volume.", "Export real numbers."
        )
    if kind is VolumeKind.SEMANTIC_MASK:
        return Conversion(np.dtype(np.int8), np.dtype(np.int8), _binary(recipe or MaskRecipe()), False)
    if kind is VolumeKind.INSTANCE_MASK:  # until the labels are known: the widest
        widest = np.dtype(np.uint32)
        return Conversion(widest, widest, lambda block: block.astype(widest), False)
    dtype, convert, note = _target(native, source.name)
    mrc_dtype = np.dtype(np.uint16) if dtype == np.uint8 else dtype
    notes = [note] if note else []
    if mrc_dtype != dtype:
        notes.append(
            _changed(
                source.name, f"unsigned bytes become {mrc_dtype} in the MRC file, which has no such type"
            )
        )
    identity = dtype == native and source.dtype.isnative
    return Conversion(dtype, mrc_dtype, convert, identity, tuple(notes))


def _target(native: np.dtype, name: str) -> tuple[np.dtype, Convert, Problem | None]:
    if native.name in _KEPT:
        return native, lambda block: block.astype(native, copy=False), None
    if native.kind == "b":
        return (
            np.dtype(np.int8),
            lambda block: block.astype(np.int8),
            _changed(name, "true and false become 1 and 0 (int8)"),
        )
    single = np.dtype(np.float32)
    if native.kind == "f":
        return single, lambda block: _narrowed(block, name), _changed(name, f"{native} becomes float32")
    note = _changed(name, f"{native} becomes float32, which holds these whole numbers exactly")
    return single, lambda block: _exact(block, name), note


def _narrowed(block: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = block.astype(np.float32)
    if block.dtype.itemsize > 4 and bool((np.isinf(narrow) & np.isfinite(block)).any()):
        raise FormatError(
            name, f"a value beyond ±{_FLOAT32_MAX:.4g} does not fit into float32.", "Rescale the data."
        )
    return narrow


def _exact(block: np.ndarray, name: str) -> np.ndarray:
    low, high = int(block.min()), int(block.max())
    if max(-low, high) > _EXACT_IN_FLOAT32:
        raise FormatError(name, f"values from {low} to {high} of type {block.dtype} cannot be kept exactly: neither 16-bit "
            f"integers nor float32 (exact up to ±{_EXACT_IN_FLOAT32}) hold them.", "Rescale or relabel the data.")  # fmt: skip
    return block.astype(np.float32)


def _binary(recipe: MaskRecipe) -> Convert:
    if recipe.threshold is not None:
        threshold = recipe.threshold
        return lambda block: (block >= threshold).view(np.int8)
    return lambda block: (block == recipe.label).view(np.int8)


def _changed(name: str, what: str) -> Problem:
    return Problem("dtype-changed", f"{what}.", Severity.WARNING, file=name)
