"""What the documentation shows is run: commands, Python and GraphQL blocks, against the demo portal."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from fixtures_server import serving

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLE_ADDRESS = "http://127.0.0.1:8000"


def _blocks(language: str) -> list:
    return [
        pytest.param(text, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text()))
        if kind == language
    ]


@pytest.fixture(scope="module")
def address(demo_portal):
    with serving(demo_portal.settings) as url:
        yield url


@pytest.mark.parametrize("text", _blocks("python"))
def test_python_blocks_run(text, address, tmp_path, monkeypatch):
    monkeypatch.setenv("TOMOPORTAL_URL", address)
    script = tmp_path / "block.py"
    script.write_text(text.replace(EXAMPLE_ADDRESS, address))
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", _blocks("graphql"))
def test_graphql_blocks_are_answered(text, address):
    request = urllib.request.Request(
        f"{address}/graphql", json.dumps({"query": text}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    assert "errors" not in answer, answer
    assert all(answer["data"].values())


def _commands() -> list:
    lines = [line for block in _blocks("console") for line in block.values[0].splitlines()]
    return [line.removeprefix("$ ").partition("#")[0].strip() for line in lines if line.startswith("$ ")]


def test_the_make_targets_of_the_readme_exist():
    wanted = {words[1] for command in _commands() if (words := shlex.split(command))[0] == "make"}
    assert {"demo", "test"} <= wanted
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert wanted <= targets


def test_the_commands_of_the_documentation_run(demo_files, address, tmp_path, monkeypatch):
    """All of them, one after the other, in a folder that has what they name, with a portal where they expect one."""
    monkeypatch.setenv("TOMOPORTAL_URL", address)
    shutil.copy(demo_files.configs[0], tmp_path / "deposition.yaml")
    (tmp_path / "sources").symlink_to(demo_files.source)
    shutil.copy(next(demo_files.source.rglob("tomo*/**/*.mrc")), tmp_path / "tomogram.mrc")
    commands = [shlex.split(command.replace(EXAMPLE_ADDRESS, address)) for command in _commands()]
    ours = [words[1:] for words in commands if words[0] == "tomoportal" and words[1] != "serve"]
    assert len(ours) >= 4
    program = Path(sys.executable).with_name("tomoportal")
    for words in ours:
        done = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr)


def test_every_page_and_picture_that_is_linked_exists():
    for page in [*PAGES, ROOT / "ARCHITECTURE.md"]:
        outside_code = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#:]+)\)", outside_code):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
