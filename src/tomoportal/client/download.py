"""The download methods of the entities, as mixins that `classes` gives to those that have the fields.

All take the folder to write into (default: the current one; made when absent) and give the path, or paths, of what they wrote. What is
there already and unchanged at the portal is not fetched again; what is there and something else is kept and `UsageError` raised,
unless `overwrite=True`. `UsageError` too when the entity has no such file, `RemoteError` when the portal does not deliver,
`StorageError` when it cannot be written, `Incomplete` when some of several files could not be had. Interrupted downloads go on where
they were when they are started again.

`overwrite`: replace the file, or the whole folder; `progress`: show a bar, by default on a terminal; `jobs`: requests at a time; `verify`:
hash what is here already instead of believing sizes and times.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from urllib.parse import urlencode

from tomoportal.errors import UsageError
from tomoportal.model import query

if TYPE_CHECKING:
    from tomoportal.client.connection import Client
    from tomoportal.client.downloads.listing import Source

Folder = str | os.PathLike[str] | None


class How(TypedDict, total=False):
    """Options of every download."""

    overwrite: bool
    progress: bool | None
    jobs: int
    verify: bool


class _Downloads:
    client: Client

    def _fetch(self, sources: Iterable[Source], dest_path: Folder, how: How) -> list[Path]:
        from tomoportal.client.downloads.fetching import fetch
        from tomoportal.client.downloads.options import Options

        portal = self.client.url.removesuffix("/graphql")
        return fetch(portal, sources, _folder(dest_path), Options(**how))

    def _file(self, name: str, dest_path: Folder, how: How) -> Path:
        """The file of the field `https_…` and its twin."""
        return self._fetch([_source(self, name, is_folder=False)], dest_path, how)[0]

    def _tree(self, name: str, dest_path: Folder, how: How, below: str = "") -> Path:
        """A folder with all that is in it, as the last part of its path, or as its path below another one."""
        source = _source(self, name, is_folder=True, below=below)
        self._fetch([source], dest_path, how)
        return _folder(dest_path) / source.to


class MrcDownload(_Downloads):
    """For what has an MRC file."""

    def download_mrcfile(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The MRC file."""
        return self._file("mrc_file", dest_path, how)


class OmezarrDownload(_Downloads):
    """For what has an OME-Zarr folder."""

    def download_omezarr(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The OME-Zarr folder; it gets its name when it is whole."""
        return self._tree("omezarr_dir", dest_path, how)


class FolderDownload(_Downloads):
    """For what has a folder of its own."""

    def download_everything(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """All files, in a folder of its name."""
        return self._tree("prefix", dest_path, how)


class SpacingDownload(_Downloads):
    """For voxel spacings."""

    run: Any

    def download_everything(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """All files, in the folder that it has in its run (`Reconstructions/VoxelSpacing13.480`)."""
        return self._tree("prefix", dest_path, how, below=self.run.s3_prefix)


class RunDownload(FolderDownload):
    """For runs."""

    s3_prefix: Any
    https_prefix: Any
    frame_acquisition_files: Any

    def download_frames(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The movies and what lies beside them, in a folder `Frames`."""
        from dataclasses import replace

        run = _source(self, "prefix", is_folder=True)
        self._fetch([replace(run, key=f"{run.key}/Frames", to="Frames", kind="frames")], dest_path, how)
        return _folder(dest_path) / "Frames"

    def download_frame_acquisition_files(self, dest_path: Folder = None, **how: Unpack[How]) -> list[Path]:
        """The mdoc files."""
        return [file.download(dest_path, **how) for file in self.frame_acquisition_files]


class TiltSeriesDownload(MrcDownload, OmezarrDownload):
    """For tilt series."""

    run: Any
    alignments: Any

    def download_angle_list(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The text file with the tilt angles."""
        return self._file("angle_list", dest_path, how)

    def download_collection_metadata(self, dest_path: Folder = None, **how: Unpack[How]) -> list[Path]:
        """The mdoc files of its run."""
        return self.run.download_frame_acquisition_files(dest_path, **how)

    def download_alignment_file(self, dest_path: Folder = None, **how: Unpack[How]) -> list[Path]:
        """The files of its alignment; with several alignments, in a folder for each, named by its id."""
        alignments = list(self.alignments)
        if not alignments:
            raise UsageError(f"{self!r} has no alignment.")
        if len(alignments) == 1:
            return alignments[0].download(dest_path, **how)
        folder = _folder(dest_path)
        return [path for one in alignments for path in one.download(folder / str(one.id), **how)]


class AlignmentDownload(_Downloads):
    """For alignments."""

    def download(self, dest_path: Folder = None, **how: Unpack[How]) -> list[Path]:
        """Its files (`.xf`, `.tlt`, `.aln`, …) and its metadata."""
        return self._fetch([_source(self, "alignment_metadata", is_folder=True, to="")], dest_path, how)


class FrameDownload(_Downloads):
    """For single movies."""

    def download(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The movie."""
        return self._file("frame_path", dest_path, how)


class GainDownload(_Downloads):
    """For gain references."""

    def download(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The gain reference."""
        return self._file("file_path", dest_path, how)


class MdocDownload(_Downloads):
    """For mdoc files."""

    def download(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The mdoc file."""
        return self._file("mdoc_path", dest_path, how)


class DepositionDownload(_Downloads):
    """For depositions."""

    id: Any

    def download_everything(
        self, dest_path: Folder = None, only: str | Iterable[str] = (), **how: Unpack[How]
    ) -> list[Path]:
        """The files of everything that was deposited (`only`: of these kinds, such as `tomograms` or `("annotations", "alignments")`),
        each at the path that it has at the portal; all of it (without `only`) comes with the deposition's own metadata."""
        from tomoportal.client.downloads.selection import Wish, checked_wish, selected
        from tomoportal.client.downloads.targets import Target

        wish = checked_wish(Wish(only=(only,) if isinstance(only, str) else tuple(only)))
        return self._fetch(selected(self.client, [Target("Deposition", self.id)], wish), dest_path, how)


class AnnotationFileDownload(_Downloads):
    """For the files of annotations."""

    format: Any

    def download(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The file: a folder for the format `zarr`."""
        if self.format == "zarr":
            return self._tree("path", dest_path, how)
        return self._file("path", dest_path, how)


class AnnotationDownload(_Downloads):
    """For annotations."""

    id: Any
    annotation_shapes: Any

    def download_metadata(self, dest_path: Folder = None, **how: Unpack[How]) -> Path:
        """The metadata, a JSON file."""
        return self._file("metadata_path", dest_path, how)

    def download(
        self,
        dest_path: Folder = None,
        format: str | None = None,
        shape: str | None = None,
        **how: Unpack[How],
    ) -> list[Path]:
        """The files of this `format` (`ndjson`, `mrc`, `zarr`, `glb`) and `shape` (`Point`, `SegmentationMask`, …), all when
        None, then the metadata; nothing at all when no file matches."""
        from tomoportal.client.entities import CLASSES

        where = [
            query.Related("annotation_shape", query.Compare("annotation_id", "eq", self.id)),
            *_chosen(format, shape),
        ]
        files = CLASSES["AnnotationFile"].find(self.client, where)
        sources = [_source(file, "path", is_folder=_is_zarr(file)) for file in files]
        if not sources:
            return []
        return self._fetch([*sources, _source(self, "metadata_path", is_folder=False)], dest_path, how)

    def export(
        self,
        dest_path: Folder = None,
        *,
        format: str,
        tomogram: Any = None,
        shape: str | None = None,
        **how: Unpack[How],
    ) -> Path:
        """Its points in another `format` (`relion5_star`, `relion4_star`, `stopgap_star`, `dynamo_tbl`, `copick`, `mod`, `csv`, `ndjson`),
        in voxels of a `tomogram` (or its id) of the same alignment, by default one of its own voxel spacing."""
        from tomoportal.client.downloads.options import Options
        from tomoportal.client.downloads.single import fetch_made

        asked = {"format": format, "tomogram": getattr(tomogram, "id", tomogram), "shape": shape}
        words = urlencode({name: value for name, value in asked.items() if value is not None})
        portal = self.client.url.removesuffix("/graphql")
        address = f"{portal}/api/annotations/{self.id}/export?{words}"
        return fetch_made(portal, address, _folder(dest_path), Options(**how))


class TomogramDownload(MrcDownload, OmezarrDownload):
    """For tomograms."""

    tomogram_voxel_spacing_id: Any
    alignment_id: Any

    def download_all_annotations(
        self,
        dest_path: Folder = None,
        format: str | None = None,
        shape: str | None = None,
        **how: Unpack[How],
    ) -> list[Path]:
        """The annotation files in the voxel spacing and alignment of this tomogram, with their metadata: a folder for each
        annotation, named by its id, as files of two annotations may have the same name. `format`, `shape`: see `Annotation`."""
        files = self._annotation_files(format, shape)
        sources: list[Source] = []
        annotations: dict[int, Any] = {}
        for file in files:
            annotation = file.annotation_shape.annotation
            annotations[annotation.id] = annotation
            sources.append(_source(file, "path", is_folder=_is_zarr(file), inside=str(annotation.id)))
        for id, annotation in annotations.items():
            sources.append(_source(annotation, "metadata_path", is_folder=False, inside=str(id)))
        return self._fetch(sources, dest_path, how) if sources else []

    def _annotation_files(self, format: str | None, shape: str | None) -> Any:
        from tomoportal.client.entities import CLASSES

        keys = ("tomogram_voxel_spacing_id", "alignment_id")
        where: list[query.Condition] = [query.Compare(key, "eq", getattr(self, key)) for key in keys]
        where += _chosen(format, shape)
        return CLASSES["AnnotationFile"].find(self.client, where, prefetch=("annotation_shape.annotation",))


def _is_zarr(file: Any) -> bool:
    return file.format == "zarr"


def _chosen(format: str | None, shape: str | None) -> list[query.Condition]:
    """Conditions on annotation files."""
    where: list[query.Condition] = []
    if format is not None:
        where.append(query.Compare("format", "eq", format))
    if shape is not None:
        where.append(query.Related("annotation_shape", query.Compare("shape_type", "eq", shape)))
    return where


def _source(
    entity: Any, name: str, *, is_folder: bool, to: str | None = None, below: str = "", inside: str = ""
) -> Source:
    """What the fields `s3_name` and `https_name` lead to. It goes `to` a path of the destination, or is called like the last part of its
    own, or the part behind `below`; `inside` a folder of the destination."""
    from dataclasses import replace

    from tomoportal.client.downloads.selection import source_of

    s3, https = f"s3_{name}", f"https_{name}"
    if getattr(entity, s3) is None or getattr(entity, https) is None:
        raise UsageError(f"{entity!r} has no file of this kind ({https} is empty).")
    source = source_of(entity, s3, https, "files", is_folder=is_folder)
    if to is None:
        above = below.removeprefix("s3://").partition("/")[2].strip("/")
        is_inside = bool(above) and source.key.startswith(f"{above}/")
        to = source.key[len(above) + 1 :] if is_inside else source.key.rpartition("/")[2]
    return replace(source, to=f"{inside}/{to}" if inside else to)


def _folder(dest_path: Folder) -> Path:
    return Path(dest_path) if dest_path is not None else Path.cwd()
