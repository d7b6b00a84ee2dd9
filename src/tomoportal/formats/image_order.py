"""Rows about images → the places of these images in the stack, told by their angles."""

from __future__ import annotations

from collections.abc import Sequence

from tomoportal.problems import Problem, Severity

NEAR = 0.5
"""Degrees between an angle as recorded in a table and in the angle list of the stack."""


def in_order(
    rows: int, nominal: Sequence[float], angles: Sequence[float], name: str
) -> tuple[list[int], tuple[Problem, ...]]:
    """The place (from 0) of each row, whose angles as recorded are `nominal`, in a stack with `angles` (degrees).

    Where the angles do not settle it, the rows are taken to be the images from the first on, which is a problem."""
    matched = _matched(nominal, angles) if len(nominal) == rows else None
    if matched is not None:
        return matched, ()
    message = (
        f"the {rows} rows do not tell which images of the stack they are about; they are taken in their order"
    )
    hint = "Give the angle list of the stack under `rawtilts`."
    return list(range(rows)), (
        Problem("alignment-numbering", message, Severity.WARNING, file=name, hint=hint),
    )


def _matched(nominal: Sequence[float], angles: Sequence[float]) -> list[int] | None:
    """The nearest angle for each, when that is near and no other row has it. Equal angles go by order."""
    rows = sorted(range(len(nominal)), key=lambda row: (nominal[row], row))
    stack = sorted(range(len(angles)), key=lambda place: (angles[place], place))
    found: dict[int, int] = {}
    position = 0
    for row in rows:
        while position < len(stack) and angles[stack[position]] < nominal[row] - NEAR:
            position += 1
        nearest = position
        while nearest + 1 < len(stack) and _closer(stack[nearest + 1], stack[nearest], nominal[row], angles):
            nearest += 1
        if nearest >= len(stack) or abs(angles[stack[nearest]] - nominal[row]) > NEAR:
            return None
        found[row], position = stack[nearest], nearest + 1
    return [found[row] for row in range(len(nominal))] or None


def _closer(one: int, other: int, angle: float, angles: Sequence[float]) -> bool:
    return abs(angles[one] - angle) < abs(angles[other] - angle)
