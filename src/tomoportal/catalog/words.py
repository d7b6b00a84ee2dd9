"""The words that a text is found by: folded to lower case without accents, split at everything that is no letter or digit.

Chinese and Japanese are written without blanks, so each of their characters is a word of its own, found by its neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_WITHOUT_BLANKS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_WITHOUT_BLANKS}]|[^\W_{_WITHOUT_BLANKS}]+")
_BARRED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart into a plain one and a mark."""


class Word(NamedTuple):
    """A folded word, and the letters `start` to `end` of the text in which it stands."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[str]:
    """`"Å-scale GO:0005840"` → `["a", "scale", "go", "0005840"]`."""
    return _WORD.findall(folded(text))


def folded(text: str) -> str:
    """Lower case, compatibility forms resolved, accents taken off."""
    return text.lower() if text.isascii() else "".join(map(_folded, text))


def words(text: str) -> list[Word]:
    """The `tokens` of a text with their places in it."""
    letters = [_folded(letter) for letter in text]
    places = [place for place, letter in enumerate(letters) for _ in letter]
    return [
        Word(found[0], places[found.start()], places[found.end() - 1] + 1)
        for found in _WORD.finditer("".join(letters))
    ]


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part)).translate(_BARRED)
