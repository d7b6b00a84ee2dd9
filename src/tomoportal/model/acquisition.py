"""What comes from the microscope: runs, frames, gains, tilt series."""

from __future__ import annotations

from typing import Any

from tomoportal.model import terms
from tomoportal.model.entity import Entity, Names, Rows
from tomoportal.model.fields import (
    Bool,
    Choice,
    ConfigOnly,
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


def _rounded(value: Any) -> float:
    return round(float(value), 2)


def _extent(tilt_range: dict[str, Any]) -> float:
    return _rounded(abs(float(tilt_range["max"]) - float(tilt_range["min"])))


class Run(Entity):
    """One physical location that was imaged."""

    names = Names(graphql="Run", root="runs", table="run", one="Run", many="Runs", prefix="RN")
    rows = Rows(sidecar="run")

    id = Int("identifier of the run", nullable=False, sidecar="@id", label="Run ID")
    name = Str("name of the run, also its folder", nullable=False, sidecar="run_name", searched="name")
    folder_path = StoredPath("folder of the run", nullable=False, sidecar="@folder")
    s3_prefix = S3Address("folder_path", "folder of the run, ending in /", nullable=False)
    https_prefix = HttpsAddress("folder_path", "folder of the run, ending in /", nullable=False)
    dataset_id = ForeignKey("Dataset", "dataset of the run", nullable=False, sidecar="@dataset")

    alignments = ToMany("Alignment", "run_id", "alignments of the run's tilt series")
    annotations = ToMany("Annotation", "run_id", "annotations of the run")
    dataset = ToOne("Dataset", "dataset_id", "dataset of the run")
    frames = ToMany("Frame", "run_id", "movie frames of the run")
    gain_files = ToMany("GainFile", "run_id", "gain references of the run")
    identified_objects = ToMany("IdentifiedObject", "run_id", "objects seen in the run")
    frame_acquisition_files = ToMany("FrameAcquisitionFile", "run_id", "mdoc files of the run")
    per_section_parameters = ToMany(
        "PerSectionParameters", "run_id", "acquisition and CTF values of every section"
    )
    tiltseries = ToMany("TiltSeries", "run_id", "tilt series of the run")
    tomogram_voxel_spacings = ToMany("TomogramVoxelSpacing", "run_id", "voxel spacings with tomograms")
    tomograms = ToMany("Tomogram", "run_id", "tomograms of the run")


class Frame(Entity):
    """A movie, or frame file, of one tilt."""

    names = Names(graphql="Frame", root="frames", table="frame", one="Frame", many="Frames", section="frames")
    rows = Rows(sidecar="frames", items="frames", key=("acquisition_order",), else_by=("path",))

    id = Int("identifier of the frame", nullable=False, sidecar="@id")
    acquisition_order = Int("place in the order of acquisition, from 0", sidecar="acquisition_order")
    accumulated_dose = Float("dose before this frame", unit="e⁻/Å²", sidecar="accumulated_dose")
    exposure_dose = Float("dose of this frame", unit="e⁻/Å²", sidecar="exposure_dose")
    is_gain_corrected = Bool(
        "whether the gain reference has been applied", config="is_gain_corrected", rule=REQUIRED
    )
    dose_rate = ConfigOnly(
        Kind.FLOAT, "dose rate at the specimen", unit="e⁻/Å²/s", config="dose_rate",
        rule=Rule(level=Level.REQUIRED, above=0, placeholder=True),
    )  # fmt: skip
    path = StoredPath("frame file", sidecar="path")
    s3_frame_path = S3Address("path", "frame file")
    https_frame_path = HttpsAddress("path", "frame file")
    file_size = Float("size of the frame file", unit="bytes", sidecar="file_size")
    deposition_id = ForeignKey(
        "Deposition", "deposition of the frame", nullable=False, sidecar="deposition_id"
    )
    run_id = ForeignKey("Run", "run of the frame", nullable=False, sidecar="@run")

    deposition = ToOne("Deposition", "deposition_id", "deposition of the frame")
    run = ToOne("Run", "run_id", "run of the frame")
    per_section_parameters = ToMany(
        "PerSectionParameters", "frame_id", "values of the sections made from this frame"
    )


class FrameAcquisitionFile(Entity):
    """An mdoc file: how the frames of a run were acquired."""

    names = Names(
        graphql="FrameAcquisitionFile", root="frameAcquisitionFiles", table="frame_acquisition_file",
        one="Frame acquisition file", many="Frame acquisition files",
    )  # fmt: skip
    rows = Rows(sidecar="frames", items="frames_acquisition_files", key=("mdoc_path",))

    id = Int("identifier of the file", nullable=False, sidecar="@id")
    mdoc_path = StoredPath("mdoc file", nullable=False, sidecar="")
    s3_mdoc_path = S3Address("mdoc_path", "mdoc file", nullable=False)
    https_mdoc_path = HttpsAddress("mdoc_path", "mdoc file", nullable=False)
    run_id = ForeignKey("Run", "run of the file", sidecar="@run")

    run = ToOne("Run", "run_id", "run of the file")


class GainFile(Entity):
    """A gain reference of a run."""

    names = Names(graphql="GainFile", root="gainFiles", table="gain_file", one="Gain file", many="Gain files")
    rows = Rows(sidecar="gains", items="gains", key=("path",))

    id = Int("identifier of the file", nullable=False, sidecar="@id")
    path = StoredPath("gain reference", nullable=False, sidecar="")
    s3_file_path = S3Address("path", "gain reference", nullable=False)
    https_file_path = HttpsAddress("path", "gain reference", nullable=False)
    run_id = ForeignKey("Run", "run of the gain reference", nullable=False, sidecar="@run")

    run = ToOne("Run", "run_id", "run of the gain reference")


class TiltSeries(Entity):
    """A stack of images of one run at different tilts."""

    names = Names(
        graphql="Tiltseries", root="tiltseries", table="tiltseries", one="Tilt series", many="Tilt series", prefix="TS",
        section="tiltseries",
    )  # fmt: skip
    rows = Rows(sidecar="tiltseries")
    groups = {
        "camera": Level.REQUIRED,
        "microscope": Level.REQUIRED,
        "microscope_optical_setup": Level.REQUIRED,
        "tilt_range": Level.REQUIRED,
    }

    id = Int("identifier of the tilt series", nullable=False, sidecar="@id", label="Tilt series ID")
    omezarr_path = StoredPath("OME-Zarr image", sidecar="omezarr_dir")
    mrc_path = StoredPath("MRC stack", sidecar="mrc_file")
    angle_list_path = StoredPath("text file with the tilt angles", sidecar="raw_tlt_path")
    s3_omezarr_dir = S3Address("omezarr_path", "OME-Zarr image, a folder")
    file_size_omezarr = Float(
        "size of the OME-Zarr image", label="Size as OME-Zarr", unit="bytes", sidecar="file_sizes.omezarr"
    )
    s3_mrc_file = S3Address("mrc_path", "MRC stack")
    file_size_mrc = Float(
        "size of the MRC stack", label="Size as MRC", unit="bytes", sidecar="file_sizes.mrc"
    )
    https_omezarr_dir = HttpsAddress("omezarr_path", "OME-Zarr image, a folder")
    https_mrc_file = HttpsAddress("mrc_path", "MRC stack")
    s3_angle_list = S3Address("angle_list_path", "text file with the tilt angles")
    https_angle_list = HttpsAddress("angle_list_path", "text file with the tilt angles")
    acceleration_voltage = Int(
        "acceleration voltage",
        nullable=False,
        unit="V",
        config="acceleration_voltage",
        rule=Rule(level=Level.REQUIRED, minimum=20000),
    )
    spherical_aberration_constant = Float(
        "spherical aberration of the objective lens", nullable=False, unit="mm", config="spherical_aberration_constant",
        rule=Rule(level=Level.REQUIRED, minimum=0, placeholder=True),
    )  # fmt: skip
    microscope_manufacturer = Choice(
        terms.tiltseries_microscope_manufacturer_enum, "maker of the microscope", nullable=False, config="microscope.manufacturer",
        rule=Rule(level=Level.REQUIRED, placeholder=True), searched="hardware",
    )  # fmt: skip
    microscope_model = Str(
        "model of the microscope",
        nullable=False,
        config="microscope.model",
        rule=Rule(level=Level.REQUIRED, placeholder=True),
        searched="hardware",
    )
    microscope_energy_filter = Str(
        "energy filter",
        nullable=False,
        label="Energy filter",
        config="microscope_optical_setup.energy_filter",
        rule=REQUIRED,
        searched="hardware",
    )
    microscope_phase_plate = Str(
        "phase plate", label="Phase plate", config="microscope_optical_setup.phase_plate"
    )
    microscope_image_corrector = Str(
        "image corrector", label="Image corrector", config="microscope_optical_setup.image_corrector"
    )
    microscope_additional_info = Str(
        "anything else about the optics",
        label="Additional optical set-up",
        config="microscope.additional_info",
    )
    camera_manufacturer = Str(
        "maker of the camera", nullable=False, config="camera.manufacturer",
        rule=Rule(level=Level.REQUIRED, words=terms.CAMERA_MANUFACTURERS), searched="hardware",
    )  # fmt: skip
    camera_model = Str(
        "model of the camera", nullable=False, config="camera.model",
        rule=Rule(level=Level.REQUIRED, words=terms.CAMERA_MODELS, placeholder=True), searched="hardware",
    )  # fmt: skip
    camera_acquire_mode = ConfigOnly(
        Kind.STR, "acquisition mode of the camera", config="camera.acquire_mode",
        rule=Rule(words=terms.CAMERA_MODES, placeholder=True),
    )  # fmt: skip
    tilt_min = Float(
        "smallest tilt", label="Lowest tilt", nullable=False, unit="°", config="tilt_range.min", read=_rounded,
        rule=Rule(level=Level.REQUIRED, minimum=-90, maximum=90, placeholder=True),
    )  # fmt: skip
    tilt_max = Float(
        "largest tilt", label="Highest tilt", nullable=False, unit="°", config="tilt_range.max", read=_rounded,
        rule=Rule(level=Level.REQUIRED, minimum=-90, maximum=90, placeholder=True),
    )  # fmt: skip
    tilt_range = Float(
        "largest minus smallest tilt", nullable=False, unit="°", sidecar="tilt_range", read=_extent
    )
    tilt_step = Float(
        "angle between neighbouring tilts", nullable=False, unit="°", config="tilt_step",
        rule=Rule(level=Level.REQUIRED, minimum=0, maximum=90, placeholder=True),
    )  # fmt: skip
    tilting_scheme = Str("order of the tilts", nullable=False, config="tilting_scheme", rule=REQUIRED)
    tilt_axis = Float(
        "angle of the tilt axis in the images", nullable=False, unit="°", config="tilt_axis",
        rule=Rule(level=Level.REQUIRED, minimum=-360, maximum=360, placeholder=True),
    )  # fmt: skip
    total_flux = Float(
        "electrons per area over the whole series", nullable=False, unit="e⁻/Å²", config="total_flux",
        rule=Rule(level=Level.REQUIRED, minimum=0, placeholder=True),
    )  # fmt: skip
    data_acquisition_software = Str(
        "acquisition software",
        nullable=False,
        config="data_acquisition_software",
        rule=REQUIRED,
        searched="method",
    )
    related_empiar_entry = Str(
        "EMPIAR entry with the raw data",
        label="Related EMPIAR entry",
        config="related_empiar_entry",
        rule=Rule(pattern=terms.EMPIAR),
        searched="publication",
    )
    binning_from_frames = Float(
        "how much the images are binned against the frames",
        label="Binning against the frames",
        config="binning_from_frames",
        rule=Rule(minimum=0, placeholder=True),
    )
    tilt_series_quality = Int(
        "quality judged by the authors, from 1 (very poor) to 5 (excellent)", nullable=False, config="tilt_series_quality",
        rule=Rule(level=Level.REQUIRED, minimum=1, maximum=5, placeholder=True),
    )  # fmt: skip
    is_aligned = Bool(
        "whether the images are aligned already",
        nullable=False,
        label="Series is aligned",
        config="is_aligned",
        rule=REQUIRED,
    )
    pixel_spacing = Float(
        "pixel size", nullable=False, unit="Å/px", config="pixel_spacing",
        rule=Rule(level=Level.REQUIRED, minimum=0.001, placeholder=True),
    )  # fmt: skip
    aligned_tiltseries_binning = Int(
        "binning of the aligned images",
        label="Binning of the aligned images",
        config="aligned_tiltseries_binning",
        rule=Rule(minimum=0, placeholder=True),
    )
    size_x = Int("pixels along the fast axis", unit="px", sidecar="size.x")
    size_y = Int("pixels along the slow axis", unit="px", sidecar="size.y")
    size_z = Int("number of images", sidecar="size.z")
    frames_count = ConfigOnly(Kind.INT, "number of frame files", config="frames_count", rule=Rule(minimum=0))
    tilt_alignment_software = ConfigOnly(
        Kind.STR, "alignment software", config="tilt_alignment_software", rule=Rule(placeholder=True)
    )
    ingest_id = ConfigOnly(
        Kind.STR, "tells several tilt series of one deposition and run apart; without it the name of the source file does",
        config="ingest_id",
    )  # fmt: skip
    run_id = ForeignKey("Run", "run of the tilt series", nullable=False, sidecar="@run")
    deposition_id = ForeignKey("Deposition", "deposition of the tilt series", sidecar="deposition_id")

    alignments = ToMany("Alignment", "tiltseries_id", "alignments of the tilt series")
    run = ToOne("Run", "run_id", "run of the tilt series")
    deposition = ToOne("Deposition", "deposition_id", "deposition of the tilt series")
    per_section_parameters = ToMany(
        "PerSectionParameters", "tiltseries_id", "acquisition and CTF values of every section"
    )


class PerSectionParameters(Entity):
    """Acquisition and CTF values of one image of a tilt series."""

    names = Names(
        graphql="PerSectionParameters", root="perSectionParameters", table="per_section_parameters",
        one="Per-section parameters", many="Per-section parameters",
    )  # fmt: skip
    rows = Rows(sidecar="tiltseries", items="per_section_parameter", key=("z_index",))

    id = Int("identifier of the row", nullable=False, sidecar="@id")
    astigmatic_angle = Float("angle of astigmatism", unit="°", sidecar="astigmatic_angle")
    major_defocus = Float("major defocus, underfocus positive", unit="Å", sidecar="major_defocus")
    max_resolution = Float("resolution to which the CTF was fitted", unit="Å", sidecar="max_resolution")
    minor_defocus = Float("minor defocus, underfocus positive", unit="Å", sidecar="minor_defocus")
    phase_shift = Float("phase shift", unit="rad", sidecar="phase_shift")
    raw_angle = Float("nominal tilt of the stage", nullable=False, unit="°", sidecar="raw_angle")
    z_index = Int("place in the stack, from 0", nullable=False, sidecar="z_index")
    frame_id = ForeignKey("Frame", "frame of the section", nullable=False, sidecar="frame_acquisition_order")
    run_id = ForeignKey("Run", "run of the section", nullable=False, sidecar="@run")
    tiltseries_id = ForeignKey("TiltSeries", "tilt series of the section", nullable=False, sidecar="@parent")

    frame = ToOne("Frame", "frame_id", "frame of the section")
    run = ToOne("Run", "run_id", "run of the section")
    tiltseries = ToOne("TiltSeries", "tiltseries_id", "tilt series of the section")


class IdentifiedObject(Entity):
    """An object seen in a run without being annotated."""

    names = Names(
        graphql="IdentifiedObject", root="identifiedObjects", table="identified_object",
        one="Identified object", many="Identified objects",
    )  # fmt: skip
    rows = Rows(sidecar="identified_objects", items="objects", key=("object_id",))

    id = Int("identifier of the row", nullable=False, sidecar="@id")
    object_id = Str(
        "ontology identifier of the object", nullable=False, sidecar="object_id", searched="object"
    )
    object_name = Str("name of the object", nullable=False, sidecar="object_name", searched="object")
    object_description = Str("description of the object", sidecar="object_description", searched="object")
    object_state = Str("state of the object", sidecar="object_state", searched="object")
    run_id = ForeignKey("Run", "run in which it was seen", sidecar="@run")

    run = ToOne("Run", "run_id", "run in which it was seen")
