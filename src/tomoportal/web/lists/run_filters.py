"""Filters about runs. Lists of datasets look into their runs, lists of runs at the runs themselves: the same filters, one path longer."""

from __future__ import annotations

import re
from collections.abc import Callable

from tomoportal.model import query
from tomoportal.model.query import EVERYTHING, Compare, through
from tomoportal.web import formats
from tomoportal.web.entities.contents import DEPOSITED, ESTIMATED, WITH_FILE
from tomoportal.web.entities.quality import QUALITIES
from tomoportal.web.lists.filter_kinds import AllOf, Demand, Filter, OneOf, Range, Values, Written
from tomoportal.web.lists.numbers import Measured
from tomoportal.web.lists.spellings import containing, numbered, orcid, term

CONTENT, OBJECTS, TILT, TOMOGRAMS, NAMES = (
    "Contents",
    "Objects and annotations",
    "Tilt series",
    "Tomograms",
    "Names and identifiers",
)


def _has(*path: str, where: query.Condition = EVERYTHING) -> query.Condition:
    return through(path, where)


TRUTH = Compare("ground_truth_status", "eq", True)

_HELD = (
    Demand("annotation", "Annotations", _has("annotations")),
    Demand("tomogram", "Tomograms", _has("tomograms")),
    Demand("raw-frames", "Movie frames", _has("frames", where=WITH_FILE)),
    Demand("tilt-series", "Tilt series", _has("tiltseries")),
    Demand("ctf", "CTF estimates", _has("per_section_parameters", where=ESTIMATED)),
    Demand("tilt-series-alignment", "Alignments", _has("alignments", where=DEPOSITED)),
)
"""What a run can hold."""

GROUND_TRUTH = Demand("true", "Annotated as ground truth", _has("annotations", where=TRUTH))
ANNOTATED = Demand("Yes", "Annotated objects only", _has("annotations"))
FIDUCIAL_WORDS = {"FIDUCIAL": "With fiducial markers", "NON_FIDUCIAL": "Without fiducial markers"}


def about_runs(*prefix: str) -> tuple[Filter, ...]:
    """All filters about runs, through the relations of `prefix`."""
    inside = bool(prefix)
    return (
        *_contents(prefix, inside),
        *_objects(prefix, inside),
        *_tilt_series(prefix, inside),
        *_tomograms(prefix, inside),
        *_names(inside),
    )


def _contents(prefix: tuple[str, ...], inside: bool) -> tuple[Filter, ...]:
    help = "Datasets with a run that has all of these" if inside else "Runs that have all of these"
    return (
        AllOf(
            parameter="files",
            legend="Data types",
            demands=_HELD,
            help=help,
            inside=inside,
            section=CONTENT,
        ),
        AllOf(
            parameter="ground_truth",
            legend="Ground truth",
            demands=(GROUND_TRUTH,),
            inside=inside,
            section=CONTENT,
        ),
    )


def _objects(prefix: tuple[str, ...], inside: bool) -> tuple[Filter, ...]:
    counted = Range(
        parameter="objects",
        legend="Number of objects",
        measured=Measured("annotations", "object_count"),
        of_value=("object", "object_name"),
        section=OBJECTS,
        help="In one annotation, of a chosen object if any",
        inside=inside,
        is_whole=True,
    )

    def annotated(parameter: str, legend: str, *path: str) -> OneOf:
        return OneOf(
            parameter=parameter,
            legend=legend,
            path=(*prefix, "annotations", *path),
            wording=spaced,
            section=OBJECTS,
        )

    return (
        OneOf(
            parameter="object",
            legend="Object",
            path=(*prefix, "annotations", "object_name"),
            other_path=(*prefix, "identified_objects", "object_name"),
            only_path="annotated_objects",
            counted=counted,
            section=OBJECTS,
            help="Annotated, or seen by the authors",
        ),
        AllOf(
            parameter="annotated_objects",
            legend="Annotated",
            demands=(ANNOTATED,),
            inside=inside,
            section=OBJECTS,
        ),
        counted,
        annotated("object_shape", "Annotation shape", "annotation_shapes", "shape_type"),
        annotated("method_type", "Annotation method", "method_type"),
        OneOf(
            parameter="annotation_software",
            legend="Annotation software",
            path=(*prefix, "annotations", "annotation_software"),
            section=OBJECTS,
        ),
    )


def _tilt_series(prefix: tuple[str, ...], inside: bool) -> tuple[Filter, ...]:
    return (
        OneOf(
            parameter="camera_manufacturer",
            legend="Camera manufacturer",
            path=(*prefix, "tiltseries", "camera_manufacturer"),
            section=TILT,
        ),
        OneOf(
            parameter="camera_model",
            legend="Camera",
            path=(*prefix, "tiltseries", "camera_model"),
            section=TILT,
        ),
        OneOf(
            parameter="quality_score",
            legend="Tilt series quality",
            path=(*prefix, "tiltseries", "tilt_series_quality"),
            kind_of_value=int,
            wording=lambda value: f"{value} – {QUALITIES.get(int(value), 'unknown')}",
            expected="a number from 1 to 5",
            is_sorted=True,
            section=TILT,
        ),
        Range(
            parameter="tilt",
            legend="Tilt range",
            measured=Measured("tiltseries", "tilt_range"),
            unit="°",
            inside=inside,
            section=TILT,
        ),
    )


def _tomograms(prefix: tuple[str, ...], inside: bool) -> tuple[Filter, ...]:
    def of(parameter: str, legend: str, field: str) -> OneOf:
        return OneOf(
            parameter=parameter, legend=legend, path=(*prefix, "tomograms", field), section=TOMOGRAMS
        )

    return (
        Range(
            parameter="spacing",
            legend="Voxel spacing",
            measured=Measured("tomograms", "voxel_spacing"),
            unit="Å",
            inside=inside,
            section=TOMOGRAMS,
        ),
        of("reconstruction_method", "Reconstruction method", "reconstruction_method"),
        of("reconstruction_software", "Reconstruction software", "reconstruction_software"),
        OneOf(
            parameter="processing",
            legend="Processing",
            path=(*prefix, "tomograms", "processing"),
            wording=lambda value: formats.words(value).capitalize(),
            section=TOMOGRAMS,
        ),
        OneOf(
            parameter="fiducial_alignment",
            legend="Fiducial markers",
            path=(*prefix, "tomograms", "fiducial_alignment_status"),
            wording=lambda value: FIDUCIAL_WORDS.get(value, spaced(value)),
            aliases={"true": "FIDUCIAL", "false": "NON_FIDUCIAL"},
            expected="true or false",
            section=TOMOGRAMS,
        ),
    )


def _names(inside: bool) -> tuple[Filter, ...]:
    return (
        numbered_rows("run_id", "Run ID", "RN", 123456, has_id, inside=inside),
        Written(
            parameter="run_name",
            legend="Run name",
            condition=lambda value: containing("name", value),
            expected="a part of the name",
            placeholder="A part of it",
            inside=inside,
        ),
        Written(
            parameter="object_id",
            legend="Object ID",
            condition=_of_object,
            accepted=term,
            expected="an identifier such as GO:0005840",
            placeholder="GO:0005840",
            inside=inside,
        ),
    )


def _of_object(value: str) -> query.Condition:
    same = Compare("object_id", "eq", value)
    return _has("annotations", where=same) | _has("identified_objects", where=same)


def numbered_rows(
    parameter: str,
    legend: str,
    prefix: str,
    example: int,
    condition: Callable[[Values], query.Condition],
    *,
    also: tuple[str, ...] = (),
    help: str = "",
    inside: bool = False,
) -> Written:
    """A filter by numbers that people write with a prefix or without; `also`: other prefixes that mean the same."""
    return Written(
        parameter=parameter,
        legend=legend,
        condition=condition,
        accepted=numbered(prefix, *also),
        expected=f"a number such as {example} or {prefix}-{example}",
        placeholder=f"{prefix}-{example}",
        prefix=f"{prefix}-",
        help=help,
        inside=inside,
        is_many=True,
    )


def has_id(values: Values, field: str = "id") -> query.Condition:
    """The rows with these numbers."""
    return Compare(field, "in", tuple(map(int, values)))


def authored(*path: str) -> tuple[Written, ...]:
    """Filters by who made the rows, with the relations that lead to the authors."""
    return (
        Written(
            parameter="author",
            legend="Author",
            condition=lambda value: through(path, containing("name", value) | containing("kaggle_id", value)),
            expected="a part of a name, or a Kaggle name",
            placeholder="Name or Kaggle name",
        ),
        Written(
            parameter="author_orcid",
            legend="Author ORCID",
            condition=lambda value: through(path, containing("orcid", value)),
            accepted=orcid,
            expected="four groups of four digits, such as 0000-0002-1825-0097",
            placeholder="0000-0002-1825-0097",
        ),
    )


def spaced(word: str) -> str:
    """`SegmentationMask` → `Segmentation mask`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).replace("_", " ").capitalize()
