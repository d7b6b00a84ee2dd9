"""The entities of the client, as users import them. Fields and relations are the model's; what is declared here tells type checkers and
editors which class a relation leads to (`tests/client/test_classes.py` holds it against the model)."""

from __future__ import annotations

from tomoportal.client.download import (
    AlignmentDownload,
    AnnotationDownload,
    AnnotationFileDownload,
    DepositionDownload,
    FolderDownload,
    FrameDownload,
    GainDownload,
    MdocDownload,
    RunDownload,
    SpacingDownload,
    TiltSeriesDownload,
    TomogramDownload,
)
from tomoportal.client.entities import ClientEntity
from tomoportal.client.fitting import AnnotationFitting, TomogramFitting
from tomoportal.client.pages import Viewable
from tomoportal.client.points import Points
from tomoportal.client.relations import Many, One, OneOrNone
from tomoportal.client.volume import Openable, OpenableFile
from tomoportal.model import acquisition, annotation, deposition, reconstruction


class Alignment(AlignmentDownload, ClientEntity, reconstruction.Alignment):
    """How the images of one tilt series lie to each other and to the volume."""

    annotations: Many[Annotation]
    annotation_files: Many[AnnotationFile]
    per_section_alignments: Many[PerSectionAlignmentParameters]
    deposition: OneOrNone[Deposition]
    tiltseries: OneOrNone[TiltSeries]
    tomograms: Many[Tomogram]
    run: OneOrNone[Run]


class Annotation(Points, AnnotationFitting, AnnotationDownload, ClientEntity, annotation.Annotation):
    """One kind of object, annotated in one run by one method."""

    alignment: OneOrNone[Alignment]
    run: OneOrNone[Run]
    annotation_shapes: Many[AnnotationShape]
    method_links: Many[AnnotationMethodLink]
    authors: Many[AnnotationAuthor]
    deposition: OneOrNone[Deposition]
    tomogram_voxel_spacing: OneOrNone[TomogramVoxelSpacing]


class AnnotationAuthor(ClientEntity, annotation.AnnotationAuthor):
    """An author of an annotation."""

    annotation: OneOrNone[Annotation]


class AnnotationFile(OpenableFile, AnnotationFileDownload, ClientEntity, annotation.AnnotationFile):
    """One file of one shape of an annotation."""

    alignment: OneOrNone[Alignment]
    annotation_shape: OneOrNone[AnnotationShape]
    tomogram_voxel_spacing: OneOrNone[TomogramVoxelSpacing]


class AnnotationMethodLink(ClientEntity, annotation.AnnotationMethodLink):
    """A link to what made an annotation."""

    annotation: OneOrNone[Annotation]


class AnnotationShape(ClientEntity, annotation.AnnotationShape):
    """One geometry of an annotation, in one or more file formats."""

    annotation: OneOrNone[Annotation]
    annotation_files: Many[AnnotationFile]


class Dataset(FolderDownload, ClientEntity, deposition.Dataset):
    """Runs with the same sample and imaging conditions."""

    deposition: One[Deposition]
    funding_sources: Many[DatasetFunding]
    authors: Many[DatasetAuthor]
    runs: Many[Run]


class DatasetAuthor(ClientEntity, deposition.DatasetAuthor):
    """An author of a dataset."""

    dataset: OneOrNone[Dataset]


class DatasetFunding(ClientEntity, deposition.DatasetFunding):
    """A grant that paid for a dataset."""

    dataset: OneOrNone[Dataset]


class Deposition(DepositionDownload, ClientEntity, deposition.Deposition):
    """Data submitted together."""

    authors: Many[DepositionAuthor]
    alignments: Many[Alignment]
    annotations: Many[Annotation]
    datasets: Many[Dataset]
    frames: Many[Frame]
    tiltseries: Many[TiltSeries]
    tomograms: Many[Tomogram]
    deposition_types: Many[DepositionType]


class DepositionAuthor(ClientEntity, deposition.DepositionAuthor):
    """An author of a deposition."""

    deposition: One[Deposition]


class DepositionType(ClientEntity, deposition.DepositionType):
    """A kind of data in a deposition."""

    deposition: One[Deposition]


class Frame(FrameDownload, ClientEntity, acquisition.Frame):
    """A movie, or frame file, of one tilt."""

    deposition: One[Deposition]
    run: One[Run]
    per_section_parameters: Many[PerSectionParameters]


class FrameAcquisitionFile(MdocDownload, ClientEntity, acquisition.FrameAcquisitionFile):
    """An mdoc file: how the frames of a run were acquired."""

    run: OneOrNone[Run]


class GainFile(GainDownload, ClientEntity, acquisition.GainFile):
    """A gain reference of a run."""

    run: One[Run]


class IdentifiedObject(ClientEntity, acquisition.IdentifiedObject):
    """An object seen in a run without being annotated."""

    run: OneOrNone[Run]


class PerSectionAlignmentParameters(ClientEntity, reconstruction.PerSectionAlignmentParameters):
    """How one image of a tilt series lies."""

    alignment: One[Alignment]


class PerSectionParameters(ClientEntity, acquisition.PerSectionParameters):
    """Acquisition and CTF values of one image of a tilt series."""

    frame: One[Frame]
    run: One[Run]
    tiltseries: One[TiltSeries]


class Run(RunDownload, ClientEntity, acquisition.Run):
    """One physical location that was imaged."""

    alignments: Many[Alignment]
    annotations: Many[Annotation]
    dataset: One[Dataset]
    frames: Many[Frame]
    gain_files: Many[GainFile]
    identified_objects: Many[IdentifiedObject]
    frame_acquisition_files: Many[FrameAcquisitionFile]
    per_section_parameters: Many[PerSectionParameters]
    tiltseries: Many[TiltSeries]
    tomogram_voxel_spacings: Many[TomogramVoxelSpacing]
    tomograms: Many[Tomogram]


class TiltSeries(Openable, TiltSeriesDownload, ClientEntity, acquisition.TiltSeries):
    """A stack of images of one run at different tilts."""

    alignments: Many[Alignment]
    run: One[Run]
    deposition: OneOrNone[Deposition]
    per_section_parameters: Many[PerSectionParameters]


class Tomogram(Viewable, Openable, TomogramFitting, TomogramDownload, ClientEntity, reconstruction.Tomogram):
    """A reconstructed volume."""

    alignment: OneOrNone[Alignment]
    authors: Many[TomogramAuthor]
    deposition: One[Deposition]
    run: OneOrNone[Run]
    tomogram_voxel_spacing: OneOrNone[TomogramVoxelSpacing]


class TomogramAuthor(ClientEntity, reconstruction.TomogramAuthor):
    """An author of a tomogram."""

    tomogram: OneOrNone[Tomogram]


class TomogramVoxelSpacing(SpacingDownload, ClientEntity, reconstruction.TomogramVoxelSpacing):
    """The tomograms and annotations of one run with the same voxel size."""

    annotation_files: Many[AnnotationFile]
    run: OneOrNone[Run]
    annotations: Many[Annotation]
    tomograms: Many[Tomogram]
