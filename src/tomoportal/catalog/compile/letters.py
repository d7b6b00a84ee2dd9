"""Upper and lower case, letter by letter: what databases and Python agree on."""

from __future__ import annotations

from functools import cache


def lower_case(text: str) -> str:
    """The text as patterns see it when case does not matter: each letter gives one, wherever in a word it stands."""
    return text.replace("İ", "i").lower().replace("ς", "σ")


def letters() -> list[str]:
    """Every character that may have an upper and a lower case; Unicode has none in the planes above."""
    return [chr(number) for number in range(1, 0x20000) if not 0xD800 <= number < 0xE000]


@cache
def lower_letters() -> tuple[str, str]:
    """All letters that `lower_case` changes, and what it changes them into."""
    changed = [letter for letter in letters() if lower_case(letter) != letter]
    return "".join(changed), "".join(map(lower_case, changed))
