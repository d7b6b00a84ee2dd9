"""The best one-to-one pairs of two sets of points within a radius.

Best means: as many pairs as possible, and among these the smallest sum of distances. That is an assignment problem on the bipartite graph
of all pairs within the radius, which falls into connected components: small ones are solved as dense matrices (Jonker and Volgenant,
`scipy.optimize.linear_sum_assignment`), large ones on the sparse graph (`scipy.sparse.csgraph.min_weight_full_bipartite_matching`).
A point without partner costs more than any rearrangement of the others could save.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching
from scipy.spatial import KDTree

from tomoportal.errors import UsageError

MOST_PAIRS = 20_000_000
"""Candidates that fit into the memory of a laptop."""
_DENSE = 1_000_000
"""Cells of a matrix up to which a component is solved as one."""

Indices = NDArray[np.intp]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """`first[k]` of one set belongs to `second[k]` of the other, `distances[k]` apart. In the order of `first`."""

    first: Indices
    second: Indices
    distances: Points

    def __len__(self) -> int:
        return len(self.first)

    def picked(self, which: NDArray) -> Pairs:
        """Some of them."""
        return Pairs(self.first[which], self.second[which], self.distances[which])


def best_pairs(first: Points, second: Points, radius: float) -> Pairs:
    """The best pairs of points (n, 3) and (m, 3) that are at most `radius` apart, no point in two of them.

    Raises `UsageError` when the radius makes too many candidates.
    """
    candidates = _candidates(first, second, radius)
    if not len(candidates):
        return candidates
    alone, groups = _components(candidates, len(first), len(second))
    found = [candidates.picked(alone), *(_solved(candidates.picked(group), radius) for group in groups)]
    whole = Pairs(
        np.concatenate([part.first for part in found]),
        np.concatenate([part.second for part in found]),
        np.concatenate([part.distances for part in found]),
    )
    return whole.picked(np.argsort(whole.first))


def _candidates(first: Points, second: Points, radius: float) -> Pairs:
    nothing = np.zeros(0, np.intp)
    if not len(first) or not len(second):
        return Pairs(nothing, nothing, np.zeros(0))
    trees = KDTree(first), KDTree(second)
    count = trees[0].count_neighbors(trees[1], radius)
    if count > MOST_PAIRS:
        raise UsageError(
            f"{count} pairs of points are within {radius:g} Å of each other; expected at most {MOST_PAIRS}. "
            "Take a radius of the size of the object."
        )
    found = trees[0].sparse_distance_matrix(trees[1], radius, output_type="ndarray")
    return Pairs(found["i"].astype(np.intp), found["j"].astype(np.intp), found["v"])


def _components(candidates: Pairs, first: int, second: int) -> tuple[Indices, list[Indices]]:
    """Which candidates are the only one of both their points, and the others by connected component."""
    edges = (candidates.first, candidates.second + first)
    graph = coo_array((np.ones(len(candidates), np.int8), edges), shape=(first + second, first + second))
    _, labels = connected_components(graph, directed=False)
    component = labels[candidates.first]
    order = np.argsort(component, kind="stable")
    begins = np.flatnonzero(np.diff(component[order], prepend=-1))
    sizes = np.diff(begins, append=len(order))
    groups = [order[begin : begin + size] for begin, size in zip(begins, sizes, strict=True) if size > 1]
    return order[begins[sizes == 1]], groups


def _solved(edges: Pairs, radius: float) -> Pairs:
    """The best pairs among the edges of one component."""
    rows, row = np.unique(edges.first, return_inverse=True)
    columns, column = np.unique(edges.second, return_inverse=True)
    lonely = (radius + 1.0) * (min(len(rows), len(columns)) + 1)
    if len(rows) * len(columns) <= _DENSE:
        costs = np.full((len(rows), len(columns)), lonely)
        costs[row, column] = edges.distances
        chosen = linear_sum_assignment(costs)
        return edges.picked(
            _kept(edges, row, column, dict(zip(*(part.tolist() for part in chosen), strict=True)))
        )
    return edges.picked(_kept(edges, row, column, _sparse(edges, row, column, lonely)))


def _sparse(edges: Pairs, row: Indices, column: Indices, lonely: float) -> dict[int, int]:
    """Row → column of the best pairs. Every row has a column of its own besides, which stands for no partner; costs above 0 are
    needed, since a 0 would be no edge."""
    rows, columns = int(row.max()) + 1, int(column.max()) + 1
    own = np.arange(rows)
    values = np.concatenate([edges.distances + 1.0, np.full(rows, lonely + 1.0)])
    places = (np.concatenate([row, own]), np.concatenate([column, columns + own]))
    graph = csr_array((values, places), shape=(rows, columns + rows))
    chosen = min_weight_full_bipartite_matching(graph)
    return dict(zip(chosen[0].tolist(), chosen[1].tolist(), strict=True))


def _kept(edges: Pairs, row: Indices, column: Indices, partner: dict[int, int]) -> NDArray[np.bool_]:
    of_row = np.full(int(row.max()) + 1, -1)
    for number, other in partner.items():
        of_row[number] = other
    return of_row[row] == column
