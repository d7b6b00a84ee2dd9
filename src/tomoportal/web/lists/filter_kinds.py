"""The kinds of filters: any of some values, all of some demands, something written, a range of numbers.

A filter reads its query parameters into chosen values, says them again as parameters and as chips, and tells which rows they mean.
`chosen` holds what is chosen of all filters of the list, by parameter, since some look at others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, Literal, Protocol

from tomoportal.model import query
from tomoportal.web.entities.facts import UNSTATED
from tomoportal.web.formats import number
from tomoportal.web.lists.members import Bits, Members
from tomoportal.web.lists.numbers import EVERY, Bin, Measured

Values = tuple[str, ...]
Chosen = Mapping[str, Values]
MOST_VALUES = 50
"""Values of one filter that are looked at."""


class Filter(Protocol):
    """One filter of a list. `parameter` is its name among what is chosen, `section` the heading it stands under."""

    @property
    def kind(self) -> Literal["options", "text", "range"]: ...
    @property
    def parameter(self) -> str: ...
    @property
    def legend(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def section(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]:
        """The query parameters that it reads."""

    @property
    def expected(self) -> str:
        """What can be asked for, to follow “Expected”."""

    def read(self, before: Values, name: str, value: str) -> Values | None:
        """What is chosen when one more parameter is read, None when it makes no sense."""

    def parameters(self, values: Values) -> tuple[tuple[str, str], ...]:
        """The query parameters that choose these values."""

    def told(self, values: Values) -> tuple[tuple[str, Values], ...]:
        """What is chosen as people read it, each with what is left without it."""

    def is_inside(self, members: Members) -> bool:
        """Whether it speaks of what is inside the rows."""

    def bits(self, values: Values, members: Members, chosen: Chosen) -> Bits:
        """The rows, or what is inside them, that the values mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """Rows with any of the chosen values of the field at the end of `path` (relations, then the field), or of `other_path` unless the
    filter `only_path` is set. `kind_of_value` is the type of the field, as far as what people write must be checked. `counted`: values
    must belong to something whose number lies in the range of that filter."""

    parameter: str
    legend: str
    path: tuple[str, ...]
    section: str = ""
    help: str = ""
    wording: Callable[[str], str] = str
    kind_of_value: Callable[[str], Any] = str
    aliases: Mapping[str, str] | None = None
    other_path: tuple[str, ...] = ()
    only_path: str = ""
    counted: Range | None = None
    is_sorted: bool = False
    expected: str = "one of the values on offer"
    kind: Literal["options"] = "options"
    needs_all: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.parameter,)

    def read(self, before: Values, name: str, value: str) -> Values | None:
        value = (self.aliases or {}).get(value.casefold(), value)
        try:
            accepted = str(self.kind_of_value(value))
        except ValueError:
            return None
        return before if accepted in before or len(before) >= MOST_VALUES else (*before, accepted)

    def parameters(self, values: Values) -> tuple[tuple[str, str], ...]:
        return tuple((self.parameter, value) for value in values)

    def told(self, values: Values) -> tuple[tuple[str, Values], ...]:
        return tuple((self.wording(value), _without(values, value)) for value in values)

    def label(self, value: str) -> str:
        """A value as people read it."""
        return self.wording(value)

    def is_inside(self, members: Members) -> bool:
        return members.is_inside(self.path)

    def bits(self, values: Values, members: Members, chosen: Chosen) -> Bits:
        known = self.by_value(members, chosen)
        return reduce(or_, (known.get(value, 0) for value in values))

    def by_value(self, members: Members, chosen: Chosen) -> dict[str, Bits]:
        """The rows, or what is inside them, under each value that is on offer."""
        if self.counted and self.counted.parameter in chosen:
            found = self.counted.by_value(members, chosen, self.path[-1])
        elif self.other_path and self.only_path not in chosen:
            found = members.by_value_of_either(self.path, self.other_path)
        else:
            found = members.by_value(self.path)
        return {value: bits for value, bits in found.items() if value not in UNSTATED}


@dataclass(frozen=True, slots=True)
class Demand:
    """A named condition that people can ask for."""

    value: str
    label: str
    condition: query.Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Rows that fulfil every chosen demand. `inside`: the demands are about what is inside the rows."""

    parameter: str
    legend: str
    demands: tuple[Demand, ...]
    section: str = ""
    help: str = ""
    inside: bool = False
    kind: Literal["options"] = "options"
    needs_all: bool = True
    is_sorted: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return (self.parameter,)

    @property
    def expected(self) -> str:
        return " or ".join(demand.value for demand in self.demands)

    def read(self, before: Values, name: str, value: str) -> Values | None:
        wanted = value.casefold()
        known = next((demand.value for demand in self.demands if demand.value.casefold() == wanted), None)
        return None if known is None else before if known in before else (*before, known)

    def parameters(self, values: Values) -> tuple[tuple[str, str], ...]:
        return tuple((self.parameter, value) for value in values)

    def told(self, values: Values) -> tuple[tuple[str, Values], ...]:
        return tuple((self.label(value), _without(values, value)) for value in values)

    def label(self, value: str) -> str:
        """A value as people read it."""
        return next(demand.label for demand in self.demands if demand.value == value)

    def is_inside(self, members: Members) -> bool:
        return self.inside

    def bits(self, values: Values, members: Members, chosen: Chosen) -> Bits:
        known = self.by_value(members, chosen)
        return reduce(and_, (known[value] for value in values))

    def by_value(self, members: Members, chosen: Chosen) -> dict[str, Bits]:
        """The rows, or what is inside them, that fulfil each demand."""
        fulfilling = members.fulfilling_inside if self.inside else members.fulfilling
        return {demand.value: fulfilling(demand.condition) for demand in self.demands}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Rows that fulfil the condition of something written. `accepted` brings it into one form, None when it makes no sense; `is_many`:
    several, with commas between, of which any will do; the condition is asked with all of them. `aliases`: other names of the parameter."""

    parameter: str
    legend: str
    condition: Callable[[Any], query.Condition]
    expected: str
    placeholder: str
    accepted: Callable[[str], str | None] = str
    section: str = "Names and identifiers"
    help: str = ""
    prefix: str = ""
    inside: bool = False
    is_many: bool = False
    aliases: tuple[str, ...] = ()
    kind: Literal["text"] = "text"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.parameter, *self.aliases)

    def read(self, before: Values, name: str, value: str) -> Values | None:
        if not self.is_many:
            accepted = self.accepted(value)
            return None if accepted is None else (accepted,)
        for part in filter(None, (part.strip() for part in re.split(r"[,;]|(?<=[0-9])\s+", value))):
            accepted = self.accepted(part)
            if accepted is None:
                return None
            before = before if accepted in before or len(before) >= MOST_VALUES else (*before, accepted)
        return before

    def parameters(self, values: Values) -> tuple[tuple[str, str], ...]:
        return tuple((self.parameter, value) for value in values)

    def told(self, values: Values) -> tuple[tuple[str, Values], ...]:
        return tuple((self.prefix + value, _without(values, value)) for value in values)

    def is_inside(self, members: Members) -> bool:
        return self.inside

    def bits(self, values: Values, members: Members, chosen: Chosen) -> Bits:
        fulfilling = members.fulfilling_inside if self.inside else members.fulfilling
        return fulfilling(self.meaning(values))

    def meaning(self, values: Values) -> query.Condition:
        """What rows with any of the values fulfil."""
        return self.condition(values if self.is_many else values[0])


_COMPARED = re.compile(r"\"?\s*(>=?|<=?)?\s*([0-9]{1,9})\s*\"?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Rows with a number between two bounds, both inside. Its values are the lower and the upper bound, either may be empty.
    `measured`: whose number; `of_value`: parameter of a filter whose values the same thing must have, with the field of it."""

    parameter: str
    legend: str
    measured: Measured
    unit: str = ""
    section: str = ""
    help: str = ""
    inside: bool = False
    is_whole: bool = False
    of_value: tuple[str, str] = ("", "")
    kind: Literal["range"] = "range"

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.parameter}_min", f"{self.parameter}_max", self.parameter)

    @property
    def expected(self) -> str:
        return "a whole number" if self.is_whole else "a number"

    def read(self, before: Values, name: str, value: str) -> Values | None:
        low, high = before or ("", "")
        if name == self.parameter:
            return self._compared(low, high, value)
        bound = self._number(value)
        if bound is None:
            return None
        return (bound, high) if name.endswith("_min") else (low, bound)

    def parameters(self, values: Values) -> tuple[tuple[str, str], ...]:
        return tuple((name, value) for name, value in zip(self.names, values, strict=False) if value)

    def told(self, values: Values) -> tuple[tuple[str, Values], ...]:
        low, high = (f"{number(float(value))}{self._unit}" if value else "" for value in values)
        if low and high:
            return ((f"{low} to {high}", ()),)
        return ((f"at least {low}" if low else f"at most {high}", ()),)

    def is_inside(self, members: Members) -> bool:
        return self.inside

    def bits(self, values: Values, members: Members, chosen: Chosen) -> Bits:
        return self.measured.between(members, *bounds(values), self._where(chosen))

    def by_value(self, members: Members, chosen: Chosen, field: str) -> dict[str, Bits]:
        """What has a number in the chosen range, by another field of that which has it."""
        return self.measured.by_value(members, *bounds(chosen[self.parameter]), field)

    def bins(self, members: Members, chosen: Chosen) -> tuple[Bin, ...]:
        """The numbers in steps of equal or growing width."""
        return self.measured.bins(members, self._where(chosen), is_whole=self.is_whole)

    def _where(self, chosen: Chosen) -> query.Condition:
        parameter, field = self.of_value
        return query.Compare(field, "in", chosen[parameter]) if parameter in chosen else EVERY

    @property
    def _unit(self) -> str:
        return self.unit if self.unit in ("", "°") else f"\u202f{self.unit}"

    def _number(self, text: str) -> str | None:
        try:
            found = float(text.strip().rstrip("°Å").strip().replace("−", "-"))
        except ValueError:
            return None
        if not math.isfinite(found) or abs(found) > 1e9 or (self.is_whole and not found.is_integer()):
            return None
        return f"{found:.12g}"

    def _compared(self, low: str, high: str, text: str) -> Values | None:
        """The reference system writes `">5"`, with the quotes: a number with a sign before it."""
        found = _COMPARED.fullmatch(text)
        if found is None or not self.is_whole:
            return None
        sign, bound = found[1] or ">=", int(found[2])
        if sign.startswith(">"):
            return (str(bound + (sign == ">")), high)
        return (low, str(bound - (sign == "<")))


def bounds(values: Values) -> tuple[float, float]:
    """The chosen bounds as numbers; a missing one is infinite."""
    low, high = values
    return float(low) if low else -math.inf, float(high) if high else math.inf


def _without(values: Values, value: str) -> Values:
    return tuple(kept for kept in values if kept != value)
