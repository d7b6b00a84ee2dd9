"""Downloads everything of a portal with the unmodified official client, in the client's own environment:

    BOTO_ENDPOINT_URL=http://host/s3 .cache/official/bin/python tests/flow/download_real.py http://host/graphql FOLDER

FOLDER/seen.json gets the rows of all tilt series, tomograms, annotations, angles and frames; the other folders what the
client's methods write.
"""

import json
import sys
from datetime import date
from pathlib import Path

import cryoet_data_portal as portal


def rows(client, cls):
    return [
        {
            key: value.isoformat() if isinstance(value, date) else value
            for key, value in item.to_dict().items()
        }
        for item in cls.find(client)
    ]


def main(url, folder):
    client = portal.Client(url)
    for dataset in portal.Dataset.find(client):
        dataset.download_everything(str(folder / "everything"))
    names = {run.id: run.name for run in portal.Run.find(client)}
    for cls in (portal.Tomogram, portal.TiltSeries):
        for volume in cls.find(client):
            target = folder / cls.__name__ / names[volume.run_id]
            target.mkdir(parents=True)
            volume.download_mrcfile(str(target))
            volume.download_omezarr(str(target))
    classes = (
        portal.Run,
        portal.Tomogram,
        portal.TiltSeries,
        portal.Annotation,
        portal.AnnotationFile,
        portal.Alignment,
    )
    seen = {cls.__name__: rows(client, cls) for cls in (*classes, portal.PerSectionParameters, portal.Frame)}
    seen["PerSectionAlignmentParameters"] = rows(client, portal.PerSectionAlignmentParameters)
    (folder / "seen.json").write_text(json.dumps(seen))


main(sys.argv[1], Path(sys.argv[2]))
