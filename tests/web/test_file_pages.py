"""The files of a run with their sizes, and what ingestion noticed."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fixtures_web import CROWDED, DAY, EMPTY_RUN, web_app
from tomoportal.layout.ontologies import write_ontology
from tomoportal.layout.paths import Key, folder
from tomoportal.layout.private import Ledger, Record, gather_index, index_path, ledger_path, write_ledger
from tomoportal.model.ontology import Ontology, Term
from tomoportal.model.query import Compare, Select, Value
from tomoportal.problems import Problem, Severity
from tomoportal.settings import Settings
from tomoportal.storage import open_storage

RUN = Key("run", dataset=str(CROWDED), run="TS_002")
TOMOGRAM = RUN.of("tomogram", spacing="7.840", id=100)
HIDDEN = RUN.of("annotation", spacing="7.840", id=999)
ODD = Problem(
    "odd-header",
    "the header says 7.9 Å, the deposition 7.84 Å",
    Severity.WARNING,
    "/secret/raw.mrc",
    hint="Check it.",
)


def record(key: Key, files: dict[str, dict], problem: Problem | None = None) -> Record:
    found = {f"{folder(key)}/{name}": told for name, told in files.items()}
    problems = (asdict(problem),) if problem else ()
    return Record(key, {}, sidecar_sha256="0", files=found, problems=problems)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("records")
    storage = open_storage(str(home))
    ledger = Ledger()
    ledger = ledger.put(
        record(
            TOMOGRAM,
            {"TS.mrc": {"size": 1_000_000_000}, "TS.zarr": {"size": 2_000_000_000, "count": 233}},
            ODD,
        )
    )
    hidden = Problem("secret", "hidden message")
    ledger = ledger.put(record(HIDDEN, {"secret.ndjson": {"size": 5_000_000_000}}, hidden))
    write_ledger(storage, ledger_path(RUN), ledger)
    terms = {
        "GO:0022626": Term("GO:0022626", "cytosolic ribosome", ("80S ribosome", "free ribosome"), False, ())
    }
    write_ontology(storage, Ontology("go", "2026", terms))
    gather_index(storage, str(CROWDED))
    storage.write(ledger_path(Key("run", dataset=str(CROWDED), run="TS_003")), b"{ not json")
    storage.write(index_path(str(CROWDED + 1)), b"{ not json")
    return Settings(title="Test portal", public_url="https://portal.example", storage=str(home))


@pytest.fixture(scope="module")
def visitor(portal, settings, browser):
    client = TestClient(web_app(portal, Path("no-files"), settings), raise_server_exceptions=False)
    return type(browser)(client)


def run_id(portal, name: str) -> int:
    where = Compare("dataset_id", "eq", CROWDED) & Compare("name", "eq", name)
    return portal.view(today=DAY).rows(Select("Run", (Value("id", "id"),), where))[0]["id"]


def rows(page) -> dict[str, list[str]]:
    """Names of the tree with their cells."""
    cells = [cell.replace("\u202f", " ").strip() for cell in page.blocks["td"]]
    return {
        name.strip(): cells[2 * place : 2 * place + 2] for place, name in enumerate(page.blocks["th"][3:])
    }


def test_the_tree_adds_up_sizes_and_numbers_of_files(visitor, portal):
    page = visitor.page(f"/runs/{run_id(portal, 'TS_002')}/files")
    told = rows(page)
    assert told["TS.mrc"] == ["", "1.0 GB"]
    assert told["TS.zarr"] == ["233", "2.0 GB"]
    for name in ("Reconstructions/", "VoxelSpacing7.840/", "Tomograms/", "100/"):
        assert told[name] == ["234", "3.0 GB"]
    assert f"/files/{folder(TOMOGRAM)}/TS.mrc" in page.values("a", "href")


def test_what_is_hidden_stands_neither_in_the_tree_nor_in_sums_nor_among_findings(visitor, portal):
    page = visitor.page(f"/runs/{run_id(portal, 'TS_002')}/files")
    assert "234 files, 3.0 GB" in page.text
    assert "secret" not in page.text
    assert "hidden message" not in page.text


def test_findings_are_told_without_paths_of_sources(visitor, portal):
    page = visitor.page(f"/runs/{run_id(portal, 'TS_002')}/files")
    assert "warning the header says 7.9 Å, the deposition 7.84 Å" in page.text
    assert "Check it." in page.text
    assert "Tomogram 100" in page.text
    assert "/secret/" not in page.text
    assert "1 thing noticed" in page.text


def test_without_records_the_metadata_tell_the_files(visitor, portal):
    page = visitor.page(f"/runs/{run_id(portal, 'TS_001')}/files")
    told = rows(page)
    assert told["TS.mrc"] == ["", "1.4 GB"], "that of the tilt series, which comes last"
    assert "not ingested by this portal" in page.text
    assert "No files yet" in visitor.page(f"/runs/{EMPTY_RUN}/files").text


def test_records_that_cannot_be_read_are_told_of(visitor, portal):
    assert "cannot be read just now" in visitor.page(f"/runs/{run_id(portal, 'TS_003')}/files").text


def test_the_findings_of_a_dataset_lead_to_the_runs_they_are_about(visitor, portal):
    page = visitor.page(f"/datasets/{CROWDED}/findings")
    assert "1 finding." in page.text
    assert (
        "warning Odd header 1 Check it. the header says 7.9 Å, the deposition 7.84 Å Run TS_002 , tomogram 100"
        in page.text
    )
    assert f"/runs/{run_id(portal, 'TS_002')}/files" in page.values("a", "href")
    assert "hidden message" not in page.text
    assert "/secret/" not in page.text
    assert f"/datasets/{CROWDED}/findings" in visitor.page(f"/datasets/{CROWDED}").values("a", "href")


def test_many_findings_of_a_kind_are_folded(portal, tmp_path, browser):
    storage = open_storage(str(tmp_path))
    kinds = [Problem("odd", f"number {n}", Severity.NOTICE, hint=f"Do {n}.") for n in range(120)]
    problems = tuple(map(asdict, [*kinds, Problem("bad", "broken", Severity.ERROR)]))
    made = replace(record(TOMOGRAM, {"TS.mrc": {"size": 1}}), problems=problems)
    write_ledger(storage, ledger_path(RUN), Ledger().put(made))
    gather_index(storage, str(CROWDED))
    app = web_app(portal, Path("no-files"), Settings(storage=str(tmp_path)))
    page = type(browser)(TestClient(app)).page(f"/datasets/{CROWDED}/findings")
    assert page.text.index("Bad 1") < page.text.index("Odd 120")
    assert "Show the first 100" in page.text
    assert page.text.count("Do ") == 100
    assert "In 1 run; the page of files" in page.text


def test_findings_that_are_unknown_or_cannot_be_read_are_told_of(visitor):
    assert "cannot be read just now" in visitor.page(f"/datasets/{CROWDED + 1}/findings").text
    assert "not ingested by this portal" in visitor.page(f"/datasets/{CROWDED + 2}/findings").text
    visitor.page("/datasets/1/findings", 404)


def test_no_run_no_files(visitor):
    visitor.page("/runs/1/files", 404)


def test_synonyms_come_from_a_loaded_ontology(visitor, browser):
    assert "80S ribosome; free ribosome" in visitor.page("/objects/GO:0022626").text
    assert "80S ribosome" not in browser.page("/objects/GO:0022626").text
