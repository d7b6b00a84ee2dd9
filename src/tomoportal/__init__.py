"""Tomoportal: a self-hostable data portal for cryo-electron tomography.

The names of the Python client (`Client`, `Dataset`, `Run`, `Tomogram`, …) live here; they are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tomoportal.client.classes import Alignment as Alignment
    from tomoportal.client.classes import Annotation as Annotation
    from tomoportal.client.classes import AnnotationAuthor as AnnotationAuthor
    from tomoportal.client.classes import AnnotationFile as AnnotationFile
    from tomoportal.client.classes import AnnotationMethodLink as AnnotationMethodLink
    from tomoportal.client.classes import AnnotationShape as AnnotationShape
    from tomoportal.client.classes import Dataset as Dataset
    from tomoportal.client.classes import DatasetAuthor as DatasetAuthor
    from tomoportal.client.classes import DatasetFunding as DatasetFunding
    from tomoportal.client.classes import Deposition as Deposition
    from tomoportal.client.classes import DepositionAuthor as DepositionAuthor
    from tomoportal.client.classes import DepositionType as DepositionType
    from tomoportal.client.classes import Frame as Frame
    from tomoportal.client.classes import FrameAcquisitionFile as FrameAcquisitionFile
    from tomoportal.client.classes import GainFile as GainFile
    from tomoportal.client.classes import IdentifiedObject as IdentifiedObject
    from tomoportal.client.classes import PerSectionAlignmentParameters as PerSectionAlignmentParameters
    from tomoportal.client.classes import PerSectionParameters as PerSectionParameters
    from tomoportal.client.classes import Run as Run
    from tomoportal.client.classes import TiltSeries as TiltSeries
    from tomoportal.client.classes import Tomogram as Tomogram
    from tomoportal.client.classes import TomogramAuthor as TomogramAuthor
    from tomoportal.client.classes import TomogramVoxelSpacing as TomogramVoxelSpacing
    from tomoportal.client.connection import Client as Client

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tomoportal.client import CLASSES, Client

    public = {"Client": Client, **CLASSES}
    if name not in public:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return public[name]


def __dir__() -> list[str]:
    from tomoportal.model.registry import ENTITIES

    return ["Client", "__version__", *(entity.__name__ for entity in ENTITIES)]
