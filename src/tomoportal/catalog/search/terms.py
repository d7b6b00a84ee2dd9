"""What somebody typed → terms. Any text gives terms, or none; there is no syntax to get wrong.

`membrane ribo`      both, each the beginning of a word
`"focused ion beam"` these words side by side, whole
`-yeast`             not this
`EMPIAR-10499`, `emd1234`, `https://doi.org/10.…`, `NCBI:9606`, `RN-12`   identifiers, as people paste them
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tomoportal.catalog.words import tokens
from tomoportal.errors import QueryError
from tomoportal.model.registry import ENTITIES

LONGEST = 1000
"""Letters of a search; more is refused."""

_PART = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_ADDRESS = re.compile(
    r"(?:https?://)?(?:dx\.)?(?:doi\.org/|orcid\.org/|doi:|orcid:|ncbi(?:taxon)?:)", re.IGNORECASE
)
_GLUED = re.compile(r"(empiar|emd)b?[-_: ]?(\d+)", re.IGNORECASE)
_SHOWN = re.compile(
    rf"(?:({'|'.join(e.names.prefix for e in ENTITIES if e.names.prefix)})-)?(\d{{1,9}})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand side by side in a text; unless `is_whole`, the last one may go on. `number` when it may be the
    identifier of a row, of the entity with the shown `prefix` if there is one."""

    words: tuple[str, ...]
    is_whole: bool = False
    number: int | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """Those that must be found, and those that must not."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...]


def terms(text: str) -> Terms:
    """The terms of a search, each once. Raises `QueryError` when the text is too long."""
    if len(text) > LONGEST:
        raise QueryError(f"a search has {len(text)} letters; at most {LONGEST} are looked for")
    wanted: dict[Term, None] = {}
    unwanted: dict[Term, None] = {}
    for part in _PART.finditer(text):
        term = (
            _term(part["word"] or "") if part["phrase"] is None else Term(tuple(tokens(part["phrase"])), True)
        )
        if term.words:
            (unwanted if part["minus"] else wanted)[term] = None
    return Terms(tuple(wanted), tuple(unwanted))


def _term(word: str) -> Term:
    bare = _ADDRESS.sub("", word, count=1)
    if glued := _GLUED.fullmatch(bare.rstrip(".,;")):
        return Term((glued[1].lower(), glued[2]))
    found = tuple(tokens(bare))
    if shown := _SHOWN.fullmatch(bare):
        return Term(found, False, int(shown[2]), (shown[1] or "").upper())
    return Term(found, is_whole=len(found) == 1 and len(found[0]) == 1 and found[0].isascii())
