"""How good the authors find a tilt series."""

from __future__ import annotations

from dataclasses import dataclass

QUALITIES = {1: "very poor", 2: "poor", 3: "moderate", 4: "good", 5: "excellent"}


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a tilt series is, from 1 to 5."""

    score: int
    word: str


def quality(scores: list[int | None]) -> Quality | None:
    """The best of the tilt series of a run."""
    known = [score for score in scores if score in QUALITIES]
    best = max((score for score in known if score is not None), default=None)
    return Quality(best, QUALITIES[best]) if best is not None else None


SCALE = tuple(Quality(score, word) for score, word in sorted(QUALITIES.items(), reverse=True))
"""From the best to the worst."""
