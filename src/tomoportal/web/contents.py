"""What a dataset, run or deposition holds, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tomoportal.catalog import View
from tomoportal.model.query import EVERYTHING, Compare, Condition, Related, RelatedTotal
from tomoportal.web import formats
from tomoportal.web.lists import DEPOSITED, WITH_FILE

CONTENTS = (
    ("tiltseries", "tilt series", "tilt series", EVERYTHING), ("frames", "movie frame", "movie frames", WITH_FILE),
    ("alignments", "alignment", "alignments", DEPOSITED), ("tomograms", "tomogram", "tomograms", EVERYTHING),
    ("annotations", "annotation", "annotations", EVERYTHING),
)  # fmt: skip
"""Relations of runs (and depositions) that are counted on their pages, their words, and which of them count."""

COUNTS = tuple(RelatedTotal(f"count_{name}", name, where) for name, _, _, where in CONTENTS)


def counted(rows: Sequence[dict[str, Any]]) -> tuple[tuple[int, str], ...]:
    """The sums over rows that were asked for with `COUNTS`."""
    sums = [sum(row[f"count_{name}"] for row in rows) for name, *_ in CONTENTS]
    return tuple(
        (total, formats.noun(total, one, many))
        for total, (_, one, many, _) in zip(sums, CONTENTS, strict=True)
    )


def with_ctf(view: View, entity: str, where: Condition) -> tuple[int, str]:
    """How many runs or tilt series that fulfil `where` have CTF estimates."""
    estimated = Related("per_section_parameters", Compare("major_defocus", "is_null", False))
    count = view.count(entity, where & estimated)
    words = {"Run": ("run with CTF", "runs with CTF"), "TiltSeries": ("tilt series with CTF",) * 2}
    return count, formats.noun(count, *words[entity])
