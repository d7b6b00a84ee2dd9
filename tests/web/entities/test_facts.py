from __future__ import annotations

from collections.abc import Iterator

import pytest

from tomoportal.model.acquisition import TiltSeries
from tomoportal.model.deposition import Dataset
from tomoportal.model.fields import Field, Float
from tomoportal.model.reconstruction import Alignment, Tomogram
from tomoportal.web import formats, identifiers
from tomoportal.web.entities.facts import facts, facts_of, files, selected


def shown(found) -> dict[str, str]:
    return {fact.label: " ".join(value.text for value in fact.values) for fact in found.known}


@pytest.fixture
def new_field() -> Iterator[Field]:
    """A field that the model has just got."""
    field = Float("thickness of the ice", unit="nm", label="Ice thickness", config="ice_thickness")
    field.__set_name__(TiltSeries, "ice_thickness")
    TiltSeries.fields["ice_thickness"] = field
    yield field
    del TiltSeries.fields["ice_thickness"]


def test_a_new_field_appears_by_itself(new_field, tmp_path):
    from starlette.testclient import TestClient

    from fixtures_catalog import fill, row
    from fixtures_web import web_app
    from tomoportal.catalog import open_catalog

    with open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}", create=True) as catalog:
        rows = {
            "Deposition": [row("Deposition", id=1)],
            "Dataset": [row("Dataset", id=2, deposition_id=1)],
            "Run": [row("Run", id=3, dataset_id=2, name="TS")],
            "TiltSeries": [row("TiltSeries", id=4, run_id=3, ice_thickness=120.5)],
        }
        fill(catalog, rows)
        html = TestClient(web_app(catalog, tmp_path)).get("/runs/3").text
    assert '<th scope="row" title="thickness of the ice">Ice thickness</th>' in html
    assert "120.5\u202fnm" in html


def test_three_axes_are_one_fact():
    row = {"size_x": 960, "size_y": 928, "size_z": 300, "offset_x": 0, "offset_y": -3, "offset_z": 2}
    told = shown(facts(Tomogram, row))
    assert told["Size (x, y, z)"] == "960 × 928 × 300\u202fpx"
    assert told["Offset (x, y, z)"] == "0, −3, 2\u202fpx"


def test_dimensions_are_told_as_such():
    told = facts_of(Tomogram, {"scale_1_dimensions": "1024,176,72"}, ["scale_1_dimensions"]).known
    assert [(fact.label, fact.values[0].text) for fact in told] == [
        ("Half resolution (x, y, z)", "1,024 × 176 × 72\u202fpx")
    ]


def test_identifiers_stand_behind_their_names():
    row = {
        "organism_name": "Homo sapiens",
        "organism_taxid": 9606,
        "cell_name": "HeLa",
        "cell_type_id": "CL:0000057",
    }
    found = facts(Dataset, row)
    assert shown(found)["Organism name"] == "Homo sapiens NCBI:9606"
    assert [value.href for fact in found.known for value in fact.values if value.href] == [
        "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id=9606",
        "http://purl.obolibrary.org/obo/CL_0000057",
    ]
    assert "Tissue name" in found.missing


def test_matrices_are_tables():
    found = facts(
        Alignment,
        {"affine_transformation_matrix": "[[1, 0, 0, -4.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]"},
    )
    (fact,) = found.known
    assert fact.matrix[0] == ("1", "0", "0", "−4.5")


@pytest.mark.parametrize("text", ["no matrix", "[1, 2]", '{"a": 1}', "7"])
def test_what_should_be_a_matrix_and_is_none_is_shown_as_it_is(text):
    (fact,) = facts(Alignment, {"affine_transformation_matrix": text}).known
    assert (fact.matrix, fact.values[0].text) == ((), text)


def test_files_have_sizes_and_both_addresses():
    row = {
        "https_mrc_file": "/files/a.mrc", "s3_mrc_file": "s3://b/a.mrc", "file_size_mrc": 5e9, "https_omezarr_dir": "/files/a.zarr",
        "s3_omezarr_dir": "s3://b/a.zarr", "file_size_omezarr": 4e9, "key_photo_url": "/files/p.png",
    }  # fmt: skip
    found = {file.https: (file.s3, file.size, file.is_folder) for file in files(Tomogram, row)}
    assert found == {
        "/files/a.mrc": ("s3://b/a.mrc", 5e9, False),
        "/files/a.zarr": ("s3://b/a.zarr", 4e9, True),
    }


def test_no_key_or_viewer_state_is_asked_for():
    names = {value.name for value in selected(Tomogram)}
    assert "voxel_spacing" in names
    assert not names & {"neuroglancer_config", "run_id", "mrc_path", "align_software"}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (300000, "V", "300\u202fkV"), (2.7, "mm", "2.7\u202fmm"), (-60.0, "°", "−60°"), (13.479999542236328, "Å", "13.48\u202fÅ"),
        (1234567, "", "1,234,567"), (0.000012345678, "", "1.23457e-05"), (1.6e9, "bytes", "1.6\u202fGB"), (None, "Å", "–"), (0, "", "0"),
        (999.6, "bytes", "1.0\u202fkB"), (512, "bytes", "512\u202fbytes"), (1234.5678, "", "1,234.57"),
    ],
)  # fmt: skip
def test_quantities(value, unit, text):
    assert formats.quantity(value, unit) == text


@pytest.mark.parametrize(
    ("identifier", "address"),
    [
        ("10.1038/s41586-020-2665-2", "https://doi.org/10.1038/s41586-020-2665-2"), ("doi:10.1/x", ""), ("EMD-16183", "https://www.ebi.ac.uk/emdb/EMD-16183"),
        ("GO:0005840", "https://amigo.geneontology.org/amigo/term/GO:0005840"), ("CVCL_0030", "https://www.cellosaurus.org/CVCL_0030"),
        ("UBERON:0000955", "http://purl.obolibrary.org/obo/UBERON_0000955"), ("javascript:alert(1)", ""), ("unknown", ""),
        ("https://example.org/a", "https://example.org/a"),
    ],
)  # fmt: skip
def test_identifiers_lead_to_their_pages(identifier, address):
    assert identifiers.link(identifier).href == address


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("patch_tracking", "patch tracking"), ("SegmentationMask", "segmentation mask"), ("WBP", "WBP"), ("NON_FIDUCIAL", "non fiducial"),
        (None, "–"),
    ],
)  # fmt: skip
def test_words(word, text):
    assert formats.words(word) == text
