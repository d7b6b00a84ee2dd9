"""Runs in copick's own environment: opens a project and tells as JSON what is in it; adds a pick to the overlay."""

from __future__ import annotations

import json
import sys

import numpy as np
import zarr
from copick.models import CopickLocation, CopickPoint

import copick

root = copick.from_file(sys.argv[1])
seen = {"objects": [json.loads(item.meta.model_dump_json()) for item in root.pickable_objects], "runs": {}}
for run in root.runs:
    picks = [
        {
            "object": pick.pickable_object_name, "user": pick.user_id, "session": pick.session_id, "trusted": pick.trust_orientation,
            "places": [[p.location.x, p.location.y, p.location.z] for p in pick.points],
            "matrices": [np.asarray(p.transformation).tolist() for p in pick.points[:2]],
        }
        for pick in run.picks
    ]  # fmt: skip
    tomograms = [
        {
            "spacing": spacing.voxel_size,
            "type": tomogram.tomo_type,
            "shape": list(tomogram.numpy().shape),
            "mean": float(tomogram.numpy().astype(np.float64).mean()),
        }
        for spacing in run.voxel_spacings
        for tomogram in spacing.tomograms
    ]
    masks = [
        {
            "name": mask.name,
            "spacing": mask.voxel_size,
            "voxels": int(np.count_nonzero(zarr.open(mask.zarr(), "r")["0"])),
        }
        for mask in run.segmentations
    ]
    seen["runs"][run.name] = {"picks": picks, "tomograms": tomograms, "masks": masks}
run = root.runs[0]
name = next(item["name"] for item in seen["objects"] if item["is_particle"])
new = run.new_picks(name, session_id="1", user_id="tester")
new.points = [CopickPoint(location=CopickLocation(x=1.0, y=2.0, z=3.0))]
new.store()
again = copick.from_file(sys.argv[1]).get_run(run.name).get_picks(name, user_id="tester")
seen["stored"] = [len(pick.points) for pick in again]
sys.stdout.write(json.dumps(seen))
