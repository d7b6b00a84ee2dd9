"""A small source tree in which every pattern of a deposition file finds valid files (imports nothing of ours).

First it is decided which paths there are and for what (`Plan`), then they are written. Names come from the tables beside the file
where there are any, from what parent filters ask for, and else from the regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from configs.enumerator import fits
from configs.name_samples import concrete, safe, sample
from configs.plain_config import (
    OF_SPACING,
    PlainConfig,
    PlainSource,
    filled,
    names_of,
    number,
    spacing_folder,
)
from configs.tree_files import Wanted, evenly, write
from configs.tree_tables import ENDINGS, TableMaker, beside

IMAGES = 5
"""Images of a tilt series."""


@dataclass
class Built:
    """`runs`: dataset → runs; `spacings`: voxel spacings that references expect in the portal, by dataset and run."""

    source: Path
    runs: dict[str, list[str]] = field(default_factory=dict)
    spacings: dict[tuple[str, str], set[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Start:
    """A run to be, and the path that makes the finder see it."""

    name: str
    path: str | None
    source: PlainSource


def build(config: PlainConfig, folder: Path) -> Built:
    """Write the tree below `folder`, which becomes the source."""
    return _Builder(config, folder).build()


class _Builder:
    def __init__(self, config: PlainConfig, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.made = Built(folder)
        self.wanted: dict[str, Wanted] = {}
        self.maker = TableMaker(config)
        self.starts: dict[str, dict[str, _Start]] = {}

    def build(self) -> Built:
        deposition = self.config.literals("depositions")[0]
        real = self.config.run_rows(lambda name: beside(self.config, name))
        for dataset in self._datasets():
            names = {"deposition": deposition, "dataset": dataset}
            self.starts[dataset] = self._runs(names, list(real))
            self.made.runs[dataset] = list(self.starts[dataset])
        runs = list(dict.fromkeys(run for found in self.starts.values() for run in found))
        rows = self.maker.rows(runs, real)
        for starts in self.starts.values():
            for start in starts.values():
                if start.path:
                    self._claim(start.path, Wanted("runs"))
        for dataset, starts in self.starts.items():
            for run in starts:
                self._run({"deposition": deposition, "dataset": dataset, "run": run}, rows.get(run, {}))
        self._pictures()
        self._write()
        return self.made

    def _datasets(self) -> list[str]:
        found = self.config.literals("datasets")
        for source in self.config.sources("datasets"):
            for glob in source.globs:
                tries = [*self._asked("dataset"), glob, "10444", "10144", sample(source.match)]
                good = [
                    name
                    for name in tries
                    if safe(name) and fits([glob], [name]) and re.search(source.match, f"/{name}")
                ]
                found += good[:2]
        return list(dict.fromkeys(found))

    def _asked(self, kind: str, *, spared: bool = True) -> list[str]:
        """Names of ancestors that parent filters ask for and, with `spared`, then those that they leave out."""
        sources = [
            source
            for section in (*self.config.inner, "runs", "voxel_spacings")
            for source in self.config.sources(section)
        ]
        wanted = [regex for source in sources for regex in source.include.get(kind, ())]
        others = (
            [regex for source in sources for regex in source.exclude_parents.get(kind, ())] if spared else []
        )
        return list(dict.fromkeys(sample(regex) for regex in (*wanted, *others)))

    def _runs(self, names: dict[str, str], real: list[str]) -> dict[str, _Start]:
        """Two runs or one of every source of runs, chosen so that as many sources as possible apply to one of them."""
        usable = [source for source in self.config.sources("runs") if source.passes(names)]
        chosen: dict[str, _Start] = {}
        for source in sorted(usable, key=lambda source: str(source.globs).count("/")):
            mine = {start.name: start for start in self._possible(source, names, real)}
            everything = source.kind == "literal"
            for _ in range(len(mine) if everything else 2 if len(usable) == 1 else 1):
                free = [start for start in mine.values() if start.name not in chosen]
                if best := max(
                    free, key=lambda start: self._worth(names, chosen, start, len(usable)), default=None
                ):
                    chosen[best.name] = best
        return chosen

    def _worth(
        self, names: dict[str, str], chosen: Iterable[str], start: _Start, sources: int
    ) -> tuple[bool, int]:
        """Among several sources of runs whether a filter asks for the run by name; how many sources apply to it or one chosen."""
        asked = sources > 1 and start.name in self._asked("run", spared=False)
        return asked, len(self._applying(names, [*chosen, start.name]))

    def _applying(self, names: dict[str, str], runs: Iterable[str]) -> set[tuple[str, int, int]]:
        return {
            source.place
            for section in (*self.config.inner, "voxel_spacings")
            for source in self.config.sources(section)
            for run in runs
            if source.passes({**names, "run": run})
        }

    def _possible(self, source: PlainSource, names: dict[str, str], real: list[str]) -> list[_Start]:
        if source.kind == "literal":
            return [_Start(str(value), None, source) for value in source.parameters["value"]]
        if source.is_reference:
            return [_Start(name, None, source) for name in ("published_1", "published_2")]
        (glob,) = source.globs
        pattern = filled(glob, names_of(names.items()))
        assert pattern
        folder, _, last = pattern.rpartition("/")
        regex = source.parameters.get("name_regex") or "(.*)"
        tries = [*self._asked("run"), *real]
        bases = [sample(regex, name) for name in tries] + tries
        bases += [sample(regex, f"run_{letter}") for letter in "ab"] + [
            last.replace("*", f"run{letter}") for letter in "ab"
        ]
        bases += [
            sample(source.match, turn=turn).rpartition("/")[2] + end for turn in (0, 1) for end in ("", "y")
        ]
        bases += [sample(regex, turn=turn) for turn in (0, 1)]
        found: dict[str, _Start] = {}
        for base in bases:
            name = re.match(regex, base)
            if not name or "/" in base or not fits([last], [base]) or source.excludes(name[1]):
                continue
            where = folder.replace("*", name[1])
            path = f"{where}/{base}" if where else base
            if re.search(source.match, f"/{self._full(path)}"):
                found.setdefault(name[1], _Start(name[1], path, source))
        assert found, f"no run for {pattern}"
        return list(found.values())

    def _full(self, path: str) -> str:
        return f"{self.config.prefix}/{path}" if self.config.prefix else path

    def _run(self, names: dict[str, str], row: dict[str, str]) -> None:
        spacings = self._spacings(names, row)
        where = names["dataset"], names["run"]
        self.made.spacings[where] = spacings
        order = sorted(self.config.inner, key=lambda section: section == "collection_metadata")
        for section in order:
            for spacing in sorted(spacings) if section in OF_SPACING else [None]:
                inner = names if spacing is None else {**names, "voxel_spacing": spacing_folder(spacing)}
                for source in self.config.sources(section):
                    if source.passes(inner) and source.kind != "literal" and not source.is_reference:
                        self._source(source, inner, row, spacing)

    def _spacings(self, names: dict[str, str], row: dict[str, str]) -> set[float]:
        found: set[float] = set()
        for source in self.config.sources("voxel_spacings"):
            if not source.passes(names):
                continue
            if source.kind == "literal":
                found |= {
                    value for one in source.parameters["value"] if (value := number(one, row)) is not None
                }
            elif source.is_reference:
                found.add(10.0)
            else:
                stated = [
                    number(one["metadata"]["voxel_spacing"], row) for one in self.config.entries("tomograms")
                ]
                found |= {value for value in stated if value is not None}
        return found

    def _source(
        self, source: PlainSource, names: dict[str, str], row: dict[str, str], spacing: float | None
    ) -> None:
        values = {**row, **names_of(names.items())}
        for place, glob in enumerate(source.globs):
            pattern = filled(glob, values)
            if pattern is None:
                continue
            wanted = self._content(source, names, row, spacing)
            existing = [
                path
                for path in self.wanted
                if fits(_parts(pattern), path.split("/")) and re.search(source.match, f"/{self._full(path)}")
            ]
            if existing:
                for path in existing:
                    self._claim(path, wanted)
            for path in () if existing else self._concrete(source, pattern, names["run"], place):
                if not self._would_be_another_run(path, names):
                    self._claim(path, wanted)

    def _content(
        self, source: PlainSource, names: dict[str, str], row: dict[str, str], spacing: float | None
    ) -> Wanted:
        stacks = [one.get("metadata") or {} for one in self.config.entries("tiltseries")]
        stack = next((dict(one) for one in stacks), {})
        for one in self.config.sources("tiltseries"):
            if one.passes(names):
                stack = dict(one.metadata)
                break
        tilts = stack.get("tilt_range") or {}
        low, high = number(tilts.get("min"), row) or -40.0, number(tilts.get("max"), row) or 40.0
        pixel = number(stack.get("pixel_spacing"), row) or 2.5
        wanted = Wanted(source.section, spacing=spacing or pixel, angles=evenly(low, high, IMAGES),
                        tilt_axis=number(stack.get("tilt_axis"), row) or 0.0)  # fmt: skip
        if source.section == "tomograms":
            wanted.spacing = number(source.metadata.get("voxel_spacing"), row) or spacing or 10.0
        elif source.section == "collection_metadata":
            wanted.frames = self._frames_of(names, row)
        elif source.section == "ctfs":
            wanted.kind = str(source.metadata.get("format"))
        elif source.section == "identified_objects":
            wanted.names = {names["run"]}
        elif source.section == "annotations":
            given = source.parameters
            wanted.kind = str(given.get("file_format"))
            wanted.labels = {int(given.get("mask_label") or 1)}
            wanted.threshold = given.get("threshold")
            wanted.delimiter = given.get("delimiter") or ","
            wanted.binning = float(given.get("binning") or 1)
            value = filled(str(given.get("filter_value") or ""), {**row, **names_of(names.items())})
            wanted.names = {value} if value else set()
        return wanted

    def _frames_of(self, names: dict[str, str], row: dict[str, str]) -> list[str]:
        """Names of the frame files of a run, in the order of the patterns."""
        values = {**row, **names_of(names.items())}
        found = []
        for source in self.config.sources("frames"):
            for glob in source.globs if source.passes(names) else ():
                pattern = filled(glob, values)
                found += [
                    path.rpartition("/")[2] for path in self.wanted
                    if pattern and fits(_parts(pattern), path.split("/")) and re.search(source.match, f"/{self._full(path)}")
                ]  # fmt: skip
        return found

    def _concrete(self, source: PlainSource, pattern: str, run: str, glob: int) -> list[str]:
        """Paths that fit the pattern and `match_regex`: one, and of frames one for every image; no name twice among the patterns
        of a source."""
        *folders, last = pattern.split("/")
        where = ["inner" if part == "**" else concrete(part, run) for part in folders]
        if source.section == "frames" and ("*" in last or "|" in source.match):
            alternatives = re.findall(r"[^(|)]+", source.match) if "|" in source.match else []
            names = [sample(regex) for regex in alternatives[:IMAGES]]
            names = names or [
                self._last(source, where, last, f"{run}_{glob}{turn:02d}") for turn in range(IMAGES)
            ]
            return ["/".join([*where, name]) for name in names]
        return ["/".join([*where, self._last(source, where, last, run)])]

    def _last(self, source: PlainSource, where: list[str], last: str, run: str) -> str:
        ending = ENDINGS.get(source.section, "")
        tries = [last] if not re.search(r"[*?\[]", last) else []
        for stem in (run, f"{run}_1", "1", "x"):
            base = concrete(last, stem)
            tries += (
                [base, f"{base}{ending}", f"{base}.mrc", f"{base}.st", f"{base}.tif"]
                if last == "*"
                else [base]
            )
        tries.append(sample(source.match).rpartition("/")[2])
        for name in tries if last != "*" else tries[1:]:
            path = "/".join([*where, name])
            if fits([last], [name]) and re.search(source.match, f"/{self._full(path)}"):
                return name
        raise AssertionError(f"no name for {last} with {source.match}")

    def _would_be_another_run(self, path: str, names: dict[str, str]) -> bool:
        """Whether the path lies in what would be seen as another run, or as this one found elsewhere."""
        ways = [path[:end] for end in (*(m.start() for m in re.finditer("/", path)), len(path))]
        for source in self.config.sources("runs"):
            for glob in source.globs if not source.is_reference and source.passes(names) else ():
                pattern = filled(glob, names_of(names.items()))
                for way in ways:
                    known = {start.path for starts in self.starts.values() for start in starts.values()}
                    base = way.rpartition("/")[2]
                    if (
                        pattern and way not in known and fits(_parts(pattern), way.split("/"))
                        and re.search(source.match, f"/{self._full(way)}")
                        and (found := re.match(source.parameters.get("name_regex") or "(.*)", base))
                        and not source.excludes(found[1])
                    ):  # fmt: skip
                        return True
        return False

    def _claim(self, path: str, wanted: Wanted) -> None:
        known = self.wanted.get(path)
        if known is None or known.section == "runs":
            self.wanted[path] = wanted
        elif known.section == wanted.section:
            known.labels |= wanted.labels
            known.names |= wanted.names
            known.threshold = known.threshold if wanted.threshold is None else wanted.threshold

    def _pictures(self) -> None:
        for section in ("dataset_keyphotos", "deposition_keyphotos"):
            for source in self.config.sources(section):
                values = source.parameters.get("value") if source.kind == "literal" else None
                for path in (values or {}).values() if isinstance(values, dict) else ():
                    if path and "://" not in path:
                        write(self.folder / path, Wanted("pictures"))

    def _write(self) -> None:
        folders = {path.rpartition("/")[0] for path in self.wanted}
        for dataset in self.starts:
            if any(not source.is_reference and source.globs for source in self.config.sources("datasets")):
                (self.folder / self._full(dataset)).mkdir(parents=True, exist_ok=True)
        for path, wanted in self.wanted.items():
            file = self.folder / self._full(path)
            if wanted.section == "runs" and (
                "." not in path or any(way == path or way.startswith(f"{path}/") for way in folders)
            ):
                file.mkdir(parents=True, exist_ok=True)
            else:
                write(file, wanted)
        for name, text in self.maker.tables.items():
            file = self.folder / self._full(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def _parts(pattern: str) -> list[str]:
    return [part for part in pattern.split("/") if part not in ("", ".")]
