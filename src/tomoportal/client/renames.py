"""Names of fields and relations in earlier versions of the portal's API: they still work, and warn."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Renamed:
    """`old` of a class is `path` now; without a path, there is only a `hint` what to use. Through to-many relations the values of all
    related rows are gathered, or with `single` the first one (None when there is none)."""

    owner: str
    old: str
    path: str = ""
    single: bool = False
    hint: str = ""

    def __get__(self, instance: object | None, owner: type) -> Any:
        if not self.path:
            raise AttributeError(f"{self.owner}.{self.old} is gone: {self.hint}.")
        warnings.warn(
            f"{self.owner}.{self.old} is called {self.owner}.{self.path} now.",
            DeprecationWarning,
            stacklevel=2,
        )
        found: Any = owner if instance is None else instance
        for name in self.path.split("."):
            found = _follow(found, name)
        if self.single and isinstance(found, list):
            return found[0] if found else None
        return found


def _follow(found: Any, name: str) -> Any:
    if not isinstance(found, list):
        return None if found is None else getattr(found, name)
    each = [getattr(one, name) for one in found]
    return [item for one in each for item in (one if isinstance(one, list) else [one])]


OLD_NAMES = (
    Renamed("Annotation", "files", "annotation_shapes.annotation_files"),
    Renamed("AnnotationAuthor", "primary_annotator_status", "primary_author_status"),
    Renamed("AnnotationFile", "annotation", "annotation_shape.annotation"),
    Renamed("AnnotationFile", "shape_type", "annotation_shape.shape_type"),
    Renamed("Dataset", "related_database_links", "related_database_entries"),
    Renamed("Dataset", "dataset_citations", hint="see dataset_publications"),
    Renamed("Deposition", "dataset", "datasets"),
    Renamed("Deposition", "https_prefix", hint="a deposition has no folder; see the datasets, tomograms and annotations of it"),
    Renamed("Frame", "dose", hint="use exposure_dose, the dose of this frame, or accumulated_dose, that before it"),
    Renamed("Frame", "raw_angle", "per_section_parameters.raw_angle", single=True),
    Renamed("TiltSeries", "frames_count", hint="count the frames of its run: len(tilt_series.run.frames)"),
    Renamed("TiltSeries", "https_mrc_bin1", "https_mrc_file"),
    Renamed("TiltSeries", "s3_mrc_bin1", "s3_mrc_file"),
    Renamed("TiltSeries", "https_alignment_file", "alignments.https_alignment_metadata", single=True),
    Renamed("TiltSeries", "s3_alignment_file", "alignments.s3_alignment_metadata", single=True),
    Renamed("Tomogram", "https_mrc_scale0", "https_mrc_file"),
    Renamed("Tomogram", "s3_mrc_scale0", "s3_mrc_file"),
    Renamed("Tomogram", "affine_transformation_matrix", "alignment.affine_transformation_matrix"),
)  # fmt: skip


@cache
def old_names_of(name: str) -> tuple[Renamed, ...]:
    """The old names of a class."""
    return tuple(one for one in OLD_NAMES if one.owner == name)
