"""Source files for the volume tests, and a plain numpy idea of what must come out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import zarr

from tomoportal.ingest.volumes import Slab, VolumeFacts, VolumeKind, open_source, write_volume


@pytest.fixture(scope="session")
def shared() -> Path:
    root = Path(os.environ.get("TOMOPORTAL_SHARED", Path(__file__).parents[4] / "shared")) / "data"
    if not root.is_dir():
        pytest.skip(f"the real sample files are not there ({root}); set TOMOPORTAL_SHARED")
    return root


class Written:
    """A volume after `write_volume`, read back with zarr and mrcfile."""

    def __init__(self, root: Path, facts: VolumeFacts, slab: Slab) -> None:
        self.root, self.facts, self.slab = root, facts, slab
        self.zarr_dir, self.mrc_file = root / "a.zarr", root / "a.mrc"

    def level(self, number: int) -> np.ndarray:
        return np.asarray(zarr.open_group(str(self.zarr_dir), mode="r")[str(number)][:])

    def mrc(self) -> np.ndarray:
        data = mrcfile.read(self.mrc_file)
        return data.reshape(self.facts.shape)

    def tree(self) -> dict[str, bytes]:
        files = [path for path in sorted(self.root.rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}


@pytest.fixture
def mrc(tmp_path: Path) -> Callable[..., Path]:
    """Makes an MRC source file of an array."""

    def make(data: np.ndarray, name: str = "source.mrc", voxel: float = 10.0) -> Path:
        path = tmp_path / name
        with mrcfile.new(path, data, overwrite=True) as file:
            file.voxel_size = voxel
            if data.ndim == 3:
                file.set_volume()
        return path

    return make


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Written]:
    """Writes a source path as a volume into a folder of its own."""

    def run(
        source: Path, kind: VolumeKind = VolumeKind.TOMOGRAM, name: str = "out", **options: Any
    ) -> Written:
        root = tmp_path / name
        root.mkdir()
        facts, slab = write_volume(
            open_source(source), kind=kind, zarr_dir=root / "a.zarr", mrc_file=root / "a.mrc",
            **({"spacing": 10.0, "threads": 2} | options),
        )  # fmt: skip
        return Written(root, facts, slab)

    return run
