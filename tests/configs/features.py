"""What of the deposition language a file uses, as far as finding, reading and placing its files depend on it."""

from __future__ import annotations

from collections.abc import Iterator

from configs.plain_config import TOP, PlainConfig

Feature = tuple[object, ...]


def features(plain: PlainConfig) -> Iterator[Feature]:
    """Sections together, settings, and of every source its finder with parameters, filters and formats."""
    yield "sections", *sorted(plain.inner)
    for name in plain.settings:
        yield "setting", name
    for section in (*TOP, *plain.inner):
        for source in plain.sources(section):
            here = section, source.kind
            yield here
            yield section, "filters", bool(source.include), bool(source.exclude_parents), bool(source.exclude)
            yield section, "format", str(source.metadata.get("format"))
            yield *here, "file format", str(source.parameters.get("file_format"))
            for name in source.parameters:
                yield *here, name
