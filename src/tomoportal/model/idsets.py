"""Sets of ids as short text for addresses and cookies: `1-20_25`, or packed (`~eJxj…`) where that is shorter. Pure.

Packed is the Base64 (for addresses, without padding) of the zlib stream of the differences between ids in rising order, each as a
variable-length number of 7 bits a byte, lowest first.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise

from tomoportal.errors import UsageError

MOST_IDS = 10_000
"""Ids of one set."""
MOST_NAMED = 200_000
"""Ids that are looked at together, each as often as it is named."""
HIGHEST = (1 << 31) - 1
_PACKED = "~"
_PREFIX = re.compile(r"[A-Za-z]+-(?=[0-9])")
_READABLE = 1200
"""Letters up to which a set is written with ranges."""
_LONGEST_ID = 5
"""Bytes of a packed difference."""


def written(ids: Iterable[int]) -> str:
    """The set in the shorter of the two notations; ranges as long as people can read them."""
    ordered = sorted(set(ids))
    text = "_".join(_ranges(ordered))
    if len(text) <= _READABLE:
        return text
    return min(text, _packed(ordered), key=len)


def read(text: str, what: str) -> tuple[int, ...]:
    """The ids of a text in rising order, each once; letters before a number (`RN-12`) are left out. `what` names the ids in messages.
    Raises `UsageError` for what is no such text, and for more than `MOST_IDS`."""
    ids = _unpacked(text, what) if text.startswith(_PACKED) else _listed(text, what)
    found: set[int] = set()
    named = 0
    for part in ids:
        found.update(part)
        if len(found) > MOST_IDS:
            raise too_many(what)
        named += len(part)
        if named > MOST_NAMED:
            raise named_again(what)
    return tuple(sorted(found))


def too_many(what: str) -> UsageError:
    """What to say of more than `MOST_IDS`."""
    return UsageError(f"These are more than {MOST_IDS:,} {what}; take fewer at a time.")


def named_again(what: str) -> UsageError:
    """What to say of more than `MOST_NAMED`."""
    return UsageError(f"Many {what} are named again and again; name each once.")


def _ranges(ordered: list[int]) -> Iterator[str]:
    breaks = [at for at, (before, after) in enumerate(pairwise(ordered), 1) if after != before + 1]
    for start, end in pairwise([0, *breaks, len(ordered)]):
        if start < end:
            first, last = ordered[start], ordered[end - 1]
            yield str(first) if first == last else f"{first}-{last}"


def _listed(text: str, what: str) -> Iterator[range]:
    for part in filter(None, (part.strip() for part in re.split("[_,]", text))):
        first, dash, last = _PREFIX.sub("", part).partition("-")
        low, high = _number(first, part, what), _number(last if dash else first, part, what)
        if low > high:
            raise UsageError(f"“{part[:40]}” is no range of {what}: the lower number stands first.")
        if high - low >= MOST_IDS:
            raise too_many(what)
        yield range(low, high + 1)


def _number(text: str, part: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= HIGHEST):
        raise UsageError(
            f"“{part[:40]}” is no number of {what}; expected numbers and ranges such as 1-20_25."
        )
    return int(text)


def _packed(ordered: list[int]) -> str:
    data = bytearray()
    for before, after in pairwise([0, *ordered]):
        step = after - before
        while step > 0x7F:
            data.append(step & 0x7F | 0x80)
            step >>= 7
        data.append(step)
    return _PACKED + base64.urlsafe_b64encode(zlib.compress(bytes(data), 9)).decode().rstrip("=")


def _unpacked(text: str, what: str) -> Iterator[tuple[int]]:
    coded = text.removeprefix(_PACKED)
    wrong = UsageError(f"This list of {what} is damaged; was the address cut off when it was copied?")
    try:
        stream = zlib.decompressobj()
        packed = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
        data = stream.decompress(packed, MOST_IDS * _LONGEST_ID + 1)
    except (binascii.Error, zlib.error, ValueError):
        raise wrong from None
    if len(data) > MOST_IDS * _LONGEST_ID:
        raise too_many(what)
    if not stream.eof or data[-1:] >= b"\x80":
        raise wrong
    id = step = shift = 0
    for byte in data:
        step |= (byte & 0x7F) << shift
        shift = shift + 7 if byte & 0x80 else 0
        if not shift:
            id, step = id + step, 0
            yield (id,)
        if id > HIGHEST or shift > 7 * _LONGEST_ID:
            raise wrong
