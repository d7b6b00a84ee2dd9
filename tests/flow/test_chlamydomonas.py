"""The published particle lists of the Chlamydomonas dataset, as one deposition of many runs: STAR files in, GraphQL and downloads out.

The tomograms are small stand-ins: the lists count pixels of 1.96 Å in volumes of some 4096 × 4096 × 2000, far beyond these.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import starfile

from fixtures_command import FlowPortal
from fixtures_demo import settings_in
from fixtures_server import serving
from fixtures_tiny import Tiny, write_mrc
from tomoportal.cli import planning
from tomoportal.storage import LocalStorage

LISTS = (
    Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[3] / "shared"))
    / "data/chlamy-annotations"
)
pytestmark = pytest.mark.skipif(
    not LISTS.is_dir(), reason=f"the published lists are not there ({LISTS}); set TOMOPORTAL_SHARED"
)
FILES = {
    "respirasome": "10.1126-science.ads8738/star/respirasome.star",
    "putative_prohibitin": "10.1126-science.ads8738/star/putative_prohibitin.star",
    "hsp60": "10.1126-science.ads8738/star/hsp60.star",
    "ps2": "10.1101-2024.12.28.630444/star/ps2.star",
}
SHAPES = {
    "respirasome": ("OrientedPoint",),
    "putative_prohibitin": ("Point", "OrientedPoint"),
    "hsp60": ("Point",),
    "ps2": ("OrientedPoint",),
}
BINNING, SPACING, RUNS = 4, 7.84, 12
QUERY = """{ annotations { run { name } objectName objectCount
  annotationShapes(orderBy: {shapeType: asc}) { edges { node { shapeType
    annotationFiles { edges { node { format httpsPath } } } } } } } }"""


class Counting(LocalStorage):
    """A folder that counts whole reads."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.reads: Counter[str] = Counter()

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        self.reads[path] += 1
        return super().read(path, start, length)


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    """Every list as pandas has it."""
    return {name: starfile.read(LISTS / path) for name, path in FILES.items()}


@pytest.fixture(scope="module")
def runs(tables) -> list[str]:
    """Tomograms of many lists."""
    named = Counter(run for table in tables.values() for run in set(table.rlnTomoName))
    chosen = [run for run, _ in named.most_common(RUNS - 1)]
    return sorted({*chosen, *tables["hsp60"].rlnTomoName.unique()})


@pytest.fixture(scope="module")
def ingested(tables, runs, tmp_path_factory) -> tuple[FlowPortal, Counter[str]]:
    """The deposition, published; and how often each source file was read."""
    folder = tmp_path_factory.mktemp("chlamydomonas")
    portal, deposition = FlowPortal(folder / "portal"), _deposition(Tiny(folder / "tiny"), tables, runs)
    sources = Counting(str(deposition.source))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "open_source_storage", lambda url: sources)
        ran = portal.ingest(deposition.file, deposition.source)
    assert ran.code == 0, ran.out
    assert {problem["code"] for problem in ran.problems} == {"points-outside"}
    return portal, sources.reads


def _deposition(tiny: Tiny, tables: dict[str, Any], runs: list[str]) -> Tiny:
    (tiny.lab / "tomograms").mkdir(parents=True)
    rng = np.random.default_rng(3)
    for run in runs:
        write_mrc(tiny.lab / f"tomograms/{run}.mrc", rng.normal(size=(8, 16, 16)).astype(np.float32), SPACING)
    for path in FILES.values():
        (tiny.lab / path).parent.mkdir(parents=True, exist_ok=True)
        (tiny.lab / path).write_bytes((LISTS / path).read_bytes())
    for section in ("frames", "collection_metadata", "rawtilts", "alignments", "tiltseries"):
        del tiny.config[section]
    tiny.config["voxel_spacings"][0]["sources"] = [{"literal": {"value": [SPACING]}}]
    tiny.config["tomograms"][0]["metadata"]["voxel_spacing"] = SPACING
    template = tiny.config["annotations"][0]["metadata"]
    tiny.config["annotations"] = [
        {
            "metadata": {
                **template,
                "annotation_ingest_id": name,
                "annotation_object": {"id": "GO:0032991", "name": name},
            },
            "sources": [_source(name, shape, tables, runs) for shape in shapes],
        }
        for name, shapes in SHAPES.items()
    ]
    return tiny.write()


def _source(name: str, shape: str, tables: dict[str, Any], runs: list[str]) -> dict[str, Any]:
    """All runs in which the list has particles."""
    present = [run for run in runs if run in set(tables[name].rlnTomoName)]
    form = {"file_format": "tomoman_relion_star", "filter_value": "{run_name}", "binning": BINNING}
    return {
        shape: {**form, "glob_string": FILES[name]},
        "parent_filters": {"include": {"run": [f"^{run}$" for run in present]}},
    }


def test_each_list_is_read_once(ingested) -> None:
    _, reads = ingested
    assert {path: reads[f"lab/{path}"] for path in FILES.values()} == dict.fromkeys(FILES.values(), 1)


def test_counts_and_places_through_graphql_and_download(ingested, tables, runs) -> None:
    portal, _ = ingested
    with serving(settings_in(portal.folder)) as url:
        answer = httpx.post(f"{url}/graphql", json={"query": QUERY}).json()
        seen = {}
        for annotation in answer["data"]["annotations"]:
            name, run = annotation["objectName"], annotation["run"]["name"]
            seen[name, run] = annotation["objectCount"]
            wanted = tables[name][tables[name].rlnTomoName == run]
            places = wanted[[f"rlnCoordinate{axis}" for axis in "XYZ"]].to_numpy() / BINNING
            shapes = {
                edge["node"]["shapeType"]: edge["node"]["annotationFiles"]["edges"]
                for edge in annotation["annotationShapes"]["edges"]
            }
            assert set(shapes) == set(SHAPES[name])
            for files in shapes.values():
                lines = httpx.get(files[0]["node"]["httpsPath"]).text.splitlines()
                found = [[json.loads(line)["location"][axis] for axis in "xyz"] for line in lines]
                assert np.allclose(found, places, atol=1e-6)
    expected = {
        (name, run): count
        for name, table in tables.items()
        for run, count in table.rlnTomoName.value_counts().items()
        if run in runs
    }
    assert seen == expected
    assert len({run for _, run in seen}) == len(runs) >= RUNS - 1
