"""napari without a screen, and a served demo portal. Layers live in napari's own model of a viewer; one test draws them for real."""

from __future__ import annotations

import os
import warnings

import pytest

from fixtures_server import serving
from tomoportal import Client, Tomogram

RUN = "TS_001"


@pytest.fixture(scope="session", autouse=True)
def _napari(tmp_path_factory):
    """Settings of its own, no screen."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["NAPARI_CONFIG"] = str(tmp_path_factory.mktemp("napari") / "settings.yaml")
    try:
        import qtpy.QtWidgets
    except ImportError as error:
        pytest.skip(f"Qt cannot be loaded: {error} (tests/prepare installs what it needs)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import napari.components  # noqa: F401  (says much about its own modules)
    return qtpy.QtWidgets.QApplication.instance() or qtpy.QtWidgets.QApplication([])


@pytest.fixture(scope="session")
def application(_napari):
    return _napari


@pytest.fixture(scope="session")
def address(demo_portal):
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="session")
def client(address):
    with Client(address) as client:
        yield client


@pytest.fixture(scope="session")
def tomograms(client):
    """The raw tomograms of a run, finest first."""
    raw = [Tomogram.run.name == RUN, Tomogram.processing == "raw"]
    return Tomogram.find(client, raw, order_by="voxel_spacing", prefetch="run")


@pytest.fixture(scope="session")
def facts(demo_portal):
    """What the run was simulated from."""
    (dataset,) = demo_portal.truth["datasets"].values()
    return dataset["runs"][RUN]
