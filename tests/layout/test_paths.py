"""Every path of the layout leads back to its owner."""

import pytest

from tomoportal.layout import paths
from tomoportal.layout.paths import Key

RUN = Key("run", dataset="10500", run="TS_001")
SPACING = RUN.of("voxel_spacing", spacing="13.480")
KEYS = [
    Key("deposition", deposition="10300"),
    Key("dataset", dataset="10500"),
    RUN,
    RUN.of("frames"),
    RUN.of("gains"),
    RUN.of("tiltseries", id=100),
    RUN.of("alignment", id=101),
    RUN.of("identified_objects"),
    SPACING,
    SPACING.of("tomogram", id=100),
    SPACING.of("annotation", id=102),
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.kind)
def test_what_lies_in_a_folder_belongs_to_its_entity(key):
    inside = "Images/snapshot.png" if key.kind in ("deposition", "dataset") else "some.file"
    assert paths.owner(f"{paths.folder(key)}/{inside}") == key


@pytest.mark.parametrize("number", ["9" * 5000, "１００", "100\n", "-1"])
def test_what_is_no_folder_id_belongs_to_the_container(number):
    assert paths.owner(f"{paths.folder(SPACING)}/Annotations/{number}/x") == SPACING
    assert paths.owner(f"{paths.folder(RUN)}/TiltSeries/{number}/x") == RUN


@pytest.mark.parametrize("key", [key for key in KEYS if key.kind in paths.SIDECARS], ids=lambda key: key.kind)
def test_a_sidecar_is_recognised(key):
    assert paths.kind_of_sidecar(paths.sidecar(key)) == key


def test_an_annotation_sidecar_ends_in_its_version():
    key = SPACING.of("annotation", id=102)
    stem = paths.annotation_stem("Cytosolic Ribosome", 1.0)
    assert stem == "cytosolic_ribosome-1.0"
    assert paths.kind_of_sidecar(paths.sidecar(key, stem)) == key
    assert paths.kind_of_sidecar(f"{paths.folder(key)}/{stem}_caption.json") is None


def test_the_object_description_names_the_file_unless_it_is_long():
    assert paths.annotation_stem("membrane", "1.0", "Outer membrane") == "outer_membrane-1.0"
    assert paths.annotation_stem("membrane", "1.0", "x" * 51) == "membrane-1.0"


def test_derived_files_belong_to_what_they_show():
    tomogram, annotation = SPACING.of("tomogram", id=100), SPACING.of("annotation", id=102)
    assert paths.owner(paths.picture(tomogram, "snapshot")) == tomogram
    assert paths.owner(paths.viewer_state(tomogram)) == tomogram
    assert paths.owner(paths.viewer_layer(annotation, "Point") + "/info") == annotation


def test_the_reference_spellings_are_read():
    assert paths.kind_of_sidecar("depositions_metadata/10300/deposition_metadata.json").deposition == "10300"
    tomogram = paths.folder(SPACING.of("tomogram", id=100))
    assert paths.kind_of_sidecar(f"{tomogram}/tomogram_metadata.json").kind == "tomogram"


@pytest.mark.parametrize(
    "path", ["", ".tomoportal/ids.json", "10500/.hidden", "DepositionMetadata", "10500/TS_001/.replacing"]
)
def test_what_is_private_or_nothing_has_no_owner(path):
    assert paths.owner(path) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "Images",
        ".tomoportal",
        "a\nb",
        "a\0b",
        "DepositionMetadata",
        "dataset_metadata.json",
        "x" * 300,
    ],
)
def test_dangerous_run_names_are_refused(name):
    assert not paths.safe_run_name(name)


@pytest.mark.parametrize("name", ["TS_001", "Position 12_2", "ä", "a.b", "<script>"])
def test_odd_but_legal_run_names_are_accepted(name):
    assert paths.safe_run_name(name)


@pytest.mark.parametrize(("value", "name"), [(10, "10.000"), (13.48, "13.480"), (7.5604, "7.560")])
def test_voxel_spacings_are_named_with_three_decimals(value, name):
    assert paths.spacing_name(value) == name
