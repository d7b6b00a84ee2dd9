"""Goes through a portal with the unmodified official client and writes down what it saw. Runs in the client's own environment:

    BOTO_ENDPOINT_URL=http://host/s3 .cache/official/bin/python tests/official/walk.py http://host/graphql FOLDER

FOLDER/seen.json gets every row, every relation of one row per type, and some queries; FOLDER/downloads the files.
"""

import json
import sys
from datetime import date
from pathlib import Path

import cryoet_data_portal as portal
from cryoet_data_portal._gql_base import ItemRelationship, ListRelationship
from cryoet_data_portal._models import IdentifiedObject

CLASSES = [
    *(getattr(portal, name) for name in dir(portal) if name[0].isupper() and name != "Client"),
    IdentifiedObject,
]


def plain(value):
    return value.isoformat() if isinstance(value, date) else value


def rows(client, cls):
    return [{key: plain(value) for key, value in item.to_dict().items()} for item in cls.find(client)]


def relations(client, cls):
    """{id: {relation: ids}} of the first two rows of a class."""
    seen = {}
    names = [
        name for name, value in vars(cls).items() if isinstance(value, (ItemRelationship, ListRelationship))
    ]
    for item in cls.find(client)[:2]:
        again = cls.get_by_id(client, item.id)
        for name in names:
            found = getattr(again, name)
            ids = [one.id for one in found] if isinstance(found, list) else found.id if found else None
            seen.setdefault(str(item.id), {})[name] = ids
    return seen


def queries(client):
    run = portal.Run.find(client)[0]

    def larger(size):
        return portal.Run.tomogram_voxel_spacings.tomograms.size_x > size

    return {
        "name like": [r.id for r in portal.Run.find(client, [portal.Run.name.ilike("%ts%")])],
        "name equals": [r.id for r in portal.Run.find(client, [portal.Run.name == run.name])],
        "nested": [r.id for r in portal.Run.find(client, [larger(1)])],
        "nested none": [r.id for r in portal.Run.find(client, [larger(100_000)])],
        "in": [r.id for r in portal.Run.find(client, [portal.Run.id._in([run.id, -1])])],
        "in nothing": [r.id for r in portal.Run.find(client, [portal.Run.id._in([])])],
        "not null": [d.id for d in portal.Dataset.find(client, [portal.Dataset.runs.frames.id != None])],  # noqa: E711
        "dated": [d.id for d in portal.Dataset.find(client, [portal.Dataset.release_date > "2000-01-01"])],
        "by enum": [a.id for a in portal.AnnotationShape.find(client, [portal.AnnotationShape.shape_type == "Point"])],
        "absent": portal.Run.get_by_id(client, -1),
    }  # fmt: skip


def download(client, folder):
    dataset = portal.Dataset.find(client)[0]
    run = dataset.runs[0]
    spacing = run.tomogram_voxel_spacings[0]
    tomogram, series = spacing.tomograms[0], run.tiltseries[0]
    dataset.download_everything(str(folder / "dataset"))
    run.download_everything(str(folder / "run"))
    run.download_frames(str(folder / "frames"))
    spacing.download_everything(str(folder / "spacing"))
    tomogram.download_omezarr(str(folder / "tomogram"))
    tomogram.download_mrcfile(str(folder / "tomogram"))
    tomogram.download_all_annotations(str(folder / "annotations"))
    tomogram.download_all_annotations(str(folder / "points"), format="ndjson", shape="Point")
    series.download_omezarr(str(folder / "series"))
    series.download_mrcfile(str(folder / "series"))
    series.download_angle_list(str(folder / "series"))
    for annotation in spacing.annotations:
        annotation.download(str(folder / "each"))
        annotation.download_metadata(str(folder / "metadata"))
    ids = {
        "dataset": dataset.id,
        "run": run.id,
        "spacing": spacing.id,
        "tomogram": tomogram.id,
        "series": series.id,
    }
    return ids | {"annotations": [annotation.id for annotation in spacing.annotations]}


def main(url, folder):
    client = portal.Client(url)
    seen = {
        "rows": {cls.__name__: rows(client, cls) for cls in CLASSES},
        "relations": {cls.__name__: relations(client, cls) for cls in CLASSES},
        "queries": queries(client),
        "downloaded": download(client, folder / "downloads"),
    }
    (folder / "seen.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
