"""Every command that the page of downloads shows is run against the running portal: bytes arrive as they are published."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixtures_demo import DemoPortal
from fixtures_server import serving
from shown_commands import TOOLS, arrived, commands_in, contents, execute, published

HALF = re.compile(r"half = .*")


@pytest.fixture(scope="module")
def served(demo_portal: DemoPortal) -> Iterator[str]:
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="module")
def ids(served: str) -> dict[str, int]:
    """A run of the first dataset with one of its tomograms and annotations."""
    text = "{ runs(orderBy: {id: asc}) { id dataset { id } tomograms(orderBy: {id: asc}) { edges { node { id } } }"
    text += " annotations(orderBy: {id: asc}) { edges { node { id depositionId } } } } }"
    for run in httpx.post(f"{served}/graphql", json={"query": text}).json()["data"]["runs"]:
        tomograms, annotations = run["tomograms"]["edges"], run["annotations"]["edges"]
        if tomograms and annotations:
            return {
                "dataset": run["dataset"]["id"],
                "run": run["id"],
                "tomogram": tomograms[0]["node"]["id"],
                "annotation": annotations[0]["node"]["id"],
                "deposition": annotations[0]["node"]["depositionId"],
            }
    raise AssertionError("the demo has no run with tomograms and annotations")


def _commands(served: str, query: str) -> dict[str, str]:
    return commands_in(httpx.get(f"{served}/download?{query}").raise_for_status().text)


CHOICES = {
    "dataset={dataset}&content=tomograms&format=mrc": ("{dataset}/*/Reconstructions/*/Tomograms/*/*.mrc",),
    "dataset={dataset}&content=annotations&format=ndjson&format=json": (
        "{dataset}/*/Reconstructions/*/Annotations/*/*.ndjson",
        "{dataset}/*/Reconstructions/*/Annotations/*/*.json",
    ),
    "run={run}&content=everything": ("{dataset}/{name}/**/*",),
    "run={run}&content=tiltseries": ("{dataset}/{name}/TiltSeries/*/*.zarr/**/*",),
    "run={run}&content=alignments": ("{dataset}/{name}/Alignments/**/*",),
    "run={run}&content=frames": ("{dataset}/{name}/Frames/**/*",),
    "tomogram={tomogram}&format=mrc": ("{tomogram_folder}/*.mrc",),
    "tomogram={tomogram}": ("{tomogram_folder}/*.zarr/**/*",),
}  # fmt: skip


@pytest.fixture(scope="module")
def places(served: str, ids: dict[str, int], demo_portal: DemoPortal) -> dict[str, object]:
    text = f"{{ tomograms(where: {{id: {{_eq: {ids['tomogram']}}}}}) {{ s3MrcFile run {{ name }} }} }}"
    row = httpx.post(f"{served}/graphql", json={"query": text}).json()["data"]["tomograms"][0]
    folder = row["s3MrcFile"].removeprefix("s3://").partition("/")[2].rpartition("/")[0]
    return {**ids, "name": row["run"]["name"], "tomogram_folder": folder}


@pytest.mark.parametrize("choice", CHOICES)
def test_every_command_brings_what_is_published(choice, served, places, demo_portal, tmp_path):
    layout = demo_portal.layout
    files = published(layout, *(pattern.format(**places) for pattern in CHOICES[choice]))
    if "content=frames" in choice:
        files = [file for file in files if not file.name.endswith("frames_metadata.json")]
    assert files, "the demo has nothing of it"
    expected = contents(files)
    commands = _commands(served, choice.format(**places))
    assert len(commands) >= 2
    for number, (label, command) in enumerate(commands.items()):
        if "aws " in command and not TOOLS.is_dir():
            continue
        folder = tmp_path / str(number)
        if label == "Python, over HTTP":
            execute(label, HALF.sub("assert volume['0'].ndim == 3", command), folder)
            continue
        execute(label, command, folder)
        assert contents(arrived(folder)) == expected, command


def test_the_numbers_of_the_page_are_those_of_the_command_line(served, ids):
    for query in (
        "dataset={dataset}&content=annotations",
        "deposition={deposition}&content=tomograms",
        "annotation={annotation}",
    ):
        page = httpx.get(f"{served}/download?{query.format(**ids)}").text
        command = next(
            text for label, text in _commands(served, query.format(**ids)).items() if "resumes" in label
        )
        shown = int(re.search(r'class="total"[^>]*><strong>([\d,]+) file', page)[1].replace(",", ""))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        listed = subprocess.run(
            ["bash", "-c", command.replace("download", "manifest", 1).replace("--to downloads", "")],
            capture_output=True, text=True, timeout=60, env={"PATH": path},
        )  # fmt: skip
        assert listed.returncode == 0, listed.stderr
        assert shown == len({_unit(line) for line in listed.stdout.splitlines()[1:-1]})


def _unit(line: str) -> str:
    """The OME-Zarr, or else the file, of a line of a manifest."""
    row = json.loads(line)
    return row.get("folder") or row["path"]


def test_all_rows_of_a_list_can_be_downloaded(served, places, demo_portal, tmp_path):
    """The command under the runs of a dataset."""
    page = httpx.get(f"{served}/datasets/{places['dataset']}").text.partition("same-query")[2]
    command = html.unescape(re.search(r"<code>(tomoportal download run .*?)</code>", page)[1])
    execute("list", command, tmp_path / "all")
    files = published(demo_portal.layout, f"{places['dataset']}/*/**/*")
    own = demo_portal.layout / str(places["dataset"]) / "Images"
    assert contents(arrived(tmp_path / "all")) == contents([file for file in files if file.parent != own])
