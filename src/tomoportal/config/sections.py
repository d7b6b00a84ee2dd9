"""The deposition language outside of the model: sections, finders, annotation shapes, `standardization_config`.

Facts of the language (names, defaults, which finder is allowed where) that no entity declares. Read by the checker, the JSON
Schema and the reference tables alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tomoportal.config.from_model import metadata_shape
from tomoportal.config.shapes import Form, Items, Key, Object, Scalar, Shape, optional, required
from tomoportal.model.fields import Kind, Level, Rule

VERSION = "1.3.0"
_NAMED = Scalar(form=Form.NAME)


@dataclass(frozen=True, slots=True)
class Section:
    """A top-level list. `parents`: types of ancestors by which its sources can be filtered, nearest last.

    `level`: whether the file must have it; `metadata`, `sources`: whether its entries must have them (None: must not);
    `literal`: what a literal lists.
    """

    name: str
    parents: tuple[str, ...]
    level: Level = Level.OPTIONAL
    metadata: Level | None = None
    sources: Level = Level.REQUIRED
    literal: Scalar | Object = _NAMED


_RUN = ("deposition", "dataset", "run")
_SPACING = (*_RUN, "voxel_spacing")
_PICTURE = Scalar(
    form=Form.PICTURE,
    description="address (https://, s3://) or path of the picture; null: the other one, else that of the first tomogram",
)
_PICTURES = Object({"snapshot": optional(_PICTURE), "thumbnail": optional(_PICTURE)})
_WHOLE = Scalar(Kind.INT, "identifier of the deposition", form=Form.NAME, rule=Rule(minimum=1))
_SPACING_VALUE = Scalar(
    Kind.FLOAT, "voxel spacing", form=Form.NAME, unit="Å", rule=Rule(minimum=0.001, placeholder=True)
)

SECTIONS: Mapping[str, Section] = {
    section.name: section
    for section in (
        Section("depositions", (), Level.REQUIRED, Level.OPTIONAL, literal=_WHOLE),
        Section("deposition_keyphotos", ("deposition",), literal=_PICTURES),
        Section("datasets", ("deposition",), Level.REQUIRED, Level.OPTIONAL),
        Section("dataset_keyphotos", ("deposition", "dataset"), literal=_PICTURES),
        Section("runs", ("deposition", "dataset"), Level.REQUIRED),
        Section("gains", _RUN),
        Section("collection_metadata", _RUN),
        Section("frames", _RUN, metadata=Level.OPTIONAL, sources=Level.OPTIONAL),
        Section("tiltseries", _RUN, metadata=Level.OPTIONAL),
        Section("rawtilts", _RUN),
        Section("ctfs", _RUN, metadata=Level.OPTIONAL),
        Section("alignments", _RUN, metadata=Level.OPTIONAL, sources=Level.OPTIONAL),
        Section("identified_objects", _RUN, metadata=Level.OPTIONAL),
        Section("voxel_spacings", _RUN, Level.REQUIRED, literal=_SPACING_VALUE),
        Section("tomograms", _SPACING, metadata=Level.OPTIONAL),
        Section("annotations", _SPACING, metadata=Level.REQUIRED),
        Section("key_images", (*_SPACING, "tomogram")),
    )
}
"""In the order of the data: parents before children."""

EXPANDED = ("tiltseries", "tomograms", "frames", "alignments", "identified_objects")
"""Sections in whose metadata placeholders are filled in from the run data map."""

GROUPED = ("alignments", "frames")
"""Sections in which all files of one source make one item."""

_OWN = ("{}_name", "{}_path", "int_{}_name", "{}_output_path")


def own_placeholders(section: str) -> tuple[str, ...]:
    """The placeholders that a source of this section may hold without any table."""
    return (*(form.format(kind) for kind in SECTIONS[section].parents for form in _OWN), "output_path")


PAIR_MAPS = {
    "mapped_tomo_name": "run_to_tomo_map_csv",
    "mapped_frame_name": "run_to_frame_map_csv",
    "mapped_ts_name": "run_to_ts_map_csv",
}
"""Placeholder → the setting that names its two-column table."""

_METADATA = {
    "ctfs": Object(
        {
            "format": required(
                Scalar(words=("CTFFIND", "Gctf", "IMOD"), description="program that wrote the file")
            )
        }
    ),
    "identified_objects": Object(
        {
            "filter_value": optional(
                Scalar(
                    description="accepted for the reference system; rows are those whose run_name is the run's name"
                )
            )
        }
    ),
}

_GLOB = Scalar(form=Form.GLOB, description="pattern of paths below the source prefix")
_GLOBS = Items(_GLOB, 1, "several patterns; every match is an item of its own")
_MATCH = Scalar(
    form=Form.REGEX, description="searched in the whole path, which starts with a slash", default=".*"
)
_NAME = Scalar(
    form=Form.NAME_REGEX, description="matched from the start of the file name; its first group is the item's name",
    default="(.*)",
)  # fmt: skip
_REGEXES = Items(Scalar(form=Form.REGEX))
_PATTERN = Object(
    {"list_glob": required(_GLOB), "match_regex": optional(_MATCH), "name_regex": optional(_NAME)}
)
_CONDITION = Object(
    {
        "key": required(Items(Scalar(), 1, "place inside the metadata file")),
        "value": required(Scalar(form=Form.ANY, description="what must stand there; a list: one of")),
    }
)
_FINDERS: Mapping[str, Shape] = {
    "source_glob": _PATTERN,
    "source_multi_glob": Object({"list_globs": required(_GLOBS)}),
    "destination_glob": _PATTERN,
    "destination_filter": Object({"filters": required(Items(_CONDITION, 1))}),
    "tomogram_header": Object(
        {
            "list_glob": required(_GLOB),
            "match_regex": optional(_MATCH),
            "header_key": optional(Scalar(words=("voxel_size",), default="voxel_size")),
        }
    ),
}


def finders_of(section: str) -> tuple[str, ...]:
    """The finders a source of this section may use."""
    standard = ("source_glob", "source_multi_glob", "destination_glob", "literal")
    if section in ("tiltseries", "tomograms"):
        return (*standard, "destination_filter")
    if section == "voxel_spacings":
        return ("source_glob", "destination_glob", "literal", "tomogram_header")
    return standard


_TRUE, _FALSE = Scalar(Kind.BOOL, default=True), Scalar(Kind.BOOL, default=False)
_BINNING = Scalar(
    Kind.FLOAT, "coordinates are divided by this to give voxels of the voxel spacing; 0 counts as 1",
    Rule(minimum=0), default=1,
)  # fmt: skip
_ORDER = Scalar(words=("xyz", "zyx"), default="xyz", description="order of the coordinates")
_FILTER = Scalar(form=Form.TEXT, description="keeps only the rows of this name; may hold placeholders")
_MESH = Scalar(form=Form.TEXT, description="mesh to show at every point")
_RESCALE = Scalar(
    Kind.BOOL, "whether the mask may differ in size from the tomogram and is then resampled", default=False
)
_LABEL = Scalar(Kind.INT, "the value of the voxels that belong to the mask", Rule(minimum=0), default=1)
_THRESHOLD = Scalar(Kind.FLOAT, "voxels above this belong to the mask")
_SCALE = Scalar(Kind.FLOAT, "coordinates are multiplied by this", Rule(above=0), default=1.0)
_COLUMN = Scalar(description="name of a column in the header")
_POINTS: Mapping[str, Shape] = {
    "binning": _BINNING,
    "columns": Scalar(
        words=("xyz", "zyx"), default="xyz", description="order of the first three columns of a table"
    ),
    "column_names": Items(_COLUMN, 3, "columns with x, y and z, where the header of a table names them"),
    "delimiter": Scalar(default=",", description="what separates the columns"),
    "filter_value": _FILTER,
    "filter_column": Scalar(description="column of a table in which filter_value is looked for"),
}
_ORIENTED: Mapping[str, Shape] = {
    "binning": _BINNING,
    "order": _ORDER,
    "filter_value": _FILTER,
    "mesh_source_path": _MESH,
}
_INSTANCES: Mapping[str, Shape] = {
    **_POINTS, **_ORIENTED, "instance_column": Scalar(description="column of a table that numbers the instances")
}  # fmt: skip
_SEMANTIC: Mapping[str, Shape] = {"mask_label": _LABEL, "rescale": _RESCALE, "threshold": _THRESHOLD}
_STARS = ("relion3_star", "relion4_star", "relion5_star", "tomoman_relion_star", "stopgap_star")
_LISTS = (*_STARS, "dynamo_tbl", "mod", "copick", "ndjson")

ANNOTATION_SHAPES: Mapping[str, tuple[tuple[str, ...], Mapping[str, Shape]]] = {
    "Point": (("csv", "csv_with_header", "tsv", *_LISTS), _POINTS),
    "OrientedPoint": (_LISTS, _ORIENTED),
    "InstanceSegmentation": (("tardis", "copick", "csv_with_header", "tsv", "ndjson"), _INSTANCES),
    "SegmentationMask": (("mrc", "zarr"), _SEMANTIC),
    "SemanticSegmentationMask": (("mrc", "zarr"), _SEMANTIC),
    "InstanceSegmentationMask": (("mrc", "zarr"), {"rescale": _RESCALE}),
    "TriangularMesh": (("obj", "stl", "vtk", "glb"), {"scale_factor": _SCALE}),
    "TriangularMeshGroup": (
        ("hff",),
        {"scale_factor": _SCALE, "name": Scalar(description="name of the mesh")},
    ),
    "GlobalCaption": (("saber",), {}),
    "AnnotationCaption": (("saber",), {"companion_shape": Scalar(description="shape that is described")}),
}
"""File formats and parameters of every annotation shape."""

_DEMANDED = {("AnnotationCaption", "companion_shape"), ("TriangularMeshGroup", "name")}


def annotation_shape(name: str) -> Object:
    """The parameters of an annotation source of this shape."""
    formats, parameters = ANNOTATION_SHAPES[name]
    keys: dict[str, Key] = {
        "file_format": required(Scalar(words=formats, description="format of the files")),
        "glob_string": optional(_GLOB),
        "glob_strings": optional(_GLOBS),
        "is_visualization_default": optional(_FALSE),
        "is_portal_standard": optional(_FALSE),
    }
    for key, scalar in parameters.items():
        keys[key] = Key(scalar, Level.REQUIRED if (name, key) in _DEMANDED else Level.OPTIONAL)
    return Object(keys, one_of=("glob_string", "glob_strings"))


def source_shape(section: str) -> Object:
    """One item of `sources`."""
    kind = SECTIONS[section]
    if section == "annotations":
        choices: dict[str, Shape] = {name: annotation_shape(name) for name in ANNOTATION_SHAPES}
    else:
        literal = kind.literal if isinstance(kind.literal, Object) else Items(kind.literal, 1)
        shapes = {**_FINDERS, "literal": Object({"value": required(literal)})}
        choices = {name: shapes[name] for name in finders_of(section)}
    keys = {name: optional(shape) for name, shape in choices.items()}
    keys["exclude"] = optional(
        Items(Scalar(form=Form.REGEX), 0, "names to leave out, matched from their start")
    )
    if kind.parents:
        by_type = Object({parent: optional(_REGEXES) for parent in kind.parents})
        keys["parent_filters"] = optional(
            Object({"include": optional(by_type), "exclude": optional(by_type)})
        )
    return Object(keys, one_of=tuple(choices))


def entry_shape(section: str) -> Object:
    """One item of a section."""
    kind = SECTIONS[section]
    keys: dict[str, Key] = {}
    metadata = _METADATA.get(section) or metadata_shape(section)
    if kind.metadata is not None and metadata is not None:
        keys["metadata"] = Key(metadata, kind.metadata)
    at_least = 1 if kind.sources is Level.REQUIRED else 0
    keys["sources"] = Key(Items(source_shape(section), at_least), kind.sources)
    return Object(keys)


_TABLE = Scalar(form=Form.PATH, description="table with one line a run, relative to the source prefix")
STANDARDIZATION = Object(
    {
        "deposition_id": required(Scalar(Kind.INT, "identifier of the deposition", Rule(minimum=1))),
        "source_prefix": required(
            Scalar(form=Form.PATH, description="folder below the source with all files")
        ),
        "run_data_map_file": optional(_TABLE),
        "run_to_tomo_map_csv": optional(_TABLE),
        "run_to_frame_map_csv": optional(_TABLE),
        "run_to_ts_map_csv": optional(_TABLE),
    }
)


def file_shape() -> Object:
    """A whole deposition file."""
    keys: dict[str, Key] = {
        "version": Key(Scalar(description=f"version of the language, now {VERSION}"), Level.RECOMMENDED),
        "standardization_config": required(STANDARDIZATION),
    }
    for name, section in SECTIONS.items():
        at_least = 1 if section.level is Level.REQUIRED else 0
        keys[name] = Key(Items(entry_shape(name), at_least), section.level)
    return Object(keys)
