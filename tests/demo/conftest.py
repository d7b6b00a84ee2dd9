"""One small demo deposition for all tests of this part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from numpy.typing import NDArray

from tomoportal.demo import DemoFiles


@pytest.fixture(scope="session")
def demo(demo_files: DemoFiles) -> DemoFiles:
    return demo_files


@pytest.fixture(scope="session")
def volume(demo: DemoFiles) -> Callable[[str], NDArray[np.float64]]:
    """Reads an MRC below the dataset's source folder."""

    def read(relative: str) -> NDArray[np.float64]:
        with mrcfile.open(Path(demo.source) / "cell_periphery" / relative) as file:
            return np.array(file.data, float)

    return read
