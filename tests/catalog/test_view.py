"""Visibility everywhere, words, facets, and the one-field promise for the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest

from fixtures_catalog import TODAY, fill, row
from tomoportal.catalog import Addresses, Catalog, View, Visibility
from tomoportal.catalog.compile.layers import without_layers
from tomoportal.catalog.words import tokens
from tomoportal.errors import QueryError
from tomoportal.model import query as q
from tomoportal.model.registry import ENTITIES

LATER = date(2031, 1, 1)


@pytest.fixture
def later(portal: Catalog) -> View:
    return portal.view(today=LATER, addresses=Addresses())


def ids(view: View, name: str, where: q.Condition = q.EVERYTHING) -> list[int]:
    return [row["id"] for row in view.rows(q.Select(name, (q.Value("id", "id"),), where))]


def test_nothing_of_the_future_in_lists(view: View, later: View) -> None:
    assert ids(view, "Dataset") == [30001, 30002]
    assert ids(later, "Dataset") == [30001, 30002, 30003]
    for entity in ENTITIES:
        now, then = ids(view, entity.__name__), ids(later, entity.__name__)
        assert set(now) <= set(then)
        if entity.__name__ not in ("Deposition", "DepositionAuthor", "DepositionType"):
            assert len(now) < len(then), f"{entity.__name__} of the hidden dataset shows"


def test_nothing_of_the_future_nested(view: View, later: View) -> None:
    asked = q.Select(
        "Deposition",
        (q.Many("d", "datasets", (q.Value("id", "id"),)), q.RelatedTotal("n", "datasets")),
        limit=1,
    )
    assert view.rows(asked) == [{"d": [{"id": 30001}, {"id": 30002}], "n": 2}]
    assert later.rows(asked)[0]["n"] == 3
    hidden = q.Select("Run", (q.Many("a", "annotations", (q.Value("x", "object_name"),)),), limit=1)
    assert {row["x"] for row in view.rows(hidden)[0]["a"]} == {"cytosolic ribosome", "membrane"}


def test_nothing_of_the_future_answers_conditions(view: View, later: View) -> None:
    thylakoid = q.through(("runs", "annotations"), q.Compare("object_name", "eq", "thylakoid"))
    assert ids(view, "Dataset", thylakoid) == []
    assert ids(later, "Dataset", thylakoid) == [30001, 30002, 30003]
    four = q.RelatedCount("annotations", q.EVERYTHING, "gt", 2)
    assert view.count("Run", four) == 0


def test_nothing_of_the_future_in_figures(view: View, later: View) -> None:
    assert view.totals() == {"datasets": 2, "runs": 4, "tomograms": 8, "annotations": 8, "species": 2}
    assert later.totals() == {"datasets": 3, "runs": 6, "tomograms": 12, "annotations": 18, "species": 3}
    groups = q.Groups("g", (q.GroupKey("o", ("runs", "annotations", "object_name")), q.Figure("n", "count")))
    assert view.json(q.Aggregate("Dataset", (groups,))) == (
        '{"g":[{"o":"cytosolic ribosome","n":4},{"o":"membrane","n":4}]}'
    )


@pytest.mark.parametrize(
    ("entity", "path"),
    [
        ("Dataset", ("runs", "annotations", "object_name")), ("Dataset", ("runs", "annotations", "annotation_shapes", "shape_type")),
        ("Dataset", ("organism_name",)), ("Dataset", ("deposition", "title")), ("Dataset", ("runs", "id")),
        ("Run", ("annotations", "object_id")), ("Run", ("dataset", "organism_name")), ("Annotation", ("run", "name")),
    ],
)  # fmt: skip
def test_pairs_are_the_rows_with_each_value(
    view: View, later: View, entity: str, path: tuple[str, ...]
) -> None:
    """Whether rows are joined or not: those of a condition that all fulfil are the same; and each is found by its value."""
    everything = q.Compare("id", "gt", 0)
    for reader in (view, later):
        pairs = reader.pairs(entity, q.EVERYTHING, path)
        assert sorted(pairs) == sorted(reader.pairs(entity, everything, path))
        for value in {value for value, _ in pairs}:
            found = ids(reader, entity, q.through(path[:-1], q.Compare(path[-1], "eq", value)))
            assert sorted(found) == sorted({id for other, id in pairs if other == value})
    assert len(later.pairs(entity, q.EVERYTHING, path)) > len(view.pairs(entity, q.EVERYTHING, path))


def test_nothing_of_the_future_is_found_by_words(view: View, later: View) -> None:
    assert ids(view, "Dataset", q.Search("thylakoid")) == []
    assert ids(later, "Dataset", q.Search("thylakoid")) == [30001, 30002, 30003]
    assert ids(view, "Dataset", q.Search("spikes")) == []


def test_files_follow_their_entity(view: View, later: View) -> None:
    annotations = "30001/TS_01/Reconstructions/VoxelSpacing10.000/Annotations"
    assert view.visible("30001/TS_01/TiltSeries/100/TS_01.mrc") is Visibility.PUBLIC
    assert view.visible(f"{annotations}/100/x.ndjson") is Visibility.PUBLIC
    assert view.visible(f"{annotations}/102/x.glb") is Visibility.HIDDEN
    assert later.visible(f"{annotations}/102/x.glb") is Visibility.PUBLIC
    assert view.visible("30001/TS_01/Frames/f0.tif") is Visibility.PUBLIC
    assert view.visible("30003/TS_01/Frames/f0.tif") is Visibility.HIDDEN
    assert view.visible("30003/Images/snapshot.png") is Visibility.HIDDEN
    assert view.visible("DepositionMetadata/20001/Images/x.png") is Visibility.PUBLIC
    for path in ("", ".tomoportal/ids.json", "40000/x", "30001/TS_77/a", "elsewhere"):
        assert view.visible(path) is Visibility.HIDDEN


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chloroplast", [30001]),
        ("CHLOROPLASTS frozen", [30001]),
        ("chloro frozen", [30001]),
        ("fro chloro", [30001]),
        ("hloro frozen", []),
        ("angstrom", [30001, 30002]),
        ("Ångström", [30001, 30002]),
        ("bela yeast", [30002]),
        ("GO:0005840", [30001, 30002]),
        ("GO:0005841", []),
        ("mitochondrion ribosomes of yea", [30002]),
        ("DS-30002", [30002]),
        ("30001", [30001]),
        ("TS_02", [30001, 30002]),
        ("", [30001, 30002]),
        ("—", [30001, 30002]),
        ('yeast" OR "x', []),
        ("nothing like it", []),
    ],
)
def test_words(view: View, text: str, found: list[int]) -> None:
    assert ids(view, "Dataset", q.Search(text)) == found


def test_words_are_folded() -> None:
    assert tokens("Å-Scale: Straße №5 GO:0005840_x") == ["a", "scale", "strasse", "no5", "go", "0005840", "x"]


def test_one(view: View) -> None:
    assert view.one("Run", 300011, ["name", q.One("d", "dataset", (q.Value("id", "id"),))]) == {
        "name": "TS_01", "d": {"id": 30001},
    }  # fmt: skip
    assert view.one("Dataset", 30003, ["id"]) is None


def test_figures(view: View) -> None:
    fields = (
        q.Figure("n", "count"), q.Figure("some", "count", "object_count"), q.Figure("kinds", "count", "object_name", distinct=True),
        q.Figure("sum", "sum", "object_count"), q.Figure("avg", "avg", "object_count"), q.Figure("max", "max", "object_name"),
        q.Figure("dev", "stddev", "object_count"),
    )  # fmt: skip
    assert view.json(q.Aggregate("Annotation", (q.Groups("a", fields),))) == (
        '{"a":[{"n":8,"some":4,"kinds":2,"sum":480,"avg":120.0,"max":"membrane","dev":0.0}]}'
    )
    none = q.Compare("id", "eq", 0)
    assert view.json(q.Aggregate("Annotation", (q.Groups("a", fields[:4]),), none)) == (
        '{"a":[{"n":0,"some":0,"kinds":0,"sum":null}]}'
    )


def test_characters_that_end_a_url_path_are_escaped(empty: Catalog) -> None:
    path = "1/a b#1?100%/é.mrc"
    fill(empty, {"GainFile": [row("GainFile", id=1, run_id=1, path=path)]})
    view = empty.view(today=TODAY, addresses=Addresses("http://h/files/", "s3://b/"))
    found = view.one("GainFile", 1, ["https_file_path", "s3_file_path"])
    assert found == {
        "https_file_path": "http://h/files/1/a b%231%3F100%25/é.mrc",
        "s3_file_path": f"s3://b/{path}",
    }
    assert view.count("GainFile", q.Compare("https_file_path", "eq", found["https_file_path"])) == 1


def test_a_version_for_every_load(empty: Catalog) -> None:
    first = empty.view(today=TODAY).version
    fill(empty, {})
    assert empty.view(today=TODAY).version != first


def test_answers_that_would_be_too_large_are_refused(view: View) -> None:
    wide = tuple(q.Constant(f"k{n}", "x" * 3_000_000) for n in range(10))
    with pytest.raises(QueryError, match="too large"):
        view.json(q.Select("Frame", wide))
    assert view.count("Run") == 4


def test_tables_made_anew_have_another_version(empty: Catalog) -> None:
    first = empty.version
    empty.database.create()
    assert empty.version != first


HOME = "10/a#b's %/Reconstructions/VoxelSpacing10.000"


@pytest.mark.parametrize(
    "path", [f"{HOME}/Annotations/100/m.zarr/", f"{HOME}/NeuroglancerPrecompute/100-point_precompute/"]
)
@pytest.mark.parametrize("write", [str, quote])
@pytest.mark.parametrize("wrap", [str, lambda url: {"url": url}, lambda url: [{"url": "other"}, url]])
def test_a_layer_is_known_by_any_of_its_sources(
    path: str, write: Callable[[str], str], wrap: Callable[[str], Any]
) -> None:
    hidden = {"source": wrap(f"{{files}}{write(path)}|zarr2:")}
    other = {"source": wrap(f"{{files}}{write(path.replace('100', '1001'))}|zarr2:")}
    left = without_layers(json.dumps({"layers": [hidden, other], "position": [1]}), f"{HOME}/Annotations/100")
    assert left is not None
    assert json.loads(left) == {"layers": [other], "position": [1]}


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"layers": 3}', '{"layers": [{}]}', '{"layers": ["x"]}'])
def test_a_state_that_makes_no_sense_is_not_shown(state: str) -> None:
    assert without_layers(state, f"{HOME}/Annotations/100") is None
