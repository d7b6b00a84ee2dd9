"""All entities by name."""

from __future__ import annotations

from tomoportal.errors import QueryError
from tomoportal.model.acquisition import (
    Frame,
    FrameAcquisitionFile,
    GainFile,
    IdentifiedObject,
    PerSectionParameters,
    Run,
    TiltSeries,
)
from tomoportal.model.annotation import (
    Annotation,
    AnnotationAuthor,
    AnnotationFile,
    AnnotationMethodLink,
    AnnotationShape,
)
from tomoportal.model.deposition import (
    Dataset,
    DatasetAuthor,
    DatasetFunding,
    Deposition,
    DepositionAuthor,
    DepositionType,
)
from tomoportal.model.entity import Entity
from tomoportal.model.reconstruction import (
    Alignment,
    PerSectionAlignmentParameters,
    Tomogram,
    TomogramAuthor,
    TomogramVoxelSpacing,
)

ENTITIES: tuple[type[Entity], ...] = (
    Alignment, Annotation, AnnotationAuthor, AnnotationFile, AnnotationMethodLink, AnnotationShape, Dataset, DatasetAuthor,
    DatasetFunding, Deposition, DepositionAuthor, DepositionType, Frame, FrameAcquisitionFile, GainFile, IdentifiedObject,
    PerSectionAlignmentParameters, PerSectionParameters, Run, TiltSeries, Tomogram, TomogramAuthor, TomogramVoxelSpacing,
)  # fmt: skip
"""In alphabetical order, as the API lists them."""

_BY_NAME = {entity.__name__: entity for entity in ENTITIES}


def entity(name: str) -> type[Entity]:
    """The entity class of this name. Raises `QueryError`."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise QueryError(f"there is no entity {name!r}; expected one of {', '.join(_BY_NAME)}") from None


def of_section(section: str) -> type[Entity] | None:
    """The entity that a section of the deposition file (`tomograms`) describes."""
    return next((entity for entity in ENTITIES if entity.names.section == section), None)


def items_of(sidecar: str) -> list[type[Entity]]:
    """The entities whose rows are list items of a sidecar of this kind."""
    return [entity for entity in ENTITIES if entity.rows.sidecar == sidecar and entity.rows.items]
