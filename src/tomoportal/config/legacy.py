"""What older versions of the language said otherwise, so that old files get a sentence and not a riddle."""

from __future__ import annotations

from collections.abc import Iterator

from tomoportal.config.deposition import Config, Source

VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
"""All can be read: later ones only add."""

_SINCE_LISTS = "Since version 1.0.0 the `sources` of each section say where its files lie."
_MOVED = {
    (
        "",
        "overrides",
    ): "Since version 1.0.0 it has no effect: write an entry of its own for what differs, with parent_filters.",
    ("", "viz_config"): "Viewer states are always made; remove it.",
    ("", "annotation_viz"): "Viewer layers are always made; remove it.",
    (
        "standardization_config",
        "frame_dose_rate",
    ): "Since version 1.2.0 it is dose_rate in the metadata of frames.",
}
_BELONGS = {
    ".mdoc": "collection_metadata",
    ".xf": "alignments",
    ".com": "alignments",
    ".xtilt": "alignments",
    ".aln": "alignments",
}
"""Endings of files that stood under `rawtilts` before version 1.1.0."""


def moved(where: str, key: str) -> str | None:
    """What became of a key of an older version."""
    if where == "standardization_config" and ("glob" in key or "regex" in key):
        return _SINCE_LISTS
    return _MOVED.get((where, key))


def misplaced(config: Config) -> Iterator[tuple[Source, str, str]]:
    """Patterns under `rawtilts` for files of other sections: (source, pattern, section)."""
    for entry in config.entries("rawtilts"):
        for source in entry.sources:
            for glob in source.globs:
                section = next((name for ending, name in _BELONGS.items() if glob.endswith(ending)), None)
                if section:
                    yield source, glob, section
