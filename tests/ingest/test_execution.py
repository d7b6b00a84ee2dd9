"""What goes wrong with one file stays with its task, and what others are doing is left alone."""

import shutil

import pytest

from fixtures_command import FlowPortal
from tomoportal.errors import StorageError
from tomoportal.layout.processes import this_process
from tomoportal.storage import LocalStorage


@pytest.fixture
def portal(tmp_path):
    return FlowPortal(tmp_path / "portal")


def test_a_source_file_that_cannot_be_read_fails_alone(tiny, portal, monkeypatch):
    tiny.run("R1").run("R2", seed=2).write()
    read = LocalStorage.read

    def failing(storage, path, *more):
        if path.endswith("R1.csv"):
            raise StorageError(path, "Input/output error")
        return read(storage, path, *more)

    monkeypatch.setattr(LocalStorage, "read", failing)
    ran = portal.ingest(tiny.file, tiny.source)
    assert ran.code == 1
    assert ran.problem("annotation-failed")["message"] == "lab/R1.csv: Input/output error"
    assert [row["object_name"] for row in portal.rows("Annotation", "object_name")].count("ball") == 1
    assert len(portal.rows("Tomogram")) == 2


def test_what_was_half_replaced_and_fails_now_does_not_stop_the_pictures(tiny, portal):
    tiny.run("R1").run("R2", seed=2).write()
    assert portal.ingest(tiny.file, tiny.source).code == 0
    (points,) = (portal.layout / "20002/R1").rglob("ball-1.0_point.ndjson")
    points.unlink()
    shutil.move(points.with_name("ball-1.0.json"), points.with_name(".replacing"))
    (tiny.lab / "R1.csv").write_text("a,b,c\n1,2,c\n")
    tiny.config["annotations"][1]["metadata"]["annotation_method"] = "by somebody else"
    tiny.write()
    ran = portal.ingest(tiny.file, tiny.source)
    assert ran.code == 1
    assert [problem["code"] for problem in ran.problems if problem["severity"] == "error"] == [
        "annotation-failed"
    ]
    methods = [row["annotation_method"] for row in portal.rows("Annotation", "annotation_method")]
    assert methods.count("by somebody else") == 2


def test_the_staging_of_others_is_left_alone(tiny, portal):
    host, table, pid, _ = this_process().rsplit(".", 3)
    staging = portal.layout / ".tomoportal/staging"
    others = [f"elsewhere.{table}.{pid}.1", f"{host}.1.{pid}.1"]
    killed = f"{host}.{table}.{2**22 + 1}.1"
    for name in (*others, killed):
        (staging / name).mkdir(parents=True)
    tiny.run("R1").write()
    assert portal.ingest(tiny.file, tiny.source).code == 0
    assert sorted(path.name for path in staging.iterdir()) == sorted(others)
