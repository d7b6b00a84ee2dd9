"""What the source of a semantic mask contains, and such masks brought to another grid, section by section.

Resizing averages over the box of source voxels that a target voxel covers, with exact overlaps (whole-number arithmetic on a
common grid), so "touched at all" is decided without rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tomoportal.errors import Absent
from tomoportal.ingest.volumes.facts import MaskRecipe, Shape
from tomoportal.ingest.volumes.source import Source

if TYPE_CHECKING:
    from scipy import sparse

_FEW = 32
_MOST_LABELS = 65536
_NAMED = 20


@dataclass
class SourceValues:
    """The distinct whole numbers and the range of a mask source, gathered block by block."""

    labels: set[int] = field(default_factory=set)
    minimum: float = np.inf
    maximum: float = -np.inf
    countable: bool = True

    def add(self, values: SourceValues) -> None:
        """Take in what another block holds."""
        self.labels |= values.labels
        self.minimum, self.maximum = min(self.minimum, values.minimum), max(self.maximum, values.maximum)
        self.countable &= values.countable and len(self.labels) <= _MOST_LABELS

    def as_labels(self) -> tuple[int, ...] | None:
        """The labels in order; None for a source that is not a label volume."""
        return tuple(sorted(self.labels)) if self.countable else None


def values_of(block: np.ndarray) -> SourceValues:
    """What one source block holds; floats are not counted, only their finite range is kept."""
    if block.dtype.kind == "f":
        finite = block if np.isfinite(block.min()) and np.isfinite(block.max()) else block[np.isfinite(block)]
        if not finite.size:
            return SourceValues(countable=False)
        return SourceValues(set(), float(finite.min()), float(finite.max()), countable=False)
    low, high = int(block.min()), int(block.max())
    if low == high:
        return SourceValues({low}, low, high)
    if high - low >= _MOST_LABELS:
        return SourceValues(set(), low, high, countable=False)
    if high - low <= _FEW:
        found = {value for value in range(low, high + 1) if bool((block == value).any())}
    else:
        found = {low + int(i) for i in np.flatnonzero(np.bincount(block.reshape(-1).astype(np.int64) - low))}
    return SourceValues(found, low, high)


def refuse_empty(name: str, recipe: MaskRecipe, values: SourceValues) -> Absent:
    """The error for a mask of which nothing is left, naming what the source does hold."""
    labels = values.as_labels()
    if labels is None:
        held = f"its values lie between {values.minimum:g} and {values.maximum:g}"
    else:
        more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
        held = f"the labels in it are {', '.join(map(str, labels[:_NAMED]))}{more}"
    if recipe.threshold is not None:
        return Absent(
            name, f"no voxel reaches the threshold {recipe.threshold:g}; {held}.", "Correct the threshold."
        )
    return Absent(name, f"no voxel has the mask label {recipe.label}; {held}.", "Correct the label.")


def resized_sections(
    source: Source, recipe: MaskRecipe, target: Shape, values: SourceValues
) -> Iterator[np.ndarray]:
    """The mask on the grid `target` (z, y, x), one int8 section (y, x) after the other; `values` is filled on the way.

    Memory: a few sections of the source."""
    across = _overlaps(source.shape[1], target[1]), _overlaps(source.shape[2], target[2]).T.tocsc()
    along = _overlaps(source.shape[0], target[0])
    volume = float(np.prod(source.shape, dtype=np.float64))
    kept: dict[int, np.ndarray] = {}
    for z in range(target[0]):
        row = along[[z]]
        kept = {i: kept[i] for i in row.indices.tolist() if i in kept}
        total = np.zeros(source.shape[1:], np.float64)
        for i, weight in zip(row.indices.tolist(), row.data.tolist(), strict=True):
            if i not in kept:
                kept[i] = _section(source, i, recipe, values)
            total += kept[i] * weight
        sums = np.asarray(across[0] @ total @ across[1])
        cut = recipe.threshold
        yield (sums > 0 if cut is None else sums / volume >= cut).view(np.int8)


def _section(source: Source, z: int, recipe: MaskRecipe, values: SourceValues) -> np.ndarray:
    section = source.array[slice(z, z + 1), slice(None), slice(None)][0]
    values.add(values_of(section))
    return section == recipe.label if recipe.threshold is None else section.astype(np.float64)


def _overlaps(source: int, target: int) -> sparse.csr_array:
    """Matrix (target, source) of whole numbers: by how many of source·target small steps two voxels overlap."""
    from scipy import sparse  # here: few masks are resized, and every command would wait for it

    rows, columns, weights = [], [], []
    for i in range(target):
        begin, end = i * source, (i + 1) * source
        for j in range(begin // target, -(-end // target)):
            rows.append(i)
            columns.append(j)
            weights.append(float(min(end, (j + 1) * target) - max(begin, j * target)))
    return sparse.csr_array((weights, (rows, columns)), shape=(target, source))
