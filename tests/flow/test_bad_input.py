"""Bad input gets a sentence (where, what is wrong, what was expected) and an exit code; nothing half-made becomes visible."""

from __future__ import annotations

import copy
import gzip
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures_command import FlowPortal, contents, ingest_tiny, tomoportal
from fixtures_tiny import Tiny, write_mrc
from tomoportal.layout.lease import hold
from tomoportal.layout.private import read_index
from tomoportal.layout.tree import marker
from tomoportal.storage import open_storage

TOMOGRAM = "20002/R1/Reconstructions/VoxelSpacing10.000/Tomograms/100"
BALL = "20002/R1/Reconstructions/VoxelSpacing10.000/Annotations/100"
MEMBRANE = "20002/R1/Reconstructions/VoxelSpacing10.000/Annotations/101"
PROGRAM = str(Path(sys.executable).with_name("tomoportal"))
KINDS = {
    "Tomogram": "tomogram", "Annotation": "annotation", "TiltSeries": "tiltseries", "Alignment": "alignment", "Run": "run",
}  # fmt: skip


def assert_whole(portal: FlowPortal) -> None:
    """Everything visible has a record, its files and, where it should have one, its sidecar; the catalogue shows exactly these."""
    public = portal.public()
    records = read_index(open_storage(str(portal.layout)), "20002") or []
    shown = [record for record in records if record.published or record.key.kind == "view"]
    known = {path for record in shown for path in (record.sidecar, *record.files) if path}
    for path in public:
        home = path.startswith("DepositionMetadata/") or any(
            f"{path}/".startswith(f"{one}/") for one in known
        )
        assert home, f"{path} belongs to nobody"
    for record in shown:
        assert record.sidecar == "" or record.sidecar in public
        assert marker(record) not in public
    for entity, kind in KINDS.items():
        expected = sum(record.published and record.key.kind == kind for record in records)
        assert len(portal.rows(entity)) == expected, entity


def sentence(problem: dict[str, Any]) -> str:
    return f"{problem['file']}: {problem['message']} {problem['hint']}"


def _tomogram(tiny: Tiny, run: str = "R1") -> Path:
    return tiny.lab / f"tomograms/{run}.mrc"


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def _lying(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8:12] = (900).to_bytes(4, "little")
    path.write_bytes(data)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("slice\tintensity\n" * 200)


def _complex(path: Path) -> None:
    write_mrc(path, np.zeros((4, 5, 6), np.complex64), 10.0)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "notes.txt").write_text("not a volume")


def _damaged_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(path.read_bytes())[:-400])


BAD_VOLUMES: dict[Callable[[Path], None], str] = {
    _truncated: "24 × 20 × 12 voxels of mode 2, 24064 bytes with headers, but the file has 19064 bytes",
    _lying: "24 × 20 × 900 voxels of mode 2, 1729024 bytes with headers, but the file has 24064 bytes",
    _empty: "the file is empty; an MRC header alone takes 1024",
    _text: "not a readable MRC file: its header gives 1667853427 columns",
    _complex: "mode 4 (complex 32-bit floats) is not an image; modes 0, 1, 2, 6, 12 and 101 can be read",
    _folder: "this folder is not a readable Zarr image",
    _damaged_gzip: "the compressed file is damaged",
}


def test_bad_volumes_fail_alone(tiny, portal):
    """One good run and one run for each way to be bad: every file is named once, everything else is published."""
    runs = {spoil.__name__.strip("_"): said for spoil, said in BAD_VOLUMES.items()}
    for spoil in BAD_VOLUMES:
        name = spoil.__name__.strip("_")
        spoil(_tomogram(tiny.run(name), name))
    tiny.config["runs"][0]["sources"] = [{"literal": {"value": ["R1", *runs]}}]
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    errors = {
        problem["where"].split("/")[1]: problem for problem in ran.problems if problem["severity"] == "error"
    }
    assert set(errors) == set(runs)
    for name, said in runs.items():
        assert errors[name]["message"].startswith(f"lab/tomograms/{name}.mrc: ")
        assert said in errors[name]["message"]
        assert errors[name]["where"] == TOMOGRAM.replace("R1", name)
        assert Path(errors[name]["file"]).name == "tiny.yaml"
        assert "tomograms/{run_name}.mrc" in tiny.file.read_text().splitlines()[errors[name]["line"]]
        assert not [path for path in portal.public() if path.startswith(f"{errors[name]['where']}/")]
        unread = [
            p["where"]
            for p in ran.problems
            if p["code"] == "tomogram-unreadable" and f"/{name}/" in p["where"]
        ]
        assert unread == [place.replace("R1", name) for place in ("20002/R1/Alignments/100", BALL, MEMBRANE)]
    assert [row["name"] for row in portal.rows("Tomogram", "name")] == ["R1"]
    assert len(portal.rows("Annotation")) == 2 * (1 + len(runs))
    assert_whole(portal)


def test_the_repaired_file_completes_what_referred_to_it(tiny, portal):
    good = _tomogram(tiny).read_bytes()
    _truncated(_tomogram(tiny))
    ingest_tiny(tiny, portal)
    assert portal.rows("Alignment", "volume_x_dimension") == [{"volume_x_dimension": None}]
    _tomogram(tiny).write_bytes(good)
    ran = ingest_tiny(tiny, portal)
    assert (ran.code, ran.problems) == (0, [])
    assert portal.rows("Alignment", "volume_x_dimension") == [{"volume_x_dimension": 240.0}]
    assert_whole(portal)


def test_a_file_that_may_not_be_read_fails_alone(tiny, portal):
    _tomogram(tiny).chmod(0)
    if os.access(_tomogram(tiny), os.R_OK):
        pytest.skip("this user may read every file, as root does")
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    assert "Permission denied" in ran.problem("tomogram-failed")["message"]
    assert_whole(portal)


def test_nan_voxels_are_counted_and_kept(tiny, portal):
    volume = np.random.default_rng(1).normal(0, 1, (12, 20, 24)).astype(np.float32)
    volume[0, 0, :3] = (np.nan, np.inf, -np.inf)
    with pytest.warns(RuntimeWarning):
        write_mrc(_tomogram(tiny), volume, 10.0)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    told = sentence(ran.problem("not-finite"))
    assert told.startswith("lab/tomograms/R1.mrc: 3 of 5760 voxels are NaN or infinite; they are kept")
    stored = np.frombuffer(portal.public()[f"{TOMOGRAM}/R1.mrc"], np.float32, offset=1024)
    np.testing.assert_array_equal(stored, volume.ravel())


def test_a_voxel_size_that_differs_from_the_header_names_both(tiny, portal):
    write_mrc(_tomogram(tiny), np.ones((12, 20, 24), np.float32), 100.0)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    told = sentence(ran.problem("voxel-size-differs"))
    assert "lab/tomograms/R1.mrc" in told
    assert "100.0000 Å" in told
    assert "10.0000 Å is published" in told
    assert portal.rows("Tomogram", "voxel_spacing") == [{"voxel_spacing": 10.0}]


def test_a_packed_volume_is_read(tiny, portal):
    plain = _tomogram(tiny).read_bytes()
    _tomogram(tiny).write_bytes(gzip.compress(plain))
    assert ingest_tiny(tiny, portal).code == 0
    assert portal.public()[f"{TOMOGRAM}/R1.mrc"][1024:] == plain[1024:]


BAD_POINTS = {
    "text": ("1,2,3\nx,y,z\n", "lab/text.csv, line 2: 'x' is not a coordinate; expected a finite number"),
    "nan": ("1,2,3\nnan,2,4\n", "lab/nan.csv, line 2: 'nan' is not a coordinate"),
    "short": ("1,2,3\n1,2\n", "lab/short.csv, line 2:"),
}
ODD_POINTS = {
    "outside": ("1,2,3\n400,5,5\n-3,2,2\n", "lab/outside.csv: 2 of 3 points lie outside the volume of 24 × 20 × 12 voxels, "
                "the first being that of line 2 at (400, 5, 5)"),
    "none": ("", "lab/none.csv: there is no point in this file"),
}  # fmt: skip


def test_bad_points_are_named_with_their_lines(tiny, portal):
    for name, (text, _) in {**BAD_POINTS, **ODD_POINTS}.items():
        tiny.run(name)
        (tiny.lab / f"{name}.csv").write_text(text)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    failed = {p["where"]: p["message"] for p in ran.problems if p["code"] == "annotation-failed"}
    assert set(failed) == {BALL.replace("R1", name) for name in BAD_POINTS}
    for name, (_, said) in BAD_POINTS.items():
        assert said in failed[BALL.replace("R1", name)]
    told = " | ".join(sentence(problem) for problem in ran.problems if problem["severity"] == "warning")
    for _, said in ODD_POINTS.values():
        assert said in told
    names = [row["object_name"] for row in portal.rows("Annotation", "object_name")]
    assert (names.count("ball"), names.count("membrane")) == (3, 6)
    assert_whole(portal)


def test_a_mask_without_its_label_is_left_out_and_remembered(tiny, portal):
    tiny.config["annotations"][1]["sources"][0]["SemanticSegmentationMask"]["mask_label"] = 7
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    told = ran.problem("left-out")
    assert told["severity"] == "warning"
    assert "lab/R1_mask.mrc: no voxel has the mask label 7; the labels in it are 0, 1, 2" in told["message"]
    assert [row["object_name"] for row in portal.rows("Annotation", "object_name")] == ["ball"]
    assert not [path for path in portal.public() if path.startswith(MEMBRANE)]
    assert_whole(portal)
    assert "Nothing to do" in portal.plan(tiny.file, tiny.source).out
    tiny.config["annotations"][1]["sources"][0]["SemanticSegmentationMask"]["mask_label"] = 1
    assert ingest_tiny(tiny, portal).code == 0
    assert [row["object_name"] for row in portal.rows("Annotation", "object_name")] == ["ball", "membrane"]


def test_a_mask_that_loses_its_label_is_withdrawn(tiny, portal):
    ingest_tiny(tiny, portal)
    write_mrc(tiny.lab / "R1_mask.mrc", np.zeros((12, 20, 24), np.int8), 10.0)
    ran = ingest_tiny(tiny, portal)
    assert "the labels in it are 0" in ran.problem("left-out")["message"]
    assert [row["object_name"] for row in portal.rows("Annotation", "object_name")] == ["ball"]
    assert not [path for path in portal.public() if path.startswith(MEMBRANE)]


def test_a_mask_of_another_size_names_both(tiny, portal):
    write_mrc(tiny.lab / "R1_mask.mrc", np.full((6, 10, 12), 2, np.int8), 10.0)
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    told = sentence(ran.problem("mask-size"))
    assert "lab/R1_mask.mrc: the mask has 12 × 10 × 6 voxels (x × y × z), the tomogram 24 × 20 × 12" in told
    assert "rescale: true" in told


def test_duplicate_angles_are_told_with_their_places(tiny, portal):
    (tiny.lab / "R1.rawtlt").write_text("-40\n-20\n0\n0\n40\n")
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    told = sentence(ran.problem("duplicate-angle"))
    assert told.startswith("lab/R1.rawtlt: the angle 0° belongs to 2 images, numbers 2, 3 counted from 0")
    assert "1 of 5 angles have no section" in ran.problem("angle-without-section")["message"]


def test_too_few_angles_stop_the_tilt_series_alone(tiny, portal):
    (tiny.lab / "R1.rawtlt").write_text("-40\n-20\n0\n40\n")
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = ran.problem("tiltseries-failed")["message"]
    assert "lab/R1.rawtlt: the list has 4 angles, the stack lab/R1.st has 5 images" in told
    assert portal.rows("TiltSeries") == []
    assert len(portal.rows("Tomogram")) == 1
    assert_whole(portal)


def test_an_empty_pattern_names_what_it_looked_for(tiny, portal):
    tiny.config["annotations"][0]["sources"][0]["Point"]["glob_string"] = "points/{run_name}.csv"
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    told = ran.problem("empty")
    assert "points/{run_name}.csv" in told["message"]
    assert (told["where"], told["severity"]) == ("annotations[0].sources[0]", "warning")
    assert "source_prefix" in told["hint"]


def test_no_run_at_all_is_an_error(tiny, portal):
    tiny.config["runs"][0]["sources"][0]["source_glob"]["list_glob"] = "elsewhere/*.mrc"
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    assert "expected at least one" in ran.problem("no-run")["message"]
    assert portal.rows("Run") == []


def test_two_files_that_claim_one_run_are_both_named(tiny, portal):
    tiny.run("R2").config["runs"][0]["sources"][0]["source_glob"]["name_regex"] = "(R).*"
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = ran.problem("name-claimed-twice")["message"]
    assert "'R' by lab/tomograms/R1.mrc and lab/tomograms/R2.mrc" in told
    assert "empty" not in {problem["code"] for problem in ran.problems}
    assert portal.rows("Run") == []


def test_run_names_that_are_no_folder_names_are_left_out(tiny, portal):
    bad = ["../outside", "a/b", ".hidden", "Images", "", "tab\tbed", ".."]
    tiny.config["runs"][0]["sources"] = [{"literal": {"value": ["R1", *bad]}}]
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = ran.problem("unsafe-name")
    assert (
        "cannot be the name of a run, which is left out: '../outside', 'a/b', '.hidden' and 4 more"
        in told["message"]
    )
    assert told["line"]
    assert [row["name"] for row in portal.rows("Run", "name")] == ["R1"]
    assert {path.name for path in portal.folder.iterdir()} == {"files", "catalog.sqlite"}
    assert {path.name for path in portal.layout.iterdir()} == {".tomoportal", "20002", "DepositionMetadata"}


def _refused(portal: FlowPortal, config: Path, source: Path) -> str:
    """Ingest what may not be ingested; nothing is written. Gives what was said."""
    ran = portal.ingest(config, source)
    assert ran.code == 2
    assert not portal.folder.exists()
    assert "Traceback" not in ran.out + ran.err
    return ran.out + ran.err


def _glob_of(tiny: Tiny, pattern: str) -> None:
    tiny.config["tomograms"][0]["sources"][0]["source_glob"]["list_glob"] = pattern


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        (lambda tiny: _glob_of(tiny, "../{run_name}.mrc"), "tomograms[0].sources[0].source_glob.list_glob",
         "leads out of the source"),
        (lambda tiny: _glob_of(tiny, "/etc/{run_name}"), "tomograms[0].sources[0].source_glob.list_glob",
         "is not below the source"),
        (lambda tiny: tiny.config["standardization_config"].update(source_prefix="../.."),
         "standardization_config.source_prefix", "leads out of the source"),
        (lambda tiny: tiny.config["tomograms"][0]["metadata"].update(voxel_spacing="ten"),
         "tomograms[0].metadata.voxel_spacing", "found the text 'ten', expected a number"),
        (lambda tiny: tiny.config["tomograms"][0]["metadata"].update(voxel_spacing=-10.0),
         "tomograms[0].metadata.voxel_spacing", "found -10 Å, expected at least 0.001 Å"),
        (lambda tiny: tiny.config["tomograms"][0]["metadata"].update(voxel_spacing=0),
         "tomograms[0].metadata.voxel_spacing", "found 0 Å"),
        (lambda tiny: tiny.config["tomograms"][0]["metadata"].update(voxel_spacing=float("nan")),
         "tomograms[0].metadata.voxel_spacing", "expected a finite number"),
        (lambda tiny: tiny.config["tiltseries"][0]["metadata"].update(pixel_spacing=True),
         "tiltseries[0].metadata.pixel_spacing", "expected a number"),
        (lambda tiny: tiny.config["voxel_spacings"][0]["sources"][0]["literal"].update(value=["ten"]),
         "voxel_spacings[0].sources[0].literal.value[0]", "found the text 'ten'"),
    ],
)  # fmt: skip
def test_a_faulty_deposition_file_is_refused_with_its_line(tiny, portal, change, where, said):
    change(tiny)
    tiny.write()
    told = _refused(portal, tiny.file, tiny.source)
    assert where in told
    assert said in told
    assert tomoportal("check", tiny.file).code == 1


BOMB = "\n".join(
    ["a0: &a0 [x,x,x,x,x,x,x,x,x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "values when aliases are expanded"),
        ("a: &a [*a]\n", "error"),
        ("[" * 5000, "error"),
        ("runs: [\n}", "this is not YAML"),
        ("", "the file is empty"),
        ("\0\1\2", "binary"),
        ("runs: !!python/object/apply:os.system ['touch /tmp/x']\n", "error"),
    ],
    ids=["bomb", "loop", "deep", "syntax", "empty", "binary", "code"],
)
def test_a_file_that_is_no_deposition_is_refused(tmp_path, tiny, portal, text, said):
    config = tmp_path / "bad.yaml"
    config.write_text(text)
    assert said in _refused(portal, config, tiny.source)


def test_duplicate_keys_name_both_lines(tiny, portal):
    tiny.file.write_text(tiny.file.read_text() + "\nruns: []\n")
    assert re.search(
        r"'runs' stands here and in line \d+; only one can count", _refused(portal, tiny.file, tiny.source)
    )


def test_findings_of_a_refused_file_come_as_json_when_asked(tiny, portal):
    tiny.config["tomograms"][0]["metadata"]["voxel_spacing"] = "ten"
    tiny.write()
    ran = portal.ingest(tiny.file, tiny.source)
    assert ran.code == 2
    assert {problem["where"] for problem in ran.problems} == {"tomograms[0].metadata.voxel_spacing"}


def test_absent_files_and_folders_are_named(tmp_path, tiny, portal):
    assert "nothing.yaml: the file cannot be read" in _refused(portal, tmp_path / "nothing.yaml", tiny.source)
    assert "Is a directory" in _refused(portal, tmp_path, tiny.source)
    assert "nowhere: there is no such folder" in _refused(portal, tiny.file, tmp_path / "nowhere")
    ran = portal.plan(tmp_path / "nothing.yaml", tiny.source)
    assert (ran.code, "cannot be read" in ran.err) == (2, True)


def test_a_link_out_of_the_source_is_not_followed(tiny, portal):
    tiny.run("R2")
    secret = tiny.folder / "secret.mrc"
    _tomogram(tiny).rename(secret)
    _tomogram(tiny).symlink_to(secret)
    ran = ingest_tiny(tiny, portal)
    told = ran.problem("link-outside")
    assert "not followed: lab/tomograms/R1.mrc" in told["message"]
    assert "--source" in told["hint"]
    assert [row["name"] for row in portal.rows("Run", "name")] == ["R2"]


def test_a_storage_that_cannot_be_written_exits_with_3(tmp_path, tiny):
    (tmp_path / "plain").write_text("a file")
    ran = tomoportal(
        "ingest", tiny.file, "--source", tiny.source, "--storage", tmp_path / "plain/files",
        "--database", f"sqlite:///{tmp_path}/catalog.sqlite",
    )  # fmt: skip
    assert ran.code == 3
    assert str(tmp_path / "plain/files") in ran.err
    assert "Traceback" not in ran.err


def test_a_database_that_cannot_be_written_exits_with_3(tmp_path, tiny):
    (tmp_path / "plain").write_text("a file")
    (tmp_path / "notes.sqlite").write_text("not a database at all, " * 100)
    for database in ("plain/catalog.sqlite", "notes.sqlite"):
        before = contents(tmp_path)
        ran = tomoportal(
            "ingest", tiny.file, "--source", tiny.source, "--storage", tmp_path / "files",
            "--database", f"sqlite:///{tmp_path}/{database}",
        )  # fmt: skip
        assert ran.code == 3, database
        assert database in ran.err
        assert contents(tmp_path) == before


def test_a_database_of_another_program_is_left_as_it_is(tmp_path, tiny):
    import sqlite3

    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE precious (thing TEXT)")
        connection.execute("INSERT INTO precious VALUES ('gold')")
    connection.close()
    ran = tomoportal(
        "ingest",
        tiny.file,
        "--source",
        tiny.source,
        "--storage",
        tmp_path / "files",
        "--database",
        f"sqlite:///{other}",
    )
    assert ran.code == 3
    assert "is a database of something else (it has a table 'precious')" in ran.err
    with sqlite3.connect(other) as connection:
        assert connection.execute("SELECT thing FROM precious").fetchall() == [("gold",)]
    connection.close()


def test_a_damaged_ledger_stops_and_changes_nothing(tiny, portal):
    ingest_tiny(tiny, portal)
    ledger = portal.layout / ".tomoportal/datasets/20002/runs/R1.json"
    rows = portal.rows("Tomogram", "name", "id")
    for damage in (b"{broken", b"", b"null", b"[]", b'{"format":1}', b'{"format":1,"records":[{}]}'):
        ledger.write_bytes(damage)
        before = contents(portal.layout)
        for ran in (portal.plan(tiny.file, tiny.source), portal.ingest(tiny.file, tiny.source)):
            assert ran.code == 3, damage
            assert ".tomoportal/datasets/20002/runs/R1.json: this" in ran.err
            assert "damaged" in ran.err
        assert contents(portal.layout) == before
    assert portal.rows("Tomogram", "name", "id") == rows


def test_a_damaged_sidecar_deletes_no_row_and_can_be_made_again(tiny, portal):
    ingest_tiny(tiny, portal)
    sidecar = portal.layout / TOMOGRAM / "tomogram-metadata.json"
    good, rows = sidecar.read_bytes(), portal.rows("Tomogram", "id", "name")
    sidecar.write_bytes(good[:50])
    ran = portal.load()
    assert ran.code == 1
    told = ran.problem("load-unreadable")
    assert f"{TOMOGRAM}/tomogram-metadata.json: this JSON file is damaged" in told["message"]
    assert portal.rows("Tomogram", "id", "name") == rows
    sidecar.unlink()
    assert ingest_tiny(tiny, portal).code == 0
    assert {**json.loads(sidecar.read_bytes()), "last_updated_at": 0} == {
        **json.loads(good),
        "last_updated_at": 0,
    }
    assert portal.rows("Tomogram", "id", "name") == rows


def test_a_second_ingestion_of_the_same_dataset_is_refused(tiny, portal):
    ingest_tiny(tiny, portal)
    tiny.run("R1", seed=2)
    before = contents(portal.layout)
    with hold(open_storage(str(portal.layout)), "20002"):
        ran = portal.ingest(tiny.file, tiny.source)
    assert ran.code == 3
    assert f"process {os.getpid()} on" in ran.err
    assert "is writing here. Wait until it has finished" in ran.err
    assert contents(portal.layout) == before


def _large(tiny: Tiny) -> Tiny:
    """A second run whose tomogram takes a moment."""
    tiny.run("R2", seed=3)
    write_mrc(
        tiny.lab / "tomograms/R2.mrc", np.random.default_rng(1).random((160, 384, 384), np.float32), 10.0
    )
    (tiny.lab / "R2_mask.mrc").unlink()
    return tiny.write()


def _start(tiny: Tiny, portal: FlowPortal, **more: Any) -> subprocess.Popen[str]:
    command = [
        PROGRAM,
        "ingest",
        str(tiny.file),
        "--source",
        str(tiny.source),
        *portal.options,
        "--workers",
        "1",
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def _last_in_line() -> None:
    """In the child: it must not have finished before this process, which watches it, gets its turn; and Ctrl-C, which workers of
    the tests ignore and hand on so, must mean something."""
    os.nice(19)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupting_keeps_what_is_finished_and_goes_on_afterwards(tiny, portal):
    process = _start(_large(tiny), portal, preexec_fn=_last_in_line)
    sidecar = portal.layout / "20002/R1/run_metadata.json"
    deadline = time.monotonic() + 60
    while not sidecar.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.strip() == "Stopped. What is finished stays; run the same command again to go on."
    assert len([path for path in portal.public() if path.endswith("tomogram-metadata.json")]) < 2
    ran = portal.ingest(tiny.file, tiny.source)
    assert (ran.code, ran.problems) == (0, [])
    assert len(portal.rows("Tomogram")) == 2
    assert_whole(portal)


def _small_files_only() -> None:
    """In the child: no file may grow beyond 8 MB, which is how a full disk looks from inside."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_000, 8_000_000))


def test_a_full_disk_stops_with_a_sentence_and_goes_on_afterwards(tiny, portal):
    process = _start(_large(tiny), portal, preexec_fn=_small_files_only)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "the volume cannot be written (File too large)" in err
    assert "Traceback" not in err
    assert not [path for path in portal.public() if "R2/Reconstructions/VoxelSpacing10.000/Tomograms" in path]
    ran = portal.ingest(tiny.file, tiny.source)
    assert (ran.code, ran.problems) == (0, [])
    assert_whole(portal)


def test_no_staging_is_left(tiny, portal):
    _truncated(_tomogram(tiny))
    ingest_tiny(tiny, portal)
    assert not list((portal.layout / ".tomoportal/staging").iterdir())
    assert not list((portal.layout / ".tomoportal/leases").iterdir())


def test_two_files_that_would_become_one_are_refused(tiny, portal):
    (tiny.lab / "R1_more.csv").write_text("1,2,3\n")
    tiny.config["annotations"][0]["sources"][0]["Point"]["glob_string"] = "{run_name}*.csv"
    (tiny.lab / "again").mkdir()
    (tiny.lab / "again/R1.xf").write_bytes((tiny.lab / "R1.xf").read_bytes())
    tiny.config["alignments"][0]["sources"][0]["source_multi_glob"]["list_globs"].append(
        "again/{run_name}.xf"
    )
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = {problem["code"]: problem for problem in ran.problems if problem["severity"] == "error"}
    assert told["annotation-failed"]["message"].startswith(
        f"{BALL}/ball-1.0_point.ndjson: two source files would become this one"
    )
    assert told["alignment-failed"]["message"].startswith("20002/R1/Alignments/100/R1.xf: two source files")
    assert [row["object_name"] for row in portal.rows("Annotation", "object_name")] == ["membrane"]
    assert_whole(portal)


def test_a_source_that_breaks_later_leaves_what_is_published(tiny, portal):
    ingest_tiny(tiny, portal)
    before, rows = portal.public(), portal.rows("Annotation", "id", "object_count")
    (tiny.lab / "R1.csv").write_text("a,b,c\n1,2,c\n")
    _truncated(_tomogram(tiny))
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    after = portal.public()
    kept = [path for path in before if path.startswith((TOMOGRAM, BALL))]
    assert [path for path in kept if after.get(path) != before[path]] == []
    assert portal.rows("Annotation", "id", "object_count") == rows
    assert_whole(portal)


def test_an_object_name_cannot_lead_anywhere(tiny, portal):
    tiny.config["annotations"][0]["metadata"]["annotation_object"]["name"] = "../../../etc/<script>"
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    assert f"{BALL}/_________etc__script_-1.0.json" in portal.public()
    assert_whole(portal)


def test_what_a_killed_process_of_the_same_number_staged_is_not_published(tiny, portal):
    stale = (
        portal.layout
        / f".tomoportal/staging/{os.getpid()}/20002/R1/tomogram-10.000-100/{TOMOGRAM}/R1.zarr/0/9/9/9"
    )
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of another volume")
    assert ingest_tiny(tiny, portal).code == 0
    assert not [path for path in portal.public() if path.endswith("9/9/9")]


def test_a_tomogram_of_a_spacing_that_is_not_listed_is_told(tiny, portal):
    tiny.run("R2").config["tomograms"][0]["metadata"]["voxel_spacing"] = 12.5
    tiny.write()
    checked = tomoportal("check", tiny.file, "--source", tiny.source, "--storage", portal.layout)
    assert checked.code == 1
    assert "tiny.yaml: 1 error\n" in checked.out
    assert "R1.mrc and 1 more is stated as 12.500 Å" in checked.out
    assert "dataset 20002: 2 runs, " in checked.out
    assert "tomogram" not in checked.out.partition("to ingest: ")[2].splitlines()[0]
    assert not portal.folder.exists()
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 1
    told = ran.problem("spacing-not-listed")
    assert (
        "lab/tomograms/R1.mrc and 1 more is stated as 12.500 Å; the voxel spacings of the run are 10.000 Å"
        in told["message"]
    )
    assert told["where"] == "tomograms[0].sources[0]"
    assert portal.rows("Tomogram") == []
    assert_whole(portal)


def test_check_counts_what_is_ahead(tiny, portal):
    def ahead() -> str:
        checked = tomoportal("check", tiny.write().file, "--source", tiny.source, *portal.options[:2])
        assert checked.code == 0
        return checked.out.rpartition("to ingest: ")[2].splitlines()[0]

    everything = (
        "1 run, 1 frames, 1 tiltseries, 1 alignment, 1 tomogram, 2 annotation, 1 dataset, 1 deposition"
    )
    assert ahead() == everything
    ingest_tiny(tiny, portal)
    assert ahead() == "nothing; 7 published as asked for"
    tiny.config["tomograms"][0]["metadata"]["processing"] = "denoised"
    assert ahead().startswith("1 tomogram; ")


def test_of_several_alignments_the_one_that_is_taken_is_named(tiny, portal):
    second = copy.deepcopy(tiny.config["alignments"][0])
    second["metadata"]["alignment_type"] = "LOCAL"
    second["sources"] = [
        {"source_multi_glob": {"list_globs": ["{run_name}_local.xf", "{run_name}_local.tlt"]}}
    ]
    tiny.config["alignments"].append(second)
    tiny.run("R2").write()
    for run in ("R1", "R2"):
        for ending in ("xf", "tlt"):
            (tiny.lab / f"{run}_local.{ending}").write_text((tiny.lab / f"{run}.{ending}").read_text())
    ran = ingest_tiny(tiny, portal)
    assert ran.code == 0
    (told,) = ran.problems
    assert (told["code"], told["severity"]) == ("several-alignments", "warning")
    assert told["where"] == "alignments[0].sources[0]"
    assert "with that of alignments[0].sources[0]: 20002/R1 (20002/R1/Alignments/100/" in told["message"]
    assert "20002/R2 (20002/R2/Alignments/100/" in told["message"]
    (path,) = [path for path in portal.sidecars() if path.startswith(f"{TOMOGRAM}/")]
    sidecar = json.loads(portal.public()[path])
    assert sidecar["alignment_metadata_path"].startswith("20002/R1/Alignments/100/")
    assert len(portal.rows("Alignment")) == 4


def test_a_folder_in_place_of_an_angle_list_is_told_by_its_path_in_the_source(tiny, portal):
    angles = tiny.lab / "R1.rawtlt"
    angles.unlink()
    angles.mkdir()
    problem = ingest_tiny(tiny, portal).problem("tiltseries-failed")
    assert problem["message"] == "lab/R1.rawtlt: this is a folder or a device, not a file"
