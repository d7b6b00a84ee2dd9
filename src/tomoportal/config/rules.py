"""Rules across values: between fields of one entity, between sections, between a name and an identifier.

Values that are faulty by themselves are absent here, so that one mistake gives one problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tomoportal.config.deposition import Config, Entry, Finder
from tomoportal.config.legacy import VERSIONS, misplaced
from tomoportal.config.placeholders import names_in, template_fault
from tomoportal.config.sections import EXPANDED, PAIR_MAPS, VERSION, own_placeholders
from tomoportal.model import registry
from tomoportal.problems import Problem, Severity

Metadata = Mapping[str, Any]
Finding = tuple[str, str, str, str]
"""(code, place below the entry, message, hint)"""

_NEEDS = {
    "organism": "tissue", "organoid": "tissue", "tissue": "tissue", "cell_line": "cell_strain",
    "primary_cell_culture": "cell_type", "organelle": "cell_component", "virus": "cell_component",
}  # fmt: skip
_TOLERATED = ("matrix-row",)
"""The reference system lets these pass, so they are warnings."""

_SMALLEST_DETERMINANT = 1e-12


def rule_problems(config: Config) -> Iterator[Problem]:
    """Every broken rule."""
    for entries in config.sections.values():
        for entry in entries:
            for code, place, message, hint in _of_entry(config, entry):
                severity = Severity.WARNING if code in _TOLERATED else Severity.ERROR
                yield _problem(config, code, f"{entry.where}.{place}", message, hint, severity)
    yield from _version(config)
    yield from _sections(config)
    yield from _misplaced(config)
    yield from _identifiers(config)
    yield from _ingest_ids(config)


def _problem(
    config: Config, code: str, where: str, message: str, hint: str = "", severity: Severity = Severity.ERROR
) -> Problem:
    return Problem(code, message, severity, config.file, config.line_of(where), where, hint)


def _of_entry(config: Config, entry: Entry) -> Iterator[Finding]:
    if entry.metadata is not None:
        for rule in _METADATA_RULES:
            for code, place, message, hint in rule(entry.metadata):
                yield code, f"metadata.{place}", message, hint
        yield from _repeated_rows(entry)
    yield from _shapes(entry)
    yield from _placeholders(config, entry)


def _dates(data: Metadata) -> Iterator[Finding]:
    dates = data.get("dates") or {}
    received, released = dates.get("deposition_date"), dates.get("release_date")
    if received and released and received > released:
        message = f"the release date {released} lies before the deposition date {received}"
        yield "dates", "dates.release_date", message, "Swap or correct them."


def _authors(data: Metadata) -> Iterator[Finding]:
    authors = data.get("authors")
    if not authors:
        return
    for key, kind in (("primary_author_status", "primary"), ("corresponding_author_status", "corresponding")):
        if not any(isinstance(author, Mapping) and author.get(key) for author in authors):
            yield (
                "authors",
                "authors",
                f"no author is marked as {kind}",
                f"Give at least one of them '{key}: true'.",
            )


def _confidence(data: Metadata) -> Iterator[Finding]:
    confidence = data.get("confidence") or {}
    for key in ("precision", "recall"):
        if key in confidence and not confidence.get("ground_truth_used"):
            yield ("confidence", f"confidence.{key}", f"{key} is given without ground_truth_used",
                   "Say in ground_truth_used what it was measured against.")  # fmt: skip


def _ground_truth(data: Metadata) -> Iterator[Finding]:
    if data.get("method_type") == "automated" and data.get("ground_truth_status"):
        yield ("ground-truth", "ground_truth_status", "an automated annotation cannot be ground truth",
               "Set ground_truth_status to false, or method_type to hybrid.")  # fmt: skip


def _sample(data: Metadata) -> Iterator[Finding]:
    group = _NEEDS.get(str(data.get("sample_type")))
    if group is None:
        return
    given = data.get(group) or {}
    missing = [key for key in ("name", "id") if not given.get(key)]
    if missing:
        yield ("sample", f"{group}.{missing[0]}" if given else group,
               f"the sample type {data['sample_type']} needs {group} with name and id; {' and '.join(missing)} missing",
               f"Describe the {group}, or choose another sample_type.")  # fmt: skip


def _stage(data: Metadata) -> Iterator[Finding]:
    stage = data.get("development_stage") or {}
    name, number = stage.get("name"), stage.get("id")
    if name and number and (name == "unknown") != (number == "unknown"):
        yield ("stage", "development_stage", f"the name '{name}' does not go with the id '{number}'",
               "Either both are unknown or neither is.")  # fmt: skip


def _tilts(data: Metadata) -> Iterator[Finding]:
    tilts = data.get("tilt_range") or {}
    low, high = tilts.get("min"), tilts.get("max")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield (
            "tilt-range",
            "tilt_range.min",
            f"the smallest tilt {low:g}° is above the largest {high:g}°",
            "Swap them.",
        )


def _matrix(data: Metadata) -> Iterator[Finding]:
    matrix = data.get("affine_transformation_matrix")
    if not isinstance(matrix, list):
        return
    place = "affine_transformation_matrix"
    if [float(cell) for cell in matrix[3]] != [0, 0, 0, 1]:
        yield ("matrix-row", f"{place}[3]", f"found the last row {matrix[3]}, expected [0, 0, 0, 1]",
               "Is the matrix transposed? Translations belong into the last column.")  # fmt: skip
    (a, b, c), (d, e, f), (g, h, i) = (row[:3] for row in matrix[:3])
    if abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)) < _SMALLEST_DETERMINANT:
        yield (
            "matrix",
            place,
            "the upper 3×3 part cannot be inverted",
            "It must be a rotation, scale or shear.",
        )


_METADATA_RULES: tuple[Callable[[Metadata], Iterator[Finding]], ...] = (
    _dates, _authors, _confidence, _ground_truth, _sample, _stage, _tilts, _matrix,
)  # fmt: skip


def _repeated_rows(entry: Entry) -> Iterator[Finding]:
    """Rows of a list that cannot be told apart, such as an author twice."""
    entity = registry.of_section(entry.section)
    for child in registry.items_of(entity.rows.sidecar) if entity else ():
        if not child.rows.in_config:
            continue
        places = [child.fields[name].config or "" for name in child.rows.key]
        seen: dict[tuple[Any, ...], int] = {}
        for index, item in enumerate((entry.metadata or {}).get(child.rows.items) or ()):
            key = tuple(item.get(place) if place else item for place in places)
            if key in seen:
                what = ", ".join(str(part) for part in key)
                yield ("repeated", f"metadata.{child.rows.items}[{index}]",
                       f"'{what}' stands in {child.rows.items} twice (also as item {seen[key]})", "Remove one.")  # fmt: skip
            seen.setdefault(key, index)


def _shapes(entry: Entry) -> Iterator[Finding]:
    seen: set[str] = set()
    for number, source in enumerate(entry.sources):
        if source.shape is None:
            continue
        place, parameters = f"sources[{number}].{source.shape}", source.shape_parameters
        if source.shape in seen and not (source.include or source.exclude_parents):
            yield ("shape-twice", place, f"the shape {source.shape} stands in this annotation twice",
                   "Limit the later one with parent_filters, or make it an annotation of its own.")  # fmt: skip
        seen.add(source.shape)
        if parameters.get("threshold") is not None and parameters.get("mask_label", 1) != 1:
            yield ("mask", f"{place}.threshold", f"threshold stands together with mask_label {parameters['mask_label']}",
                   "Use mask_label for labels, threshold for probabilities.")  # fmt: skip


def _placeholders(config: Config, entry: Entry) -> Iterator[Finding]:
    """Templates that cannot be read, and placeholders that no table can supply because the file names none."""
    tables = {name for name, setting in PAIR_MAPS.items() if getattr(config.standardization, setting)}
    known = {*own_placeholders(entry.section), *tables}
    for place, template in _templates(entry):
        if fault := template_fault(template):
            yield "placeholder", place, fault, "Double literal braces: {{ and }}."
        elif not config.standardization.run_data_map_file:
            for name in names_in(template):
                if name not in known:
                    yield "placeholder", place, *_no_table(name, template)


def _no_table(name: str, template: str) -> tuple[str, str]:
    setting = PAIR_MAPS.get(name, "run_data_map_file")
    return (f"nothing gives {{{name}}} in '{template}' a value",
            f"Name a {setting} in standardization_config, or double literal braces.")  # fmt: skip


def _templates(entry: Entry) -> Iterator[tuple[str, str]]:
    """All texts of the entry in which placeholders are filled in, with their places."""
    for number, source in enumerate(entry.sources):
        place = f"sources[{number}]"
        names = [name for name, _ in source.values] if entry.section == "voxel_spacings" else []
        parameters = [source.shape_parameters.get(key) for key in ("filter_value", "mesh_source_path")]
        for template in (*source.globs, *names, *parameters):
            if isinstance(template, str):
                yield place, template
    if entry.section in EXPANDED and entry.metadata:
        yield from _texts(entry.metadata, "metadata")


def _texts(data: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _texts(value, f"{place}.{key}")


def _version(config: Config) -> Iterator[Problem]:
    if not config.version:
        yield _problem(config, "version", "version", f"the version of the language is not given and taken as {VERSION}",
                       f"Add the line 'version: {VERSION}'.", Severity.WARNING)  # fmt: skip
    elif config.version not in (*VERSIONS, *(version[:3] for version in VERSIONS)):
        yield _problem(config, "version", "version", f"the version {config.version} of the language is not known; the file is read as "
                       f"{VERSION}", f"Known are {', '.join(VERSIONS)}.", Severity.WARNING)  # fmt: skip


def _sections(config: Config) -> Iterator[Problem]:
    if config.entries("collection_metadata") and not config.entries("frames"):
        yield _problem(
            config, "frames", "collection_metadata", "collection_metadata is given without frames",
            "Add frames with dose_rate and is_gain_corrected, and the source literal [default] if there are no frame files.",
        )  # fmt: skip
    if config.entries("tiltseries") and not config.entries("collection_metadata"):
        yield _problem(
            config, "collection-metadata", "tiltseries", "tiltseries is given without collection_metadata (mdoc files)",
            "Order of acquisition and doses stay unknown. Add collection_metadata if there are mdoc files.", Severity.WARNING,
        )  # fmt: skip


def _identifiers(config: Config) -> Iterator[Problem]:
    depositions = _literals(config, "depositions")
    if len(depositions) > 1:
        yield _problem(config, "deposition", "depositions", f"found the depositions {', '.join(depositions)}, expected one",
                       "Give each deposition a file of its own.")  # fmt: skip
    for section, field in (("depositions", "deposition_identifier"), ("datasets", "dataset_identifier")):
        for entry in config.entries(section):
            number = (entry.metadata or {}).get(field)
            names = [
                name
                for source in entry.sources
                if source.finder is Finder.LITERAL
                for name, _ in source.values
            ]
            if number is not None and names and str(number) not in names:
                yield _problem(config, "identifier", f"{entry.where}.metadata.{field}",
                               f"the identifier {number} differs from the name {', '.join(names)} in sources",
                               "The folder is named by sources; make both the same.")  # fmt: skip
    number = config.standardization.deposition_id
    if number is not None and len(depositions) == 1 and str(number) != depositions[0]:
        yield _problem(config, "identifier", "standardization_config.deposition_id",
                       f"deposition_id is {number}, but depositions names {depositions[0]}, which counts",
                       "Make both the same.", Severity.WARNING)  # fmt: skip


def _misplaced(config: Config) -> Iterator[Problem]:
    for source, glob, section in misplaced(config):
        yield _problem(config, "misplaced", source.where, f"'{glob}' stands under rawtilts; such files belong to {section}",
                       "rawtilts are lists of tilt angles only, since version 1.1.0.", Severity.WARNING)  # fmt: skip


def _literals(config: Config, section: str) -> list[str]:
    return list(dict.fromkeys(
        name for entry in config.entries(section) for source in entry.sources
        if source.finder is Finder.LITERAL for name, _ in source.values
    ))  # fmt: skip


def _ingest_ids(config: Config) -> Iterator[Problem]:
    seen: dict[str, Entry] = {}
    for entry in config.entries("annotations"):
        name = (entry.metadata or {}).get("annotation_ingest_id")
        if name is None:
            continue
        if name in seen:
            where = f"{entry.where}.metadata.annotation_ingest_id"
            yield _problem(config, "ingest-id", where, f"'{name}' is used already by {seen[name].where}",
                           "Give every annotation an id of its own.")  # fmt: skip
        seen.setdefault(name, entry)
