"""Ids, leases, and entities that are old or new."""

import contextlib
import json
import os
import threading
from dataclasses import replace

import pytest

from tomoportal.errors import Busy, StorageError
from tomoportal.layout import private
from tomoportal.layout.ids import Allotment
from tomoportal.layout.lease import hold
from tomoportal.layout.paths import Key, folder, sidecar
from tomoportal.layout.private import Ledger, Record, lease_path, ledger_path
from tomoportal.layout.processes import has_ended, this_process
from tomoportal.layout.publish import Standing, publish, publish_files, reveal, standing, unfinished
from tomoportal.layout.removal import withdraw
from tomoportal.layout.sums import read_sums, sums_bytes, sums_path
from tomoportal.layout.tree import marker, rows
from tomoportal.storage import LocalStorage

KEY = Key("tomogram", dataset="10500", run="TS_001", spacing="10.000", id=100)
AUTHORS = [{"name": "A"}, {"name": "B"}]


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "files")


def _publish(storage, ledger, tmp_path, content, data=b"voxels", name="TS_001.mrc"):
    staged = tmp_path / "staged"
    file = staged / folder(KEY) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    files = {f"{folder(KEY)}/{name}": {"size": len(data), "sha256": None}}
    record = Record(KEY, {"deposition_id": 1}, sidecar(KEY), inputs="made", files=files)
    allotment = Allotment.open(storage, "10500")
    return publish(storage, ledger_path(KEY), ledger, allotment, record, content, staged)


def test_publishing_writes_files_record_and_sidecar(storage, tmp_path):
    ledger = _publish(storage, Ledger(), tmp_path, {"authors": AUTHORS})
    record = ledger.get(KEY)
    assert storage.read(f"{folder(KEY)}/TS_001.mrc") == b"voxels"
    assert json.loads(storage.read(sidecar(KEY)))["authors"] == AUTHORS
    assert set(record.ids["TomogramAuthor"]) == {"A", "B"}
    assert "" in record.ids["Tomogram"]
    assert private.read_ledger(storage, ledger_path(KEY)) == ledger
    assert standing(storage, record) is Standing.WHOLE


def test_a_record_is_compared_with_what_is_there(storage, tmp_path):
    record = _publish(storage, Ledger(), tmp_path, {"authors": AUTHORS}).get(KEY)
    written = storage.read(record.sidecar)
    storage.write(record.sidecar, b"{}")
    assert standing(storage, record) is Standing.SIDECAR_DIFFERS
    storage.write(record.sidecar, b'{"half')
    assert standing(storage, record) is Standing.INCOMPLETE
    storage.delete(record.sidecar)
    assert standing(storage, record) is Standing.INCOMPLETE
    storage.write(record.sidecar, written)
    storage.write(f"{folder(KEY)}/TS_001.mrc", b"short")
    assert standing(storage, record) is Standing.INCOMPLETE


def test_ids_stay_when_an_entity_is_replaced_and_new_rows_get_new_ones(storage, tmp_path):
    first = _publish(storage, Ledger(), tmp_path, {"authors": AUTHORS}).get(KEY)
    reread = private.read_ledger(storage, ledger_path(KEY))
    second = _publish(storage, reread, tmp_path, {"authors": [{"name": "C"}, {"name": "A"}]}).get(KEY)
    assert second.ids["Tomogram"] == first.ids["Tomogram"]
    assert second.ids["TomogramAuthor"]["A"] == first.ids["TomogramAuthor"]["A"]
    assert second.ids["TomogramAuthor"]["C"] not in first.ids["TomogramAuthor"].values()


def test_a_replaced_entity_is_marked_until_it_is_revealed(storage, tmp_path):
    ledger = _publish(storage, Ledger(), tmp_path, {"version": 1}, name="old.mrc")
    assert not unfinished(storage, ledger.records.values())
    ledger = _publish(storage, ledger, tmp_path, {"version": 2})
    assert unfinished(storage, ledger.records.values()) == [ledger.get(KEY)]
    assert not storage.exists(f"{folder(KEY)}/old.mrc")
    reveal(storage, ledger.records.values())
    assert not storage.exists(marker(ledger.get(KEY)))
    assert json.loads(storage.read(sidecar(KEY)))["version"] == 2


def test_the_time_stamp_changes_only_with_the_content(storage, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000")
    ledger = _publish(storage, Ledger(), tmp_path, {"version": 1})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "2000")
    ledger = _publish(storage, ledger, tmp_path, {"version": 1})
    assert json.loads(storage.read(sidecar(KEY)))["last_updated_at"] == 1000
    _publish(storage, ledger, tmp_path, {"version": 2})
    assert json.loads(storage.read(sidecar(KEY)))["last_updated_at"] == 2000


def test_the_folder_of_a_run_is_never_cleared(storage, tmp_path):
    key = Key("run", dataset="10500", run="TS_001")
    record = Record(key, {}, sidecar(key))
    with pytest.raises(ValueError, match="holds other entities"):
        publish(storage, ledger_path(key), Ledger(), Allotment.open(storage, "10500"), record, {}, tmp_path)


def test_a_damaged_ledger_is_not_an_empty_one(storage):
    storage.write(ledger_path(KEY), b'{"records": [')
    with pytest.raises(StorageError, match="damaged"):
        private.read_ledger(storage, ledger_path(KEY))


def test_many_rows_are_kept_small_and_come_back(storage, tmp_path):
    sections = [{"z_index": index} for index in range(200)]
    key = Key("alignment", dataset="10500", run="TS_001", id=100)
    record = Allotment.open(storage, "10500").complete(
        Record(key, {}), {"per_section_alignment_parameters": sections}
    )
    ledger = Ledger().put(record)
    private.write_ledger(storage, ledger_path(key), ledger)
    assert private.read_ledger(storage, ledger_path(key)) == ledger
    assert len(storage.read(ledger_path(key))) < 1000
    assert len(set(record.ids["PerSectionAlignmentParameters"].values())) == 200


def test_two_datasets_never_get_the_same_id(storage):
    key = Key("run", dataset="1", run="R")
    taken = set()
    for dataset in ("1", "2", "3"):
        allotment = Allotment.open(storage, dataset)
        for run in range(200):
            record = allotment.complete(Record(key.of("run"), {"run": run}), {"run_name": "R"})
            taken.add(record.ids["Run"][""])
    assert len(taken) == 600


def test_ids_are_not_given_twice_after_a_restart(storage):
    key = Key("run", dataset="1", run="R")
    first = Allotment.open(storage, "1").complete(Record(key, {}), {}).ids["Run"][""]
    second = Allotment.open(storage, "1").complete(Record(key, {}), {}).ids["Run"][""]
    assert second != first


def test_rows_with_the_same_key_are_one():
    files = [{"shape": "SegmentationMask", "path": "a.zarr"}, {"shape": "SegmentationMask", "path": "a.mrc"}]
    found = [(row.entity.__name__, row.row_key) for row in rows("annotation", {"files": files})]
    assert found.count(("AnnotationShape", "SegmentationMask")) == 1
    assert ("AnnotationFile", "a.zarr") in found
    assert ("AnnotationFile", "a.mrc") in found


def test_a_second_writer_is_refused_and_the_lease_ends_with_the_block(storage):
    with hold(storage, "10500"), pytest.raises(Busy, match=f"process {os.getpid()}"), hold(storage, "10500"):
        raise AssertionError("two writers")
    with hold(storage, "10500"):
        assert storage.exists(lease_path("10500"))
    assert not storage.exists(lease_path("10500"))


def _dead():
    host_and_table = this_process().rsplit(".", 2)[0]
    return f"{host_and_table}.{2**22 + 1}.1"


def test_a_process_is_known_by_more_than_its_number():
    host, table, pid, started = this_process().rsplit(".", 3)
    assert not has_ended(this_process())
    assert has_ended(_dead())
    assert has_ended(f"{host}.{table}.{pid}.{int(started) + 1}")
    for elsewhere in (f"other.{table}.1.1", f"{host}.{int(table) + 1}.{2**22 + 1}.1", "12345", "a.b.c.d"):
        assert not has_ended(elsewhere)


def test_one_of_two_takes_a_dead_lease_over(storage, monkeypatch):
    """The second has seen the dead lease as well, but deletes it only when the first has put its own in that place."""
    with hold(storage, "10500"):
        left = json.loads(storage.read(lease_path("10500")))
    storage.write(lease_path("10500"), json.dumps({**left, "process": _dead()}).encode())
    second, inside, finished = threading.Event(), threading.Event(), threading.Event()
    delete, turns, held = storage.delete, iter((1, 2)), []

    def held_up(path):
        turn = next(turns, None) if path == lease_path("10500") else None
        if turn == 1:
            second.wait(0.5)
        elif turn == 2 and not finished.is_set():
            second.set()
            inside.wait(5)
        delete(path)

    def contend():
        with contextlib.suppress(Busy), hold(storage, "10500"):
            held.append(threading.get_ident())
            inside.set()
            finished.wait(1)

    monkeypatch.setattr(storage, "delete", held_up)
    threads = [threading.Thread(target=contend) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 1


def test_the_lease_of_a_dead_process_is_taken_over(storage):
    with hold(storage, "10500"):
        left = json.loads(storage.read(lease_path("10500")))
    storage.write(lease_path("10500"), json.dumps({**left, "process": _dead()}).encode())
    with hold(storage, "10500"):
        assert json.loads(storage.read(lease_path("10500")))["pid"] == os.getpid()


def test_the_lease_of_another_machine_is_respected_until_it_expires(storage):
    with hold(storage, "10500"):
        left = json.loads(storage.read(lease_path("10500"))) | {"process": "elsewhere.1.2.3"}
    storage.write(lease_path("10500"), json.dumps({**left, "host": "elsewhere"}).encode())
    with pytest.raises(Busy, match="elsewhere"), hold(storage, "10500"):
        pass
    storage.write(lease_path("10500"), json.dumps({**left, "host": "elsewhere", "renewed": 0}).encode())
    with hold(storage, "10500"):
        pass


def test_waiting_for_a_lease(storage):
    release = threading.Event()
    holding = threading.Event()

    def holder():
        with hold(storage, "ids"):
            holding.set()
            release.wait(5)

    thread = threading.Thread(target=holder)
    thread.start()
    holding.wait(5)
    threading.Timer(0.2, release.set).start()
    with hold(storage, "ids", wait=5):
        assert release.is_set()
    thread.join()


def test_files_of_the_record_that_are_not_staged_stay(storage, tmp_path):
    home = folder(KEY)
    ledger = _publish(storage, Ledger(), tmp_path, {"version": 1}, name="big.mrc")
    for name in ("volume.zarr/.zattrs", "volume.zarr/0/0", "stray.txt"):
        storage.write(f"{home}/{name}", b"x")
    kept = {
        f"{home}/big.mrc": {"size": 6, "sha256": None},
        f"{home}/volume.zarr": {"size": 2, "count": 2, "probe": ".zattrs", "sha256": None},
    }
    staged = tmp_path / "staged"
    (staged / home).mkdir(parents=True, exist_ok=True)
    (staged / home / "small.txt").write_bytes(b"new")
    files = {**kept, f"{home}/small.txt": {"size": 3, "sha256": None}}
    record = Record(KEY, {"deposition_id": 1}, sidecar(KEY), inputs="made", files=files)
    ledger = publish(
        storage, ledger_path(KEY), ledger, Allotment.open(storage, "10500"), record, {"version": 2}, staged
    )
    names = {entry.path.removeprefix(f"{home}/") for entry in storage.list(home)}
    assert names == {
        "big.mrc", "volume.zarr/.zattrs", "volume.zarr/0/0", "small.txt", "tomogram-metadata.json", ".replacing",
    }  # fmt: skip
    assert standing(storage, ledger.get(KEY)) is Standing.WHOLE


def test_a_staged_folder_replaces_all_of_what_it_was(storage, tmp_path):
    home = folder(KEY)
    staged = tmp_path / "staged"
    files = {f"{home}/v.zarr": {"size": 1, "count": 1, "probe": ".zattrs", "sha256": None}}
    record = Record(KEY, {"deposition_id": 1}, sidecar(KEY), inputs="made", files=files)
    storage.write(f"{home}/v.zarr/0/9", b"stale")
    (staged / home / "v.zarr").mkdir(parents=True)
    (staged / home / "v.zarr/.zattrs").write_bytes(b"{}")
    publish(storage, ledger_path(KEY), Ledger(), Allotment.open(storage, "10500"), record, {}, staged)
    assert [entry.path for entry in storage.list(f"{home}/v.zarr")] == [f"{home}/v.zarr/.zattrs"]


def test_checksums_of_a_folder_come_and_go_with_it(storage, tmp_path):
    home, allotment = folder(KEY), Allotment.open(storage, "10500")
    staged = tmp_path / "staged"
    files = {f"{home}/v.zarr": {"size": 2, "count": 1, "probe": ".zattrs", "sha256": None}}
    record = Record(KEY, {"deposition_id": 1}, sidecar(KEY), inputs="made", files=files)
    for path, data in {
        f"{home}/v.zarr/.zattrs": b"{}",
        sums_path(f"{home}/v.zarr"): sums_bytes({".zattrs": 7}),
    }.items():
        (staged / path).parent.mkdir(parents=True)
        (staged / path).write_bytes(data)
    ledger = publish(storage, ledger_path(KEY), Ledger(), allotment, record, {}, staged)
    assert read_sums(storage, f"{home}/v.zarr") == {".zattrs": "00000007"}
    other = tmp_path / "other"
    (other / home).mkdir(parents=True)
    (other / home / "v.mrc").write_bytes(b"voxels")
    only_mrc = replace(record, files={f"{home}/v.mrc": {"size": 6, "sha256": ""}})
    publish(storage, ledger_path(KEY), ledger, allotment, only_mrc, {}, other)
    assert read_sums(storage, f"{home}/v.zarr") == {}
    publish(storage, ledger_path(KEY), Ledger(), allotment, record, {}, staged)
    withdraw(storage, record)
    assert not list(storage.list(".tomoportal/sums"))


def test_files_without_a_sidecar_get_their_ids_once(storage, tmp_path):
    key = KEY.of("gains", spacing="")
    allotment = Allotment.open(storage, "10500")

    def published(ledger, *names):
        staged = tmp_path / "staged"
        (staged / folder(key)).mkdir(parents=True, exist_ok=True)
        for name in names:
            (staged / folder(key) / name).write_bytes(b"gain")
        files = {f"{folder(key)}/{name}": {"size": 4, "sha256": None} for name in names}
        return publish_files(
            storage, ledger_path(key), ledger, allotment, Record(key, {}, files=files), staged
        )

    first = published(Ledger(), "a_gain.mrc")
    second = published(private.read_ledger(storage, ledger_path(key)), "b_gain.mrc", "a_gain.mrc")
    (one,) = first.get(key).ids["GainFile"].values()
    assert second.get(key).ids["GainFile"][f"{folder(key)}/a_gain.mrc"] == one
    assert len(set(second.get(key).ids["GainFile"].values())) == 2
    assert second.get(key).published
    third = published(second, "b_gain.mrc")
    assert [entry.path for entry in storage.list(folder(key))] == [f"{folder(key)}/b_gain.mrc"]
    assert third.get(key).ids == second.get(key).ids
