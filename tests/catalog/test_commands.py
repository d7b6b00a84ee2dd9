"""`tomoportal load` and `tomoportal schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from graphql import build_schema
from typer.testing import CliRunner

from fixtures_layout import Layout, small_layout
from tomoportal.catalog import open_catalog
from tomoportal.cli.load import load
from tomoportal.cli.schema import schema


@pytest.fixture
def commands() -> typer.Typer:
    app = typer.Typer()
    app.command()(load)
    app.command()(schema)
    return app


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return small_layout(tmp_path / "files")


def test_load(commands: typer.Typer, layout: Layout, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deep' / 'catalog.sqlite'}"
    arguments = ["load", "--storage", str(layout.storage.root), "--database", url]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 1
    assert "'20002'" in result.output
    assert "rows of 1 datasets loaded" in result.output
    with open_catalog(url) as catalog:
        assert catalog.view().totals()["runs"] == 1
    result = CliRunner().invoke(commands, [*arguments, "--json", "30001"])
    problems = [json.loads(line) for line in result.stdout.splitlines()]
    assert [problem["code"] for problem in problems] == ["load-deposition-id"]


def test_schema(commands: typer.Typer) -> None:
    result = CliRunner().invoke(commands, ["schema"])
    assert result.exit_code == 0
    assert "Tomogram" in build_schema(result.stdout).type_map
