"""The words that a text is found by: folded to lower case without accents, split at everything that is no letter or digit."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """`"Å-scale GO:0005840"` → `["a", "scale", "go", "0005840"]`."""
    return _WORD.findall(folded(text))


def folded(text: str) -> str:
    """Lower case, compatibility forms resolved, accents taken off."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
