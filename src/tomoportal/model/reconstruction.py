"""From images to volumes: alignments, voxel spacings, tomograms."""

from __future__ import annotations

import json

from tomoportal.model import terms
from tomoportal.model.authors import AuthorFields
from tomoportal.model.entity import Entity, Names, Rows
from tomoportal.model.fields import (
    Bool,
    Choice,
    ConfigOnly,
    Date,
    Field,
    Float,
    ForeignKey,
    HttpsAddress,
    Int,
    Kind,
    Level,
    Matrix,
    Rule,
    S3Address,
    StoredPath,
    Str,
    ToMany,
    ToOne,
)

REQUIRED = Rule(level=Level.REQUIRED)
RECOMMENDED = Rule(level=Level.RECOMMENDED)
IDENTITY = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def _known_method(word: str) -> str | None:
    return None if word == "undefined" else word


def _dimensions(scale: dict[str, int]) -> str:
    return f"{scale['x']},{scale['y']},{scale['z']}"


def _underscored(words: str) -> str:
    return words.replace(" ", "_")


class Alignment(Entity):
    """How the images of one tilt series lie to each other and to the volume."""

    names = Names(
        graphql="Alignment", root="alignments", table="alignment", one="Alignment", many="Alignments", prefix="AL",
        section="alignments",
    )  # fmt: skip
    rows = Rows(sidecar="alignment")
    groups = {"volume_dimension": Level.OPTIONAL, "volume_offset": Level.OPTIONAL}

    id = Int("identifier of the alignment", nullable=False, sidecar="@id", label="Alignment ID")
    alignment_type = Choice(
        terms.alignment_type_enum,
        "whether there are local corrections",
        config="alignment_type",
        default="GLOBAL",
    )
    alignment_method = Choice(
        terms.alignment_method_type_enum, "how the alignment was made", config="method_type", read=_known_method,
        rule=Rule(words=terms.CONFIG_ALIGNMENT_METHODS), default="undefined",
    )  # fmt: skip
    volume_x_dimension = Float(
        "size of the volume along x",
        unit="Å",
        config="volume_dimension.x",
        rule=Rule(level=Level.REQUIRED, above=0, placeholder=True),
    )
    volume_y_dimension = Float(
        "size of the volume along y",
        unit="Å",
        config="volume_dimension.y",
        rule=Rule(level=Level.REQUIRED, above=0, placeholder=True),
    )
    volume_z_dimension = Float(
        "size of the volume along z",
        unit="Å",
        config="volume_dimension.z",
        rule=Rule(level=Level.REQUIRED, above=0, placeholder=True),
    )
    volume_x_offset = Float(
        "offset of the volume along x",
        unit="Å",
        config="volume_offset.x",
        default=0,
        rule=Rule(level=Level.REQUIRED, placeholder=True),
    )
    volume_y_offset = Float(
        "offset of the volume along y",
        unit="Å",
        config="volume_offset.y",
        default=0,
        rule=Rule(level=Level.REQUIRED, placeholder=True),
    )
    volume_z_offset = Float(
        "offset of the volume along z",
        unit="Å",
        config="volume_offset.z",
        default=0,
        rule=Rule(level=Level.REQUIRED, placeholder=True),
    )
    x_rotation_offset = Float(
        "rotation of the volume about x",
        label="Rotation about x",
        unit="°",
        config="x_rotation_offset",
        default=0,
        rule=Rule(placeholder=True),
    )
    tilt_offset = Float(
        "offset of all tilts", unit="°", config="tilt_offset", default=0.0, rule=Rule(placeholder=True)
    )
    affine_transformation_matrix = Str(
        "4×4 matrix from this volume to the canonical one, as JSON", config="affine_transformation_matrix",
        read=json.dumps, default=IDENTITY,
    )  # fmt: skip
    metadata_path = StoredPath("metadata of the alignment", sidecar="@sidecar")
    s3_alignment_metadata = S3Address("metadata_path", "metadata of the alignment")
    https_alignment_metadata = HttpsAddress("metadata_path", "metadata of the alignment")
    is_portal_standard = Bool(
        "whether this is the canonical alignment",
        label="Canonical alignment",
        config="is_portal_standard",
        default=False,
    )
    format = ConfigOnly(
        Kind.STR, "program whose files describe the alignment", config="format",
        rule=Rule(level=Level.REQUIRED, words=terms.ALIGNMENT_FORMATS),
    )  # fmt: skip
    ingest_id = ConfigOnly(
        Kind.STR, "tells several alignments of one deposition and run apart; without it the name of the source file does",
        config="ingest_id",
    )  # fmt: skip
    deposition_id = ForeignKey("Deposition", "deposition of the alignment", sidecar="deposition_id")
    tiltseries_id = ForeignKey("TiltSeries", "tilt series that is aligned", sidecar="tiltseries_path")
    run_id = ForeignKey("Run", "run of the alignment", sidecar="@run")

    annotations = ToMany("Annotation", "alignment_id", "annotations in this coordinate system")
    annotation_files = ToMany("AnnotationFile", "alignment_id", "annotation files in this coordinate system")
    per_section_alignments = ToMany(
        "PerSectionAlignmentParameters", "alignment_id", "values of every section"
    )
    deposition = ToOne("Deposition", "deposition_id", "deposition of the alignment")
    tiltseries = ToOne("TiltSeries", "tiltseries_id", "tilt series that is aligned")
    tomograms = ToMany("Tomogram", "alignment_id", "tomograms reconstructed with it")
    run = ToOne("Run", "run_id", "run of the alignment")


class PerSectionAlignmentParameters(Entity):
    """How one image of a tilt series lies."""

    names = Names(
        graphql="PerSectionAlignmentParameters", root="perSectionAlignmentParameters", table="per_section_alignment_parameters",
        one="Per-section alignment", many="Per-section alignments",
    )  # fmt: skip
    rows = Rows(sidecar="alignment", items="per_section_alignment_parameters", key=("z_index",))

    id = Int("identifier of the row", nullable=False, sidecar="@id")
    z_index = Int("place in the stack, from 0", nullable=False, sidecar="z_index")
    x_offset = Float(
        "where the middle of the volume lies in the image, along x", unit="Å", sidecar="x_offset"
    )
    y_offset = Float(
        "where the middle of the volume lies in the image, along y", unit="Å", sidecar="y_offset"
    )
    volume_x_rotation = Float("rotation about x", unit="°", sidecar="volume_x_rotation")
    in_plane_rotation = Matrix("2×2 rotation matrix in the image plane", sidecar="in_plane_rotation")
    tilt_angle = Float("refined tilt", unit="°", sidecar="tilt_angle")
    alignment_id = ForeignKey("Alignment", "alignment of the section", nullable=False, sidecar="@parent")

    alignment = ToOne("Alignment", "alignment_id", "alignment of the section")


class TomogramVoxelSpacing(Entity):
    """The tomograms and annotations of one run with the same voxel size."""

    names = Names(
        graphql="TomogramVoxelSpacing", root="tomogramVoxelSpacings", table="tomogram_voxel_spacing",
        one="Voxel spacing", many="Voxel spacings", prefix="VS",
    )  # fmt: skip
    rows = Rows(sidecar="voxel_spacing")

    id = Int("identifier of the voxel spacing", nullable=False, sidecar="@id")
    voxel_spacing = Float("edge of a voxel", nullable=False, unit="Å", sidecar="@spacing")
    folder_path = StoredPath("folder of the voxel spacing", nullable=False, sidecar="@folder")
    s3_prefix = S3Address("folder_path", "folder of the voxel spacing, ending in /", nullable=False)
    https_prefix = HttpsAddress("folder_path", "folder of the voxel spacing, ending in /", nullable=False)
    run_id = ForeignKey("Run", "run of the voxel spacing", sidecar="@run")

    annotation_files = ToMany(
        "AnnotationFile", "tomogram_voxel_spacing_id", "annotation files of this voxel size"
    )
    run = ToOne("Run", "run_id", "run of the voxel spacing")
    annotations = ToMany("Annotation", "tomogram_voxel_spacing_id", "annotations of this voxel size")
    tomograms = ToMany("Tomogram", "tomogram_voxel_spacing_id", "tomograms of this voxel size")


class Tomogram(Entity):
    """A reconstructed volume."""

    names = Names(
        graphql="Tomogram",
        root="tomograms",
        table="tomogram",
        one="Tomogram",
        many="Tomograms",
        prefix="TM",
        section="tomograms",
    )
    rows = Rows(sidecar="tomogram")
    groups = {"dates": Level.REQUIRED, "offset": Level.REQUIRED, "size": Level.OPTIONAL}

    id = Int("identifier of the tomogram", nullable=False, sidecar="@id", label="Tomogram ID")
    name = Str("name of the tomogram", sidecar="run_name", searched="name")
    size_x = Int("voxels along the fast axis", nullable=False, unit="px", config="size.x")
    size_y = Int("voxels along the medium axis", nullable=False, unit="px", config="size.y")
    size_z = Int("voxels along the slow axis", nullable=False, unit="px", config="size.z")
    voxel_spacing = Float(
        "edge of a voxel", nullable=False, unit="Å", config="voxel_spacing",
        rule=Rule(level=Level.REQUIRED, minimum=0.001, placeholder=True),
    )  # fmt: skip
    fiducial_alignment_status = Choice(
        terms.fiducial_alignment_status_enum, "whether fiducial markers were used", nullable=False, config="fiducial_alignment_status",
        rule=Rule(level=Level.REQUIRED, placeholder=True),
    )  # fmt: skip
    reconstruction_method = Choice(
        terms.tomogram_reconstruction_method_enum, "how the volume was reconstructed", nullable=False, config="reconstruction_method",
        read=_underscored, rule=Rule(level=Level.REQUIRED, words=terms.CONFIG_METHODS, placeholder=True), searched="method",
    )  # fmt: skip
    processing = Choice(
        terms.tomogram_processing_enum, "what was done after reconstruction", nullable=False, config="processing",
        rule=Rule(level=Level.REQUIRED, words=terms.CONFIG_PROCESSING),
    )  # fmt: skip
    tomogram_version = Float(
        "version of the tomogram", config="tomogram_version", rule=Rule(level=Level.REQUIRED, minimum=0)
    )
    processing_software = Str(
        "software of the processing",
        config="processing_software",
        rule=Rule(level=Level.RECOMMENDED, placeholder=True),
        searched="method",
    )
    reconstruction_software = Str(
        "software of the reconstruction", nullable=False, config="reconstruction_software",
        rule=Rule(level=Level.REQUIRED, placeholder=True), searched="method",
    )  # fmt: skip
    is_portal_standard = Bool(
        "whether the portal made it the same way for all runs", config="is_portal_standard", default=False
    )
    is_author_submitted = Bool("whether the authors of the dataset submitted it", sidecar="@author_submitted")
    is_visualization_default = Bool(
        "whether the viewer shows it first",
        label="Shown first",
        config="is_visualization_default",
        rule=REQUIRED,
        default=True,
    )
    omezarr_path = StoredPath("OME-Zarr volume", sidecar="omezarr_dir")
    mrc_path = StoredPath("MRC volume", sidecar="mrc_file")
    s3_omezarr_dir = S3Address("omezarr_path", "OME-Zarr volume, a folder")
    https_omezarr_dir = HttpsAddress("omezarr_path", "OME-Zarr volume, a folder")
    file_size_omezarr = Float(
        "size of the OME-Zarr volume", label="Size as OME-Zarr", unit="bytes", sidecar="file_sizes.omezarr"
    )
    s3_mrc_file = S3Address("mrc_path", "MRC volume")
    https_mrc_file = HttpsAddress("mrc_path", "MRC volume")
    file_size_mrc = Float(
        "size of the MRC volume", label="Size as MRC", unit="bytes", sidecar="file_sizes.mrc"
    )
    scale_0_dimensions = Str(
        "x,y,z at full resolution",
        label="Full resolution (x, y, z)",
        unit="px",
        sidecar="scales.0",
        read=_dimensions,
    )
    scale_1_dimensions = Str(
        "x,y,z at half resolution",
        label="Half resolution (x, y, z)",
        unit="px",
        sidecar="scales.1",
        read=_dimensions,
    )
    scale_2_dimensions = Str(
        "x,y,z at a quarter of the resolution",
        label="Quarter resolution (x, y, z)",
        unit="px",
        sidecar="scales.2",
        read=_dimensions,
    )
    ctf_corrected = Bool(
        "whether the CTF was corrected", label="CTF corrected", config="ctf_corrected", rule=RECOMMENDED
    )
    offset_x = Int(
        "offset to the canonical tomogram along x",
        nullable=False,
        unit="px",
        config="offset.x",
        rule=REQUIRED,
        default=0,
    )
    offset_y = Int(
        "offset to the canonical tomogram along y",
        nullable=False,
        unit="px",
        config="offset.y",
        rule=REQUIRED,
        default=0,
    )
    offset_z = Int(
        "offset to the canonical tomogram along z",
        nullable=False,
        unit="px",
        config="offset.z",
        rule=REQUIRED,
        default=0,
    )
    key_photo_path = StoredPath("picture of the central slab", sidecar="key_photo.snapshot")
    key_photo_thumbnail_path = StoredPath("small picture of the central slab", sidecar="key_photo.thumbnail")
    key_photo_url = HttpsAddress("key_photo_path", "picture of the central slab")
    key_photo_thumbnail_url = HttpsAddress("key_photo_thumbnail_path", "small picture of the central slab")
    neuroglancer_config = Field[str](
        Kind.STATE, "state of the Neuroglancer viewer, as JSON", sidecar="@viewer_state"
    )
    publications = Str(
        "comma-separated DOIs",
        config="cross_references.publications",
        rule=Rule(pattern=terms.DOI, comma_list=True),
        searched="publication",
    )
    related_database_entries = Str(
        "comma-separated entries of other databases", label="Related databases", config="cross_references.related_database_entries",
        rule=Rule(pattern=terms.DATABASE_ENTRY, comma_list=True), searched="publication",
    )  # fmt: skip
    related_database_links = ConfigOnly(
        Kind.STR, "links to related databases", config="cross_references.related_database_links"
    )
    dataset_citations = ConfigOnly(Kind.STR, "how to cite", config="cross_references.dataset_citations")
    deposition_date = Date("when the tomogram was received", config="dates.deposition_date", rule=REQUIRED)
    release_date = Date("when the tomogram becomes public", config="dates.release_date", rule=REQUIRED)
    last_modified_date = Date(
        "when the tomogram last changed", config="dates.last_modified_date", rule=REQUIRED
    )
    align_software = ConfigOnly(
        Kind.STR, "alignment software", config="align_software", rule=Rule(placeholder=True)
    )
    alignment_ingest_id = ConfigOnly(
        Kind.STR, "alignment that it was made with: its `ingest_id`, or the name of its file without ending",
        config="alignment_ingest_id", rule=Rule(placeholder=True),
    )  # fmt: skip
    affine_transformation_matrix = ConfigOnly(
        Kind.MATRIX, "4×4 matrix to the canonical tomogram", config="affine_transformation_matrix"
    )
    alignment_id = ForeignKey("Alignment", "alignment of the tomogram", sidecar="alignment_metadata_path")
    deposition_id = ForeignKey(
        "Deposition", "deposition of the tomogram", nullable=False, sidecar="deposition_id"
    )
    run_id = ForeignKey("Run", "run of the tomogram", sidecar="@run")
    tomogram_voxel_spacing_id = ForeignKey(
        "TomogramVoxelSpacing", "voxel spacing of the tomogram", sidecar="@voxel_spacing"
    )

    alignment = ToOne("Alignment", "alignment_id", "alignment of the tomogram")
    authors = ToMany("TomogramAuthor", "tomogram_id", "authors of the tomogram")
    deposition = ToOne("Deposition", "deposition_id", "deposition of the tomogram")
    run = ToOne("Run", "run_id", "run of the tomogram")
    tomogram_voxel_spacing = ToOne(
        "TomogramVoxelSpacing", "tomogram_voxel_spacing_id", "voxel spacing of the tomogram"
    )


class TomogramAuthor(AuthorFields, Entity):
    """An author of a tomogram."""

    names = Names(
        graphql="TomogramAuthor",
        root="tomogramAuthors",
        table="tomogram_author",
        one="Tomogram author",
        many="Tomogram authors",
    )
    rows = Rows(
        sidecar="tomogram", items="authors", key=("name",), in_config=True, level=Level.REQUIRED, at_least=1
    )

    id = Int("identifier of the author row", nullable=False, sidecar="@id")
    tomogram_id = ForeignKey("Tomogram", "tomogram of the author", sidecar="@parent")
    tomogram = ToOne("Tomogram", "tomogram_id", "tomogram of the author")
