"""The written files agree with each other, by readers that are not ours."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import mdocfile
import mrcfile
import numpy as np
import pytest
import yaml

from tomoportal.demo import DemoFiles, truth, write_demo
from tomoportal.demo.configs import config_text
from tomoportal.demo.files import dose_symmetric, mdoc_lines, write_text
from tomoportal.demo.phantom import Lattice
from tomoportal.demo.runs import simulate
from tomoportal.demo.scenes import proteoliposomes
from tomoportal.demo.sources import VESICLES, RunPlan


@pytest.fixture(scope="module")
def runs(demo: DemoFiles) -> dict[str, Any]:
    return truth(demo.truth.parent)["datasets"]["10901"]["runs"]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes(demo: DemoFiles, tmp_path: Path) -> None:
    told: list[str] = []
    write_demo(tmp_path / "again", size="small", progress=told.append)
    assert digests(tmp_path / "again") == digests(demo.truth.parent)
    assert len(told) == 2


def test_other_seed_other_cell(demo: DemoFiles, tmp_path: Path) -> None:
    other = write_demo(tmp_path, seed=8, size="small")
    name = "cell_periphery/TS_001/TS_001.st"
    assert (other.source / name).read_bytes() != (demo.source / name).read_bytes()


def test_headers(demo: DemoFiles, runs: dict[str, Any]) -> None:
    for facts in runs.values():
        fine, coarse = facts["spacings"]
        wanted = {"tiltseries": fine, "tomogram": fine, "denoised": fine, "labels": fine, "binned": coarse}
        for kind, spacing in wanted.items():
            path = demo.source / "cell_periphery" / facts["files"][kind]
            assert mrcfile.validate(path), path
            with mrcfile.open(path) as file:
                assert file.voxel_size.x == pytest.approx(float(spacing), abs=1e-3)
                assert file.voxel_size.z == pytest.approx(float(spacing), abs=1e-3)
                if kind == "tiltseries":
                    assert file.is_image_stack()
                    assert file.data.dtype == np.int16
                    assert file.data.shape[0] == 41
                else:
                    assert file.is_volume()
                    assert list(file.data.shape) == facts["dimensions"][spacing]


def test_angles_agree(demo: DemoFiles, runs: dict[str, Any]) -> None:
    for name, facts in runs.items():
        folder = demo.source / "cell_periphery" / name
        raw = np.loadtxt(folder / f"{name}.rawtlt")
        refined = np.loadtxt(folder / f"{name}.tlt")
        mdoc = mdocfile.read(folder / f"{name}.st.mdoc")
        assert len(raw) == len(refined) == len(mdoc) == 41
        assert np.allclose(raw, facts["nominal_angles"], atol=0.0051)
        assert np.allclose(refined, facts["refined_angles"], atol=1e-9)
        assert (np.diff(raw) > 0).all()
        assert np.abs(refined - raw).max() < 0.2
        assert sorted(round(a, 2) for a in mdoc["TiltAngle"]) == [round(a, 2) for a in raw]
        assert list(mdoc["ZValue"]) == list(range(41))
        assert mdoc["ExposureDose"].sum() == pytest.approx(123.0)
        assert mdoc["PriorRecordDose"].iloc[-1] == pytest.approx(120.0)
        assert mdoc["DateTime"].is_monotonic_increasing
        assert all(re.match(r"D:\\demo\\frames\\", str(path)) for path in mdoc["SubFramePath"])
        assert abs(mdoc["TiltAngle"].iloc[0]) < 0.1
        text = (folder / f"{name}.st.mdoc").read_text()
        assert f"Tilt axis angle = {facts['tilt_axis']:.1f}," in text


def test_dose_symmetric_order() -> None:
    angles = np.arange(-9.0, 9.1, 3.0)
    assert angles[dose_symmetric(7)].tolist() == [0, 3, -3, -6, 6, 9, -9]


def test_windows_line_ends(tmp_path: Path) -> None:
    angles = np.array([-3.0, 0.0, 3.0])
    lines = mdoc_lines("P", "P.mrc", (8, 8), angles, pixel=10, axis=-94.2, dose=3, seconds=1.5, defocus=4e4)
    write_text(tmp_path / "P.mdoc", lines, newline="\r\n")
    data = (tmp_path / "P.mdoc").read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") == len(lines)
    assert len(mdocfile.read(tmp_path / "P.mdoc")) == 3


def globs(config: dict[str, Any]) -> list[str]:
    """Every glob of a deposition file."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("list_glob", "glob_string"):
                    found.append(value)
                elif key in ("list_globs", "glob_strings"):
                    found.extend(value)
                else:
                    walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(config)
    return found


def test_every_glob_matches(demo: DemoFiles, runs: dict[str, Any]) -> None:
    (path,) = demo.configs
    config = yaml.safe_load(path.read_text())
    root = demo.source / config["standardization_config"]["source_prefix"]
    patterns = globs(config)
    assert len(patterns) > 12
    unmatched = {
        pattern
        for pattern in patterns
        if not any(list(root.glob(pattern.format(run_name=name))) for name in runs)
    }
    # The small demo has no mitochondrion, and so no synthases.
    assert unmatched == {"annotations/{run_name}_atp_synthase.csv"}
    assert (root / config["standardization_config"]["run_data_map_file"]).is_file()


@pytest.mark.parametrize("dataset", ["10901", "10902"])
def test_config_is_complete(dataset: str) -> None:
    prefix = {"10901": "cell_periphery", "10902": "vesicles"}[dataset]
    text = config_text(dataset, prefix, Lattice((72, 352, 352), 13.68, 0), 88.0, 90.5)
    assert "@" not in text
    config = yaml.safe_load(text)
    assert config["standardization_config"]["deposition_id"] == 10900
    assert config["datasets"][0]["sources"][0]["literal"]["value"] == [dataset]
    names = [entry["metadata"]["annotation_ingest_id"] for entry in config["annotations"]]
    assert len(names) == len(set(names))
    for entry in config["annotations"]:
        metadata = entry["metadata"]
        assert not (metadata["method_type"] == "automated" and metadata["ground_truth_status"])


def test_run_table_fills_the_placeholders(demo: DemoFiles, runs: dict[str, Any]) -> None:
    table = (demo.source / "cell_periphery" / "run_data.tsv").read_text().splitlines()
    header = table[0].split("\t")
    rows = [dict(zip(header, line.split("\t"), strict=True)) for line in table[1:]]
    assert [row["run_name"] for row in rows] == list(runs)
    placeholders = set(re.findall(r"'(?:float|int) \{([^}]+)\}'", demo.configs[0].read_text()))
    assert placeholders
    assert placeholders <= set(header)


def test_import_is_light() -> None:
    code = "import sys, tomoportal.demo; print('numpy' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("tilts", [True, False])
def test_a_run_of_the_second_dataset(tmp_path: Path, tilts: bool) -> None:
    plan = RunPlan(
        VESICLES, "P_1", proteoliposomes, Lattice((32, 64, 64), 27.36, 10), axis=-94.2, tilts=tilts
    )
    facts = simulate(plan, [1, 0], tmp_path).facts
    with mrcfile.open(tmp_path / "masks/P_1_membranes_bin2.mrc") as mask:
        assert mask.data.shape == (16, 32, 32)
        assert set(np.unique(mask.data)) == {0, 1}
    table = np.loadtxt(tmp_path / "picks/P_1_20S.csv", delimiter=",", skiprows=1)
    wanted = [p["xyz_voxel"]["27.360"] for p in facts["particles"] if p["object_id"] == "GO:0005839"]
    assert np.allclose(table[:, ::-1], wanted, atol=0.006)
    assert (tmp_path / "picks/P_1_20S.csv").read_text().startswith("z,y,x\n")
    assert (tmp_path / "stacks/P_1.mrc").exists() == (tmp_path / "imod/P_1.xf").exists() == tilts
    assert facts["tilt_series_deposited"] == tilts
    if tilts:
        assert b"\r\n[ZValue = 40]\r\n" in (tmp_path / "mdocs/P_1.mdoc").read_bytes()
