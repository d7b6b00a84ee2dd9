"""The cookie that remembers a basket: the query string of the basket's address, `runs=1-20_25&tomograms=7`.

It is sent to this portal alone, not along with requests that other sites make (SameSite), and scripts cannot read it. Nothing in it is
believed: it says no more than an address that anybody can write.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from tomoportal.errors import UsageError
from tomoportal.exports.selection import Selection
from tomoportal.web.context import Visit

COOKIE = "basket"
LONGEST = 3800
"""Letters that are remembered; browsers keep some 4,000 for a cookie with all that belongs to it."""
_DAYS = 90
EMPTY = Selection()


def held(visit: Visit) -> Selection:
    """The visitor's basket; empty where none, or nothing that makes sense, is remembered."""
    return _read(visit.request.cookies.get(COOKIE, ""))


def is_damaged(visit: Visit) -> bool:
    """Whether something is remembered that makes no sense."""
    return bool(visit.request.cookies.get(COOKIE)) and not held(visit).ids


@lru_cache(maxsize=256)
def _read(text: str) -> Selection:
    if len(text) > 2 * LONGEST:
        return EMPTY
    try:
        return Selection.read(parse_qsl(text, max_num_fields=20))
    except (UsageError, ValueError):
        return EMPTY


def cookie(selection: Selection, *, secure: bool) -> str:
    """The header that makes browsers remember it. Raises `UsageError` when it is too long for that."""
    text = urlencode(selection.parameters(), safe="~")
    if len(text) > LONGEST:
        raise UsageError(
            f"These {len(selection):,} things are too many for a basket: it is remembered in a cookie, which takes {LONGEST:,} letters and "
            f"would need {len(text):,}. Put in whole datasets or runs instead of what is in them, or empty the basket first."
        )
    age = _DAYS * 86_400 if selection.ids else 0
    return f"{COOKIE}={text}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
