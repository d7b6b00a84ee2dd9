"""What a dataset, run or deposition holds: what of it counts, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tomoportal.catalog import View
from tomoportal.model.query import EVERYTHING, Compare, Condition, Related, RelatedTotal, Select
from tomoportal.web import formats
from tomoportal.web.kept import kept

WITH_FILE = Compare("https_frame_path", "is_null", False)
"""Frames whose movie is here; others are only known from an mdoc file."""

DEPOSITED = Compare("alignment_method", "is_null", False) | Related("per_section_alignments", EVERYTHING)
"""Alignments that somebody made; others only hold the place of one that was not deposited."""

ESTIMATED = Compare("major_defocus", "is_null", False)
"""Images with a CTF estimate."""

_COUNTED = (
    ("tiltseries", "tilt series", "tilt series", EVERYTHING), ("frames", "movie frame", "movie frames", WITH_FILE),
    ("alignments", "alignment", "alignments", DEPOSITED), ("tomograms", "tomogram", "tomograms", EVERYTHING),
    ("annotations", "annotation", "annotations", EVERYTHING),
)  # fmt: skip
"""Relations of runs (and depositions) that are counted on their pages, their words, and which of them count."""

COUNTS = tuple(RelatedTotal(f"count_{name}", name, where) for name, _, _, where in _COUNTED)


def counted(rows: Sequence[dict[str, Any]]) -> tuple[tuple[int, str], ...]:
    """The sums over rows that were asked for with `COUNTS`."""
    sums = [sum(row[f"count_{name}"] for row in rows) for name, *_ in _COUNTED]
    return tuple(
        (total, formats.noun(total, one, many))
        for total, (_, one, many, _) in zip(sums, _COUNTED, strict=True)
    )


@kept
def held_by_dataset(view: View, id: int) -> tuple[tuple[int, str], ...]:
    """How many runs a dataset has, and what is in them."""
    inside = Compare("dataset_id", "eq", id)
    runs = view.rows(Select("Run", COUNTS, inside))
    return ((len(runs), formats.noun(len(runs), "run")), *counted(runs), with_ctf(view, "Run", inside))


@kept
def brought_by_deposition(view: View, id: int) -> dict[str, Any]:
    """What `COUNTS` asks for."""
    return view.one("Deposition", id, COUNTS) or {count.name: 0 for count in COUNTS}


@kept
def with_ctf(view: View, entity: str, where: Condition) -> tuple[int, str]:
    """How many runs or tilt series that fulfil `where` have CTF estimates."""
    count = view.count(entity, where & Related("per_section_parameters", ESTIMATED))
    words = {"Run": ("run with CTF", "runs with CTF"), "TiltSeries": ("tilt series with CTF",) * 2}
    return count, formats.noun(count, *words[entity])
