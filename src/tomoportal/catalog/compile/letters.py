"""Upper and lower case, letter by letter: what databases and Python agree on."""

from __future__ import annotations

from functools import cache


def lower_case(text: str) -> str:
    """The text as patterns see it when case does not matter. Unlike `str.lower` it does not ask where in a word a letter stands."""
    return text.lower().replace("ς", "σ")


def letters() -> list[str]:
    """Every character that may have an upper and a lower case; Unicode has none in the planes above."""
    return [chr(number) for number in range(1, 0x20000) if not 0xD800 <= number < 0xE000]


@cache
def lower_letters() -> tuple[str, str]:
    """All letters that `lower_case` changes into a single other one, and these."""
    pairs = [(letter, lower_case(letter)) for letter in letters()]
    changed = [pair for pair in pairs if pair[0] != pair[1] and len(pair[1]) == 1]
    return "".join(letter for letter, _ in changed), "".join(lower for _, lower in changed)


LONGER = ("İ", "i̇")
"""The only letter whose lower case is two."""
