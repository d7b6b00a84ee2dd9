"""What was found in the volumes: annotations, their shapes and files."""

from __future__ import annotations

from typing import Any

from tomoportal.model import terms
from tomoportal.model.authors import AuthorFields
from tomoportal.model.entity import Entity, Names, Rows
from tomoportal.model.fields import (
    Bool,
    Choice,
    ConfigOnly,
    Date,
    Float,
    ForeignKey,
    HttpsAddress,
    Int,
    Kind,
    Level,
    Rule,
    S3Address,
    StoredPath,
    Str,
    ToMany,
    ToOne,
)

REQUIRED = Rule(level=Level.REQUIRED)
RECOMMENDED = Rule(level=Level.RECOMMENDED)


class Annotation(Entity):
    """One kind of object, annotated in one run by one method."""

    names = Names(
        graphql="Annotation", root="annotations", table="annotation", one="Annotation", many="Annotations", prefix="AN",
        section="annotations",
    )  # fmt: skip
    rows = Rows(sidecar="annotation")
    groups = {"dates": Level.REQUIRED, "annotation_object": Level.REQUIRED, "confidence": Level.OPTIONAL}

    id = Int("identifier of the annotation", nullable=False, sidecar="@id", label="Annotation ID")
    metadata_path = StoredPath("metadata of the annotation", nullable=False, sidecar="@sidecar")
    s3_metadata_path = S3Address("metadata_path", "metadata of the annotation", nullable=False)
    https_metadata_path = HttpsAddress("metadata_path", "metadata of the annotation", nullable=False)
    annotation_publication = Str(
        "comma-separated DOIs and database entries", label="Publication", config="annotation_publications",
        rule=Rule(pattern=terms.PUBLICATION, comma_list=True), searched="publication",
    )  # fmt: skip
    annotation_method = Str(
        "how the annotation was made",
        nullable=False,
        config="annotation_method",
        rule=REQUIRED,
        searched="method",
    )
    annotation_ingest_id = Str(
        "identifier given in the deposition file, unique there",
        label="Name in the deposition file",
        nullable=False,
        config="annotation_ingest_id",
        rule=REQUIRED,
    )
    ground_truth_status = Bool(
        "whether the authors endorse it as ground truth",
        label="Ground truth",
        config="ground_truth_status",
        default=False,
    )
    object_id = Str(
        "ontology identifier of the object", nullable=False, label="Object ID", config="annotation_object.id",
        rule=Rule(level=Level.REQUIRED, pattern=terms.OBJECT_ID), searched="object",
    )  # fmt: skip
    object_name = Str(
        "name of the object",
        nullable=False,
        config="annotation_object.name",
        rule=REQUIRED,
        searched="object",
    )
    object_description = Str(
        "description of the object", config="annotation_object.description", searched="object"
    )
    object_state = Str("state of the object", config="annotation_object.state", searched="object")
    object_count = Int("number of objects", config="object_count", rule=Rule(minimum=0))
    confidence_precision = Float(
        "true positives among all found",
        unit="%",
        config="confidence.precision",
        rule=Rule(minimum=0, maximum=100),
        label="Precision",
    )
    confidence_recall = Float(
        "found among all true objects",
        unit="%",
        config="confidence.recall",
        rule=Rule(minimum=0, maximum=100),
        label="Recall",
    )
    ground_truth_used = Str("reference for precision and recall", config="confidence.ground_truth_used")
    annotation_software = Str(
        "software of the annotation", config="annotation_software", rule=RECOMMENDED, searched="method"
    )
    is_curator_recommended = Bool(
        "whether the curators recommend it", config="is_curator_recommended", default=False
    )
    method_type = Choice(
        terms.annotation_method_type_enum,
        "kind of method",
        nullable=False,
        config="method_type",
        rule=REQUIRED,
    )
    deposition_date = Date(
        "when the annotation was received", nullable=False, config="dates.deposition_date", rule=REQUIRED
    )
    release_date = Date(
        "when the annotation becomes public", nullable=False, config="dates.release_date", rule=REQUIRED
    )
    last_modified_date = Date(
        "when the annotation last changed", nullable=False, config="dates.last_modified_date", rule=REQUIRED
    )
    version = ConfigOnly(Kind.FLOAT, "version, part of the file names", config="version", rule=REQUIRED)
    alignment_ingest_id = ConfigOnly(
        Kind.STR, "alignment of the tomogram: its `ingest_id`, or the name of its file without ending",
        config="alignment_ingest_id",
    )  # fmt: skip
    alignment_id = ForeignKey(
        "Alignment", "alignment whose coordinates it uses: it fits the tomograms made with the same",
        sidecar="alignment_metadata_path",
    )  # fmt: skip
    run_id = ForeignKey("Run", "run of the annotation", sidecar="@run")
    deposition_id = ForeignKey("Deposition", "deposition of the annotation", sidecar="deposition_id")
    tomogram_voxel_spacing_id = ForeignKey(
        "TomogramVoxelSpacing", "voxel spacing of the annotation", sidecar="@voxel_spacing"
    )

    alignment = ToOne("Alignment", "alignment_id", "alignment whose coordinates it uses")
    run = ToOne("Run", "run_id", "run of the annotation")
    annotation_shapes = ToMany("AnnotationShape", "annotation_id", "geometries of the annotation")
    method_links = ToMany("AnnotationMethodLink", "annotation_id", "links to code, weights and documentation")
    authors = ToMany("AnnotationAuthor", "annotation_id", "authors of the annotation")
    deposition = ToOne("Deposition", "deposition_id", "deposition of the annotation")
    tomogram_voxel_spacing = ToOne(
        "TomogramVoxelSpacing", "tomogram_voxel_spacing_id", "voxel spacing of the annotation"
    )


class AnnotationAuthor(AuthorFields, Entity):
    """An author of an annotation."""

    names = Names(
        graphql="AnnotationAuthor", root="annotationAuthors", table="annotation_author",
        one="Annotation author", many="Annotation authors",
    )  # fmt: skip
    rows = Rows(
        sidecar="annotation", items="authors", key=("name",), in_config=True, level=Level.REQUIRED, at_least=1
    )

    id = Int("identifier of the author row", nullable=False, sidecar="@id")
    annotation_id = ForeignKey("Annotation", "annotation of the author", sidecar="@parent")
    annotation = ToOne("Annotation", "annotation_id", "annotation of the author")


class AnnotationMethodLink(Entity):
    """A link to what made an annotation."""

    names = Names(
        graphql="AnnotationMethodLink", root="annotationMethodLinks", table="annotation_method_link",
        one="Method link", many="Method links",
    )  # fmt: skip
    rows = Rows(sidecar="annotation", items="method_links", key=("link",), in_config=True)

    id = Int("identifier of the link row", nullable=False, sidecar="@id")
    link_type = Choice(
        terms.annotation_method_link_type_enum,
        "what the link leads to",
        nullable=False,
        config="link_type",
        rule=REQUIRED,
    )
    name = Str("name to show for the link", config="custom_name", rule=RECOMMENDED)
    link = Str("address", nullable=False, config="link", rule=REQUIRED)
    annotation_id = ForeignKey("Annotation", "annotation of the link", sidecar="@parent")

    annotation = ToOne("Annotation", "annotation_id", "annotation of the link")


def _shape_type(value: Any) -> Any:
    """The API's word for a shape of the layout."""
    return "Mesh" if value == "TriangularMesh" else value


class AnnotationShape(Entity):
    """One geometry of an annotation, in one or more file formats."""

    names = Names(
        graphql="AnnotationShape",
        root="annotationShapes",
        table="annotation_shape",
        one="Annotation shape",
        many="Annotation shapes",
    )
    rows = Rows(sidecar="annotation", items="files", key=("shape_type",))

    id = Int("identifier of the shape", nullable=False, sidecar="@id")
    shape_type = Choice(terms.annotation_file_shape_type_enum, "geometry", sidecar="shape", read=_shape_type)
    annotation_id = ForeignKey("Annotation", "annotation of the shape", sidecar="@parent")

    annotation = ToOne("Annotation", "annotation_id", "annotation of the shape")
    annotation_files = ToMany("AnnotationFile", "annotation_shape_id", "files of the shape")


class AnnotationFile(Entity):
    """One file of one shape of an annotation."""

    names = Names(
        graphql="AnnotationFile",
        root="annotationFiles",
        table="annotation_file",
        one="Annotation file",
        many="Annotation files",
    )
    rows = Rows(sidecar="annotation", items="files", key=("path",))

    id = Int("identifier of the file", nullable=False, sidecar="@id")
    format = Str("file format: mrc, zarr, ndjson, glb or json", nullable=False, sidecar="format")
    path = StoredPath("the file", nullable=False, sidecar="path")
    s3_path = S3Address("path", "the file", nullable=False)
    file_size = Float("size of the file", unit="bytes", sidecar="file_size")
    https_path = HttpsAddress("path", "the file", nullable=False)
    is_visualization_default = Bool(
        "whether the viewer shows it at first", sidecar="is_visualization_default"
    )
    source = Choice(terms.annotation_file_source_enum, "who made it", sidecar="@source")
    alignment_id = ForeignKey(
        "Alignment", "alignment whose coordinates it uses", sidecar="@parent.alignment_metadata_path"
    )
    annotation_shape_id = ForeignKey("AnnotationShape", "shape of the file", sidecar="shape")
    tomogram_voxel_spacing_id = ForeignKey(
        "TomogramVoxelSpacing", "voxel spacing of the file", sidecar="@voxel_spacing"
    )

    alignment = ToOne("Alignment", "alignment_id", "alignment whose coordinates it uses")
    annotation_shape = ToOne("AnnotationShape", "annotation_shape_id", "shape of the file")
    tomogram_voxel_spacing = ToOne(
        "TomogramVoxelSpacing", "tomogram_voxel_spacing_id", "voxel spacing of the file"
    )
