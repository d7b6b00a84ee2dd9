"""Which volumes pass through scratch files on this machine, as far as a plan can tell from where they lie and how they are called."""

from __future__ import annotations

from tomoportal.ingest.task import Task
from tomoportal.storage.protocol import Storage

_VOLUMES = {"tomogram": ("volume",), "tiltseries": ("stack",)}
ZARR = ".zarr"
PACKED = (".gz", ".bz2")
TIFF = (".tif", ".tiff")
WHOLE = (*TIFF, ".dm3", ".dm4")
"""Endings of files that are fetched as a whole from a remote storage."""
_MASKS = (".mrc", ".rec", ".map", ".st", ZARR, *WHOLE, *PACKED)
"""Endings by which volumes are told among the files of an annotation."""


def scratch_use(task: Task, source: Storage) -> str:
    """How the volume of a task passes through scratch, in a few words; nothing when it is read where it lies."""
    words = dict.fromkeys(_use(path, source) for path in _volumes(task))
    return ", ".join(filter(None, words))


def _volumes(task: Task) -> list[str]:
    if task.kind == "annotation":
        every = (file.path for files in task.inputs.values() for file in files)
        return [path for path in every if path.lower().endswith(_MASKS)]
    return [file.path for role in _VOLUMES.get(task.kind, ()) for file in task.inputs.get(role, ())]


def _use(path: str, source: Storage) -> str:
    ending, is_remote = path.lower(), source.local_path(path) is None
    if ending.endswith(PACKED):
        return "fetched and unpacked to scratch" if is_remote else "unpacked to scratch"
    if ending.endswith(ZARR):
        return "decoded through scratch"
    if is_remote:
        return "fetched to scratch" if ending.endswith(WHOLE) else "read by ranges through scratch"
    return "decoded through scratch if compressed" if ending.endswith(TIFF) else ""
