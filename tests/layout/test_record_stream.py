"""The records of an index, one after the other."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures_layout import Layout, small_layout
from tomoportal.errors import StorageError
from tomoportal.layout import private, record_stream
from tomoportal.layout.record_stream import records_in

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=5)


def streamed(text: str, piece: int) -> list[dict[str, Any]]:
    """All records, 40 and so many characters read at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_stream, "PIECE", 40 + piece)
        return list(records_in(io.StringIO(text), "index.json"))


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.integers(1, 90), st.sampled_from([None, 1]), st.booleans())
def test_they_are_those_that_json_tells(
    records: list[dict[str, Any]], piece: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps({"format": 1, "records": records}, indent=indent, ensure_ascii=ascii_only)
    assert streamed(text, piece) == records


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.integers(1, 90), st.data())
def test_a_part_is_never_taken_for_the_whole(
    records: list[dict[str, Any]], piece: int, data: st.DataObject
) -> None:
    text = json.dumps({"format": 1, "records": records})
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(StorageError, match="damaged"):
        streamed(text[:cut], piece)


@pytest.mark.parametrize(
    "text", ["[]", "null", '{"records":[]}', '{"format":1,"records":[1]}', '{"format":1,"records":[null]}',
             '{"format":1,"records":[{}{}]}', '{"format":1,"records":[{},]}', '{"format":1,"records":[]} more'],
)  # fmt: skip
def test_what_is_no_index(text: str) -> None:
    with pytest.raises(StorageError, match="damaged"):
        streamed(text, 100)


def test_an_index_is_one_json_object_with_all_records(tmp_path: Path) -> None:
    layout = small_layout(tmp_path / "files")
    index = json.loads(layout.storage.read(private.index_path("30001")))
    ledgers = [layout.storage.read(".tomoportal/datasets/30001/ledger.json")]
    ledgers += [
        layout.storage.read(entry.path) for entry in layout.storage.list(".tomoportal/datasets/30001/runs")
    ]
    assert index == {
        "format": 1,
        "records": [record for ledger in ledgers for record in json.loads(ledger)["records"]],
    }
    assert not list(layout.storage.list(private.STAGING))


def test_a_dataset_without_anything_has_an_empty_index(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "files")
    assert private.read_index(layout.storage, "30001") is None
    layout.gather("30001")
    assert private.read_index(layout.storage, "30001") == []


def test_a_damaged_ledger_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    layout = small_layout(tmp_path / "files")
    before = layout.storage.read(private.index_path("30001"))
    layout.storage.write(".tomoportal/datasets/30001/runs/TS_01.json", b'{"format":1,"records":{}}')
    with pytest.raises(StorageError, match="not a list"):
        layout.gather("30001")
    assert layout.storage.read(private.index_path("30001")) == before
    assert not list(layout.storage.list(private.STAGING))
