"""Real deposition files, from `check` to the catalogue, on a small source tree that is made from its own patterns.

What must be found is worked out by `enumerator`, which imports nothing of ours: plans must read exactly those files, for exactly
those runs, and the layout and the catalogue must then have what they stand for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import mrcfile
import pytest

from configs.enumerator import Row, Table, enumerate_table
from configs.features import Feature, features
from configs.plain_config import read_plain
from configs.seed_portal import referred, seeds
from configs.tree_builder import IMAGES, build
from fixtures_command import FlowPortal, Ran, tomoportal, view_of
from fixtures_demo import settings_in
from tomoportal.api.graphql.execute import Request, Service
from tomoportal.catalog import open_catalog

SHARED = Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[2].parent / "shared"))
FOLDER = SHARED / "data" / "configs"
FAULTY = {"10011_draft.yaml", "10311_draft.yaml", "template.yaml"}
CONFIGS = [
    p for p in sorted((*FOLDER.glob("*.yaml"), *FOLDER.glob("gjensen/*.yaml"))) if p.name not in FAULTY
]

SAMPLE = frozenset(
    (
        "10002", "10003", "10005", "10007", "10029", "10056", "10301", "10427", "10442", "10453", "10469", "10478",
        "10489", "10490", "10496", "10497", "10508", "10510",
        "deposition_10301", "deposition_10302", "deposition_10304", "deposition_10308", "deposition_10331",
        "deposition_10340", "deposition_10351", "deposition_10359",
    )
)  # fmt: skip
"""Files that have among them every feature of all; with TOMOPORTAL_TEST_ALL=1 all are taken."""
CHOSEN = [path for path in CONFIGS if path.stem in SAMPLE or os.environ.get("TOMOPORTAL_TEST_ALL")]

SECTIONS = {
    ("tiltseries", "stack"): "tiltseries", ("tiltseries", "angles"): "rawtilts", ("tiltseries", "ctf"): "ctfs",
    ("tiltseries", "mdoc"): "collection_metadata", ("frames", "mdoc"): "collection_metadata", ("gains", "gains"): "gains",
    ("alignment", "files"): "alignments", ("tomogram", "volume"): "tomograms",
}  # fmt: skip
"""Kind of task and role of an input → section of the deposition file."""
COMPARED = {
    ("alignment", "tomogram"),
    ("alignment", "tiltseries"),
    ("alignment", "angles"),
    ("annotation", "tomogram"),
    ("gains", "frame"),
}
"""Inputs that are only compared with."""
COUNTS = """{ runsAggregate {aggregate {count}} tiltseriesAggregate {aggregate {count}} tomogramsAggregate {aggregate {count}}
    framesAggregate {aggregate {count}} gainFilesAggregate {aggregate {count}} alignmentsAggregate {aggregate {count}}
    identifiedObjectsAggregate {aggregate {count}} datasetsAggregate {aggregate {count}} depositionsAggregate {aggregate {count}}
    perSectionParametersAggregate {aggregate {count}} annotationsAggregate {aggregate {count}} }"""


def _cases() -> list[Any]:
    absent = pytest.param(
        None, marks=pytest.mark.skip(reason=f"the real deposition files are not at {FOLDER}")
    )
    return [pytest.param(path, id=path.stem) for path in CHOSEN] or [absent]


@pytest.mark.parametrize("path", _cases())
def test_whole_way(path: Path, tmp_path: Path) -> None:
    case = Case(path, tmp_path)
    case.check()
    case.plan()
    case.ingest()
    case.layout()
    case.catalogue()
    case.nothing_left_out()


class Case:
    """One deposition file with its tree and its portal."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.file = folder / path.name
        self.file.write_text(without_addresses(path.read_text()))
        self.plain = read_plain(path)
        built = build(self.plain, folder / "source")
        self.source, self.portal = built.source, FlowPortal(folder / "portal")
        self.before: Counter[str] = Counter()
        for seed in seeds(self.plain, built, folder / "seed"):
            ended(self.portal.ingest(seed, folder / "seed"))
            self.before = self._counts()
        self.expected = enumerate_table(self.plain, self.source, self.portal.layout, voxel_size)
        self.left_out = bool(self._unsupported())
        assert self.expected.runs.keys() == built.runs.keys()
        assert {name: set(runs) for name, runs in built.runs.items()} == self.expected.runs

    def _unsupported(self) -> list[dict[str, Any]]:
        ran = tomoportal("check", self.file, "--json")
        return [problem for problem in ran.problems if problem["severity"] == "unsupported"]

    def check(self) -> None:
        """No error, with and without the source, and no source that finds nothing."""
        ended(tomoportal("check", self.file))
        ran = tomoportal(
            "check", self.file, "--json", "--source", self.source, "--storage", str(self.portal.layout)
        )
        ended(ran)
        if len(list(self.plain.sources("runs"))) == 1:  # else the few runs need not use every source
            assert [p for p in ran.problems if p["code"] in ("empty", "nothing-found")] == []

    def nothing_left_out(self) -> None:
        """All of acquisition and reconstruction is ingested, whatever becomes of annotations."""
        assert [p for p in self._unsupported() if not p["where"].startswith("annotations")] == []

    def plan(self) -> None:
        """What the tasks read is what the enumerator says."""
        ran = self.portal.plan(self.file, self.source, "--json")
        ended(ran)
        tasks = [json.loads(line) for line in ran.out.splitlines() if line.startswith('{"key"')]
        read = {row for task in tasks for row in consumed(task)}
        wanted = {without_item(row) for row in self.expected.rows}
        if self.left_out:
            assert {row for row in read if row.section == "annotations"} <= wanted
            read, wanted = acquired(read), acquired(wanted)
        assert sorted(read - wanted) == []
        assert sorted(wanted - read) == []

    def ingest(self) -> None:
        """Everything is published, nothing fails."""
        ended(self.portal.ingest(self.file, self.source))

    def layout(self) -> None:
        """Every file stands where the layout has a place for it."""
        there = {
            path.relative_to(self.portal.layout).as_posix()
            for path in self.portal.layout.rglob("*")
            if ".zarr/" not in path.as_posix()
        }
        missing = [
            place for row in sorted(self.expected.rows) for place in places(row) if not matches(place, there)
        ]
        assert missing == []

    def catalogue(self) -> None:
        """The catalogue counts what the table counts."""
        counts = self._counts() - self.before
        wanted = self._wanted()
        assert {name: counts[name] for name in wanted} == wanted

    def _counts(self) -> Counter[str]:
        with open_catalog(settings_in(self.portal.folder).database) as catalog:
            answer = json.loads(Service().answer(view_of(catalog), Request(COUNTS)))
        assert "errors" not in answer, answer
        return Counter(
            {
                name.removesuffix("Aggregate"): value["aggregate"][0]["count"]
                for name, value in answer["data"].items()
            }
        )

    def _wanted(self) -> dict[str, int]:
        table = self.expected
        new = not referred(self.plain)
        runs = [(dataset, run) for dataset, some in table.runs.items() for run in some]
        frames = sum(
            len(table.files(*run, "frames")) or IMAGES * len(table.files(*run, "collection_metadata"))
            for run in runs
        )
        wanted = {
            "runs": len(runs) * new,
            "datasets": len(table.runs) * new,
            "depositions": int(bool(self.plain.entries("depositions")[0].get("metadata"))),
            "tiltseries": len(table.items("tiltseries")),
            "tomograms": len(table.items("tomograms")),
            "frames": frames if self.plain.entries("frames") else 0,
            "gainFiles": len(table.items("gains")),
            "identifiedObjects": len(table.items("identified_objects")),
            "perSectionParameters": IMAGES * len(table.items("tiltseries")),
            "alignments": self._alignments(table),
        }
        return wanted if self.left_out else wanted | {"annotations": len(table.items("annotations"))}

    def _alignments(self, table: Table) -> int:
        own = len({(row.dataset, row.run, row.item) for row in table.rows if row.section == "alignments"})
        if any(source.is_reference for source in self.plain.sources("alignments")):
            return own
        with_files = {(row.dataset, row.run) for row in table.rows if row.section == "alignments"}
        with_tomograms = {(row.dataset, row.run) for row in table.rows if row.section == "tomograms"}
        return own + len(with_tomograms - with_files)


def ended(ran: Ran) -> None:
    """The command ended well."""
    assert ran.code == 0, f"{ran.err}\n" + "\n".join(str(problem) for problem in ran.problems[:8])


def without_addresses(text: str) -> str:
    """The deposition file without key photos that would be fetched from other hosts."""
    return re.sub(r"((?:snapshot|thumbnail)['\"]?: *)['\"]?https?://\S+", r"\1null", text)


def voxel_size(file: Path) -> float:
    """The voxel size along y of an MRC file, as mrcfile reads it."""
    with mrcfile.open(file, header_only=True) as volume:
        return round(float(volume.voxel_size.y), 3)


def consumed(task: dict[str, Any]) -> list[Row]:
    """What a task of a plan reads."""
    key, found = task["key"], []
    for role, files in task["inputs"].items():
        if (key["kind"], role) in COMPARED:
            continue
        section = (
            {"frames": "frames", "annotation": "annotations"}.get(key["kind"])
            if role.startswith("source")
            else None
        )
        for file in files:
            section = section or SECTIONS[key["kind"], role]
            found.append(Row(key["dataset"], key["run"], key["spacing"], section, "", file["path"]))
    if key["kind"] == "identified_objects":
        found += [
            Row(key["dataset"], key["run"], "", "identified_objects", "", path)
            for path in task["parameters"]["source_files"]
        ]
    return found


def without_item(row: Row) -> Row:
    return Row(row.dataset, row.run, row.spacing, row.section, "", row.file)


def acquired(rows: set[Row]) -> set[Row]:
    """All but annotations."""
    return {row for row in rows if row.section != "annotations"}


def places(row: Row) -> list[str]:
    """Patterns of the paths that the layout has for a source file."""
    home, name = f"{row.dataset}/{row.run}", row.file.rpartition("/")[2]
    stem, ending = os.path.splitext(name)
    spacing = f"{home}/Reconstructions/VoxelSpacing{row.spacing}"
    match row.section:
        case "frames":
            return [f"{home}/Frames/{name}", f"{home}/Frames/frames_metadata.json"]
        case "collection_metadata":
            return [f"{home}/Frames/{name}"]
        case "gains":
            return [f"{home}/Gains/{stem.removesuffix('_gain')}_gain{ending}"]
        case "tiltseries":
            ends = (f"{row.run}.mrc", f"{row.run}.zarr", "tiltseries_metadata.json")
            return [f"{home}/TiltSeries/*/{end}" for end in ends]
        case "rawtilts" | "ctfs":
            return [f"{home}/TiltSeries/*/{name}"]
        case "alignments":
            return [f"{home}/Alignments/*/{name}", f"{home}/Alignments/*/alignment_metadata.json"]
        case "identified_objects":
            return [f"{home}/IdentifiedObjects/identified_objects.json"]
        case "tomograms":
            ends = (f"{row.run}.mrc", f"{row.run}.zarr", "tomogram-metadata.json")
            return [f"{spacing}/Tomograms/*/{end}" for end in ends]
    return []


def matches(place: str, there: set[str]) -> bool:
    """Whether a path is there, with any number for `*`."""
    if "*" not in place:
        return place in there
    start, end = place.split("*")
    return any(
        re.fullmatch(re.escape(start) + r"\d+" + re.escape(end), path) for path in there if path.endswith(end)
    )


@pytest.mark.skipif(not CONFIGS, reason=f"the real deposition files are not at {FOLDER}")
def test_the_command_itself(tmp_path: Path) -> None:
    """One of them through the installed command in a process of its own."""
    path = FOLDER / "10004.yaml"
    file, portal = tmp_path / path.name, FlowPortal(tmp_path / "portal")
    file.write_text(without_addresses(path.read_text()))
    source = build(read_plain(path), tmp_path / "source").source
    command = [
        sys.executable,
        "-m",
        "tomoportal",
        "ingest",
        str(file),
        "--source",
        str(source),
        *portal.options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(portal.rows("TiltSeries")) == 2


def test_the_sample_has_every_feature() -> None:
    having: dict[Feature, set[str]] = {}
    for path in CONFIGS:
        for feature in features(read_plain(path)):
            having.setdefault(feature, set()).add(path.stem)
    assert {feature: names for feature, names in having.items() if not names & SAMPLE} == {}


def test_every_kind_of_file_occurs() -> None:
    """The trees prove something only as long as they hold all sections of acquisition and reconstruction."""
    sections = {section for path in CONFIGS for section in read_plain(path).inner}
    assert not CONFIGS or sections == {
        "frames", "gains", "collection_metadata", "tiltseries", "rawtilts", "ctfs", "alignments", "tomograms", "annotations",
        "identified_objects",
    }  # fmt: skip
