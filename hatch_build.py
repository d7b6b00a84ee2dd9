"""Build hook: puts the built Neuroglancer client out of its PyPI wheel into the package, so that no visitor's browser and no
installation needs anything from elsewhere; and the guides, which a portal shows under `/docs`. Runs for wheels and for editable
installs, which find the guides where they are."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "src/tomoportal/vendor/neuroglancer"


class NeuroglancerClient(BuildHookInterface):
    """Copies `static/client` of the wheel without source maps, with its licence."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        spec = importlib.util.find_spec("neuroglancer")
        if spec is None or spec.origin is None:
            raise RuntimeError("the wheel `neuroglancer` must be installed to build Tomoportal")
        client = Path(spec.origin).parent / "static" / "client"
        target = Path(self.root) / TARGET
        release = importlib.metadata.version("neuroglancer")
        if not _is_current(target, release):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(client, target, ignore=shutil.ignore_patterns("*.map"))
            (target / "LICENSE").write_bytes(_licence())
            (target / "VERSION").write_text(release + "\n")
        build_data["artifacts"].append(f"{TARGET}/*")
        if version != "editable":
            build_data["force_include"] |= {file: f"tomoportal/{file}" for file in _guides(Path(self.root))}


def _guides(root: Path) -> list[str]:
    """The guides and the pictures that they show."""
    guides = sorted(root.glob("docs/*.md"))
    text = "".join(guide.read_text(encoding="utf-8") for guide in guides)
    pictures = (file for file in sorted(root.glob("docs/images/*")) if f"images/{file.name}" in text)
    return [str(file.relative_to(root)) for file in (*guides, *pictures)]


def _is_current(target: Path, release: str) -> bool:
    mark = target / "VERSION"
    return mark.is_file() and mark.read_text().strip() == release


def _licence() -> bytes:
    files = importlib.metadata.files("neuroglancer") or []
    found = next(file for file in files if file.name == "LICENSE")
    return Path(str(found.locate())).read_bytes()
