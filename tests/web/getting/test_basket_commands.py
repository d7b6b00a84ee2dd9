"""Everything that the page of a basket offers, had from the running portal: files, one file of particles, a copick project, lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import starfile

from fixtures_demo import DemoPortal
from fixtures_server import serving
from shown_commands import TOOLS, arrived, commands_in, contents, execute, published

COPICK = Path(__file__).parents[3] / ".cache" / "copick" / "bin" / "python"
SEEN = """
import json
print(json.dumps({run.name: {
    "picks": {pick.pickable_object_name: len(pick.points) for pick in run.picks},
    "tomograms": [list(one.numpy().shape) for space in run.voxel_spacings for one in space.tomograms],
} for run in runs}))"""


@pytest.fixture(scope="module")
def served(demo_portal: DemoPortal) -> Iterator[str]:
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="module")
def runs(served: str) -> list[dict[str, Any]]:
    """The runs with their tomograms and annotations."""
    tomograms = "tomograms(orderBy: {id: asc}) { edges { node { id s3MrcFile sizeX sizeY sizeZ } } }"
    annotations = (
        "annotations(orderBy: {id: asc}) { edges { node { id objectName objectCount s3MetadataPath } } }"
    )
    text = f"{{ runs(orderBy: {{id: asc}}) {{ id name dataset {{ id }} {tomograms} {annotations} }} }}"
    found = httpx.post(f"{served}/graphql", json={"query": text}).json()["data"]["runs"]
    for row in found:
        for name in ("tomograms", "annotations"):
            row[name] = [edge["node"] for edge in row[name]["edges"]]
    return found


def page(served: str, query: str) -> dict[str, str]:
    return httpx.get(f"{served}/basket?{query}").raise_for_status().text


def folder_of(address: str) -> str:
    return address.removeprefix("s3://").partition("/")[2].rpartition("/")[0]


def test_every_command_brings_what_is_published(served, runs, demo_portal, tmp_path):
    """Tomograms of two runs as MRC, and an annotation with all that belongs to it."""
    tomograms = [row["tomograms"][0] for row in runs]
    annotation = runs[0]["annotations"][1]
    home = folder_of(annotation["s3MetadataPath"])
    patterns = [f"{folder_of(one['s3MrcFile'])}/*.mrc" for one in tomograms]
    files = published(demo_portal.layout, *patterns, f"{home}/*.zarr/**/*", f"{home}/*.json")
    query = f"tomograms={tomograms[0]['id']}_{tomograms[1]['id']}&annotations={annotation['id']}"
    query += "&get=tomograms.mrc&get=annotations.zarr&get=annotations.json"
    html = page(served, query).partition('id="particles"')[0]
    commands = commands_in(html)
    assert list(commands) == ["tomoportal (resumes, checks)", "curl", "AWS command line", "Python"]
    assert "4 files" in re.search(r'class="total"[^>]*><strong>([^<]*)', html)[1]
    assert len(files) > 4
    for number, (label, command) in enumerate(commands.items()):
        if "aws " in command and not TOOLS.is_dir():
            continue
        folder = tmp_path / str(number)
        execute(label, command, folder)
        assert contents(arrived(folder)) == contents(files), command


def test_lists_for_other_programs(served, runs, demo_portal, tmp_path):
    address = f"{served}/api/selection/manifest"
    asked = {"tomograms": runs[0]["tomograms"][0]["id"], "get": "tomograms.mrc"}
    sums = httpx.get(address, params={**asked, "as": "sha256sum"}).text
    file = demo_portal.layout / sums.split(maxsplit=1)[1].strip()
    assert sums.split()[0] in contents([file])
    assert (
        f"  out={file.relative_to(demo_portal.layout)}"
        in httpx.get(address, params={**asked, "as": "aria2"}).text
    )
    lines = [json.loads(line) for line in httpx.get(address, params=asked).text.splitlines()]
    assert lines[0]["files"] == f"{served}/files/"
    assert lines[-1] == {"end": True, "files": 1, "bytes": file.stat().st_size}
    head = httpx.head(address, params=asked)
    assert (head.status_code, head.headers["content-disposition"]) == (
        200,
        'attachment; filename="basket.jsonl"',
    )


def test_one_file_of_particles(served, runs, tmp_path):
    html = (
        page(served, f"runs={runs[0]['id']}_{runs[1]['id']}")
        .partition('id="particles"')[2]
        .partition('id="copick"')[0]
    )
    command = commands_in(html)["curl"]
    execute("curl", command, tmp_path / "curl")
    table = starfile.read(tmp_path / "curl" / "particles.star")["particles"]
    assert set(table["rlnTomoName"]) == {row["name"] for row in runs}
    shown = {
        name: int(count.replace(",", ""))
        for name, count in re.findall(
            r'value="([\w ]+)" checked> <span>[^<]*</span> <span class="weight">([\d,]+) points', html
        )
    }
    assert shown
    ribosomes = httpx.get(
        f"{served}/api/selection/particles",
        params={
            "runs": f"{runs[0]['id']}_{runs[1]['id']}",
            "as": "warp_star",
            "object": "cytosolic ribosome",
        },
    )
    rows = [line for line in ribosomes.text.splitlines() if ".tomostar" in line and not line.startswith("#")]
    assert len(rows) == shown["cytosolic ribosome"]
    assert ribosomes.headers["content-disposition"] == 'attachment; filename="particles_warp.star"'


@pytest.mark.skipif(not COPICK.exists(), reason="copick is not installed (tests/prepare does it)")
def test_copick_opens_the_runs_where_they_are(served, runs, tmp_path):
    chosen = runs[1]
    commands = commands_in(
        page(served, f"tomograms={chosen['tomograms'][0]['id']}").partition('id="copick"')[2]
    )
    execute("curl", commands["curl"], tmp_path / "project")
    config = json.loads((tmp_path / "project" / "copick.json").read_text())
    assert config["dataset_ids"] == [chosen["dataset"]["id"]]
    assert {item["name"] for item in config["pickable_objects"]} == {
        row["objectName"].replace(" ", "-") for row in chosen["annotations"]
    }
    told = execute("Python", commands["Python, beside copick.json"] + SEEN, tmp_path / "project", COPICK)
    seen = json.loads(told.splitlines()[-1])
    assert list(seen) == [str(chosen["id"])]
    found = seen[str(chosen["id"])]
    counts = {row["objectName"].replace(" ", "-"): row["objectCount"] for row in chosen["annotations"]}
    assert found["picks"]["cytosolic-ribosome"] == counts["cytosolic-ribosome"]
    assert sorted(found["tomograms"]) == sorted(
        [row["sizeZ"], row["sizeY"], row["sizeX"]] for row in chosen["tomograms"]
    )


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("particles?as=relion5_star", "Nothing is chosen; name some, such as runs=1-20 or tomograms=7."),
        ("particles?runs=999&as=relion5_star", "There is no RN-999 here."),
        ("particles?runs={run}", "nothing is no format of particles; expected one of relion5_star"),
        ("particles?runs={run}&as=pdf", "pdf is no format of particles"),
        ("particles?runs={run}&as=warp_star&object=none", "This selection has no points"),
        ("particles?runs={run}&tomogram=1&as=warp_star", "tomogram is not understood here; expected datasets, runs"),
        ("particles?runs=x&as=warp_star", "“x” is no number of runs"),
        ("copick?tiltseries=1-9000", "more are not here|There is no TS-"),
        ("manifest?runs={run}&get=everything", "“everything” is nothing that can be got; expected some of alignments"),
        ("manifest?runs={run}&as=zip", "as=zip is not known; expected jsonl, aria2, curl, sha256sum."),
        ("manifest?annotations={annotation}&get=tomograms.mrc", "This selection has no files of what was asked for."),
    ],
)  # fmt: skip
def test_what_is_refused(path, sentence, served, runs):
    ids = {"run": runs[0]["id"], "annotation": runs[0]["annotations"][0]["id"]}
    answer = httpx.get(f"{served}/api/selection/{path.format(**ids)}")
    assert answer.status_code == 400
    assert re.search(sentence, answer.json()["error"]["message"])
