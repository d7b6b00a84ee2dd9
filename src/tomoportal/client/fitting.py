"""Which annotation fits which tomogram: those that share an alignment have one coordinate system.

Portals that do not tell the alignment of an annotation tell that of its files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tomoportal.errors import QueryError
from tomoportal.model import query

if TYPE_CHECKING:
    from tomoportal.client.classes import Annotation, Tomogram
    from tomoportal.client.results import Results


class TomogramFitting:
    """For tomograms."""

    @property
    def annotations(self) -> Results[Annotation]:
        """The annotations that fit it, looked up on every call; none when its alignment is not known. Their coordinates count voxels of
        their own voxel spacing."""
        entity: Any = self
        if entity.alignment_id is None:
            return _found(entity, "Annotation", None)
        same = query.Compare("alignment_id", "eq", entity.alignment_id)
        try:
            return _found(entity, "Annotation", same)
        except QueryError:
            if entity.client.words is None:
                raise
        return _found(entity, "Annotation", query.through(("annotation_shapes", "annotation_files"), same))


class AnnotationFitting:
    """For annotations."""

    @property
    def tomograms(self) -> Results[Tomogram]:
        """The tomograms that it fits, looked up on every call; none when its alignment is not known."""
        entity: Any = self
        if "alignment_id" not in entity.__dict__:
            own = query.Compare("annotation_id", "eq", entity.id)
            path = ("alignment", "annotation_files", "annotation_shape")
            return _found(entity, "Tomogram", query.through(path, own))
        if entity.alignment_id is None:
            return _found(entity, "Tomogram", None)
        return _found(entity, "Tomogram", query.Compare("alignment_id", "eq", entity.alignment_id))


def _found(entity: Any, name: str, where: query.Condition | None) -> Results[Any]:
    """The entities of a class that fulfil the condition; without one, none."""
    from tomoportal.client.entities import CLASSES
    from tomoportal.client.results import Results

    kind = CLASSES[name]
    return Results([], kind) if where is None else kind.find(entity.client, where)
