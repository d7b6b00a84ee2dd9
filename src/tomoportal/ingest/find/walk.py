"""The walk from the deposition down: deposition → datasets → runs → their items and voxel spacings → items of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tomoportal.config import Config, Entry, Finder, Source
from tomoportal.config.placeholders import Unknown, expand_value, names_in
from tomoportal.config.sections import GROUPED, SECTIONS
from tomoportal.ingest.find.absences import STORAGE_HINT, looked_for, no_match
from tomoportal.ingest.find.context import Context, known_placeholders
from tomoportal.ingest.find.filling import Filling
from tomoportal.ingest.find.findings import Findings
from tomoportal.ingest.find.found import (
    Found,
    FoundDataset,
    FoundDeposition,
    FoundItem,
    FoundRun,
    FoundSpacing,
)
from tomoportal.ingest.find.headers import header_reader
from tomoportal.ingest.find.listing import Listing
from tomoportal.ingest.find.objects import ObjectTables
from tomoportal.ingest.find.places import Target, source_place
from tomoportal.ingest.find.sources import Hit, Seeker, VoxelSize, passes, static_folder, unknown_names
from tomoportal.ingest.find.tables import Tables, read_tables
from tomoportal.layout.paths import Key, safe_name, safe_run_name, spacing_name
from tomoportal.problems import Severity, in_order
from tomoportal.storage import Storage

_TOP = ("depositions", "datasets", "runs", "voxel_spacings", "deposition_keyphotos", "dataset_keyphotos")
_OF_SPACING = ("tomograms", "annotations")
_OF_RUN = tuple(name for name in SECTIONS if name not in (*_TOP, *_OF_SPACING, "key_images"))
_WANTED = ("tiltseries", "rawtilts", "collection_metadata", "alignments", "tomograms")
"""Sections of which every run is expected to have something once the file has them."""


def find(config: Config, source: Storage, target: Storage, voxel_size: VoxelSize | None = None) -> Found:
    """What the deposition file names in `source` (a storage under which `source_prefix` lies) and, for references, in `target`.

    Writes nothing. `voxel_size` opens headers for `tomogram_header` (as MRC, unless given). The order is that of the file,
    and of paths within a source. Raises `StorageError` when a storage fails.
    """
    findings = Findings(config)
    tables = read_tables(config, source, findings)
    globs = [
        glob
        for entries in config.sections.values()
        for entry in entries
        for item in entry.sources
        if not item.references
        for glob in item.globs
    ]
    place = source_place(source, config.standardization.source_prefix, map(static_folder, globs))
    seeker = Seeker(config, place, Target(target), findings, voxel_size or header_reader(source), tables)
    objects = ObjectTables(source, target, findings)
    walk = _Walk(config, seeker, tables, findings, objects, Filling(tables, findings))
    deposition = walk.deposition()
    walk.tell_absences()
    for path in sorted(source.unfollowed):
        findings.add("link-outside", "standardization_config.source_prefix", _LINK, example=path,
                     severity=Severity.WARNING, hint=_LINK_HINT)  # fmt: skip
    for path in sorted(source.unnameable):
        findings.add("name-not-usable", "standardization_config.source_prefix", _NAME, example=path,
                     severity=Severity.WARNING, hint=_NAME_HINT)  # fmt: skip
    return Found(config, deposition, tuple(in_order(findings.problems())), Listing(source, place))


@dataclass
class _Walk:
    config: Config
    seeker: Seeker
    tables: Tables
    findings: Findings
    objects: ObjectTables
    filling: Filling
    _usable: dict[str, bool] = field(default_factory=dict)
    _looked: dict[str, Context] = field(default_factory=dict)
    _hits: dict[str, int] = field(default_factory=dict)

    def deposition(self) -> FoundDeposition | None:
        """The one deposition of the file."""
        found = [
            (entry, hit.name)
            for entry, source in self._sources("depositions")
            for hit in self._look("depositions", source, Context())
        ]
        if len(found) != 1 or not safe_name(found[0][1]):
            names = ", ".join(name for _, name in found) or "none"
            self.findings.add("deposition", "depositions", f"found {names}; expected exactly one deposition",
                              hint="Give each deposition a file of its own.")  # fmt: skip
            return None
        entry, name = found[0]
        key = Key("deposition", deposition=name)
        context = Context(key=key).inside("deposition", name, None, key)
        datasets = tuple(self._datasets(context))
        if not datasets and self.config.entries("datasets"):
            self.findings.add("no-dataset", "datasets", "no dataset was found; expected at least one")
        if datasets and not any(dataset.runs for dataset in datasets):
            self._tell_no_run(datasets, context)
        items = self._items(("deposition_keyphotos",), context)
        return FoundDeposition(name, entry, entry.metadata, entry.metadata is not None, datasets, items)

    def _tell_no_run(self, datasets: tuple[FoundDataset, ...], context: Context) -> None:
        sources = [source for _, source in self._sources("runs")]
        absent = [dataset.name for dataset in datasets if not self.seeker.target.has_folder(dataset.name)]
        if absent and any(source.references for source in sources):
            for source in sources:
                self._looked.pop(source.where, None)
            be = "datasets {} are" if len(absent) > 1 else "dataset {} is"
            message = f"{be.format(', '.join(absent))} not in the portal at {self.seeker.target.url}"
            self.findings.add("no-run", "runs", message, hint=STORAGE_HINT)
            return
        inner = self._inside_dataset(datasets[0].name, None, context)
        prefix = self.config.standardization.source_prefix
        self.findings.add("no-run", "runs", "no run was found; expected at least one",
                          hint=looked_for(sources, inner, prefix, self.seeker.target.url))  # fmt: skip

    def _datasets(self, context: Context) -> Iterator[FoundDataset]:
        taken: set[str] = set()
        for entry, source in self._sources("datasets"):
            for hit in self._look("datasets", source, context):
                if not safe_run_name(hit.name):
                    self.findings.add("unsafe-name", source.where, "this cannot be the name of a dataset",
                                      example=repr(hit.name), hint=_SAFE)  # fmt: skip
                elif hit.name in taken:
                    self.findings.add(
                        "name-claimed-twice", source.where, "a dataset is named twice", example=hit.name
                    )
                else:
                    taken.add(hit.name)
                    yield self._dataset(entry, source, hit, context)

    def _dataset(self, entry: Entry, source: Source, hit: Hit, context: Context) -> FoundDataset:
        inner = self._inside_dataset(hit.name, self._relative(hit.path, source), context)
        imported = entry.metadata is not None and not source.references
        runs = tuple(self._runs(inner))
        items = self._items(("dataset_keyphotos",), inner)
        return FoundDataset(hit.name, entry, entry.metadata, imported, runs, items)

    def _inside_dataset(self, name: str, path: str | None, context: Context) -> Context:
        return context.inside("dataset", name, path, Key("dataset", context.names["deposition"], name))

    def _runs(self, context: Context) -> Iterator[FoundRun]:
        claims: dict[str, list[tuple[Source, Hit]]] = {}
        for _, source in self._sources("runs"):
            for hit in self._look("runs", source, context):
                if safe_run_name(hit.name):
                    claims.setdefault(hit.name, []).append((source, hit))
                else:
                    self.findings.add("unsafe-name", source.where, "this cannot be the name of a run, which is left out",
                                      example=f"{hit.name!r} from {hit.path}" if hit.path else repr(hit.name), hint=_SAFE)  # fmt: skip
        for name, claimed in claims.items():
            source, hit = claimed[0]
            files = list(dict.fromkeys(other.path or other.name for _, other in claimed))
            if len(files) > 1:
                self.seeker.clash(source, name, files, context)
            else:
                yield self._run(source, hit, context)

    def _run(self, source: Source, hit: Hit, context: Context) -> FoundRun:
        key = Key("run", context.names["deposition"], context.names["dataset"], hit.name)
        path = self._relative(hit.path, source)
        inner = context.inside("run", hit.name, path, key, self.tables.values(hit.name))
        return FoundRun(
            name=hit.name,
            path=hit.path,
            referenced=source.references,
            variables=inner.values,
            row=self.tables.row(hit.name),
            items=self._items(_OF_RUN, inner),
            spacings=tuple(self._spacings(inner)),
        )

    def _spacings(self, context: Context) -> Iterator[FoundSpacing]:
        taken: set[str] = set()
        for _, source in self._sources("voxel_spacings"):
            for hit in self._look("voxel_spacings", source, context):
                value = self._spacing_value(hit, source, context)
                if value is None:
                    continue
                name = spacing_name(value)
                self._tell_rounded(value, name, source, context)
                if name in taken:
                    continue
                taken.add(name)
                inner = context.inside(
                    "voxel_spacing", name, self._relative(hit.path, source), _spacing_key(context, name)
                )
                items = self._items(_OF_SPACING, inner)
                pictures = tuple(self._key_images(items.get("tomograms", ()), inner))
                items = {**items, "key_images": pictures} if pictures else items
                yield FoundSpacing(name, round(value, 3), items, source.references)

    def _key_images(self, tomograms: tuple[FoundItem, ...], context: Context) -> Iterator[FoundItem]:
        """Pictures from files; `parameters` name the tomogram that each of them shows."""
        for tomogram in tomograms if self.config.entries("key_images") else ():
            inner = context.beside("tomogram", tomogram.name, self._relative(tomogram.path, tomogram.source))
            for item in self._items(("key_images",), inner).get("key_images", ()):
                if item.path:
                    yield replace(item, parameters={"tomogram": tomogram.path})

    def _tell_rounded(self, value: float, name: str, source: Source, context: Context) -> None:
        """Headers hold single precision, whose noise is not worth a word."""
        noise = 1e-4 if source.finder is Finder.TOMOGRAM_HEADER else 0
        if abs(value - float(name)) > noise:
            self.findings.add(
                "voxel-spacing-rounded", source.where, "voxel spacings are taken with three decimals",
                example=f"{value:.10g} as {name} in {context.label}", severity=Severity.WARNING,
            )  # fmt: skip

    def _spacing_value(self, hit: Hit, source: Source, context: Context) -> float | None:
        try:
            value = float(expand_value(hit.name, context.values)) if "{" in hit.name else float(hit.name)
            if 0.001 <= value < 1e6:
                return value
            fault = f"found '{hit.name}', expected a voxel spacing in Å of at least 0.001"
        except Unknown as name:
            fault = self.tables.absence(str(name), context.names.get("run"))
        except ValueError:
            given = context.values.get(names_in(hit.name)[0]) if "{" in hit.name else hit.name
            fault = f"found '{given}' for '{hit.name}', expected a voxel spacing in Å"
        self.findings.add("voxel-spacing", source.where, fault, example=context.label)
        return None

    def _items(self, sections: tuple[str, ...], context: Context) -> Mapping[str, tuple[FoundItem, ...]]:
        found: dict[str, tuple[FoundItem, ...]] = {}
        for section in sections:
            asked, spoiled = False, False
            items: list[FoundItem] = []
            for entry, source in self._sources(section):
                asked = asked or passes(source, context.names)
                hits = self._look(section, source, context)
                made = list(self._made(entry, source, hits, context))
                items.extend(made)
                spoiled = spoiled or bool(hits and not made) or not self._can_use(section, source)
            if not items and section == "frames":
                items.extend(self._frames_without_files(context))
            if items:
                found[section] = tuple(items)
            elif asked and not spoiled and section in _WANTED:
                self.findings.add(
                    "nothing-found", section, f"nothing was found for {section} of these", example=context.label,
                    severity=Severity.WARNING, hint="If they really have none, leave them out with parent_filters.",
                )  # fmt: skip
        return found

    def _frames_without_files(self, context: Context) -> Iterator[FoundItem]:
        """What the literal `[default]` gives: frames are published as the mdoc files name them, whether their files are there
        or not."""
        for entry in self.config.entries("frames"):
            for source in entry.sources or (_default(entry),):
                if source.references or not passes(source, context.names):
                    continue
                if entry.sources:
                    self.findings.add(
                        "nothing-found", source.where, "nothing was found for frames of these", example=context.label,
                        severity=Severity.WARNING, hint="Frames are published as the mdoc files name them. If there are no frame "
                        "files, say so with the source literal [default].",
                    )  # fmt: skip
                yield from self._made(entry, source, [Hit("default", None)], context)
                return

    def _made(self, entry: Entry, source: Source, hits: list[Hit], context: Context) -> Iterator[FoundItem]:
        if not hits:
            return
        metadata, good = self.filling.metadata(entry, context)
        parameters = self.filling.parameters(source, context)
        if not good or parameters is None:
            return
        rest: dict[str, Any] = {
            "referenced": source.references,
            "metadata": metadata,
            "parameters": parameters,
        }
        if entry.section in GROUPED and source.finder is not Finder.LITERAL:
            files = tuple(hit.path for hit in hits if hit.path)
            name = ",".join(file.rpartition("/")[2] for file in files)
            yield FoundItem(entry, source, name, files[0] if len(files) == 1 else None, files, **rest)
            return
        for hit in hits:
            if entry.section == "identified_objects" and hit.path and not source.references:
                rest["parameters"] = self.objects.of(hit.path, context.names["run"], source, context.label)
            yield FoundItem(entry, source, hit.name, hit.path, (hit.path,) if hit.path else (), **rest)

    def _look(self, section: str, source: Source, context: Context) -> list[Hit]:
        if not self._can_use(section, source):
            return []
        hits = self.seeker.hits(section, source, context)
        if passes(source, context.names):
            self._looked.setdefault(source.where, context)
        self._hits[source.where] = self._hits.get(source.where, 0) + len(hits)
        return hits

    def _can_use(self, section: str, source: Source) -> bool:
        """Whether all placeholders of the source have a meaning here; said once when not."""
        if source.where not in self._usable:
            known = known_placeholders(section, self.tables.columns)
            names = [name for name, _ in source.values] if section == "voxel_spacings" else []
            templates = (*source.globs, *names)
            unknown = unknown_names(templates, known)
            for name in unknown if self.tables.complete else ():
                self.findings.add("unknown-placeholder", source.where, f"nothing gives {{{name}}} a value",
                                  hint=f"Known here: {', '.join(known)}.")  # fmt: skip
            self._usable[source.where] = not unknown
        return self._usable[source.where]

    def _sources(self, section: str) -> Iterator[tuple[Entry, Source]]:
        for entry in self.config.entries(section):
            for source in entry.sources:
                yield entry, source

    def _relative(self, path: str | None, source: Source) -> str | None:
        prefix = self.config.standardization.source_prefix
        if path is None or source.references or not prefix:
            return path
        return path.removeprefix(f"{prefix}/")

    def tell_absences(self) -> None:
        """Sources that were looked at and gave nothing anywhere. Pictures may be null: then that of the first tomogram is taken."""
        for section in self.config.sections:
            for _, source in self._sources(section):
                if (
                    self._hits.get(source.where)
                    or source.where in self.seeker.clashed
                    or source.where not in self._looked
                    or (source.finder is Finder.LITERAL and not source.values)
                ):
                    continue
                if self._usable.get(source.where):
                    message, hint = no_match(source, self._looked[source.where], self.seeker.target.url)
                    self.findings.add("empty", source.where, message, severity=Severity.WARNING, hint=hint)


_LINK = "links in the source that lead out of it, in a circle, or nowhere, are not followed"
_LINK_HINT = "Copy the files, or let --source name a folder that holds both the links and what they lead to."
_NAME = (
    "names with control characters, or with bytes that are not UTF-8, cannot be published; these are left out"
)
_NAME_HINT = "Rename them if a pattern should find them."
_SAFE = "A name must be one path segment without control characters, not hidden, and neither Images nor the name of a metadata file."


def _default(entry: Entry) -> Source:
    """The source of frames without any."""
    return Source(entry.where, entry.line, Finder.LITERAL, values=(("default", None),))


def _spacing_key(context: Context, name: str) -> Key:
    return Key(
        "voxel_spacing", context.names["deposition"], context.names["dataset"], context.names["run"], name
    )
