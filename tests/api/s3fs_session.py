"""What a user of s3fs does with a portal; run by the Python of `.cache/tools`: endpoint, folder to fill. Prints JSON."""

from __future__ import annotations

import json
import sys

import s3fs

endpoint, target, folder, file = sys.argv[1:]
store = s3fs.S3FileSystem(anon=True, endpoint_url=endpoint, client_kwargs={"region_name": "us-east-1"})
found = store.find(f"tomoportal/{folder}", detail=True)
with store.open(f"tomoportal/{file}", "rb", block_size=300_000) as opened:
    opened.seek(1_000_000)
    part = opened.read(400_000)
store.get(f"tomoportal/{folder}", target, recursive=True)
try:
    store.cat_file("tomoportal/30003/dataset_metadata.json")
    refused = False
except FileNotFoundError:
    refused = True
try:
    store.pipe_file("tomoportal/30001/new.txt", b"new")
    written = True
except PermissionError:
    written = False
answer = {
    "top": store.ls("tomoportal/30001", detail=False),
    "sizes": {name.removeprefix("tomoportal/"): item["size"] for name, item in found.items()},
    "part": part.hex(),
    "is_folder": store.isdir(f"tomoportal/{folder}"),
    "exists": store.exists(f"tomoportal/{file}"),
    "refused": refused,
    "written": written,
}
sys.stdout.write(json.dumps(answer) + "\n")
