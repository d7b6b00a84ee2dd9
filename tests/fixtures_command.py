"""The command line as a user meets it: exit code, what it prints, and what becomes visible."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fixtures_demo import settings_in
from fixtures_tiny import Tiny
from tomoportal.catalog import Addresses, View, open_catalog
from tomoportal.cli import main
from tomoportal.model.query import Select, Value

FAR_FUTURE = date(2100, 1, 1)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def problems(self) -> list[dict[str, Any]]:
        """The findings of a command that was called with --json."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith('{"code"')]

    def problem(self, code: str) -> dict[str, Any]:
        """The only finding of this code."""
        (found,) = [problem for problem in self.problems if problem["code"] == code]
        return found


def tomoportal(*arguments: object) -> Ran:
    """Run `tomoportal` in this process through its entry point."""
    out, err, code = StringIO(), StringIO(), 0
    with (
        patch.object(sys, "argv", ["tomoportal", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class FlowPortal:
    """A portal in `folder` that is filled from deposition files by the command line alone."""

    folder: Path

    @property
    def layout(self) -> Path:
        """The root of the standard layout."""
        return self.folder / "files"

    @property
    def options(self) -> tuple[str, ...]:
        """`--storage` and `--database`."""
        settings = settings_in(self.folder)
        return ("--storage", settings.storage, "--database", settings.database)

    def ingest(self, config: Path, source: Path, *more: object) -> Ran:
        """`tomoportal ingest … --json`."""
        return tomoportal("ingest", config, "--source", source, "--json", *self.options, *more)

    def plan(self, config: Path, source: Path, *more: object) -> Ran:
        """`tomoportal plan`."""
        return tomoportal("plan", config, "--source", source, *self.options, *more)

    def load(self, *datasets: str) -> Ran:
        """`tomoportal load --json`."""
        return tomoportal("load", "--json", *self.options, *datasets)

    def rows(self, entity: str, *fields: str) -> list[dict[str, Any]]:
        """What the catalogue answers about an entity, ordered by id."""
        with open_catalog(settings_in(self.folder).database) as catalog:
            names = fields or ("id",)
            rows = view_of(catalog).rows(Select(entity, tuple(Value(name, name) for name in (*names, "id"))))
        ordered = sorted(rows, key=lambda row: row["id"])
        return ordered if "id" in names else [{name: row[name] for name in names} for row in ordered]

    def public(self) -> dict[str, bytes]:
        """Every file outside the private area."""
        return {
            path: data for path, data in contents(self.layout).items() if not path.startswith(".tomoportal/")
        }

    def sidecars(self) -> list[str]:
        """Paths of the metadata files of runs and of what is in them, without the run's name."""
        found = [path for path in self.public() if path.endswith(".json") and path.startswith("2")]
        return sorted(path for path in found if "neuroglancer" not in path)


def view_of(catalog: Any) -> View:
    """The catalogue as anybody sees it once everything is released."""
    return catalog.view(today=FAR_FUTURE, addresses=Addresses(files="", s3=""))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    if not folder.exists():
        return {}
    files: Iterable[Path] = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def ingest_tiny(tiny: Tiny, portal: FlowPortal, *more: object) -> Ran:
    """Write the deposition file and ingest it."""
    tiny.write()
    return portal.ingest(tiny.file, tiny.source, *more)
