"""A dataset for machine learning, in the words of Croissant 1.0 (http://mlcommons.org/croissant/1.0).

Files with a recorded SHA-256 are `FileObject`s of their own. Everything else (OME-Zarr, which are folders; files that nobody has
hashed) belongs to a `FileSet` in the folder of the dataset. The tomograms are a record set whose rows stand in the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tomoportal.model import query
from tomoportal.model.query import Compare, One, Order, Value, through
from tomoportal.web import formats, urls
from tomoportal.web.context import Visit
from tomoportal.web.getting.choosing import KINDS, Item, Subject, items
from tomoportal.web.getting.citing import Creator, Work, bibtex

MOST = 100_000
"""Files of each sort that are described one by one."""
FOLDER = "folder"
"""What the folder of the dataset is called in the document."""
CONFORMS = "http://mlcommons.org/croissant/1.0"
_TERMS = (
    "citeAs", "column", "extract", "field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isLiveDataset", "jsonPath",
    "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "separator", "source", "subField", "transform",
)  # fmt: skip
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}
_MEDIA = {
    "mrc": "application/octet-stream", "ndjson": "application/x-ndjson", "json": "application/json", "glb": "model/gltf-binary",
    "zarr": "application/vnd+zarr",
}  # fmt: skip
_COLUMNS = {
    "id": ("sc:Integer", "identifier of the tomogram"),
    "run": ("sc:Text", "name of its run"),
    "voxel_spacing": ("sc:Float", "edge of a voxel in Å"),
    "size_x": ("sc:Integer", "voxels along the fast axis"),
    "size_y": ("sc:Integer", "voxels along the middle axis"),
    "size_z": ("sc:Integer", "voxels along the slow axis"),
    "processing": ("sc:Text", "how it was processed"),
    "https_mrc_file": ("sc:URL", "MRC volume"),
    "https_omezarr_dir": ("sc:URL", "OME-Zarr volume, a folder"),
}


def croissant(visit: Visit, row: Mapping[str, Any], work: Work, sums: Mapping[str, str]) -> dict[str, Any]:
    """The document of a dataset. `row`: `id`, `https_prefix`, `s3_prefix` and `last_modified_date` of it; `sums`: SHA-256 by path of
    the layout."""
    sorts = list(_sorts(visit, Subject("dataset", row["id"])))
    hashed = [item for _, found in sorts for item in found if item.path in sums]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "@id": work.url,
        "conformsTo": CONFORMS,
        "name": work.title,
        "description": work.abstract,
        "identifier": work.key,
        "url": work.url,
        "license": work.license.href or work.license.name,
        "citeAs": bibtex(work),
        "creator": [_creator(creator) for creator in work.creators],
        "datePublished": work.released,
        "dateModified": formats.day(row["last_modified_date"]),
        "publisher": {"@type": "sc:Organization", "name": work.publisher, "url": visit.absolute(urls.HOME)},
        "keywords": list(work.keywords),
        "isLiveDataset": False,
        "distribution": [
            _folder(visit, row),
            *(_object(visit, item, sums[item.path]) for item in hashed),
            *(
                made
                for name, found in sorts
                if (made := _set(name, row, [one for one in found if one.path not in sums]))
            ),
        ],
        "recordSet": [_tomograms(visit, row["id"])],
    }


def _sorts(visit: Visit, subject: Subject) -> Iterator[tuple[str, tuple[Item, ...]]]:
    """Files of one kind and format under a name."""
    for kind in KINDS:
        for format in dict.fromkeys(files.format for files in kind.files):
            name = "-".join(part for part in (kind.word, format) if part)
            yield name, items(visit.view, subject, kind, (format,), MOST)


def _creator(creator: Creator) -> dict[str, Any]:
    person = {"@type": "sc:Person" if creator.name.family else "sc:Organization", "name": creator.name.whole}
    return person | ({"sameAs": creator.orcid} if creator.orcid else {})


def _folder(visit: Visit, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": FOLDER,
        "name": FOLDER,
        "description": "The folder of the dataset.",
        "contentUrl": visit.absolute(row["https_prefix"]),
        "encodingFormat": "text/html",
    }


def _object(visit: Visit, item: Item, sha256: str) -> dict[str, Any]:
    made = {
        "@type": "cr:FileObject",
        "@id": item.path,
        "name": item.name,
        "contentUrl": visit.absolute(item.https),
        "encodingFormat": _media(item),
        "sha256": sha256,
    }
    return made | ({"contentSize": f"{item.size:.0f} B"} if item.size is not None else {})


def _set(name: str, row: Mapping[str, Any], found: list[Item]) -> dict[str, Any] | None:
    if not found:
        return None
    home = row["s3_prefix"].removeprefix("s3://").partition("/")[2]
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "containedIn": {"@id": FOLDER},
        "encodingFormat": _media(found[0]),
        "includes": [item.path.removeprefix(home) + ("/**" if item.is_folder else "") for item in found],
    }


def _media(item: Item) -> str:
    return _MEDIA.get(item.format) or _MEDIA.get(
        item.name.rpartition(".")[2].lower(), "application/octet-stream"
    )


def _tomograms(visit: Visit, dataset: int) -> dict[str, Any]:
    fields: tuple[query.Selection, ...] = (
        *(Value(name, name) for name in _COLUMNS if name != "run"),
        One("run", "run", (Value("name", "name"),)),
    )
    where = through(("run",), Compare("dataset_id", "eq", dataset))
    rows = visit.view.rows(query.Select("Tomogram", fields, where, (Order(("id",)),), limit=MOST))
    return {
        "@type": "cr:RecordSet",
        "@id": "tomograms",
        "name": "tomograms",
        "description": "The tomograms of the dataset and where their volumes are.",
        "key": {"@id": "tomograms/id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"tomograms/{name}",
                "name": name,
                "description": told,
                "dataType": type,
            }
            for name, (type, told) in _COLUMNS.items()
        ],
        "data": [{f"tomograms/{name}": _cell(visit, name, row) for name in _COLUMNS} for row in rows],
    }


def _cell(visit: Visit, name: str, row: Mapping[str, Any]) -> Any:
    value = row["run"]["name"] if name == "run" else row[name]
    return visit.absolute(value) if name.startswith("https_") and value else value
