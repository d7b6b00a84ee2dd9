"""Enumerations of the API, words of the deposition language, and patterns of identifiers."""

from __future__ import annotations

from enum import StrEnum


class sample_type_enum(StrEnum):
    """Kind of sample."""

    cell = "cell"
    cell_line = "cell_line"
    in_silico = "in_silico"
    in_vitro = "in_vitro"
    organelle = "organelle"
    organism = "organism"
    organoid = "organoid"
    other = "other"
    primary_cell_culture = "primary_cell_culture"
    tissue = "tissue"
    virus = "virus"


class deposition_types_enum(StrEnum):
    """Kind of data in a deposition."""

    annotation = "annotation"
    dataset = "dataset"
    tomogram = "tomogram"


class annotation_file_shape_type_enum(StrEnum):
    """Geometry of an annotation file."""

    SegmentationMask = "SegmentationMask"
    OrientedPoint = "OrientedPoint"
    Point = "Point"
    InstanceSegmentation = "InstanceSegmentation"
    InstanceSegmentationMask = "InstanceSegmentationMask"
    Mesh = "Mesh"
    GlobalCaption = "GlobalCaption"
    AnnotationCaption = "AnnotationCaption"


class annotation_method_type_enum(StrEnum):
    """How an annotation was made."""

    manual = "manual"
    automated = "automated"
    hybrid = "hybrid"
    simulated = "simulated"


class annotation_method_link_type_enum(StrEnum):
    """What a method link leads to."""

    documentation = "documentation"
    models_weights = "models_weights"
    other = "other"
    source_code = "source_code"
    website = "website"


class annotation_file_source_enum(StrEnum):
    """Who made an annotation file."""

    dataset_author = "dataset_author"
    community = "community"
    portal_standard = "portal_standard"


class alignment_type_enum(StrEnum):
    """Whether an alignment has local corrections."""

    LOCAL = "LOCAL"
    GLOBAL = "GLOBAL"


class alignment_method_type_enum(StrEnum):
    """How a tilt series was aligned."""

    projection_matching = "projection_matching"
    patch_tracking = "patch_tracking"
    fiducial_based = "fiducial_based"
    simulated = "simulated"


class fiducial_alignment_status_enum(StrEnum):
    """Whether fiducial markers were used."""

    FIDUCIAL = "FIDUCIAL"
    NON_FIDUCIAL = "NON_FIDUCIAL"


class tomogram_processing_enum(StrEnum):
    """What was done to a tomogram after reconstruction."""

    denoised = "denoised"
    filtered = "filtered"
    raw = "raw"
    filtered_even = "filtered_even"
    filtered_odd = "filtered_odd"


class tomogram_reconstruction_method_enum(StrEnum):
    """How a tomogram was reconstructed."""

    SART = "SART"
    Fourier_Space = "Fourier_Space"
    SIRT = "SIRT"
    WBP = "WBP"
    Unknown = "Unknown"


class tiltseries_microscope_manufacturer_enum(StrEnum):
    """Maker of the microscope."""

    FEI = "FEI"
    TFS = "TFS"
    JEOL = "JEOL"
    SIMULATED = "SIMULATED"


CONFIG_SAMPLE_TYPES = tuple(word for word in sample_type_enum if word != sample_type_enum.cell)
CONFIG_METHODS = ("SART", "Fourier Space", "SIRT", "WBP", "Unknown")
CONFIG_PROCESSING = ("denoised", "filtered", "raw")
CONFIG_ALIGNMENT_METHODS = (*alignment_method_type_enum, "undefined")
ALIGNMENT_FORMATS = ("IMOD", "ARETOMO3", "RELION", "WARP")
CAMERA_MANUFACTURERS = ("Gatan", "FEI", "TFS", "simulated")
CAMERA_MODELS = (
    "FALCON IV", "FALCON 4i", "K2", "K2 SUMMIT", "K3", "K3 BIOQUANTUM", "UltraCam", "UltraScan", "simulated",
)  # fmt: skip
CAMERA_MODES = ("counting", "superresolution", "linear", "cds")

ORCID = r"[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$"
DOI = r"^(doi:)?10\.[0-9]{4,9}/[-._;()/:a-zA-Z0-9]+$"
EMPIAR = r"^EMPIAR-\d+$"
DATABASE_ENTRY = r"^(EMPIAR-\d{5}|EMD-\d{4,5}|PDB-[0-9a-zA-Z]{4,8})$"
PUBLICATION = rf"({DOI})|({DATABASE_ENTRY})"

GO = r"^GO:\d{7}$"
UNIPROT = r"^UniProtKB:(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})$"
UBERON = r"^UBERON:\d{7}$"
CL = r"^CL:\d{7}$"
CHEBI = r"^CHEBI:\d+$"
CDPO = r"^CDPO:\d{7}$"
PDB = r"^PDB-[0-9a-zA-Z]{4,8}$"
EFO = r"^EFO:\d{7}$"
ZFA, WBBT, FBBT = r"^ZFA:\d{7}$", r"WBbt:\d{7}$", r"FBbt:\d{8}$"


def any_of(*patterns: str) -> str:
    """One pattern that matches what any of them matches."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)


OBJECT_ID = any_of(GO, UNIPROT, UBERON, CHEBI, CDPO, CL, PDB)
TISSUE_ID = any_of(r"^BTO:\d{7}$", CL, WBBT, ZFA, FBBT, UBERON)
CELL_TYPE_ID = any_of(CL, WBBT, ZFA, FBBT, UBERON)
CELL_STRAIN_ID = any_of(r"WBStrain\d{8}$", r"^NCBITaxon:\d+$", r"^CVCL_[A-Z0-9]{4,}$", r"^CC-\d{4}$")
STAGE_ID = any_of(
    r"^unknown$", r"WBls:\d{7}$", UBERON, r"HsapDv:\d{7}$", r"MmusDv:\d{7}$", r"ZFS:\d{7}$", r"FBdv:\d{8}$"
)
DISEASE_ID = any_of(r"^MONDO:\d{7}$", r"^PATO:\d{7}$")
