"""File → `Config` + problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomoportal.config.deposition import Condition, Config, Entry, Finder, Source, Standardization
from tomoportal.config.document import Document, parse_document, read_document
from tomoportal.config.ontologies import compared
from tomoportal.config.reading import FAULTY, Reader
from tomoportal.config.rules import rule_problems
from tomoportal.config.sections import ANNOTATION_SHAPES, SECTIONS, file_shape
from tomoportal.config.shapes import Scalar
from tomoportal.model.ontology import Ontologies
from tomoportal.problems import Problem, has_errors, in_order


@dataclass(frozen=True, slots=True)
class Loaded:
    """`config` is None when the file has an error; `problems` are in order of lines."""

    config: Config | None
    problems: tuple[Problem, ...]


_NONE = Ontologies()


def load_config(path: str | Path, ontologies: Ontologies = _NONE) -> Loaded:
    """Read and check a deposition file, also against `ontologies`, which complete it. Raises `OSError` when it cannot be read; everything
    else is a problem."""
    document = read_document(Path(path))
    return Loaded(None, (document,)) if isinstance(document, Problem) else _load(document, ontologies)


def load_text(text: str, name: str = "deposition.yaml", ontologies: Ontologies = _NONE) -> Loaded:
    """`load_config` for a text; `name` stands in its problems."""
    document = parse_document(text.encode(), name)
    return Loaded(None, (document,)) if isinstance(document, Problem) else _load(document, ontologies)


def _load(document: Document, ontologies: Ontologies) -> Loaded:
    compared_with = compared(document, ontologies) if ontologies else []
    reader = Reader(document)
    shape = file_shape()
    data = reader.read(document.root, shape, "")
    if not isinstance(data, dict):
        return Loaded(None, tuple(in_order([*compared_with, *reader.problems])))
    config = _config(document, data)
    problems = [*compared_with, *reader.problems, *rule_problems(config)]
    ordered = tuple(in_order(problems))
    return Loaded(None if has_errors(ordered) else config, ordered)


def _config(document: Document, data: Mapping[str, Any]) -> Config:
    sections = {
        name: tuple(
            _entry(document, name, index, entry)
            for index, entry in enumerate(_list(data.get(name)))
            if isinstance(entry, dict)
        )
        for name in SECTIONS
    }
    return Config(
        file=document.file,
        name=Path(document.file).name.removesuffix(".yaml").removesuffix(".yml"),
        version=_text(data.get("version")) or "",
        standardization=_standardization(_dict(data.get("standardization_config"))),
        sections={name: entries for name, entries in sections.items() if entries},
        line_of=document.line_of,
    )


def _standardization(data: Mapping[str, Any]) -> Standardization:
    number = data.get("deposition_id")
    tables = ("run_data_map_file", "run_to_tomo_map_csv", "run_to_frame_map_csv", "run_to_ts_map_csv")
    prefix = "/".join(
        part for part in (_text(data.get("source_prefix")) or "").split("/") if part not in ("", ".")
    )
    return Standardization(
        number if isinstance(number, int) else None, prefix, *(_text(data.get(t)) for t in tables)
    )


def _entry(document: Document, section: str, index: int, data: Mapping[str, Any]) -> Entry:
    where = f"{section}[{index}]"
    metadata = data.get("metadata")
    sources = tuple(
        source
        for number, item in enumerate(_list(data.get("sources")))
        if isinstance(item, dict) and (source := _source(document, f"{where}.sources[{number}]", item))
    )
    line = document.line_of(where) or 1
    return Entry(
        section, index, where, line, _clean(metadata) if isinstance(metadata, dict) else None, sources
    )


def _source(document: Document, where: str, data: Mapping[str, Any]) -> Source | None:
    filters = _dict(data.get("parent_filters"))
    common: dict[str, Any] = {
        "where": where,
        "line": document.line_of(where) or 1,
        "include": _regexes(filters.get("include")),
        "exclude_parents": _regexes(filters.get("exclude")),
        "exclude": _texts(data.get("exclude")),
    }
    for shape in ANNOTATION_SHAPES:
        if isinstance(data.get(shape), dict):
            return _annotation_source(shape, data[shape], common)
    for finder in Finder:
        if isinstance(data.get(finder), dict):
            return Source(finder=finder, **common, **_parameters(finder, data[finder]))
    return None


def _annotation_source(shape: str, data: Mapping[str, Any], common: dict[str, Any]) -> Source:
    known = ANNOTATION_SHAPES[shape][1].items()
    parameters = {name: part.default if isinstance(part, Scalar) else None for name, part in known}
    parameters |= {"file_format": None, "is_visualization_default": False, "is_portal_standard": False}
    parameters |= {
        key: value for key, value in data.items() if not key.startswith("glob_string") and value is not FAULTY
    }
    if "binning" in parameters:
        parameters["binning"] = parameters["binning"] or 1
    many = "glob_strings" in data
    globs = _texts(data.get("glob_strings")) if many else _texts([data.get("glob_string")])
    finder = Finder.SOURCE_MULTI_GLOB if many else Finder.SOURCE_GLOB
    return Source(finder=finder, globs=globs, shape=shape, shape_parameters=parameters, **common)


def _parameters(finder: Finder, data: Mapping[str, Any]) -> dict[str, Any]:
    if finder is Finder.LITERAL:
        value = data.get("value")
        if isinstance(value, dict):
            return {"values": tuple((key, _text(path)) for key, path in value.items())}
        return {"values": tuple((str(name), None) for name in _list(value) if name is not FAULTY)}
    if finder is Finder.SOURCE_MULTI_GLOB:
        return {"globs": _texts(data.get("list_globs"))}
    if finder is Finder.DESTINATION_FILTER:
        conditions = [c for c in _list(data.get("filters")) if isinstance(c, dict)]
        return {"conditions": tuple(Condition(_texts(c.get("key")), c.get("value")) for c in conditions)}
    result: dict[str, Any] = {"globs": _texts([data.get("list_glob")])}
    return result | {
        key: data[key] for key in ("match_regex", "name_regex") if isinstance(data.get(key), str)
    }


def _regexes(data: Any) -> dict[str, tuple[str, ...]]:
    return {kind: _texts(regexes) for kind, regexes in _dict(data).items()}


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(value for value in _list(values) if isinstance(value, str))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _clean(data: Any) -> Any:
    """Without what could not be read."""
    if isinstance(data, dict):
        return {key: _clean(value) for key, value in data.items() if value is not FAULTY}
    if isinstance(data, list):
        return [_clean(value) for value in data if value is not FAULTY]
    return data
