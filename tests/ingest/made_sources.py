"""For any deposition file: a source tree (in memory, empty files) in which every pattern of the file finds something.

Reads the file with plain PyYAML and re, independent of the code under test.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tomoportal.errors import NotFound
from tomoportal.storage import Entry, Level

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
PAIRS = {"mapped_tomo_name": "run_to_tomo_map_csv", "mapped_frame_name": "run_to_frame_map_csv",
         "mapped_ts_name": "run_to_ts_map_csv"}  # fmt: skip
WORDS = {"tomo-fiducial_alignment_status": "FIDUCIAL", "tomo-reconstruction_method": "WBP", "ts-camera-acquire_mode": "counting",
         "ts-microscope-manufacturer": "FEI"}  # fmt: skip
TOP = ("depositions", "datasets", "runs", "voxel_spacings", "deposition_keyphotos", "dataset_keyphotos")


class MemoryStorage:
    """Files in a dictionary; remembers its listings of whole trees, of single folders, and its other requests."""

    url = "memory"
    unfollowed: frozenset[str] = frozenset()
    unnameable: frozenset[str] = frozenset()

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.content = files or {}
        self.listings: list[str] = []
        self.levels: list[str] = []
        self.stats: list[str] = []

    def list(self, prefix: str = "") -> Iterator[Entry]:
        self.listings.append(prefix)
        start = f"{prefix}/" if prefix else ""
        return iter([Entry(p, len(d), "t") for p, d in sorted(self.content.items()) if p.startswith(start)])

    def folders(self, prefix: str = "") -> list[str]:
        start = f"{prefix}/" if prefix else ""
        rest = [p[len(start) :] for p in self.content if p.startswith(start)]
        return sorted({p.split("/")[0] for p in rest if "/" in p})

    def level(self, prefix: str = "") -> Level:
        self.levels.append(prefix)
        start = f"{prefix}/" if prefix else ""
        here = [Entry(p, len(d), "t") for p, d in sorted(self.content.items()) if p.startswith(start)]
        return Level(tuple(self.folders(prefix)), tuple(e for e in here if "/" not in e.path[len(start) :]))

    def local_path(self, path: str) -> Path | None:
        return None

    def exists(self, path: str) -> bool:
        return path in self.content

    def stat(self, path: str) -> Entry:
        self.stats.append(path)
        return Entry(path, len(self.read(path)), "t")

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        if path not in self.content:
            raise NotFound(path)
        return self.content[path]


def sample(regex: str, group: str | None = None) -> str:
    """A text that the regular expression matches; `group`: what its first group holds."""
    return _sampled(re._parser.parse(regex), group)  # type: ignore[attr-defined]


def _sampled(parsed: Any, group: str | None) -> str:
    text = ""
    for kind, value in parsed:
        match str(kind):
            case "LITERAL":
                text += chr(value)
            case "ANY":
                text += "."
            case "NOT_LITERAL":
                text += "x"
            case "IN":
                text += _of_class(value)
            case "MAX_REPEAT" | "MIN_REPEAT":
                inside = _sampled(value[2], group)
                text += ("x" if inside == "." else inside) * max(value[0], 1)
            case "SUBPATTERN":
                text += group if value[0] == 1 and group is not None else _sampled(value[3], group)
            case "BRANCH":
                text += _sampled(value[1][0], group)
    return text


DIGITS = iter("123456789" * 1000)


def _of_class(items: Any) -> str:
    kind, value = items[0]
    match str(kind):
        case "NEGATE":
            return "x"
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return chr(value[0])
        case "CATEGORY" if "DIGIT" in str(value):
            return next(DIGITS)
    return "x"


def concrete(glob: str, match: str, prefix: str, names: list[str]) -> str:
    """A path that fits the glob and whose whole path fits `match`; its last part is one of `names` if one fits."""
    *folders, last = glob.split("/")
    way = [
        "inner" if part == "**" else re.sub(r"\[[^\]]*\]", "y", part).replace("*", "x").replace("?", "1")
        for part in folders
    ]
    tries = [*names, last, sample(match).rpartition("/")[2]]
    tries += [
        f"{last.replace('*', stem)}{end}" for stem in ("x", "x_1", "1") for end in ("", ".mrc", ".rec", ".st")
    ]
    for name in tries:
        path = "/".join([*way, name])
        if (
            not re.search(r"[*?]", name)
            and fnmatch.fnmatchcase(name, last)
            and re.search(match, f"/{prefix}/{path}")
        ):
            return path
    raise AssertionError(f"no path for {glob} with {match}")


def fill(template: str, values: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: values[found[1]], template)


@dataclass
class MadeSource:
    """`expected`: (section, entry, source) → number of places at which it must find something."""

    source: MemoryStorage
    target: MemoryStorage
    runs: dict[str, set[str]] = field(default_factory=dict)
    expected: dict[tuple[str, int, int], int] = field(default_factory=dict)


class Maker:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = yaml.safe_load(path.read_text())
        self.settings = self.data["standardization_config"]
        self.prefix = self.settings["source_prefix"].strip("/")
        self.origin: dict[str, str] = {}
        self.made = MadeSource(MemoryStorage(), MemoryStorage())

    def make(self) -> MadeSource:
        rows = self._real_rows()
        deposition = str(self._literals("depositions")[0])
        for dataset in self._datasets():
            self._touch(f"{dataset}/.keep")
            self.made.runs[dataset] = set(self._runs(dataset, rows))
        wanted = sorted({run for runs in self.made.runs.values() for run in runs})
        tables = self._tables(wanted, rows)
        for dataset, runs in self.made.runs.items():
            for run in sorted(runs):
                names = {"deposition": deposition, "dataset": dataset, "run": run}
                self._inside(names, tables.get(run, {}))
        return self.made

    def _touch(self, path: str) -> None:
        full = f"{self.prefix}/{path}" if self.prefix else path
        if path.endswith(".zarr"):
            self.made.source.content[f"{full}/.zattrs"] = b""
            self.made.source.content[f"{full}/0/0.0.0"] = b""
        else:
            self.made.source.content[full] = b""

    def _there(self, glob: str, match: str) -> bool:
        """Whether a file fits already; `*` may cross folders only where it says so."""
        regex = re.compile(fnmatch.translate(f"{self.prefix}/{glob}").replace(".*", "[^/.][^/]*"))
        return any(regex.match(path) and re.search(match, f"/{path}") for path in self.made.source.content)

    def _elsewhere(self, path: str, run: str) -> bool:
        """Whether the path lies in a folder where other runs come from, but not this one."""
        folders = {folder for folder in self.origin.values() if folder.startswith("Data_Set")}
        top = path.split("/")[0]
        return top in folders and run in self.origin and self.origin[run] != top

    def _sources(self, section: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
        for i, entry in enumerate(self.data.get(section) or ()):
            for j, source in enumerate(entry.get("sources") or ()):
                yield i, j, source

    def _literals(self, section: str) -> list[Any]:
        return [
            v for _, _, source in self._sources(section) for v in source.get("literal", {}).get("value", [])
        ]

    def _datasets(self) -> Iterator[str]:
        yield from map(str, self._literals("datasets"))
        for _, _, source in self._sources("datasets"):
            if glob := source.get("source_glob"):
                match = glob.get("match_regex", ".*")
                asked = {
                    name for name in self._asked("dataset") if fnmatch.fnmatchcase(name, glob["list_glob"])
                }
                names = ["10444", "10144", sample(match)]
                yield from asked or [concrete(glob["list_glob"], match, self.prefix, names)]

    def _asked(self, kind: str) -> set[str]:
        """Names of ancestors that parent filters ask for."""
        sources = [
            s for key in self.data if isinstance(self.data[key], list) for _, _, s in self._sources(key)
        ]
        some = [source.get("parent_filters", {}).get("include", {}).get(kind, ()) for source in sources]
        return {sample(regex) for regexes in some for regex in regexes}

    def _real_rows(self) -> dict[str, dict[str, str]]:
        """The lines of the real run data map, where it lies beside the file."""
        name = self.settings.get("run_data_map_file")
        file = self.path.parent / name if name else None
        if file is None or not file.is_file():
            return {}
        text = file.read_bytes()
        self.made.source.content[f"{self.prefix}/{name}"] = text
        rows = csv.DictReader(
            io.StringIO(text.decode("utf-8-sig")), delimiter="\t" if name.endswith("tsv") else ","
        )
        return {row["run_name"]: dict(row) for row in rows}

    def _runs(self, dataset: str, rows: dict[str, dict[str, str]]) -> Iterator[str]:
        named = sorted(self._asked("run"))
        usable = [found for found in self._sources("runs") if passes(found[2], {"dataset": dataset})]
        shallow = min(usable, key=lambda found: str(found[2]).count("/"))
        taken: set[str] = set()
        for i, j, source in usable:
            self.made.expected[("runs", i, j)] = 1
            if "literal" in source:
                yield from map(str, source["literal"]["value"])
            elif "destination_glob" in source:
                yield self._published(dataset)
            else:
                mine = named and (i, j) == shallow[:2]
                yield from self._sought(
                    source, dataset, [*list(rows)[:3], *(named if mine else [])], taken, not rows
                )

    def _sought(
        self, source: dict[str, Any], dataset: str, names: list[str], taken: set[str], free: bool
    ) -> Iterator[str]:
        """Runs with these names where the source allows them, and one with a name of its own if names are `free`."""
        glob = source["source_glob"]
        regex, match = glob.get("name_regex", "(.*)"), glob.get("match_regex", ".*")
        pattern = fill(glob["list_glob"], {"dataset_name": dataset})
        last = pattern.rpartition("/")[2]
        plain = [
            sample(match).rpartition("/")[2],
            sample(regex),
            sample(regex, "run1"),
            last.replace("*", "1"),
        ]
        before = len(taken)
        for base in [*(sample(regex, name) for name in names), *names, *plain]:
            found = re.match(regex, base)
            if "/" in base or not found or found[1] in taken or not fnmatch.fnmatchcase(base, last):
                continue
            folder = pattern.rpartition("/")[0].replace("*", found[1])
            path = f"{folder}/{base}" if folder else base
            if base in plain and before and len(taken) > before:
                break
            if re.search(match, f"/{self.prefix}/{path}") and not excluded(source, found[1]):
                self._touch(path if "." in base else f"{path}/.keep")
                taken.add(found[1])
                self.origin[found[1]] = pattern.split("/")[0]
                yield found[1]
                if base in plain:
                    break
            if base in plain and not free and taken:
                break
        assert taken, f"no run for {glob}"

    def _published(self, dataset: str) -> str:
        run = "published_run"
        for path in ("run_metadata.json", "Alignments/100/alignment_metadata.json",
                     "Reconstructions/VoxelSpacing10.000/Tomograms/100/tomogram-metadata.json"):  # fmt: skip
            self.made.target.content[f"{dataset}/{run}/{path}"] = b"{}"
        self.made.target.content[f"{dataset}/Images/snapshot.png"] = b""
        self.made.target.content[f"{dataset}/dataset_metadata.json"] = b"{}"
        return run

    def _tables(self, runs: list[str], rows: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        values: dict[str, dict[str, str]] = {run: dict(rows.get(run, {})) for run in runs}
        used = set(PLACEHOLDER.findall(self.path.read_text()))
        name = self.settings.get("run_data_map_file")
        if name and not rows:
            own = ("_name", "_path")
            columns = sorted(c for c in used if not (c.startswith(("run", "dataset", "deposition", "voxel_spacing", "int_", "mapped_"))
                                                     and c.endswith(own)) or c == "mapped_tilt_series_name")  # fmt: skip
            for run in runs:
                values[run] = {"run_name": run} | {c: self._cell(c) for c in columns}
            tab = "\t" if name.endswith("tsv") else ","
            lines = [tab.join(["run_name", *columns])] + [tab.join(values[run].values()) for run in runs]
            self.made.source.content[f"{self.prefix}/{name}"] = "\n".join(lines).encode()
        for placeholder, setting in PAIRS.items():
            if self.settings.get(setting):
                self._pairs(self.settings[setting], placeholder, values)
        return values

    def _pairs(self, name: str, placeholder: str, values: dict[str, dict[str, str]]) -> None:
        file = self.path.parent / name
        text = file.read_text() if file.is_file() else "".join(f"{run},{run}_mapped\n" for run in values)
        self.made.source.content[f"{self.prefix}/{name}"] = text.encode()
        for line in csv.reader(io.StringIO(text)):
            if line and line[0] in values:
                values[line[0]][placeholder] = line[1]

    def _cell(self, column: str) -> str:
        text = self.path.read_text()
        number = re.search(r"(float|int) ?\{" + re.escape(column) + r"\}", text)
        return WORDS.get(column, "4" if number else f"c_{column}")

    def _inside(self, names: dict[str, str], row: dict[str, str]) -> None:
        run = f"{names['dataset']}/{names['run']}"
        values = {**row, **{f"{kind}_name": name for kind, name in names.items()}, "run_output_path": run,
                  "dataset_output_path": names["dataset"], "output_path": ""}  # fmt: skip
        spacings = self._spacings(names, values)
        if "published_run" not in run and any(
            "destination_glob" in s for _, _, s in self._sources("alignments")
        ):
            self.made.target.content[f"{run}/Alignments/100/alignment_metadata.json"] = b"{}"
        for section in self.data:
            if section in TOP or not isinstance(self.data[section], list):
                continue
            of_spacing = section in ("tomograms", "annotations")
            for spacing in spacings if of_spacing else [""]:
                inner = {**values, "voxel_spacing_name": spacing} if of_spacing else values
                where = {**names, "voxel_spacing": spacing} if of_spacing else names
                for i, j, source in self._sources(section):
                    if passes(source, where):
                        self._one(section, i, j, source, inner)

    def _spacings(self, names: dict[str, str], values: dict[str, str]) -> list[str]:
        found = []
        for _, _, source in self._sources("voxel_spacings"):
            if not passes(source, names):
                continue
            if "destination_glob" in source:
                run = f"{names['dataset']}/{names['run']}"
                self.made.target.content[f"{run}/Reconstructions/VoxelSpacing10.000/x.json"] = b"{}"
                found.append("10.000")
            for value in source.get("literal", {}).get("value", []):
                cell = fill(str(value), values).removeprefix("float").strip()
                found.append(f"{float(cell):.3f}")
            if "tomogram_header" in source:
                self._touch(fill(source["tomogram_header"]["list_glob"], values))
                found.append("7.000")
        return found

    def _one(self, section: str, i: int, j: int, source: dict[str, Any], values: dict[str, str]) -> None:
        kind, parameters = next((k, v) for k, v in source.items() if k not in ("parent_filters", "exclude"))
        globs = parameters.get("list_globs") or parameters.get("glob_strings") or [
            parameters.get("list_glob") or parameters.get("glob_string")]  # fmt: skip
        if kind not in ("literal", "destination_glob"):
            paths = [
                fill(g, values) for g in globs if all(values.get(name) for name in PLACEHOLDER.findall(g))
            ]
            paths = [path for path in paths if not self._elsewhere(path, values["run_name"])]
            if not paths:
                return
            for path in paths:
                match = parameters.get("match_regex", ".*")
                if not self._there(path, match):
                    self._touch(concrete(path, match, self.prefix, []))
        self.made.expected[(section, i, j)] = self.made.expected.get((section, i, j), 0) + 1


def passes(source: dict[str, Any], names: dict[str, str]) -> bool:
    filters = source.get("parent_filters", {})
    for kind, regexes in filters.get("exclude", {}).items():
        if any(re.search(regex, names[kind]) for regex in regexes):
            return False
    return all(
        any(re.search(regex, names[kind]) for regex in regexes)
        for kind, regexes in filters.get("include", {}).items()
    )


def excluded(source: dict[str, Any], name: str) -> bool:
    return any(re.match(regex, name) for regex in source.get("exclude", ()))
