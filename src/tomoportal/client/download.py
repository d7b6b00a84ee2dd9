"""The download methods of the entities: each class gets those for which it has the fields (`mixins_for`).

All take the folder to write into (default: the current one; made when absent) and give the path of what they wrote. What is
there already and unchanged at the portal is not fetched again; what is there and something else is kept and `UsageError`
raised, unless `overwrite=True`, which replaces the file or the whole folder. `UsageError` too when the entity has no such file,
`RemoteError` when the portal does not deliver.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tomoportal.client.transfer import fetch_file, fetch_tree
from tomoportal.errors import UsageError
from tomoportal.model import query
from tomoportal.model.entity import Entity

if TYPE_CHECKING:
    from tomoportal.client.connection import Client

Folder = str | os.PathLike[str] | None


class _Downloads:
    client: Client

    def _file(self, field: str, dest_path: Folder, overwrite: bool) -> Path:
        return fetch_file(self.client, self._address(field), _folder(dest_path), overwrite)

    def _tree(self, field: str, dest_path: Folder, overwrite: bool) -> Path:
        return fetch_tree(self.client, self._address(field), _folder(dest_path), overwrite)

    def _address(self, field: str) -> str:
        address = self.__dict__[field]
        if address is None:
            raise UsageError(f"{self!r} has no file of this kind ({field} is empty).")
        return address


class MrcDownload(_Downloads):
    """For what has an MRC file."""

    def download_mrcfile(self, dest_path: Folder = None, *, overwrite: bool = False) -> Path:
        """The MRC file."""
        return self._file("https_mrc_file", dest_path, overwrite)


class OmezarrDownload(_Downloads):
    """For what has an OME-Zarr folder."""

    def download_omezarr(self, dest_path: Folder = None, *, overwrite: bool = False) -> Path:
        """The OME-Zarr folder."""
        return self._tree("s3_omezarr_dir", dest_path, overwrite)


class FolderDownload(_Downloads):
    """For what has a folder of its own."""

    def download_everything(self, dest_path: Folder = None, *, overwrite: bool = False) -> Path:
        """All files, in a folder of its name."""
        return self._tree("s3_prefix", dest_path, overwrite)


class AngleListDownload(_Downloads):
    """For tilt series."""

    def download_angle_list(self, dest_path: Folder = None, *, overwrite: bool = False) -> Path:
        """The text file with the tilt angles."""
        return self._file("https_angle_list", dest_path, overwrite)


class AnnotationDownload(_Downloads):
    """For annotations."""

    id: Any
    annotation_shapes: Any

    def download_metadata(self, dest_path: Folder = None, *, overwrite: bool = False) -> Path:
        """The metadata, a JSON file."""
        return self._file("https_metadata_path", dest_path, overwrite)

    def download(
        self,
        dest_path: Folder = None,
        format: str | None = None,
        shape: str | None = None,
        *,
        overwrite: bool = False,
    ) -> list[Path]:
        """The files of this `format` (`ndjson`, `mrc`, `zarr`, `glb`) and `shape` (`Point`, `SegmentationMask`, …), all when
        None, then the metadata; nothing at all when no file matches."""
        files = [
            file
            for one in self.annotation_shapes
            if shape in (None, one.shape_type)
            for file in one.annotation_files
            if format in (None, file.format)
        ]
        paths = [file.download(dest_path, overwrite=overwrite) for file in files]
        return [*paths, self.download_metadata(dest_path, overwrite=overwrite)] if paths else []

    def export(
        self,
        dest_path: Folder = None,
        *,
        format: str,
        tomogram: Any = None,
        shape: str | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Its points in another `format` (`relion5_star`, `relion4_star`, `stopgap_star`, `dynamo_tbl`, `copick`, `mod`, `csv`, `ndjson`),
        in voxels of a `tomogram` (or its id) of the same alignment, by default one of its own voxel spacing."""
        asked = {"format": format, "tomogram": getattr(tomogram, "id", tomogram), "shape": shape}
        words = urlencode({name: value for name, value in asked.items() if value is not None})
        base = self.client.url.removesuffix("/graphql")
        address = f"{base}/api/annotations/{self.id}/export?{words}"
        return fetch_file(self.client, address, _folder(dest_path), overwrite)


class AnnotationFileDownload(_Downloads):
    """For the files of annotations."""

    format: Any

    def download(self, dest_path: Folder = None, *, overwrite: bool = False) -> Path:
        """The file: a folder for the format `zarr`."""
        if self.format == "zarr":
            return self._tree("s3_path", dest_path, overwrite)
        return self._file("https_path", dest_path, overwrite)


class TomogramDownload(_Downloads):
    """For tomograms."""

    def download_all_annotations(
        self,
        dest_path: Folder = None,
        format: str | None = None,
        shape: str | None = None,
        *,
        overwrite: bool = False,
    ) -> list[Path]:
        """The annotation files in the voxel spacing and alignment of this tomogram, with their metadata: a folder for each
        annotation, named by its id, as files of two annotations may have the same name. `format`, `shape`: see `Annotation`."""
        paths: list[Path] = []
        annotations: dict[int, Any] = {}
        for file in self._annotation_files(format, shape):
            annotation = file.annotation_shape.annotation
            annotations[annotation.id] = annotation
            paths.append(file.download(_folder(dest_path) / str(annotation.id), overwrite=overwrite))
        for id, annotation in annotations.items():
            paths.append(annotation.download_metadata(_folder(dest_path) / str(id), overwrite=overwrite))
        return paths

    def _annotation_files(self, format: str | None, shape: str | None) -> Any:
        from tomoportal.client.entities import CLASSES  # built from this module

        keys = ("tomogram_voxel_spacing_id", "alignment_id")
        where: list[query.Condition] = [query.Compare(key, "eq", self.__dict__[key]) for key in keys]
        if format is not None:
            where.append(query.Compare("format", "eq", format))
        if shape is not None:
            where.append(query.Related("annotation_shape", query.Compare("shape_type", "eq", shape)))
        return CLASSES["AnnotationFile"].find(self.client, where)


_NEEDS: list[tuple[type[_Downloads], set[str]]] = [
    (MrcDownload, {"https_mrc_file"}),
    (OmezarrDownload, {"s3_omezarr_dir"}),
    (FolderDownload, {"s3_prefix"}),
    (AngleListDownload, {"https_angle_list"}),
    (AnnotationDownload, {"https_metadata_path", "annotation_shapes"}),
    (AnnotationFileDownload, {"https_path", "s3_path", "format"}),
    (TomogramDownload, {"https_mrc_file", "tomogram_voxel_spacing_id", "alignment_id"}),
]


def mixins_for(entity: type[Entity]) -> tuple[type[_Downloads], ...]:
    """The downloads for which the entity has the fields and relations."""
    has = {*entity.fields, *entity.relations}
    return tuple(mixin for mixin, needs in _NEEDS if needs <= has)


def _folder(dest_path: Folder) -> Path:
    folder = Path(dest_path) if dest_path is not None else Path.cwd()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made or used as a folder ({error.strerror}).") from error
    return folder
