"""The demo deposition: phantom cells simulated from one seed, written the way a depositor would hand them in.

Takes an empty folder and a seed; gives source files, deposition files (YAML) and a truth table. It knows nothing
of the rest of the package: what it writes is input like any other. The heavy libraries are loaded on the call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

TRUTH_FILE = "truth.json"


@dataclass(frozen=True)
class DemoFiles:
    """What `write_demo` has written.

    configs: deposition files, in the order in which they should be ingested.
    source: the folder to give as `--source`; the configs' `source_prefix` lies below it.
    truth: JSON with everything that was put into the phantoms; `truth()` describes it.
    """

    configs: tuple[Path, ...]
    source: Path
    truth: Path


def write_demo(
    folder: Path,
    *,
    seed: int = 7,
    progress: Callable[[str], None] | None = None,
    size: Literal["demo", "small"] = "demo",
) -> DemoFiles:
    """Simulate the demo deposition and write it below `folder` (made if absent; files of the same name are replaced).

    The same seed gives the same bytes. `size="demo"` makes two datasets with five runs of about 80 x 384 x 384 voxels
    (some 12 s on two idle cores, 390 MB); `size="small"` makes one dataset with two runs of 32 x 96 x 96 voxels.
    `progress` is called with one short sentence per finished run, from the calling thread.
    """
    from tomoportal.demo.deposition import write_deposition

    return write_deposition(Path(folder), seed=seed, progress=progress, small=size == "small")


def written_demo(folder: Path, *, seed: int = 7) -> DemoFiles | None:
    """The demo that `write_demo` has finished in `folder` with this seed (the truth table is written last); None without one."""
    if not (folder / TRUTH_FILE).is_file() or truth(folder)["seed"] != seed:
        return None
    return DemoFiles(tuple(sorted(folder.glob("demo-*.yaml"))), folder / "sources", folder / TRUTH_FILE)


def truth(folder: Path) -> dict[str, Any]:
    """Read the truth table of a demo that was written to `folder`.

    `conventions` states units and signs in words. `datasets[id]["runs"][name]` holds: `spacings` (finest first), `dimensions`
    {spacing: [z, y, x]}, `particles` (`species`, `object_id`, `xyz_angstrom`, `xyz_voxel` {spacing: [x, y, z]},
    `rotation` 3 x 3), `filaments` (`path_angstrom`, `radius_angstrom`), `membranes` (name and parameters),
    `gold_angstrom`, `labels` {name: {value, voxels, volume_angstrom3}} of the segmentation, `tilt_axis`,
    `nominal_angles`, `refined_angles`, `transforms` (rows of the .xf) and `files`; of a run with movies also `acquisition`: their names
    and angles in the order in which they were taken, dose of each and defocus of all. Spacing keys are written like 10.712.
    """
    table: dict[str, Any] = json.loads((Path(folder) / TRUTH_FILE).read_text(encoding="utf-8"))
    return table
