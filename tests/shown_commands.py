"""Commands that a page shows, run as a visitor would, and what they bring."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

TOOLS = Path(__file__).parents[1] / ".cache" / "tools" / "bin"


def commands_in(page: str) -> dict[str, str]:
    """The commands of a page by their labels."""
    found = re.findall(r'command-label">(.*?)</span>\s*<pre[^>]*><code>(.*?)</code>', page, re.S)
    return {label: html.unescape(text) for label, text in found}


def execute(label: str, command: str, folder: Path, python: str | Path = sys.executable) -> str:
    """Run it in a new folder; what it prints."""
    words = (
        [str(python), "-c", command] if "Python" in label else ["bash", "-c", f"set -o pipefail; {command}"]
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), str(TOOLS), os.environ["PATH"]])
    environment = {
        "PATH": path,
        "HOME": str(folder.parent),
        "AWS_DEFAULT_REGION": "us-east-1",
        "LC_ALL": "C.UTF-8",
    }
    folder.mkdir(exist_ok=True)
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def contents(files: list[Path]) -> Counter[str]:
    """What is in files, whatever they are called."""
    return Counter(sha256(file.read_bytes()).hexdigest() for file in files)


def arrived(folder: Path) -> list[Path]:
    """The files below a folder, without our notes."""
    return [file for file in folder.rglob("*") if file.is_file() and file.name != ".tomoportal-downloads"]


def published(layout: Path, *patterns: str) -> list[Path]:
    """The files of a layout that fit any of the patterns, without the private area."""
    found = {file for pattern in patterns for file in layout.glob(pattern) if file.is_file()}
    return sorted(file for file in found if ".tomoportal" not in file.parts)
