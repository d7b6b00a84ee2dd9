"""Metadata as the reference system writes them, in the words of our own sidecars.

What is absent stays absent, but for a few fields that may not be; each of these is filled with a stated value and told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tomoportal.layout.mirror import Place
from tomoportal.layout.paths import IMAGES, folder, pictures
from tomoportal.layout.viewer_states import read_state
from tomoportal.model.fields import FILES_MARK
from tomoportal.problems import Problem, Severity

_PATH_KEYS = re.compile(r"(^|_)(path|file|files|dir|snapshot|thumbnail)$")
_ELSEWHERE = re.compile(r"[a-z0-9]+://|/")
UNKNOWN = "Unknown"


@dataclass(slots=True)
class Translated:
    """A sidecar in our words, and what was found on the way."""

    sidecar: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)


def translate(
    place: Place,
    data: Mapping[str, Any],
    sizes: Mapping[str, int],
    *,
    deposition: str = "",
    objects: Any = None,
) -> Translated:
    """The sidecar of an entity of a mirror. `sizes`: bytes of files and volumes by path, as far as they are known; `deposition`: that of
    the dataset, for what names none; `objects`: the list beside the metadata of identified objects."""
    out = Translated(_with_paths_inside(dict(data), place))
    if deposition and not out.sidecar.get("deposition_id"):
        out.sidecar["deposition_id"] = deposition
    if objects is not None:
        out.sidecar["objects"] = objects
    change = _CHANGES.get(place.key.kind)
    if change is not None:
        change(out, place, sizes)
    return out


def with_files_mark(state: str, dataset: str, run: str) -> str:
    """A viewer state whose addresses of the run's files begin with `FILES_MARK`, whatever server wrote them. Raises `ValueError`."""
    names = "|".join(re.escape(f"{dataset}/{name}/") for name in dict.fromkeys((run, quote(run))))
    address = re.compile(rf"^((?:[a-z0-9+-]+://)?)(?:https?|s3)://[^|]*?/(?=(?:{names}))")

    def marked(value: Any) -> Any:
        if isinstance(value, str):
            return address.sub(lambda match: match[1] + FILES_MARK, value)
        if isinstance(value, list):
            return [marked(item) for item in value]
        if isinstance(value, dict):
            return {key: marked(item) for key, item in value.items()}
        return value

    return json.dumps(marked(read_state(state)), separators=(",", ":"), ensure_ascii=False)


def _with_paths_inside(data: dict[str, Any], place: Place) -> dict[str, Any]:
    """The same data; paths that name a bucket or another machine's folder are cut to what lies in the layout."""
    top = place.key.dataset or place.key.deposition

    def inside(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: inside(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [inside(item, key) for item in value]
        if isinstance(value, str) and _PATH_KEYS.search(key) and _ELSEWHERE.match(value):
            _, found, rest = value.partition(f"/{top}/")
            return f"{top}/{rest}" if found else None
        return value

    return {name: inside(value, name) for name, value in data.items()}


def _about(out: Translated, place: Place, _sizes: Mapping[str, int]) -> None:
    """Of a deposition or dataset."""
    _pictures(out, place, "key_photos")
    references = out.sidecar.get("cross_references")
    if isinstance(references, dict) and not references.get("publications"):
        references["publications"] = references.get("database_publications")


def _pictures(out: Translated, place: Place, name: str) -> None:
    """The names of pictures are written before there are any."""
    homes = (pictures(place.key), f"{place.sidecar.rpartition('/')[0]}/{IMAGES}")
    if out.sidecar.get(name) and not any(home in place.folders for home in homes):
        out.sidecar[name] = None


def _frames(out: Translated, place: Place, sizes: Mapping[str, int]) -> None:
    told = out.sidecar.get("frames_acquisition_file")
    if told and "frames_acquisition_files" not in out.sidecar:
        out.sidecar["frames_acquisition_files"] = [told]
    for frame in _dicts(out.sidecar.get("frames")):
        path = frame.get("path")
        if _is_missing(place, path):
            _tell(out, place, "frames", f"names {path!r}, and there is no such file", "No file is shown.")
            frame["path"] = None
        frame.setdefault("file_size", sizes.get(path or ""))


def _volume(out: Translated, place: Place, sizes: Mapping[str, int]) -> None:
    """Paths of volumes that were never written are not kept; sizes are filled in."""
    known = out.sidecar.setdefault("file_sizes", {})
    for name, word in (("mrc_file", "mrc"), ("omezarr_dir", "omezarr")):
        path = out.sidecar.get(name)
        if _is_missing(place, path):
            _tell(out, place, name, f"is {path!r}, and there is no such file", "No file is shown.")
            out.sidecar[name] = path = None
        known.setdefault(word, sizes.get(path or ""))
    if _is_missing(place, out.sidecar.get("raw_tlt_path")):
        out.sidecar["raw_tlt_path"] = None


def _tomogram(out: Translated, place: Place, sizes: Mapping[str, int]) -> None:
    _volume(out, place, sizes)
    _pictures(out, place, "key_photo")
    if "is_portal_standard" not in out.sidecar and "is_standardized" in out.sidecar:
        out.sidecar["is_portal_standard"] = out.sidecar["is_standardized"]
    for name in ("reconstruction_method", "reconstruction_software"):
        if not out.sidecar.get(name):
            _fill(out, place, name, UNKNOWN)


def _annotation(out: Translated, place: Place, sizes: Mapping[str, int]) -> None:
    if not out.sidecar.get("annotation_ingest_id"):
        _fill(out, place, "annotation_ingest_id", place.sidecar.rpartition("/")[2].removesuffix(".json"))
    files = []
    for item in _dicts(out.sidecar.get("files")):
        path = item.get("path")
        if _is_missing(place, path):
            _tell(
                out, place, "files", f"names {path!r}, and there is no such file", "The file is left out of the catalogue."
            )  # fmt: skip
            continue
        item.setdefault("file_size", sizes.get(path or ""))
        files.append(item)
    out.sidecar["files"] = files


_CHANGES: dict[str, Callable[[Translated, Place, Mapping[str, int]], None]] = {
    "deposition": _about,
    "dataset": _about,
    "frames": _frames,
    "tiltseries": _volume,
    "tomogram": _tomogram,
    "annotation": _annotation,
}


def _dicts(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _is_missing(place: Place, path: Any) -> bool:
    """Whether a path that should lie directly in the entity's folder does not."""
    if not isinstance(path, str) or path.rpartition("/")[0] != folder(place.key):
        return False
    return path not in place.folders and all(entry.path != path for entry in place.files)


def _fill(out: Translated, place: Place, name: str, value: str) -> None:
    out.sidecar[name] = value
    _tell(out, place, name, f"is absent; {value!r} is used", "")


def _tell(out: Translated, place: Place, name: str, message: str, hint: str) -> None:
    out.problems.append(
        Problem(
            code=f"load-{name.replace('_', '-')}", message=f"{name} {message}", severity=Severity.WARNING,
            file=place.sidecar, where=name, hint=hint,
        )
    )  # fmt: skip
