"""How long finding and planning take for a deposition of many runs, from a folder and from an S3 server on this machine.

python benchmarks/planning.py [RUNS]     RUNS: 2,000 unless given; 50 source files each
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tomoportal.cli.planning import planned
from tomoportal.settings import Settings

PROGRAM = str(Path(sys.executable).with_name("tomoportal"))
MOVIES = 41
DATES = dict.fromkeys(("deposition_date", "release_date", "last_modified_date"), "2025-01-01")
AUTHORS = [{"name": "A. Author", "primary_author_status": True, "corresponding_author_status": True}]
TILTSERIES = {
    "acceleration_voltage": 300000, "camera": {"manufacturer": "Gatan", "model": "K3"}, "data_acquisition_software": "SerialEM",
    "is_aligned": False, "microscope": {"manufacturer": "TFS", "model": "Krios"},
    "microscope_optical_setup": {"energy_filter": "GIF"}, "spherical_aberration_constant": 2.7, "tilt_axis": "float {axis}",
    "tilt_range": {"min": -60, "max": 60}, "tilt_series_quality": 4, "tilt_step": 3, "tilting_scheme": "dose-symmetric",
    "total_flux": 120, "pixel_spacing": 1.5,
}  # fmt: skip
TOMOGRAM = {
    "voxel_spacing": "float {vs}", "fiducial_alignment_status": "FIDUCIAL", "reconstruction_method": "WBP", "processing": "raw",
    "reconstruction_software": "IMOD", "tomogram_version": 1, "offset": {"x": 0, "y": 0, "z": 0}, "is_visualization_default": True,
    "authors": AUTHORS, "dates": DATES,
}  # fmt: skip
ANNOTATION = {
    "annotation_ingest_id": "ribosome", "annotation_method": "by eye", "method_type": "manual", "version": 1.0,
    "annotation_object": {"id": "GO:0022626", "name": "ribosome"}, "authors": AUTHORS, "dates": DATES,
}  # fmt: skip
FILES = ("mdoc", "st", "rawtlt", "xf", "tlt", "rec", "csv", "defocus", "log")
"""Of every run, besides its movies."""


def glob(pattern: str, **more: str) -> list[dict]:
    """The sources of one pattern."""
    return [{"source_glob": {"list_glob": pattern, **more}}]


CONFIG = {
    "version": "1.3.0",
    "standardization_config": {"deposition_id": 1, "source_prefix": "lab", "run_data_map_file": "runs.csv"},
    "depositions": [{"metadata": {"deposition_identifier": 1, "deposition_title": "T", "deposition_description": "D",
                                  "deposition_types": ["dataset"], "authors": AUTHORS, "dates": DATES},
                     "sources": [{"literal": {"value": [1]}}]}],
    "datasets": [{"metadata": {
        "dataset_identifier": 2, "dataset_title": "T", "dataset_description": "D", "authors": AUTHORS, "dates": DATES,
        "sample_type": "in_vitro", "assay": {"name": "cryoET", "id": "EFO:0700007"},
        "development_stage": {"name": "unknown", "id": "unknown"}, "disease": {"name": "normal", "id": "PATO:0000461"}},
        "sources": [{"literal": {"value": ["2"]}}]}],
    "runs": [{"sources": glob("runs/TS_*")}],
    "voxel_spacings": [{"sources": [{"literal": {"value": ["float {vs}"]}}]}],
    "frames": [{"metadata": {"dose_rate": 2.0, "is_gain_corrected": True}, "sources": glob("runs/{run_name}/frames/*.tif")}],
    "collection_metadata": [{"sources": glob("runs/{run_name}/{run_name}.mdoc")}],
    "rawtilts": [{"sources": glob("runs/{run_name}/*.rawtlt")}],
    "tiltseries": [{"metadata": TILTSERIES, "sources": glob("runs/{run_name}/*.st")}],
    "alignments": [{"metadata": {"format": "IMOD"}, "sources": [{"source_multi_glob": {
        "list_globs": ["runs/{run_name}/{run_name}.xf", "runs/{run_name}/{run_name}.tlt"]}}]}],
    "tomograms": [{"metadata": TOMOGRAM, "sources": glob("runs/{run_name}/*.rec")}],
    "annotations": [{"metadata": ANNOTATION, "sources": [
        {"Point": {"file_format": "csv", "glob_string": "runs/{run_name}/{run_name}.csv"}}]}],
}  # fmt: skip


def main() -> None:
    """Print a Markdown table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory(prefix="tomoportal-bench-") as made:
        folder = Path(made)
        files = make_sources(folder / "sources", runs)
        config = folder / "d.yaml"
        config.write_text(yaml.safe_dump(CONFIG, sort_keys=False))
        print(
            f"| {runs} runs, {files} source files | find and plan, s | processor time, s | `tomoportal plan`, s |\n|---|---|---|---|"
        )
        print(f"| folder | {times(config, str(folder / 'sources'), folder)} |")
        with s3(folder) as url:
            print(f"| S3 on loopback | {times(config, url, folder)} |")


def make_sources(folder: Path, runs: int) -> int:
    """Small files named as microscopes and programs name them; gives their number."""
    lines = ["run_name,vs,axis"]
    for number in range(runs):
        name = f"TS_{number:04}"
        home = folder / "lab/runs" / name
        (home / "frames").mkdir(parents=True)
        for ending in FILES:
            (home / f"{name}.{ending}").write_text("0")
        for movie in range(MOVIES):
            (home / "frames" / f"{name}_{movie:03}.tif").touch()
        lines.append(f"{name},10.0,84.7")
    (folder / "lab/runs.csv").write_text("\n".join(lines))
    return runs * (len(FILES) + MOVIES)


def times(config: Path, source: str, folder: Path) -> str:
    """Median of three in this process, by the clock and of processor time, and of three through the command line."""
    storage = folder / "portal"
    settings = Settings(storage=str(storage))
    inside = [clocked(lambda: list(planned(config, source, settings).plan.tasks())) for _ in range(3)]
    command = [PROGRAM, "plan", config, "--source", source, "--storage", storage]
    outside = [clocked(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(3)]
    wall, cpu = (sorted(column)[1] for column in zip(*inside, strict=True))
    return f"{wall:.1f} | {cpu:.1f} | {sorted(outside)[1][0]:.1f}"


def clocked(work) -> tuple[float, float]:
    """Seconds that a call takes: by the clock, and of this process's processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


@contextmanager
def s3(folder: Path) -> Iterator[str]:
    """`rclone serve s3` on the folder; the URL of the sources."""
    program = Path(sys.executable).with_name("rclone")
    rclone = str(program) if program.exists() else shutil.which("rclone") or "rclone"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "SECRET"}
    command = [
        rclone,
        "serve",
        "s3",
        "--auth-key=AKID,SECRET",
        f"--addr=127.0.0.1:{port}",
        "--config=/dev/null",
    ]
    command.append(str(folder))
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(port)
        yield "s3://sources"
    finally:
        server.terminate()
        server.wait()


def wait(port: int) -> None:
    """Until somebody listens."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the S3 server does not answer")


if __name__ == "__main__":
    main()
