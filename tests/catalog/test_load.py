"""Layout → rows: ids that stay, rows that go, and what happens when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from fixtures_layout import (
    Layout,
    add_run,
    dataset_sidecar,
    deposition_sidecar,
    small_layout,
    tomogram_sidecar,
)
from fixtures_postgres import Backend
from tomoportal.catalog import Catalog, Visibility, load, open_catalog
from tomoportal.catalog.backends import parsed_url
from tomoportal.errors import CatalogError, UsageError
from tomoportal.layout import paths, private, tree
from tomoportal.layout.paths import Key
from tomoportal.model import query as q
from tomoportal.model.registry import ENTITIES
from tomoportal.problems import Severity
from tomoportal.storage import LocalStorage

RUN = Key("run", dataset="30001", run="TS_01")
SPACING = RUN.of("voxel_spacing", spacing="10.000")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = small_layout(tmp_path_factory.mktemp("layout") / "files")
    layout.put(Key("deposition", deposition="20002"), deposition_sidecar(20002))
    return layout


@pytest.fixture(scope="session")
def loaded_url(backend: Backend, written: Layout, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = backend.url(tmp_path_factory.mktemp("loaded"))
    with open_catalog(url, create=True) as catalog:
        assert not load(written.storage, catalog).problems
    return url


@pytest.fixture
def layout(written: Layout, tmp_path: Path) -> Layout:
    """A small layout of its own."""
    return written.copied(tmp_path / "files")


@pytest.fixture
def loaded(backend: Backend, loaded_url: str, tmp_path: Path) -> Iterator[Catalog]:
    """A catalogue with the rows of the small layout."""
    with open_catalog(backend.copy(loaded_url, tmp_path)) as catalog:
        yield catalog


def everything(catalog: Catalog) -> dict[str, list[dict[str, Any]]]:
    view = catalog.view()
    return {
        entity.__name__: view.rows(
            q.Select(
                entity.__name__, tuple(q.Value(f.name, f.name) for f in entity.fields.values() if f.stored)
            )
        )
        for entity in ENTITIES
    }


def one(catalog: Catalog, name: str) -> dict[str, Any]:
    rows = everything(catalog)[name]
    assert len(rows) == 1
    return rows[0]


def test_every_kind_of_row_arrives(loaded: Catalog) -> None:
    rows = everything(loaded)
    counts = {name: len(items) for name, items in rows.items() if name != "GainFile"}
    assert all(counts.values()), counts
    assert (
        counts["Tomogram"]
        == counts["Frame"]
        == counts["PerSectionParameters"]
        == counts["AnnotationShape"]
        == 2
    )
    assert counts["AnnotationFile"] == 3
    assert counts["TomogramVoxelSpacing"] == 1


def test_values_come_from_their_places(loaded: Catalog) -> None:
    rows = everything(loaded)
    tilt = rows["TiltSeries"][0]
    assert (tilt["tilt_min"], tilt["tilt_max"], tilt["tilt_range"]) == (-60.0, 60.0, 120.0)
    assert tilt["pixel_spacing"] == 13.479999542236328
    assert tilt["file_size_mrc"] == 5_000_000_000
    first, second = rows["Tomogram"]
    assert first["reconstruction_method"] == "Fourier_Space"
    assert first["scale_0_dimensions"] == "64,60,20"
    assert first["scale_2_dimensions"] is None
    assert first["neuroglancer_config"] == '{"layers": [{"source": "/files/x"}]}'
    assert (first["is_author_submitted"], second["is_author_submitted"]) == (True, False)
    assert first["alignment_id"] == rows["Alignment"][0]["id"]
    assert rows["Alignment"][0]["tiltseries_id"] == tilt["id"]
    assert rows["Alignment"][0]["alignment_method"] is None
    assert [a["author_list_order"] for a in rows["DatasetAuthor"]] == [1, 2]
    assert rows["DatasetFunding"][0]["grant_id"] == "12"
    files = {file["format"]: file for file in rows["AnnotationFile"]}
    assert files["zarr"]["annotation_shape_id"] == files["mrc"]["annotation_shape_id"]
    assert files["ndjson"]["annotation_shape_id"] != files["mrc"]["annotation_shape_id"]
    assert files["mrc"]["source"] == "dataset_author"
    assert rows["PerSectionParameters"][1]["frame_id"] == rows["Frame"][1]["id"]
    assert rows["Dataset"][0]["folder_path"] == "30001/"
    assert rows["Dataset"][0]["file_size"] == 1000.0 * 9


def test_ids_are_those_of_the_records(layout: Layout, loaded: Catalog) -> None:
    tomograms = everything(loaded)["Tomogram"]
    record = layout.records[paths.folder(SPACING.of("tomogram", id=101))]
    assert tomograms[1]["id"] == record.ids["Tomogram"][""]


def test_rebuilt_from_nothing_everything_is_the_same(
    layout: Layout, loaded: Catalog, backend: Backend, tmp_path: Path
) -> None:
    with open_catalog(backend.url(tmp_path, "again"), create=True) as again:
        load(layout.storage, again)
        assert everything(again) == everything(loaded)


def test_loading_twice_changes_nothing_but_the_version(layout: Layout, loaded: Catalog) -> None:
    before, version = everything(loaded), loaded.version
    load(layout.storage, loaded, datasets=["30001"])
    assert everything(loaded) == before
    assert loaded.version != version


def test_a_fresh_catalogue_is_filled_whole(layout: Layout, backend: Backend, tmp_path: Path) -> None:
    with open_catalog(backend.url(tmp_path), create=True) as fresh:
        report = load(layout.storage, fresh, datasets=["nothing"])
    assert report.datasets == ("30001",)


def test_runs_alone(layout: Layout, loaded: Catalog) -> None:
    add_run(layout, "30001", "TS_02")
    private.write_json(layout.storage, private.index_path("30001"), {"format": 1, "records": []})
    report = load(layout.storage, loaded, datasets=["30001"], runs=["TS_02"])
    assert not report.problems
    assert [run["name"] for run in everything(loaded)["Run"]] == ["TS_01", "TS_02"]
    assert len(everything(loaded)["Dataset"]) == 1
    with pytest.raises(UsageError, match="one dataset"):
        load(layout.storage, loaded, runs=["TS_02"])


def test_rows_go_with_their_sidecar(layout: Layout, loaded: Catalog) -> None:
    layout.storage.delete(paths.sidecar(SPACING.of("annotation", id=100), "ribosome-1.0"))
    load(layout.storage, loaded)
    rows = everything(loaded)
    assert not rows["Annotation"]
    assert not rows["AnnotationFile"]
    assert len(rows["Tomogram"]) == 2
    assert loaded.view().pairs("Dataset", q.EVERYTHING, ("runs", "annotations", "object_name")) == []


def test_rows_go_with_their_run_and_dataset(layout: Layout, loaded: Catalog) -> None:
    layout.storage.delete(paths.sidecar(RUN))
    report = load(layout.storage, loaded)
    assert not report.problems
    assert {name for name, rows in everything(loaded).items() if rows} == {
        "Dataset", "DatasetAuthor", "DatasetFunding", "Deposition", "DepositionAuthor", "DepositionType",
    }  # fmt: skip
    layout.storage.delete_tree(".tomoportal/datasets/30001")
    layout.storage.delete_tree("30001")
    load(layout.storage, loaded)
    assert not everything(loaded)["Dataset"]


class Looking(LocalStorage):
    """Refuses every listing but those of the top and of the private area."""

    def _see(self, prefix: str) -> None:
        assert not prefix or prefix.startswith(
            (".tomoportal", "DepositionMetadata", "depositions_metadata")
        ), prefix
        assert prefix.count("/") < 2, prefix

    def list(self, prefix: str = "") -> Iterator[Any]:
        raise AssertionError(f"everything below {prefix!r} is listed")

    def level(self, prefix: str = "") -> Any:
        self._see(prefix)
        return super().level(prefix)

    def folders(self, prefix: str = "") -> Any:
        self._see(prefix)
        return super().folders(prefix)


def test_a_load_lists_no_run_and_no_volume(layout: Layout, loaded: Catalog) -> None:
    report = load(Looking(layout.storage.root), loaded)
    assert (report.datasets, report.problems) == (("30001",), ())


def test_a_lost_private_area_changes_no_id(layout: Layout, loaded: Catalog) -> None:
    before = everything(loaded)
    layout.storage.delete_tree(".tomoportal/datasets/30001")
    (problem,) = load(layout.storage, loaded).problems
    assert problem.code == "load-private-area-gone"
    assert "backup" in problem.hint
    assert everything(loaded) == before


def test_what_is_being_replaced_stays(layout: Layout, loaded: Catalog) -> None:
    before = everything(loaded)
    replaced = [
        Key("dataset", dataset="30001"),
        RUN.of("frames"),
        RUN.of("alignment", id=100),
        SPACING.of("tomogram", id=100),
    ]
    for key in replaced:
        record = layout.records[paths.folder(key)]
        layout.storage.write(tree.marker(record), layout.storage.read(record.sidecar))
        layout.storage.delete(record.sidecar)
    report = load(layout.storage, loaded)
    assert not report.problems
    assert everything(loaded) == before
    view = loaded.view()
    folder = paths.folder(SPACING)
    assert view.visible(f"{folder}/Tomograms/100/v.zarr/0/0") is Visibility.REPLACING
    assert view.visible(f"{folder}/Tomograms/101/v.zarr/0/0") is Visibility.PUBLIC
    layout.put(replaced[-1], tomogram_sidecar(replaced[-1], "20001"))
    load(layout.storage, loaded)
    assert view.visible(f"{folder}/Tomograms/100/v.zarr/0/0") is Visibility.PUBLIC


def test_unreadable_metadata_stop_the_dataset_and_delete_nothing(layout: Layout, loaded: Catalog) -> None:
    before = everything(loaded)
    layout.storage.write(paths.sidecar(RUN), b"{ half")
    report = load(layout.storage, loaded)
    assert [problem.code for problem in report.problems] == ["load-unreadable"]
    assert "run_metadata.json" in report.problems[0].message
    assert everything(loaded) == before


def test_a_viewer_state_that_is_none_stops_the_dataset(layout: Layout, loaded: Catalog) -> None:
    before = everything(loaded)
    state = paths.viewer_state(SPACING.of("tomogram", id=100))
    layout.storage.write(state, b'{"layers": null}')
    (problem,) = load(layout.storage, loaded).problems
    assert (problem.code, state in problem.message) == ("load-unreadable", True)
    assert everything(loaded) == before


def test_a_field_that_must_be_there(layout: Layout, empty: Catalog) -> None:
    key = SPACING.of("tomogram", id=100)
    layout.put(key, tomogram_sidecar(key, "20001", size={"x": 64, "z": 20}))
    report = load(layout.storage, empty)
    assert [p.code for p in report.problems] == ["load-size-y"]
    problem = report.problems[0]
    assert problem.file == paths.sidecar(key)
    assert problem.where == "size.y"
    assert "absent" in problem.message
    assert [row["size_z"] for row in everything(empty)["Tomogram"]] == [20]


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        ({"processing": "boiled"}, "load-processing", Severity.ERROR),
        ({"ctf_corrected": "perhaps"}, "load-ctf-corrected", Severity.WARNING),
        ({"voxel_spacing": "wide"}, "load-voxel-spacing", Severity.ERROR),
        ({"voxel_spacing": 10**400}, "load-voxel-spacing", Severity.ERROR),
        ({"offset": {"x": 1, "y": 2}}, "load-offset-z", Severity.WARNING),
        ({"alignment_metadata_path": "nowhere.json"}, "load-alignment-id", Severity.WARNING),
        ({"dates": {"release_date": "soon"}}, "load-release-date", Severity.WARNING),
        ({"dates": {"release_date": "0001-01-01T00:00:00+23:59"}}, "load-release-date", Severity.WARNING),
        ({"deposition_id": "77"}, "load-deposition-id", Severity.ERROR),
    ],
)
def test_values_that_do_not_fit(
    layout: Layout, empty: Catalog, change: dict, code: str, severity: Severity
) -> None:
    key = SPACING.of("tomogram", id=100)
    layout.put(key, {**tomogram_sidecar(key, "20001"), **change})
    report = load(layout.storage, empty)
    assert [(p.code, p.severity) for p in report.problems] == [(code, severity)]
    assert len(everything(empty)["Tomogram"]) == (1 if severity is Severity.ERROR else 2)


def test_a_dataset_without_its_deposition_is_refused(layout: Layout, empty: Catalog) -> None:
    layout.put(Key("dataset", dataset="30001"), dataset_sidecar(30001, deposition_id="666"))
    report = load(layout.storage, empty)
    assert [p.code for p in report.problems] == ["load-deposition-id"]
    assert "666" in report.problems[0].message
    assert not everything(empty)["Dataset"]
    assert not everything(empty)["Run"]


def test_what_is_not_released_is_loaded_and_hidden(layout: Layout, empty: Catalog) -> None:
    dates = {
        "deposition_date": "2024-05-01",
        "release_date": "2199-01-01",
        "last_modified_date": "2024-05-01",
    }
    layout.put(Key("deposition", deposition="20001"), deposition_sidecar(20001, dates=dates))
    load(layout.storage, empty)
    assert everything(empty)["Dataset"] == []
    layout.put(Key("deposition", deposition="20001"), deposition_sidecar(20001))
    load(layout.storage, empty, datasets=["30001"])
    assert len(everything(empty)["Annotation"]) == 1


def test_a_changed_release_of_a_deposition_reaches_other_datasets(layout: Layout, loaded: Catalog) -> None:
    layout.put(Key("dataset", dataset="30002"), dataset_sidecar(30002))
    load(layout.storage, loaded)
    dates = {
        "deposition_date": "2024-05-01",
        "release_date": "2199-01-01",
        "last_modified_date": "2024-05-01",
    }
    layout.put(Key("deposition", deposition="20001"), deposition_sidecar(20001, dates=dates))
    load(layout.storage, loaded, datasets=["30002"])
    assert loaded.view().totals()["datasets"] == 0
    assert loaded.view().count("Dataset", q.Search("chloroplasts")) == 0


def test_an_unknown_dataset_is_told(layout: Layout, loaded: Catalog) -> None:
    report = load(layout.storage, loaded, datasets=["99999"])
    assert [p.code for p in report.problems] == ["load-unknown-dataset"]


def test_an_empty_storage_is_taken_for_a_mistake(loaded: Catalog, tmp_path: Path) -> None:
    before = everything(loaded)
    report = load(LocalStorage(tmp_path / "mistyped"), loaded)
    assert [p.code for p in report.problems] == ["load-empty-storage"]
    assert everything(loaded) == before


class Remote:
    """A storage without paths on this machine, so that sidecars are read in parallel."""

    def __init__(self, storage: Any) -> None:
        self._storage, self.url = storage, storage.url

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def local_path(self, path: str) -> None:
        return None


def test_remote_storages_give_the_same(
    layout: Layout, loaded: Catalog, backend: Backend, tmp_path: Path
) -> None:
    with open_catalog(backend.url(tmp_path, "remote"), create=True) as remote:
        load(Remote(layout.storage), remote)  # type: ignore[arg-type]
        assert everything(remote) == everything(loaded)


def test_opening_what_does_not_fit(backend: Backend, tmp_path: Path, empty: Catalog) -> None:
    with pytest.raises(CatalogError, match=r"holds no catalogue.*tomoportal load"):
        open_catalog(backend.url(tmp_path, "absent"))
    with empty.database.write() as connection:
        connection.exec_driver_sql("UPDATE catalog SET value = 'old' WHERE key = 'model'")
    with pytest.raises(CatalogError, match="another version"):
        open_catalog(empty.database.url)
    with open_catalog(empty.database.url, create=True) as made_anew:
        assert made_anew.fresh


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("catalog.sqlite", "is not a database URL"),
        ("sqlite://", "needs a file"),
        ("mysql://host/db", "cannot lie in mysql"),
        ("postgresql+psycopg2://host/db", "cannot lie in postgresql.psycopg2"),
        ("postgres://user:secret@host", "names no database"),
    ],
)
def test_urls_that_lead_nowhere(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        open_catalog(url)
    assert "secret" not in str(raised.value)


def test_two_datasets_with_one_identifier(layout: Layout, loaded: Catalog) -> None:
    before = everything(loaded)
    layout.put(Key("dataset", dataset="30001-copy"), dataset_sidecar(30001))
    report = load(layout.storage, loaded)
    assert [problem.code for problem in report.problems] == ["load-duplicate"]
    assert "dataset.id" in report.problems[0].message
    assert everything(loaded) == before


def test_databases_of_others_are_left_alone(backend: Backend, tmp_path: Path) -> None:
    url = backend.url(tmp_path, "photos")
    engine = sql.create_engine(parsed_url(url))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE photos (id INTEGER)")
    with pytest.raises(CatalogError, match="'photos'"):
        open_catalog(url, create=True)
    assert sql.inspect(engine).get_table_names() == ["photos"]
    engine.dispose()


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database at all, but long enough to be taken for one" * 20)
    with pytest.raises(CatalogError, match="Move this file away"):
        open_catalog(f"sqlite:///{text}", create=True)


def test_readers_keep_what_they_began_with(layout: Layout, loaded: Catalog) -> None:
    view = loaded.view()
    asked = q.Select("Run", (q.Value("name", "name"),))
    with view.snapshot() as ask:
        before = ask(asked)
        layout.storage.delete(paths.sidecar(RUN))
        load(layout.storage, loaded)
        assert ask(asked) == before
    assert view.json(asked) == "[]"


@pytest.fixture(autouse=True)
def _no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import date

    monkeypatch.setattr("tomoportal.settings.today", lambda: date(2026, 6, 1))
