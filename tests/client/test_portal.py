"""The client against a real server."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pandas
import pytest

from fixtures_proxy import Harm, proxy_to
from fixtures_server import serving
from tomoportal import (
    Annotation,
    AnnotationFile,
    AnnotationShape,
    Client,
    Dataset,
    PerSectionParameters,
    Run,
    Tomogram,
)
from tomoportal.client import retrying
from tomoportal.errors import QueryError, RemoteError, UsageError


@pytest.fixture(scope="module")
def url(demo_portal):
    with serving(demo_portal.settings) as url:
        yield url


@pytest.fixture(scope="module")
def client(url):
    with Client(url) as client:
        yield client


@pytest.fixture
def line(url):
    """A line to the server that counts what passes."""
    with proxy_to(url) as line:
        yield line


@pytest.fixture
def counted(line):
    """A client on that line."""
    with Client(line.endpoint) as client:
        yield client


def test_finding_counting_ordering_and_pages(client):
    runs = Run.find(client, order_by=[Run.name.descending()])
    assert [run.name for run in runs] == ["TS_002", "TS_001"]
    assert Run.count(client) == 2
    assert [run.name for run in Run.find(client, order_by=[Run.name.ascending()], limit=1, offset=1)] == [
        "TS_002"
    ]
    assert Run.find(client, [Run.name == "TS_001", Run.name == "TS_002"]) == []


def test_relations_lead_there_and_back(client):
    (run,) = Run.find(client, [Run.name == "TS_001"])
    assert run.dataset.id == 10901
    assert {tomogram.run_id for tomogram in run.tomograms} == {run.id}
    assert run.dataset.deposition.authors[0].name


def test_one_result_can_be_used_directly_and_several_cannot(client):
    assert Run.find(client, Run.name == "TS_001").dataset_id == 10901
    with pytest.raises(AttributeError, match="there are 2 results"):
        _ = Run.find(client).dataset_id


def test_nothing_found(client):
    assert Dataset.get_by_id(client, 1) is None
    assert Annotation.find(client, Annotation.object_name == "unicorn") == []


def test_dates_and_dictionaries(client):
    dataset = Dataset.get_by_id(client, 10901)
    assert dataset.release_date.year == 2025
    assert dataset.to_dict()["title"] == dataset.title


def test_a_wrong_filter_is_a_query_error(client):
    with pytest.raises(QueryError, match="is no filter"):
        Run.find(client, [True])
    with pytest.raises(QueryError):
        client.query("{ nonsense }")


def test_completion_shows_what_a_user_needs(client):
    shown = set(dir(Run.find(client, limit=1)[0]))
    assert {"name", "dataset", "tomograms", "download_everything", "to_dict"} <= shown
    assert not shown & {"columns", "config_fields", "public_fields", "names", "rows", "groups"}


def test_no_portal_there_is_a_sentence():
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(RemoteError, match="cannot be reached"):
        Run.find(nobody)


def test_prefetched_relations_cost_one_request(counted, line):
    paths = ("deposition", "runs.tomograms.alignment", Dataset.runs.annotations.annotation_shapes)
    datasets = Dataset.find(counted, prefetch=paths)
    seen = [
        (tomogram.id, tomogram.alignment.id)
        for dataset in datasets
        for run in dataset.runs
        for tomogram in run.tomograms
    ]
    shapes = [
        shape.id for run in datasets[0].runs for one in run.annotations for shape in one.annotation_shapes
    ]
    assert datasets[0].deposition.id == 10900
    assert len(line.seen) == 1
    assert sorted(seen) == [(one.id, one.alignment_id) for one in Tomogram.find(counted)]
    assert sorted(shapes) == [shape.id for shape in AnnotationShape.find(counted)]


def test_other_relations_are_asked_for_each_time(counted, line):
    run = Run.get_by_id(counted, Run.find(counted, limit=1)[0].id, prefetch="dataset")
    asked = len(line.seen)
    for _ in range(2):
        assert run.dataset.id == 10901
        assert run.tomograms
    assert len(line.seen) == asked + 2


def test_pages_hold_every_row_once(counted, line):
    everything = [row.id for row in PerSectionParameters.find(counted)]
    asked = len(line.seen)
    size = len(everything) // 3
    paged = [row.id for row in PerSectionParameters.iterate(counted, page_size=size)]
    assert paged == everything
    assert len(line.seen) - asked == len(everything) // size + 1
    steep = PerSectionParameters.raw_angle > 0
    backwards = PerSectionParameters.iterate(counted, steep, order_by="-raw_angle", page_size=7)
    angles = [row.raw_angle for row in backwards]
    assert angles == sorted(angles, reverse=True)
    assert len(angles) == PerSectionParameters.count(counted, steep)
    with pytest.raises(UsageError, match="page_size is 0"):
        next(Run.iterate(counted, page_size=0))


def test_two_conditions_through_one_relation_mean_one_row(client):
    annotations = Annotation.find(client, Annotation.run.name == "TS_001")
    first = annotations[0]
    other = next(one for one in annotations if one.object_name != first.object_name)
    same = [Run.annotations.id == first.id, Run.annotations.object_name == other.object_name]
    assert Run.find(client, same) == []
    assert Run.find(client, same[0] & same[1]) == []
    own = [Run.annotations.any(Annotation.id == first.id), Run.annotations.any(Annotation.id == other.id)]
    assert Run.find(client, own).name == "TS_001"
    assert Run.find(
        client, [Run.annotations.id == first.id, Run.annotations.object_name == first.object_name]
    )


def test_operators_agree_with_python(client):
    tomograms = Tomogram.find(client)
    known = sorted(one.voxel_spacing for one in tomograms)
    middle = known[len(known) // 2]
    checks = [
        (
            Tomogram.voxel_spacing.between(known[0], middle),
            lambda one: known[0] <= one.voxel_spacing <= middle,
        ),
        (Tomogram.id.not_in([tomograms[0].id]), lambda one: one.id != tomograms[0].id),
        (~(Tomogram.voxel_spacing > middle), lambda one: not one.voxel_spacing > middle),
        (
            (Tomogram.id == 1) | (Tomogram.processing == "raw"),
            lambda one: one.id == 1 or one.processing == "raw",
        ),
        (Tomogram.name.iregex("^ts_00[2-9]$"), lambda one: one.name == "TS_002"),
        (Tomogram.name.like("TS\\_%1"), lambda one: one.name == "TS_001"),
        (Tomogram.release_date >= date(2020, 1, 1), lambda one: one.release_date.year >= 2020),
        (Tomogram.release_date < datetime.now(UTC) - timedelta(days=1), lambda one: True),
        (Tomogram.processing_software == None, lambda one: one.processing_software is None),  # noqa: E711
        (Tomogram.ctf_corrected.is_null(False), lambda one: one.ctf_corrected is not None),
    ]
    for number, (asked, expected) in enumerate(checks):
        wanted = [one.id for one in tomograms if expected(one)]
        assert [one.id for one in Tomogram.find(client, asked)] == wanted, number
        assert Tomogram.count(client, asked) == len(wanted), number


def test_long_lists_of_values(client):
    ids = list(range(100_000))
    random.Random(6).shuffle(ids)
    assert len(Run.find(client, Run.id._in(ids))) == 2
    assert AnnotationFile.count(client, AnnotationFile.annotation_shape.annotation_id._in(set(ids))) > 10
    assert Run.find(client, Run.id._in([])) == []


def test_one_client_for_many_threads(counted, line):
    ids = [one.id for one in Tomogram.find(counted)] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda id: Tomogram.get_by_id(counted, id).run.name, ids))
    names = {one.id: one.run.name for one in Tomogram.find(counted, prefetch="run")}
    assert found == [names[id] for id in ids]


def test_a_line_that_breaks_is_tried_again(counted, line, monkeypatch):
    monkeypatch.setattr(retrying.time, "sleep", lambda _: None)
    line.harm = lambda request: [Harm.REFUSED, Harm.ERROR_503, Harm.CUT, None][min(request.number, 3)]
    assert Run.count(counted) == 2
    assert sum(line.harmed.values()) == 3


def test_what_the_client_itself_offers(client):
    assert client.find(Run, [Run.name == "TS_001"]) == Run.find(client, Run.name == "TS_001")
    assert client.find_one(Run, [Run.name.like("TS%")]) == Run.find(client)[0]
    assert client.find_one(Run, [Run.name == "none"]) is None
    assert (
        client.query(client.build_query(Run, query_filters=[Run.name == "TS_002"]))["runs"][0]["name"]
        == "TS_002"
    )


@pytest.mark.parametrize(
    ("options", "said"), [({"offset": 3}, "needs a limit"), ({"limit": -1}, "limit is -1")]
)
def test_windows_that_make_no_sense(client, options, said):
    with pytest.raises(QueryError, match=said):
        Run.find(client, **options)


def test_no_row_is_no_row(client):
    assert Run.find(client, limit=0) == []
    with pytest.raises(AttributeError, match="nothing was found"):
        _ = Run.find(client, Run.name == "none").dataset


def test_dictionaries_can_be_json(client):
    for kind in (Dataset, Tomogram, Annotation):
        one = kind.find(client, limit=1)[0]
        read = json.loads(json.dumps(one.to_dict(json_ready=True)))
        assert datetime.fromisoformat(read["release_date"]) == one.release_date
        assert one.to_dict()["release_date"] is one.release_date


def test_tables(client):
    tomograms = Tomogram.find(client)
    table = tomograms.to_dataframe()
    assert list(table.columns) == list(Tomogram.fields)
    assert table["size_x"].tolist() == [one.size_x for one in tomograms]
    kinds = table.dtypes.astype(str).to_dict()
    assert kinds["id"] == "Int64"
    assert (kinds["voxel_spacing"], kinds["name"], kinds["ctf_corrected"]) == ("float64", "string", "boolean")
    assert isinstance(table["processing"].dtype, pandas.CategoricalDtype)
    assert table["release_date"].dt.year.tolist() == [one.release_date.year for one in tomograms]
    assert str(table["release_date"].dt.tz) == "UTC"
    nothing = Tomogram.find(client, Tomogram.id == -1).to_dataframe()
    assert len(nothing) == 0
    assert {name: str(kind).partition("[")[0] for name, kind in nothing.dtypes.items()} == {
        name: kind.partition("[")[0] for name, kind in kinds.items()
    }
    assert len(tomograms[1:].to_dataframe()) == len(tomograms) - 1


def test_entities_travel_to_other_processes(client):
    (run,) = Run.find(client, Run.name == "TS_001", prefetch="dataset")
    again = pickle.loads(pickle.dumps(run))
    assert (again, again.client.url) == (run, client.url)
    assert again.client is not client
    again.client.close()
    assert pickle.loads(pickle.dumps(Run.find(client))).kind is Run
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map(_spacings, [run] * 8)
    assert found == [[one.voxel_spacing for one in run.tomograms]] * 8
    assert run.dataset.runs[0] == run, "the connections of this process still work"


def _spacings(run: Run) -> list[float]:
    return [one.voxel_spacing for one in run.tomograms]


def test_a_forked_process_makes_connections_of_its_own(counted):
    Run.count(counted)
    session = counted._http
    with multiprocessing.get_context("fork").Pool(1, initializer=_remember, initargs=(counted,)) as pool:
        assert pool.apply(_begins_anew) == (True, 2)
    assert counted._http is session
    assert Run.count(counted) == 2


_REMEMBERED: list[Client] = []


def _remember(client: Client) -> None:
    _REMEMBERED.append(client)


def _begins_anew() -> tuple[bool, int]:
    (client,) = _REMEMBERED
    return "_http" not in client.__dict__, Run.count(client)


def test_what_fits_is_found_where_only_files_tell_the_alignment(url, client):
    """As at a portal that does not know the alignment of annotations: its words lack it."""
    tomogram = Tomogram.find(client, limit=1)[0]
    annotation = tomogram.annotations[0]
    fitting = [one.id for one in tomogram.annotations], [one.id for one in annotation.tomograms]
    with Client(url) as older:
        older.words = {"Annotation": frozenset({"id", "objectName", "runId"})}
        again = Annotation.get_by_id(older, annotation.id)
        assert "alignment_id" not in again.__dict__
        assert [one.id for one in again.tomograms] == fitting[1] != []
    path = Annotation.annotation_shapes.annotation_files.alignment_id == tomogram.alignment_id
    assert [one.id for one in Annotation.find(client, path)] == fitting[0] != []
    assert Tomogram(client, id=1, alignmentId=None).annotations == []
    assert Annotation(client, id=1, alignmentId=None).tomograms == []
