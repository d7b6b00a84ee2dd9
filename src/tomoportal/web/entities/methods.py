"""How data were made: annotations, tomograms, tilt series and samples, put together where the methods are the same.

Columns are fields of the model with its labels and units.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tomoportal.catalog import View
from tomoportal.model import query
from tomoportal.model.acquisition import TiltSeries
from tomoportal.model.annotation import Annotation
from tomoportal.model.deposition import Dataset
from tomoportal.model.entity import Entity
from tomoportal.model.query import Figure, GroupKey, Groups
from tomoportal.model.reconstruction import Tomogram
from tomoportal.web import formats, identifiers
from tomoportal.web.entities.facts import values_of
from tomoportal.web.identifiers import Link
from tomoportal.web.kept import kept

MOST = 20
"""Methods of one kind that a page shows."""


@dataclass(frozen=True, slots=True)
class Method:
    """So many rows (`count`) that were made alike: `cells` are the values of each column, `links` lead to code and documentation."""

    count: int
    cells: tuple[tuple[Link, ...], ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Methods:
    """One kind of data. `columns`: labels with what they mean; `more`: how many methods are not shown."""

    title: str
    counted: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Method, ...]
    more: int = 0
    has_links: bool = False


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is put together: rows of `entity`, by `fields` of `told`, which lies at the end of the path `way`."""

    title: str
    counted: str
    entity: str
    told: type[Entity]
    fields: tuple[str, ...]
    way: tuple[str, ...] = ()
    distinct: str = ""
    """The field whose different values are counted, instead of rows."""


ANNOTATIONS = _Kind(
    "Annotations",
    "Annotations",
    "Annotation",
    Annotation,
    ("method_type", "annotation_method", "annotation_software"),
)
TOMOGRAMS = _Kind(
    "Tomograms", "Tomograms", "Tomogram", Tomogram,
    ("voxel_spacing", "reconstruction_method", "reconstruction_software", "processing", "processing_software", "ctf_corrected"),
)  # fmt: skip
ACQUISITION = _Kind(
    "Acquisition", "Tilt series", "TiltSeries", TiltSeries,
    (
        "microscope_manufacturer", "microscope_model", "acceleration_voltage", "spherical_aberration_constant",
        "microscope_energy_filter", "microscope_phase_plate", "microscope_image_corrector", "camera_manufacturer", "camera_model",
        "tilting_scheme", "pixel_spacing", "data_acquisition_software",
    ),
)  # fmt: skip
CONDITIONS = tuple(
    _Kind(
        "Experimental conditions", "Runs", entity, Dataset, ("sample_type", "sample_preparation", "grid_preparation", "other_setup"),
        ("run", "dataset"), "run_id",
    )
    for entity in ("TiltSeries", "Tomogram", "Annotation")
)  # fmt: skip
"""Those of the runs with tilt series, tomograms or annotations."""


def methods(view: View, kind: _Kind, where: query.Condition) -> Methods:
    """How rows that fulfil `where` were made, the most frequent first. Columns that nobody filled in are left out."""
    keys = tuple(GroupKey(name, (*kind.way, name)) for name in kind.fields)
    figure = Figure("count", "count", kind.distinct or None, distinct=bool(kind.distinct))
    asked = query.Aggregate(kind.entity, (Groups("groups", (*keys, figure)),), where)
    groups = sorted(json.loads(view.json(asked))["groups"], key=lambda group: -group["count"])
    names = [name for name in kind.fields if any(values_of(kind.told, name, group[name]) for group in groups)]
    links = _links(view, where) if kind is ANNOTATIONS and groups else {}
    rows = tuple(
        Method(
            group["count"],
            tuple(values_of(kind.told, name, group[name]) for name in names),
            links.get(group.get("annotation_method"), ()),
        )
        for group in groups[:MOST]
    )
    fields = [kind.told.fields[name] for name in names]
    columns = tuple((field.label, field.description) for field in fields)
    return Methods(kind.title, kind.counted, columns, rows, max(0, len(groups) - MOST), bool(links))


def _links(view: View, where: query.Condition) -> dict[Any, tuple[Link, ...]]:
    """Links to what made annotations, by the method that they tell."""
    keys = (
        GroupKey("method", ("annotation", "annotation_method")),
        *(GroupKey(name, (name,)) for name in ("link", "name", "link_type")),
    )
    asked = query.Aggregate(
        "AnnotationMethodLink", (Groups("groups", keys),), query.Related("annotation", where)
    )
    found: dict[Any, tuple[Link, ...]] = {}
    for item in json.loads(view.json(asked))["groups"]:
        text = item["name"] or formats.words(item["link_type"])
        found[item["method"]] = (
            *found.get(item["method"], ()),
            Link(text, identifiers.link(item["link"]).href),
        )
    return found


@kept
def methods_of_dataset(view: View, id: int) -> tuple[Methods, ...]:
    """How the data of a dataset were made."""
    inside = query.Related("run", query.Compare("dataset_id", "eq", id))
    return tuple(methods(view, kind, inside) for kind in (ACQUISITION, TOMOGRAMS, ANNOTATIONS))


@kept
def methods_of_deposition(view: View, id: int) -> tuple[Methods, ...]:
    """How the data of a deposition were made; the conditions are those of the runs that have any of it."""
    mine = query.Compare("deposition_id", "eq", id)
    found = tuple(methods(view, kind, mine) for kind in (ANNOTATIONS, TOMOGRAMS, ACQUISITION))
    conditions = (methods(view, kind, mine) for kind in CONDITIONS)
    return (*found, *[kind for kind in conditions if kind.rows][:1])
