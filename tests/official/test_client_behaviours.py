"""The official client with the rows of its own tests in our catalogue: everything that it can say, and what it makes of the answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures_catalog import fill
from fixtures_official import PYTHON, UNIQUE, needs_official_client, seed_rows
from fixtures_server import serving
from tomoportal.catalog import open_catalog
from tomoportal.settings import Settings

BEHAVIOURS = Path(__file__).with_name("behaviours.py")

pytestmark = [pytest.mark.official, needs_official_client]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("behaviours")
    (folder / "files").mkdir()
    settings = Settings(
        storage=str(folder / "files"),
        database=f"sqlite:///{folder / 'catalog.sqlite'}",
        bucket="test-public-bucket",
    )
    with open_catalog(settings.database, create=True) as catalog:
        fill(catalog, seed_rows())
    with serving(settings) as url:
        done = subprocess.run(
            [PYTHON, BEHAVIOURS, f"{url}/graphql"], capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, done.stderr[-4000:]
        yield json.loads(done.stdout)


def test_expressions(seen: dict[str, Any]) -> None:
    every = ["RUN001", "RUN002", "RUN1", "RUN2"]
    assert seen["expressions"] == {
        "==": ["RUN1"], "!=": ["RUN001", "RUN002", "RUN2"], "range": ["RUN001", "RUN2"], ">=": ["RUN001", "RUN002", "RUN2"], "<": ["RUN1"],
        "like": ["RUN1", "RUN2"], "like, case": [], "ilike": ["RUN001", "RUN002"],
        "_in list": ["RUN002", "RUN1"], "_in tuple": ["RUN1"], "_in set": ["RUN2"], "_in keys": ["RUN2"], "_in nothing": [], "_in 5000": 4,
        "two ==": ["RUN2"], "two _in": ["RUN1", "RUN2"], "digits": ["RUN1"], "path": ["RUN002", "RUN1"], "four deep": ["RUN002"],
        "same row": ["RUN1", "RUN2"], "through one": ["RUN001", "RUN002"], "no list": len(every), "find_one": "RUN2", "absent": None,
    }  # fmt: skip


def test_nulls(seen: dict[str, Any]) -> None:
    assert seen["nulls"] == {
        "== None": [UNIQUE], "!= None": 5, "is_null": [UNIQUE], "is not null": 5, "through": [], "states": ["assembled", None, None],
    }  # fmt: skip


def test_relations(seen: dict[str, Any]) -> None:
    assert seen["relations"] == {
        "deposition": None, "run": "RUN1", "shapes": ["OrientedPoint", "SegmentationMask"], "files": ["mrc", "ndjson", "zarr"],
        "authors": ["Author 1"], "dataset": 20001, "dataset runs": ["RUN1", "RUN2"], "dataset authors": ["Author 1", "Author 2"],
        "funding": ["Agency 20001"], "deposition authors": ["Author 1", "Author 2"], "tiltseries": 1, "alignments of tiltseries": True,
        "annotations": ["Ribosome", UNIQUE], "spacing": [13.48], "spacing's annotations": ["Ribosome", UNIQUE],
        "spacing's tomograms": ["RUN1"], "tomogram's authors": ["Author 1", "Author 2"], "objects": ["mitochondrion", "ribosome"],
        "frames": [], "mdoc": [],
    }  # fmt: skip


def test_values(seen: dict[str, Any]) -> None:
    values, host = seen["values"], seen["url"].removesuffix("/graphql")
    assert values["dates"] == ["datetime", True, "2024-05-23T00:00:00+00:00"]
    assert values["enum"] == "str"
    assert values["prefixes"] == ["s3://test-public-bucket/20001/", f"{host}/files/20001/"]
    assert values["zarr"] == [
        "s3://test-public-bucket/20001/RUN1/TomogramVoxelSpacing13.48/CanonicalTomogram/RUN1.zarr"
    ]
    assert set(values["to_dict"]) == {"id", "name", "dataset_id", "s3_prefix", "https_prefix"}
    found = values["object"]
    assert {key: found[key] for key in found if key != "run_id"} == {
        "id": 30001, "object_id": "GO:0005840", "object_name": "ribosome", "object_description": "A large ribonucleoprotein complex",
        "object_state": "assembled",
    }  # fmt: skip


def test_errors(seen: dict[str, Any]) -> None:
    errors = seen["errors"]
    for name in ("relation", "nested relation"):
        assert "is an object and can't be compared directly" in errors[name][1]
    assert errors["attribute"][0] == "AttributeError"
    assert errors["enum"][0] == "GraphQLError"
    assert errors["date object"][0] == "TypeError"
    assert errors["http"][0] == "TransportServerError"
    kind, message = errors["server"]
    assert kind == "TransportQueryError"
    assert "ends with a lone backslash" in message
    assert "BAD_USER_INPUT" in message


def test_several_threads_share_a_client(seen: dict[str, Any]) -> None:
    assert seen["threads"] == [6] * 10
