"""“The same query”: every printed form is executed against the running portal and gives the rows of the list."""

from __future__ import annotations

import html
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import httpx
import pytest

from fixtures_server import serving
from fixtures_web import web_portal
from tomoportal.settings import Settings

DATASETS, DEPOSITIONS, ALL_RUNS = "/browse-data/datasets", "/browse-data/depositions", "/browse-data/runs"
RUNS = "/datasets/10001"
LISTS = {
    f"{DATASETS}?organism=Homo+sapiens&organism=Escherichia+coli&sort=title": "datasets",
    f"{DATASETS}?object=membrane&files=raw-frames&files=annotation": "datasets",
    f"{DATASETS}?object=microtubule&object_shape=Point&ground_truth=true": "datasets",
    f"{DATASETS}?search=yeast&files=tilt-series": "datasets",
    f"{DATASETS}?camera_manufacturer=nobody": "datasets",
    f"{DEPOSITIONS}?search=survey": "depositions",
    f"{RUNS}?quality_score=3&quality_score=4": "runs",
    f"{RUNS}?object=cytosolic+ribosome&sort=name-desc": "runs",
    f"{DATASETS}?objects_min=121&object=membrane": "datasets",
    f"{DATASETS}?spacing_min=7&spacing_max=8&tilt_min=100": "datasets",
    f"{DATASETS}?spacing_max=3": "datasets",
    f"{DATASETS}?runs_min=4": "datasets",
    f"{DATASETS}?author=Dorothy&quality_score=5": "datasets",
    f"{DATASETS}?deposition_id=10300&annotated_objects=yes&run_name=TS_04": "datasets",
    f"{ALL_RUNS}?object_id=GO:0016020&run_name=TS_00": "runs",
    f"{ALL_RUNS}?emdb_id=EMD-16183&processing=denoised&organism=Homo+sapiens": "runs",
    DATASETS: "datasets",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("same-query")
    for number in range(28):
        (folder / "files" / str(10001 + number)).mkdir(parents=True)
    web_portal(folder, pictures=False).close()
    with serving(
        Settings(storage=str(folder / "files"), database=f"sqlite:///{folder / 'catalog.sqlite'}")
    ) as url:
        yield url


def _forms(url: str) -> dict[str, str]:
    panel = httpx.get(url).raise_for_status().text.partition("same-query")[2].partition("</details>")[0]
    found = re.findall(r'command-label">(.*?)</span>\s*<pre[^>]*><code>(.*?)</code>', panel, re.S)
    return {label: html.unescape(text) for label, text in found}


def _shown(served: str, address: str, rows: str) -> list[int]:
    """The ids on all pages of the list."""
    path, _, asked = address.partition("?")
    ids: list[int] = []
    for page in range(1, 99):
        told = httpx.get(f"{served}{path}.json?{asked}&page={page}").raise_for_status().json()
        ids += [row["id"] for row in told[rows]]
        if page >= told["listing"]["paging"]["pages"]:
            return ids
    raise AssertionError("there is no last page")


@pytest.mark.parametrize("address", LISTS)
def test_every_form_gives_the_rows_of_the_list(served, address):
    shown = _shown(served, address, LISTS[address])
    forms = _forms(served + address)
    assert {"GraphQL", "Command line", "Python"} <= set(forms)
    answer = httpx.post(f"{served}/graphql", json={"query": forms["GraphQL"]}).json()
    [rows] = answer["data"].values()
    found = [row["id"] for row in rows]
    assert sorted(found) == sorted(shown)
    assert found == shown or "search=" in address, "words put the list into an order of their own"
    told = io.StringIO()
    with redirect_stdout(told):
        exec(forms["Python"], {})
    assert sorted(int(line.split()[0]) for line in told.getvalue().splitlines()) == sorted(shown)


def test_some_lists_are_narrowed_and_some_are_empty(served):
    sizes = {address: len(_shown(served, address, rows)) for address, rows in LISTS.items()}
    assert sizes[DATASETS] == 27
    assert sum(0 < size < 27 for size in sizes.values()) >= 5


def test_the_command_line_gives_the_same(served):
    address = next(iter(LISTS))
    command = _forms(served + address)["Command line"]
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in json.loads(done.stdout)["data"]["datasets"]] == _shown(
        served, address, "datasets"
    )


def test_words_that_mean_something_to_shells_and_languages_survive(served):
    address = f"{DATASETS}?organism=%27%22%5C%24%28id%29%7D"
    assert _shown(served, address, "datasets") == []
    forms = _forms(served + address)
    assert httpx.post(f"{served}/graphql", json={"query": forms["GraphQL"]}).json() == {
        "data": {"datasets": []}
    }
    exec(forms["Python"], {})
