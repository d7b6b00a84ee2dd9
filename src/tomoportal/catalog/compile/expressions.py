"""Regular expressions as RE2 understands them: https://github.com/google/re2/wiki/Syntax. Matching takes linear time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from tomoportal.errors import QueryError


@lru_cache(maxsize=256)
def compiled(pattern: str, ignore_case: bool) -> Any:
    """The RE2 expression. Raises `re2.error`."""
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    return re2.compile(pattern, options)


def check_regex(pattern: str, ignore_case: bool) -> None:
    """Raises `QueryError` when RE2 does not understand the expression."""
    try:
        compiled(pattern, ignore_case)
    except re2.error as error:
        reason = error.args[0]
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise QueryError(f"{pattern!r} is not a regular expression that RE2 understands: {told}") from None
