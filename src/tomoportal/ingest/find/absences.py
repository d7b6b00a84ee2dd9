"""How to say that nothing was found: patterns of sources lie below the source_prefix, those of references in the portal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tomoportal.config import Source
from tomoportal.config.placeholders import Unknown, expand
from tomoportal.ingest.find.context import Context

STORAGE_HINT = "Set --storage or TOMOPORTAL_STORAGE to the portal that holds it, or correct the identifier."
_SHOWN = 3


def looked_for(sources: Sequence[Source], context: Context, prefix: str, portal: str) -> str:
    """Where the patterns of some sources were looked for, with placeholders as they are at `context`."""
    told = []
    for place, references in ((f"below '{prefix}'", False), (f"in the portal at {portal}", True)):
        globs = [
            filled(glob, context)
            for source in sources
            if source.references == references
            for glob in source.globs
        ]
        if globs:
            told.append(f"Looked for {', '.join(globs[:_SHOWN])} {place}.")
    return " ".join(told)


def no_match(source: Source, first: Context, portal: str) -> tuple[str, str]:
    """Message and hint for a source that gave nothing anywhere; `first` is where it was first looked at."""
    what = ", ".join(source.globs)
    if not source.references:
        hint = "Is the pattern relative to source_prefix, and match_regex not too narrow?"
        return f"nothing matches {what or 'its literal'}", hint
    example = ", ".join(filled(glob, first) for glob in source.globs)
    such = f", such as {example}" if example != what else ""
    return (
        f"nothing in the portal at {portal} matches {what or 'its conditions'}{such}",
        "Is --storage the portal that is meant?",
    )


def filled(glob: str, context: Context) -> str:
    """The pattern with its placeholders replaced, as it is where one of them has no value."""
    try:
        return expand(glob, context.values)
    except (Unknown, ValueError):
        return glob
