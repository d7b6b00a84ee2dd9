"""What comes from the microscope: frames, gain references and tilt series of a run."""

from __future__ import annotations

from collections.abc import Iterable

from tomoportal.config import Source
from tomoportal.ingest import identity
from tomoportal.ingest.find import FoundItem
from tomoportal.ingest.plan.planning import RunPlanning
from tomoportal.ingest.references import Chosen, chosen, gain_name, paths
from tomoportal.ingest.task import Task
from tomoportal.layout.paths import SIDECARS, Key, folder, safe_name, sidecar
from tomoportal.problems import Problem

_RESERVED = (SIDECARS["frames"],)


def plan_acquisition(run: RunPlanning) -> dict[str, str]:
    """Plan everything up to the tilt series; gives those (sidecar → stem of the stack)."""
    movies = _movies(run)
    gains = _gains(run, movies)
    mdocs = _frames(run, movies, has_gains=gains)
    stacks = [item.path for item in _own(run, "tiltseries") if item.path]
    count = _count(run, movies)
    return {
        path: identity.stem(item.path or "")
        for item in run.items("tiltseries")
        if (path := _tiltseries(run, item, mdocs, stacks, count))
    }


def _own(run: RunPlanning, section: str) -> list[FoundItem]:
    """The items of a section that come from the source."""
    return [item for item in run.items(section) if not item.referenced]


def _movies(run: RunPlanning) -> list[tuple[FoundItem, list[str]]]:
    """Every source of frames with its files; a file that several find is the first one's, and an mdoc file is none."""
    items = _own(run, "frames")
    taken = set(_mdocs(run))
    found: list[tuple[FoundItem, list[str]]] = []
    for item in items:
        found.append((item, [path for path in dict.fromkeys(paths(item)) if path not in taken]))
        taken.update(found[-1][1])
    wanted = [(item.source, path, _base(path)) for item, files in found for path in files]
    good = _named_once(run, run.key.of("frames"), wanted)
    return [(item, [path for path in files if path in good]) for item, files in found]


def _count(run: RunPlanning, movies: list[tuple[FoundItem, list[str]]]) -> int:
    """The movies that there will be: those found, and published ones that stay."""
    key = run.key.of("frames")
    record = run.ids.ledger.get(key)
    found = [f"{folder(key)}/{_base(path)}" for _, files in movies for path in files]
    selection = run.state.selection
    if record is None or (selection.force and selection.takes(key, map(_base, found))):
        return len(found)
    return len({*found, *(path for path, file in record.files.items() if "image" in file)})


def _mdocs(run: RunPlanning) -> list[str]:
    return list(dict.fromkeys(path for item in run.items("collection_metadata") for path in paths(item)))


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _named_once(run: RunPlanning, place: Key, wanted: Iterable[tuple[Source, str, str]]) -> dict[str, str]:
    """Path → name in the layout of those files whose names can stand there; a problem for all that claim one name."""
    claims: dict[str, dict[str, Source]] = {}
    for source, path, name in wanted:
        claims.setdefault(name, {}).setdefault(path, source)
    good: dict[str, str] = {}
    for name, files in claims.items():
        (first, source), *others = files.items()
        if others:
            message = (
                f"{' and '.join(list(files)[:3])} would both become {folder(place)}/{name}; neither is taken"
            )
            hint = "Let the pattern or match_regex choose one, or give the files names of their own."
        elif not safe_name(name) or name in _RESERVED:
            message = f"{first} cannot be published under this name; it is left out"
            hint = "Rename it: a name must not be hidden, nor one that the portal itself gives."
        else:
            good[first] = name
            continue
        run.state.problems.append(
            Problem(
                "file-name", message, file=run.state.file, line=source.line, where=source.where, hint=hint
            )
        )
    return good


def _gains(run: RunPlanning, movies: list[tuple[FoundItem, list[str]]]) -> bool:
    """Plan the gain references; whether there are any."""
    items = _own(run, "gains")
    wanted = [(item.source, path, gain_name(path)) for item in items for path in paths(item)]
    key = run.key.of("gains")
    names = _named_once(run, key, wanted)
    if not names or _is_of_another(run, key, items[0]):
        record = run.ids.ledger.get(key)
        return bool(run.items("gains")) or (record is not None and record.published)
    first = next((files[:1] for _, files in movies if files), [])
    inputs = {"gains": run.inputs(names), "frame": run.inputs(first)}
    parameters = {"names": list(names.values())}
    who = {"deposition_id": run.state.deposition}
    run.add(Task(key, who, inputs, parameters, {}, where=run.state.place(items[0].source)))
    return True


def _frames(run: RunPlanning, movies: list[tuple[FoundItem, list[str]]], *, has_gains: bool) -> list[str]:
    """Plan the frames; gives the mdoc files that tilt series can rely on: none where the frames they name are left out."""
    mdocs = _mdocs(run)
    key = run.key.of("frames")
    if not movies or not (mdocs or any(files for _, files in movies)):
        return mdocs if run.items("frames") else []
    if _is_of_another(run, key, movies[0][0]):
        return mdocs
    sources = [dict(item.metadata or {}) for item, _ in movies]
    inputs = {f"source{number}": run.inputs(files) for number, (_, files) in enumerate(movies)}
    inputs = {"mdoc": run.inputs(mdocs), **{role: files for role, files in inputs.items() if files}}
    stated = [{name: one.get(name) for name in ("dose_rate", "is_gain_corrected")} for one in sources]
    parameters = {"sources": stated, "has_gains": has_gains}
    who = {"deposition_id": run.state.deposition}
    run.add(Task(key, who, inputs, parameters, sources[0], where=run.state.place(movies[0][0].source)))
    return mdocs


def _is_of_another(run: RunPlanning, key: Key, item: FoundItem) -> bool:
    """Whether another deposition has published what a run has only once; that stays, which is told."""
    other = run.state.other_owner(run.ids.ledger.get(key))
    if other is None:
        return False
    run.state.problems.append(
        Problem(
            "published-by-another",
            f"{folder(key)} was published by deposition {other}; it stays as it is, and this is left out",
            file=run.state.file, line=item.source.line, where=item.source.where,
            hint="Correct it in that deposition, or leave the run out with parent_filters.",
        )
    )  # fmt: skip
    return True


def _tiltseries(
    run: RunPlanning, item: FoundItem, mdocs: list[str], stacks: list[str], movies: int
) -> str | None:
    """Plan a tilt series; gives the path of its sidecar."""
    if item.referenced or item.path is None:
        return item.path
    metadata = dict(item.metadata or {})
    who = identity.of_tiltseries(run.state.deposition, metadata, item.path)
    key = run.claim(run.key.of("tiltseries"), who, item)
    if key is None:
        return None
    angles = _chosen(run, "rawtilts", item.path, stacks)
    ctfs = _chosen(run, "ctfs", item.path, stacks)
    inputs = {
        "stack": run.inputs([item.path]),
        "mdoc": run.inputs(mdocs),
        "angles": run.inputs(angles.files),
        "ctf": run.inputs(ctfs.files),
    }
    parameters = {
        "pixel_spacing": metadata.get("pixel_spacing"),
        "others": [stack for stack in stacks if stack != item.path],
        "passed_over": {"angles": angles.passed_over, "ctf": ctfs.passed_over},
        "ctf_format": _ctf_format(run, ctfs.files),
        "dose_rate": next((dict(one.metadata or {}).get("dose_rate") for one in _own(run, "frames")), None),
    }
    links = {"frames_count": movies}
    run.add(Task(key, who, inputs, parameters, metadata, links, run.state.place(item.source)))
    return sidecar(key)


def _chosen(run: RunPlanning, section: str, stack: str, stacks: list[str]) -> Chosen:
    return chosen([path for item in _own(run, section) for path in paths(item)], stack, stacks)


def _ctf_format(run: RunPlanning, files: list[str]) -> str | None:
    """What the deposition file says that the CTF estimates are written by."""
    for item in _own(run, "ctfs"):
        if set(files) & set(paths(item)):
            return dict(item.metadata or {}).get("format")
    return None
