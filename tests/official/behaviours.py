"""What the official client does with the rows of its own tests, as JSON on standard output. Runs in the client's own environment:

.cache/official/bin/python tests/official/behaviours.py http://host/graphql
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import cryoet_data_portal as portal
from cryoet_data_portal._models import IdentifiedObject

UNIQUE = "Test Annotation Object Name"


def ids(items):
    assert isinstance(items, list)
    return [item.id for item in items]


def names(items):
    return sorted(item.name for item in items)


def raised(work):
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the test says which
        return [type(error).__name__, str(error)]
    return None


def expressions(client):
    """Every way to write a condition."""
    run, first = portal.Run, portal.Run.find(client)[0].id

    def runs(*conditions):
        return names(run.find(client, conditions))

    return {
        "==": runs(run.name == "RUN1"),
        "!=": runs(run.name != "RUN1"),
        "range": runs(run.id > first, run.id <= first + 2),
        ">=": runs(run.id >= first + 1),
        "<": runs(run.id < first + 1),
        "like": runs(run.name.like("RUN_")),
        "like, case": runs(run.name.like("run%")),
        "ilike": runs(run.name.ilike("run0%")),
        "_in list": runs(run.name._in(["RUN1", "RUN002"])),
        "_in tuple": runs(run.name._in(("RUN1",))),
        "_in set": runs(run.name._in({"RUN2"})),
        "_in keys": runs(run.name._in({"RUN2": 1}.keys())),
        "_in nothing": runs(run.name._in([])),
        "_in 5000": len(run.find(client, [run.id._in(list(range(5000)))])),
        "two ==": runs(run.name == "RUN1", run.name == "RUN2"),
        "two _in": runs(run.name._in(["RUN1"]), run.name._in(["RUN2"])),
        "digits": runs(run.id == str(first)),
        "path": runs(run.tomogram_voxel_spacings.tomograms.voxel_spacing > 10),
        "four deep": runs(
            run.tomogram_voxel_spacings.annotation_files.annotation_shape.annotation.object_name
            == "Spike Protein"
        ),
        "same row": runs(run.annotations.object_name == "Ribosome", run.annotations.deposition_id == 99999),
        "through one": names(
            portal.Tomogram.find(client, [portal.Tomogram.run.dataset.deposition.id == 88888])
        ),
        "no list": len(run.find(client)),
        "find_one": client.find_one(run, {"name": {"_eq": "RUN2"}}).name,
        "absent": run.get_by_id(client, 123456),
    }


def nulls(client):
    annotation = portal.Annotation
    return {
        "== None": [a.object_name for a in annotation.find(client, [annotation.deposition_id == None])],  # noqa: E711
        "!= None": len(annotation.find(client, [annotation.deposition_id != None])),  # noqa: E711
        "is_null": [a.object_name for a in annotation.find(client, [annotation.deposition_id.is_null()])],
        "is not null": len(annotation.find(client, [annotation.deposition_id.is_null(False)])),
        "through": ids(portal.Dataset.find(client, [portal.Dataset.runs.frames.id != None])),  # noqa: E711
        "states": [o.object_state for o in IdentifiedObject.find(client)],
    }


def relations(client):
    """Both ways, from the annotation that there is once."""
    (unique,) = portal.Annotation.find(client, [portal.Annotation.object_name == UNIQUE])
    run = unique.run
    return {
        "deposition": unique.deposition,
        "run": run.name,
        "shapes": sorted(shape.shape_type for shape in unique.annotation_shapes),
        "files": sorted(f.format for shape in unique.annotation_shapes for f in shape.annotation_files),
        "authors": names(unique.authors),
        "dataset": run.dataset.id,
        "dataset runs": names(run.dataset.runs),
        "dataset authors": names(run.dataset.authors),
        "funding": [f.funding_agency_name for f in run.dataset.funding_sources],
        "deposition authors": names(run.dataset.deposition.authors),
        "tiltseries": len(run.tiltseries),
        "alignments of tiltseries": ids(run.tiltseries[0].alignments) == ids(run.alignments),
        "annotations": sorted(a.object_name for a in run.annotations),
        "spacing": [s.voxel_spacing for s in run.tomogram_voxel_spacings],
        "spacing's annotations": sorted(a.object_name for a in run.tomogram_voxel_spacings[0].annotations),
        "spacing's tomograms": names(run.tomogram_voxel_spacings[0].tomograms),
        "tomogram's authors": names(run.tomograms[0].authors),
        "objects": sorted(o.object_name for o in run.identified_objects),
        "frames": ids(run.frames),
        "mdoc": ids(run.frame_acquisition_files),
    }


def values(client):
    dataset = portal.Dataset.get_by_id(client, 20001)
    made = portal.Run.find(client)[0].to_dict()
    return {
        "dates": [
            type(dataset.release_date).__name__,
            isinstance(dataset.release_date, date),
            dataset.release_date.isoformat(),
        ],
        "enum": type(portal.Tomogram.find(client)[0].reconstruction_method).__name__,
        "to_dict": made,
        "object": IdentifiedObject.get_by_id(client, 30001).to_dict(),
        "prefixes": [dataset.s3_prefix, dataset.https_prefix],
        "zarr": [t.s3_omezarr_dir for t in portal.Tomogram.find(client, [portal.Tomogram.name == "RUN1"])],
    }


def errors(client):
    url = client.url
    return {
        "relation": raised(lambda: portal.Run.find(client, [portal.Run.dataset == 1])),
        "nested relation": raised(lambda: portal.Run.find(client, [portal.Run.dataset.deposition == 1])),
        "attribute": raised(lambda: portal.Run.colour),
        "enum": raised(
            lambda: portal.AnnotationShape.find(client, [portal.AnnotationShape.shape_type == "Ball"])
        ),
        "server": raised(lambda: portal.Run.find(client, [portal.Run.name.like("lone \\")])),
        "http": raised(lambda: portal.Run.find(portal.Client(url.replace("/graphql", "/nothing-is-here")))),
        "date object": raised(
            lambda: portal.Dataset.find(client, [portal.Dataset.release_date > date(2020, 1, 1)])
        ),
    }


def in_threads(client):
    """Five at a time, with one client."""
    with ThreadPoolExecutor(5) as pool:
        return list(pool.map(lambda _: len(portal.Annotation.find(client)), range(10)))


def main(url):
    client = portal.Client(url)
    seen = {
        "url": client.url,
        "expressions": expressions(client),
        "nulls": nulls(client),
        "relations": relations(client),
        "values": values(client),
        "errors": errors(client),
        "threads": in_threads(client),
    }
    json.dump(seen, sys.stdout, default=str)


if __name__ == "__main__":
    main(sys.argv[1])
