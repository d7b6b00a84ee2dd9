"""Run by `test_one_field.py` in a process of its own: declare one more field, then look for it everywhere.

Prints one JSON object of what was seen.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tomoportal.model.deposition import Dataset
from tomoportal.model.fields import Float, Rule

LABEL, UNIT = "Vitrification temperature", "K"
field = Float(
    "temperature at which the sample was vitrified", label=LABEL, unit=UNIT, config="vitrification_temperature",
    rule=Rule(minimum=0, maximum=150),
)  # fmt: skip
Dataset.vitrification_temperature = field
field.__set_name__(Dataset, "vitrification_temperature")
Dataset.fields["vitrification_temperature"] = field


def main(folder: Path) -> dict:
    """Everything that knows fields, asked for the new one."""
    from starlette.testclient import TestClient

    import tomoportal
    from fixtures_demo import settings_in
    from fixtures_tiny import Tiny
    from tomoportal.cli.ingest import ingest_config
    from tomoportal.config import load_config
    from tomoportal.config.json_schema import json_schema
    from tomoportal.model.reference import reference
    from tomoportal.server import build_app

    tiny = Tiny(folder / "tiny").run("R1")
    metadata = tiny.config["datasets"][0]["metadata"]
    metadata["vitrification_temperature"] = 500.0
    wrong = [str(problem) for problem in load_config(tiny.write().file).problems]
    metadata["vitrification_temperature"] = 93.5
    right = [str(problem) for problem in load_config(tiny.write().file).problems]
    settings = settings_in(folder / "portal")
    report = ingest_config(tiny.file, str(tiny.source), settings, quiet=True)
    sidecar = json.loads((folder / "portal/files/20002/dataset_metadata.json").read_text())
    with closing(sqlite3.connect(folder / "portal/catalog.sqlite")) as database:
        column = database.execute("SELECT vitrification_temperature FROM dataset").fetchone()
    with TestClient(build_app(settings), base_url="http://127.0.0.1") as http:
        answer = http.post(
            "/graphql",
            json={
                "query": "{datasets(where: {vitrificationTemperature: {_gt: 90}}) {vitrificationTemperature}}"
            },
        )
        page = http.get("/datasets/20002").text
        client = tomoportal.Client("http://127.0.0.1")
        client._http = http
        found = tomoportal.Dataset.find(client, [tomoportal.Dataset.vitrification_temperature > 90])
        looked_up = [dataset.vitrification_temperature for dataset in found]
    return {
        "wrong": wrong,
        "right": right,
        "failed": [str(problem) for problem in report.problems],
        "sidecar": sidecar.get("vitrification_temperature"),
        "column": column,
        "graphql": answer.json(),
        "client": looked_up,
        "page": LABEL in page and "93.5" in page,
        "reference": "vitrification_temperature" in reference(),
        "json_schema": "vitrification_temperature" in json.dumps(json_schema()),
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
