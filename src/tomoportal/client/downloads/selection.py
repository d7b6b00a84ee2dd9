"""Which files of what was named are wanted: questions to the portal's catalogue, and their answers as sources.

Without filters a dataset, run or voxel spacing is its folder. With filters, or for a deposition, the catalogue is asked for the entities of
each kind, and their files are taken; a deposition without filters brings its own metadata too. Every file keeps its path at the portal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tomoportal.client.downloads.listing import FILES, Source
from tomoportal.client.downloads.targets import Target
from tomoportal.errors import NotFound, UsageError
from tomoportal.model import query

if TYPE_CHECKING:
    from tomoportal.client.connection import Client

SPACING_STEP = 0.0005
"""Å: voxel spacings that differ by less have the same name."""
_PAGE = 1000
FORMATS = ("mrc", "zarr", "ndjson", "glb", "tiff", "eer", "mdoc", "json", "gain", "dm4")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: kinds (see `KINDS`; none: all), file formats, voxel spacing in Å, object (name, or id as `GO:0005840`), id of a
    deposition, shape of annotations."""

    only: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    voxel_spacing: float | None = None
    object: str = ""
    deposition: int | None = None
    shape: str = ""

    @property
    def is_everything(self) -> bool:
        return self == Wish()

    def kinds(self) -> tuple[str, ...]:
        """Those that are wanted: with an object or shape alone, annotations; with a voxel spacing alone, what has one."""
        if self.only:
            return self.only
        if self.shape or self.object:
            return ("annotations",)
        return ("tomograms", "annotations") if self.voxel_spacing is not None else tuple(KINDS)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of entity: `files` gives (field of the s3 address, field of the https address, format; empty: by its name, is folder),
    `run` the way to its run, `spacing` to its voxel spacing (none: that of tomograms of its run)."""

    entity: str
    files: tuple[tuple[str, str, str, bool], ...]
    run: tuple[str, ...] = ("run",)
    spacing: tuple[str, ...] = ("run", "tomogram_voxel_spacings", "voxel_spacing")
    object: tuple[str, ...] = ("run", "annotations")
    deposition: tuple[str, ...] = ("deposition_id",)
    shape: tuple[str, ...] = ("run", "annotations", "annotation_shapes", "shape_type")


_VOLUME = (
    ("s3_mrc_file", "https_mrc_file", "mrc", False),
    ("s3_omezarr_dir", "https_omezarr_dir", "zarr", True),
)
KINDS: dict[str, tuple[_Kind, ...]] = {
    "tomograms": (_Kind("Tomogram", _VOLUME, spacing=("voxel_spacing",)),),
    "annotations": (
        _Kind(
            "AnnotationFile",
            (("s3_path", "https_path", "@format", False),),
            run=("annotation_shape", "annotation", "run"),
            spacing=("tomogram_voxel_spacing", "voxel_spacing"),
            object=("annotation_shape", "annotation"),
            deposition=("annotation_shape", "annotation", "deposition_id"),
            shape=("annotation_shape", "shape_type"),
        ),
        _Kind(
            "Annotation",
            (("s3_metadata_path", "https_metadata_path", "json", False),),
            spacing=("tomogram_voxel_spacing", "voxel_spacing"),
            object=(),
            shape=("annotation_shapes", "shape_type"),
        ),
    ),
    "tiltseries": (_Kind("TiltSeries", (*_VOLUME, ("s3_angle_list", "https_angle_list", "", False))),),
    "alignments": (_Kind("Alignment", (("s3_alignment_metadata", "https_alignment_metadata", "", True),)),),
    "frames": (
        _Kind("Frame", (("s3_frame_path", "https_frame_path", "", False),)),
        _Kind(
            "FrameAcquisitionFile",
            (("s3_mdoc_path", "https_mdoc_path", "mdoc", False),),
            deposition=("run", "frames", "deposition_id"),
        ),
    ),
    "gains": (
        _Kind(
            "GainFile",
            (("s3_file_path", "https_file_path", "", False),),
            deposition=("run", "frames", "deposition_id"),
        ),
    ),
}
"""Words of `--only`."""

_FOLDERS = {"Dataset": "datasets", "Run": "runs", "TomogramVoxelSpacing": "voxel spacings"}
PORTAL = Target("")
"""Everything that a portal has."""
_OF_ONE = {
    "Tomogram": "tomograms", "Annotation": "annotations", "TiltSeries": "tiltseries", "Alignment": "alignments", "Frame": "frames",
    "GainFile": "gains",
}  # fmt: skip


def checked_wish(wish: Wish) -> Wish:
    """Raises `UsageError` for words that no portal knows."""
    for word in wish.only:
        if word not in KINDS:
            raise UsageError(
                f"--only {word} is no kind of data; expected some of {', '.join(KINDS)}, with commas between."
            )
    for word in wish.formats:
        if word not in FORMATS:
            raise UsageError(
                f"--format {word} is not known; expected some of {', '.join(FORMATS)}, with commas between."
            )
    return wish


def selected(client: Client, targets: Sequence[Target], wish: Wish) -> Iterator[Source]:
    """What is wanted of the targets, each file once; without targets, of the whole portal. Raises `UsageError` when neither targets nor
    filters say anything, `NotFound` for a target that is not there."""
    if not targets and wish.is_everything:
        raise UsageError(
            "Nothing is named: give targets such as `dataset 10001` or the address of a page, or filters such as --object."
        )
    seen: set[str] = set()
    for target in targets or (PORTAL,):
        for source in _of_target(client, target, wish):
            if source.key not in seen:
                seen.add(source.key)
                yield source


def _of_target(client: Client, target: Target, wish: Wish) -> Iterator[Source]:
    if target.path:
        if not wish.is_everything:
            raise UsageError(
                f"{target.path} is a path; filters choose among entities, such as `dataset 10001`."
            )
        yield of_path(client, target.path)
        return
    entity = _one(client, target) if target != PORTAL else None
    if target.entity in _FOLDERS and wish.is_everything:
        yield source_of(entity, "s3_prefix", "https_prefix", FILES, is_folder=True)
        return
    if target.entity == "Deposition" and wish.is_everything:
        yield from _own_folder(entity)
    for kind in wish.kinds() if wish.only or target.entity not in _OF_ONE else (_OF_ONE[target.entity],):
        for one in KINDS[kind]:
            yield from _of_kind(client, kind, one, target, wish)


def _own_folder(deposition: Any) -> Iterator[Source]:
    """The metadata and pictures of a deposition, where the portal tells their folder."""
    if deposition.__dict__.get("s3_prefix") is not None:
        yield source_of(deposition, "s3_prefix", "https_prefix", FILES, is_folder=True)


def of_path(client: Client, path: str) -> Source:
    """A path of our own portal; files and folders are told apart by the portal."""
    return Source(path, f"{client.url.removesuffix('/graphql')}/files/", FILES, True, path, "")


def _one(client: Client, target: Target) -> Any:
    from tomoportal.client.entities import CLASSES

    entity = CLASSES[target.entity].get_by_id(client, target.id)
    if entity is None:
        raise NotFound(
            f"{target.entity} {target.id}",
            f"there is none with this id at {client.url.removesuffix('/graphql')}",
        )
    return entity


def _of_kind(client: Client, word: str, kind: _Kind, target: Target, wish: Wish) -> Iterator[Source]:
    from tomoportal.client.entities import CLASSES

    scope = _scope(kind, target)
    if scope is None:
        return
    files = [file for file in kind.files if _may_be(file[2], wish)]
    if not files:
        return
    where = [scope, *_filters(kind, wish)]
    entity: Any
    for entity in CLASSES[kind.entity].iterate(client, where, page_size=_PAGE):
        for s3, https, format, is_folder in files:
            if getattr(entity, s3) is None:
                continue
            if format == "@format":
                is_folder = entity.format == "zarr"
            source = source_of(entity, s3, https, word, is_folder=is_folder)
            if not wish.formats or _format_of(entity, format, source.key) in wish.formats:
                yield source


def _may_be(format: str, wish: Wish) -> bool:
    return not wish.formats or format in ("", "@format", *wish.formats)


def _format_of(entity: Any, format: str, key: str) -> str:
    if format == "@format":
        return str(entity.format)
    ending = key.rpartition(".")[2].lower()
    return format or ("tiff" if ending == "tif" else ending)


def _scope(kind: _Kind, target: Target) -> query.Condition | None:
    """The rows of a kind that belong to a target; None where a kind has none of it."""
    if target == PORTAL:
        return query.EVERYTHING
    if target.entity == kind.entity:
        return query.Compare("id", "eq", target.id)
    ways = {
        "Dataset": (*kind.run, "dataset_id"),
        "Run": (*kind.run, "id"),
        "Deposition": kind.deposition,
        "TomogramVoxelSpacing": ("tomogram_voxel_spacing_id",),
        "Annotation": ("annotation_shape", "annotation_id"),
    }
    if target.entity == "TomogramVoxelSpacing" and kind.entity not in (
        "Tomogram",
        "Annotation",
        "AnnotationFile",
    ):
        return None
    if target.entity == "Annotation" and kind.entity != "AnnotationFile":
        return None
    way = ways.get(target.entity)
    return None if way is None else _through(way, lambda name: query.Compare(name, "eq", target.id))


def _filters(kind: _Kind, wish: Wish) -> Iterator[query.Condition]:
    if wish.voxel_spacing is not None:
        low, high = wish.voxel_spacing - SPACING_STEP, wish.voxel_spacing + SPACING_STEP
        yield _through(
            kind.spacing,
            lambda name: query.all_of((query.Compare(name, "gte", low), query.Compare(name, "lte", high))),
        )
    if wish.object:
        name = "object_id" if ":" in wish.object and " " not in wish.object else "object_name"
        text = wish.object.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = text if name == "object_id" else f"%{text}%"
        yield _through((*kind.object, name), lambda field: query.Compare(field, "ilike", pattern))
    if wish.deposition is not None:
        deposition = wish.deposition
        yield _through(kind.deposition, lambda name: query.Compare(name, "eq", deposition))
    if wish.shape:
        yield _through(kind.shape, lambda name: query.Compare(name, "eq", wish.shape))


def _through(way: Sequence[str], make: Callable[[str], query.Condition]) -> query.Condition:
    condition = make(way[-1])
    for relation in reversed(way[:-1]):
        condition = query.Related(relation, condition)
    return condition


def source_of(
    entity: Any, s3: str, https: str, kind: str, *, is_folder: bool, to: str | None = None
) -> Source:
    """The file or folder that two fields of an entity name; `to` None: its path at the portal. The folder of an alignment is that of its
    metadata."""
    bucket, _, key = str(getattr(entity, s3)).removeprefix("s3://").partition("/")
    address = unquote(str(getattr(entity, https)))
    if not address.rstrip("/").endswith(key.rstrip("/")):
        raise UsageError(
            f"{entity!r}: its addresses {getattr(entity, s3)} and {getattr(entity, https)} are not of one file."
        )
    base = address.rstrip("/")[: -len(key.rstrip("/"))]
    key = key.rstrip("/")
    if is_folder and s3.endswith("_metadata"):
        key = key.rpartition("/")[0]
    return Source(key, base, kind, is_folder, key if to is None else to, bucket)
