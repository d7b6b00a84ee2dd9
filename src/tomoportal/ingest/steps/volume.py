"""What tilt series, tomograms and masks have in common: a volume becomes OME-Zarr and MRC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tomoportal.errors import FormatError, SourceError
from tomoportal.ingest.depositor import of_the_depositor
from tomoportal.ingest.find.places import folder_input
from tomoportal.ingest.task import Input, Work
from tomoportal.ingest.volumes import (
    MaskRecipe,
    Slab,
    Source,
    VolumeFacts,
    VolumeKind,
    open_source,
    write_volume,
)
from tomoportal.ingest.volumes.remote import open_remote
from tomoportal.layout.paths import folder
from tomoportal.layout.sums import sums_path
from tomoportal.problems import Problem, Severity


@contextmanager
def opened(work: Work, file: Input) -> Iterator[Source]:
    """The volume of an input, from this machine's disk or by ranges from a remote storage. Raises `SourceError` when the input is
    not, or afterwards is no longer, what was listed."""
    with ExitStack() as stack:
        local = work.source.local_path(file.path)
        if local is not None:
            source = open_source(local, name=file.path, scratch=work.scratch)
        else:
            source = stack.enter_context(open_remote(work.source, file.path, file.size, work.scratch))
        yield source
    _check_unchanged(work, file, is_folder=source.format == "zarr")


def _check_unchanged(work: Work, file: Input, *, is_folder: bool) -> None:
    with of_the_depositor(file.path):
        if is_folder:
            now = folder_input(work.source.storage, file.path)
        else:
            entry = work.source.storage.stat(file.path)
            now = Input(file.path, entry.size, entry.tag)
    if now != file:
        raise SourceError(
            file.path, f"it changed while it was being read (it had {file.size} bytes, and has {now.size}).",
            "Run the same command again.",
        )  # fmt: skip


@contextmanager
def only_input(work: Work, role: str) -> Iterator[Source]:
    """The volume of the single input of this role."""
    with opened(work, work.task.inputs[role][0]) as source:
        yield source


def write(
    work: Work, source: Source, name: str, spacing: float, kind: VolumeKind, recipe: MaskRecipe | None = None
) -> tuple[VolumeFacts, Slab, dict[str, dict[str, Any]]]:
    """Stage `[name].zarr` and `[name].mrc` in the task's folder; gives facts, slab, and the entries for `Outcome.files`, without the
    MRC if no type of that format holds the values."""
    home = folder(work.task.key)
    zarr, mrc = f"{home}/{name}.zarr", f"{home}/{name}.mrc"
    facts, slab = write_volume(
        source,
        spacing=spacing,
        kind=kind,
        zarr_dir=work.place(zarr),
        mrc_file=work.place(mrc),
        sums_file=work.place(sums_path(zarr)),
        recipe=recipe,
        threads=work.threads,
        budget=work.budget,
        progress=work.progress,
        scratch=work.scratch,
    )
    files = {
        zarr: {"size": facts.zarr_size, "count": facts.zarr_files, "probe": ".zattrs", "sha256": None},
        **({mrc: {"size": facts.mrc_size, "sha256": facts.mrc_sha256}} if facts.mrc_size else {}),
    }
    return facts, slab, files


def described(facts: VolumeFacts, name: str, home: str) -> dict[str, Any]:
    """What a sidecar says about a written volume. Sizes are objects with x, y, z."""
    scales = [axes(shape) for shape in facts.levels]
    return {
        "scales": scales,
        "size": scales[0],
        "omezarr_dir": f"{home}/{name}.zarr",
        "mrc_file": f"{home}/{name}.mrc",
        "file_sizes": {"omezarr": facts.zarr_size, "mrc": facts.mrc_size},
    }


def axes(shape: tuple[int, ...]) -> dict[str, int]:
    """A shape (z, y, x) by name."""
    return dict(zip("zyx", shape, strict=True))


def tomogram_shape(work: Work) -> tuple[tuple[int, int, int] | None, list[Problem]]:
    """The shape (z, y, x) of the tomogram that a task refers to, planned with it or published before; None without one, and
    with a problem when it cannot be read: that tomogram fails on its own, what refers to it does not."""
    if known := work.task.parameters.get("tomogram_shape"):
        z, y, x = known
        return (z, y, x), []
    if not work.task.inputs.get("tomogram"):
        return None, []
    try:
        with only_input(work, "tomogram") as source:
            return source.shape, []
    except SourceError as error:
        message = "the tomogram cannot be read, so that sizes and places could not be compared with it"
        hint = "Repair the tomogram and ingest again; this is then done anew."
        return None, [Problem("tomogram-unreadable", message, Severity.WARNING, file=error.where, hint=hint)]


def volume_dimension(work: Work) -> tuple[dict[str, float] | None, list[Problem]]:
    """The size in Å along x, y, z: configured, else that of the tomogram among the inputs, else unknown."""
    configured = work.task.parameters.get("volume_dimension")
    if configured:
        return {axis: float(configured[axis]) for axis in "xyz"}, []
    shape, problems = tomogram_shape(work)
    if shape is None:
        return None, problems
    spacing = float(work.task.parameters["tomogram_spacing"])
    return {axis: side * spacing for axis, side in reversed(axes(shape).items())}, problems


def positive(value: Any, where: str, what: str) -> float:
    """`value` as a positive number, or a sentence."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 < number < float("inf"):
        raise FormatError(where, f"{what} is {value!r}; a positive number was expected.")
    return number
