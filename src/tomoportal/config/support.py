"""What of the language this version ingests. Everything else is read and checked, reported as not supported yet, and left out.

Later versions shrink these tables; `find`'s callers and the planner ask `unsupported`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tomoportal.config.deposition import Config, Entry, Source
from tomoportal.config.sections import ANNOTATION_SHAPES
from tomoportal.problems import Problem, Severity

CODE = "not-supported-yet"

SUPPORTED_ANNOTATIONS = {shape: kinds for shape, (kinds, _) in ANNOTATION_SHAPES.items()}


def is_ingested(entry: Entry, source: Source) -> bool:
    """Whether the source gives items in this version."""
    return unsupported(entry, source) is None


def unsupported(entry: Entry, source: Source) -> str | None:
    """What of this source is left out in this version, in words; None when it is ingested. What the file does not say rightly is an error
    elsewhere, and not told here."""
    if entry.section == "annotations" and source.shape:
        kind = source.shape_parameters.get("file_format")
        known = kind is None or kind in SUPPORTED_ANNOTATIONS.get(source.shape, ())
        return None if known else f"annotations of the shape {source.shape} in the format {kind}"
    return None


def support_problems(config: Config) -> Iterator[Problem]:
    """One problem for each kind of data in the file that is left out."""
    seen: dict[str, list[Source]] = {}
    for entries in config.sections.values():
        for entry in entries:
            for source in entry.sources:
                if what := unsupported(entry, source):
                    seen.setdefault(what, []).append(source)
    for what, sources in seen.items():
        times = f" ({len(sources)} sources)" if len(sources) > 1 else ""
        yield Problem(
            CODE, f"{what}: not supported yet and left out{times}", Severity.UNSUPPORTED, config.file,
            sources[0].line, sources[0].where, "Everything else in this file is ingested.",
        )  # fmt: skip
