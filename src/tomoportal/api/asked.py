"""The parameters of a request, as numbers and words; what does not fit is refused with a sentence that names it."""

from __future__ import annotations

import math

from starlette.requests import Request

from tomoportal.api.errors import Refused

_LONGEST = 9
"""Digits of an id."""


def id_in_path(request: Request, what: str) -> int:
    """The number in the path."""
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise Refused(400, "usage", f"{text[:40]!r} is no id of a {what}; expected a number.")
    return int(text)


class Asked:
    """Parameters of a request, of which only those in `known` may be there. An empty one is as good as absent. Raises `Refused`."""

    def __init__(self, request: Request, known: tuple[str, ...]) -> None:
        self._given, self._known = dict(request.query_params), known
        for name in self._given:
            if name not in known:
                raise Refused(
                    400, "usage", f"{name[:40]!r} is not understood here; expected {', '.join(known)}."
                )

    def takes(self, name: str) -> bool:
        """Whether a parameter is known."""
        return name in self._known

    def word(self, name: str, words: tuple[str, ...]) -> str | None:
        """One of some words."""
        text = self._given.get(name) or None
        if text is not None and text not in words:
            raise Refused(400, "usage", f"{name} is {text[:40]!r}; expected {' or '.join(words)}.")
        return text

    def whole(self, name: str, least: int, most: int | None) -> int | None:
        """A whole number between two others, ends included."""
        text = self._given.get(name) or None
        if text is None:
            return None
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST
        value = sign * int(digits) if is_number else 0
        if not is_number or value < least or (most is not None and value > most):
            bounds = f"from {least}" + ("" if most is None else f" to {most}")
            raise Refused(400, "usage", f"{name} is {text[:40]!r}; expected a whole number {bounds}.")
        return value

    def number(self, name: str) -> float | None:
        """Any number."""
        text = self._given.get(name) or None
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise Refused(400, "usage", f"{name} is {text[:40]!r}; expected a number.")
        return value
