"""Which annotation fits which tomogram: those that share an alignment have one coordinate system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tomoportal.model import query

if TYPE_CHECKING:
    from tomoportal.client.connection import Client
    from tomoportal.model.entity import Entity


class _Fitting:
    client: Client
    alignment_id: int | None

    def _sharing(self, name: str) -> list[Any]:
        """The entities of the class `name` with the same alignment; none when it is not known."""
        if self.alignment_id is None:
            return []
        from tomoportal.client.entities import CLASSES

        return CLASSES[name].find(self.client, query.Compare("alignment_id", "eq", self.alignment_id))


class TomogramFitting(_Fitting):
    """For tomograms."""

    @property
    def annotations(self) -> list[Any]:
        """The annotations that fit it, looked up on every call. Their coordinates count voxels of their own voxel spacing."""
        return self._sharing("Annotation")


class AnnotationFitting(_Fitting):
    """For annotations."""

    @property
    def tomograms(self) -> list[Any]:
        """The tomograms that it fits, looked up on every call."""
        return self._sharing("Tomogram")


def fitting_for(entity: type[Entity]) -> tuple[type[_Fitting], ...]:
    """What an entity's class of the client gets."""
    known = {"Tomogram": TomogramFitting, "Annotation": AnnotationFitting}
    return (known[entity.__name__],) if entity.__name__ in known else ()
