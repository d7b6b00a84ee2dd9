"""What belongs to what inside a run: mdocs to stacks, annotations to pictures, slabs to volumes, sources to annotations."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil

import pytest

from fixtures_command import FAR_FUTURE, FlowPortal
from fixtures_demo import settings_in
from fixtures_tiny import ANGLES, write_mrc
from tomoportal.catalog import Addresses, open_catalog
from tomoportal.cli.ingest import ingest_config
from tomoportal.model.query import Select, Value

NAMES = Select("Annotation", (Value("object_name", "object_name"),))
VOLUMES = "20002/R1/Reconstructions/VoxelSpacing10.000"


@pytest.fixture
def ingest(tiny, tmp_path):
    """Ingest the tiny deposition as it is now; gives the report and the folder of the layout."""

    def run(name="portal"):
        report = ingest_config(tiny.write().file, str(tiny.source), settings_in(tmp_path / name), quiet=True)
        return report, tmp_path / name / "files"

    return run


def _picture(files):
    return hashlib.sha256((files / VOLUMES / "Images/100/key-photo-snapshot.png").read_bytes()).hexdigest()


def test_each_stack_takes_the_sections_of_its_own_mdoc(tiny, ingest):
    import numpy as np

    write_mrc(tiny.lab / "R1_b.st", np.ones((len(ANGLES), 32, 40), np.int16), 2.5)
    (tiny.lab / "R1_b.rawtlt").write_text((tiny.lab / "R1.rawtlt").read_text())
    later = (tiny.lab / "R1.mdoc").read_text().replace("11:38:", "11:48:").replace("R1", "R1_b")
    (tiny.lab / "R1_b.mdoc").write_text(later)
    for section in ("tiltseries", "rawtilts", "collection_metadata"):
        for source in tiny.config[section][0]["sources"]:
            source["source_glob"]["list_glob"] = source["source_glob"]["list_glob"].replace(
                "{run_name}", "{run_name}*"
            )
    report, files = ingest()
    assert not report.failed, report.sorted_problems()
    orders = {}
    for sidecar in sorted((files / "20002/R1/TiltSeries").glob("*/tiltseries_metadata.json")):
        content = json.loads(sidecar.read_text())
        sections = content["per_section_parameter"]
        orders[content["identity"]["ingest_id"]] = {one["frame_acquisition_order"] for one in sections}
    assert orders == {"R1": set(range(5)), "R1_b": set(range(5, 10))}


def test_pictures_wait_for_the_release_of_what_they_show(tiny, ingest):
    points = tiny.config["annotations"][0]
    everything = copy.deepcopy(tiny.config["annotations"])
    tiny.config["annotations"] = everything[1:]
    _, files = ingest("without")
    without = _picture(files)
    tiny.config["annotations"] = [points, everything[1]]
    points["metadata"]["dates"] = {**points["metadata"]["dates"], "release_date": "2999-01-01"}
    _, files = ingest("embargo")
    assert _picture(files) == without
    points["metadata"]["dates"]["release_date"] = "2025-01-02"
    _, files = ingest("embargo")
    assert _picture(files) != without


def test_a_lost_slab_is_made_again(tiny, ingest):
    _, files = ingest()
    slab = next((files / ".tomoportal/slabs").rglob("Tomograms/100.npz"))
    before = _picture(files)
    slab.unlink()
    (files / VOLUMES / "Images/100/key-photo-snapshot.png").unlink()
    report, files = ingest()
    assert not report.failed
    assert slab.is_file()
    assert _picture(files) == before


def test_a_mask_without_its_label_does_not_take_the_points_along(tiny, ingest):
    mask = {
        "SemanticSegmentationMask": {
            "file_format": "mrc",
            "glob_string": "{run_name}_mask.mrc",
            "mask_label": 9,
        }
    }
    tiny.config["annotations"][0]["sources"].append(mask)
    report, files = ingest()
    assert not report.failed
    assert [problem.code for problem in report.problems] == ["left-out"]
    sidecar = json.loads((files / VOLUMES / "Annotations/100/ball-1.0.json").read_text())
    assert [file["shape"] for file in sidecar["files"]] == ["Point"]


def test_what_is_no_longer_found_is_told_and_can_be_taken_down(tiny, tmp_path):
    portal = FlowPortal(tmp_path / "portal")
    assert portal.ingest(tiny.write().file, tiny.source).code == 0
    del tiny.config["annotations"][1]
    ran = portal.ingest(tiny.write().file, tiny.source)
    assert ran.code == 0
    assert "no longer found" in ran.problem("orphan")["message"]
    shutil.rmtree(portal.layout / VOLUMES / "Annotations/101")
    assert portal.load().code == 0
    with open_catalog(settings_in(portal.folder).database) as catalog:
        view = catalog.view(today=FAR_FUTURE, addresses=Addresses())
        assert [row["object_name"] for row in view.rows(NAMES)] == ["ball"]
