"""Small plots as places of points in a box, for templates to draw as SVG. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tomoportal.web.formats import number

WIDTH, HEIGHT = 360, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 8, 20
_RADIUS = 4
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 6


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: its place in the box, and the number there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A value: its place in the box; `low` and `high` are the ends of a bar through it; `number` tells which section it is."""

    x: float
    y: float
    number: int
    low: float
    high: float
    is_off: bool
    title: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of `dots` with its axes; `line` joins them in the order of x."""

    title: str
    across: str
    down: str
    dots: tuple[Dot, ...]
    line: str
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM


@dataclass(frozen=True, slots=True)
class Value:
    """What is plotted of a section."""

    number: int
    x: float
    y: float
    low: float
    high: float
    title: str
    is_off: bool = False


def plot(title: str, across: str, down: str, values: Sequence[Value]) -> Plot | None:
    """A plot of at least two values; `across` and `down` name the axes with their units."""
    if len(values) < 2:
        return None
    rows = _ticks(min(v.low for v in values), max(v.high for v in values))
    least, most = min(v.x for v in values), max(v.x for v in values)
    columns = [tick for tick in _ticks(least, most) if least <= tick <= most]
    in_x = _Scale(least, most if most > least else least + 1, _LEFT + _RADIUS, WIDTH - _RIGHT)
    in_y = _Scale(rows[0], rows[-1], HEIGHT - _BOTTOM, _TOP)
    dots = tuple(
        Dot(in_x.of(v.x), in_y.of(v.y), v.number, in_y.of(v.low), in_y.of(v.high), v.is_off, v.title)
        for v in sorted(values, key=lambda value: value.x)
    )
    return Plot(
        title, across, down, dots, " ".join(f"{dot.x:g},{dot.y:g}" for dot in dots),
        tuple(Tick(in_x.of(tick), number(tick)) for tick in columns), tuple(Tick(in_y.of(tick), number(tick)) for tick in rows),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scale:
    """From `least` at `start` to `most` at `end`."""

    least: float
    most: float
    start: float
    end: float

    def of(self, value: float) -> float:
        """Where a value stands."""
        share = (value - self.least) / (self.most - self.least)
        return round(self.start + share * (self.end - self.start), 2)


def _ticks(least: float, most: float) -> list[float]:
    """Round numbers that enclose a range."""
    if not least < most:
        least, most = least - 1, most + 1
    rough = (most - least) / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(part * power for part in _STEPS if part * power >= rough)
    first = math.floor(least / step + 1e-9)
    last = math.ceil(most / step - 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]
