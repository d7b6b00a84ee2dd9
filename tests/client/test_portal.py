"""The client against a real server."""

from __future__ import annotations

import pytest

from fixtures_server import serving
from tomoportal import Annotation, Client, Dataset, Run
from tomoportal.errors import QueryError, RemoteError


@pytest.fixture(scope="module")
def client(demo_portal):
    with serving(demo_portal.settings) as url, Client(url) as client:
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
