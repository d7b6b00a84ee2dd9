"""Every reader of text but alignments, on bytes that nobody would write: a value or a sentence, with effort that grows as the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures_text import Reader, arbitrary, calls, damaged, endless_lines, memory, value_or_sentence
from made_samples import TEXTS
from tomoportal.formats.ctf import read_ctf
from tomoportal.formats.identified_objects import read_identified_objects
from tomoportal.formats.imod_alignment import read_newst_com, read_tilt_com
from tomoportal.formats.mdoc import Mdoc, read_mdoc, section_doses
from tomoportal.formats.particles import ParticleTable, TableForm, read_particles
from tomoportal.formats.run_map import read_pair_map, read_run_map
from tomoportal.formats.star import read_star
from tomoportal.formats.tilt_angles import read_tilt_angles

IMOD = "cryoet-alignment/tests/data/convert/imod_1"
PORTAL = "portal-backend/test_infra/test_files/input_bucket"
SAMPLE_SIZE = 6000
LARGEST_STRANGER = 100_000
VERY_MANY = 100_000 if os.environ.get("TOMOPORTAL_TEST_ALL") else 20_000


@dataclass(frozen=True)
class Kind:
    """A reader, sound files (paths of the shared data, or bytes), and what makes one of `n` rows."""

    read: Reader
    samples: tuple[str | bytes, ...]
    rows: Callable[[int], bytes] | None

    def sound(self, shared: Path) -> list[bytes]:
        files = [
            (shared / sample).read_bytes() if isinstance(sample, str) else sample for sample in self.samples
        ]
        return [data if len(data) < SAMPLE_SIZE else data[: data.index(b"\n", SAMPLE_SIZE)] for data in files]


def mdoc_and_doses(data: bytes, name: str) -> Mdoc:
    mdoc = read_mdoc(data, name)
    doses = section_doses(mdoc.sections, 1.5)
    assert sorted(dose.acquisition_order for dose in doses) == list(range(len(mdoc.sections)))
    return mdoc


def lines(form: str, head: str = "") -> Callable[[int], bytes]:
    return lambda count: (head + "".join(form.format(n=n) for n in range(1, count + 1))).encode()


def every_cell(data: bytes, name: str) -> dict[str, list[list[str]]]:
    return {
        key: [block.texts(label) for label in block.labels] for key, block in read_star(data, name).items()
    }


HEADED = TableForm(has_header=True)
RELION4 = TEXTS["relion4"][: TEXTS["relion4"].index("TS_1")]


def particles(kind: str, form: TableForm = TableForm()) -> Reader:  # noqa: B008
    def read(data: bytes, name: str) -> ParticleTable:
        table = read_particles(data, name, kind, form)
        table.of(table.groups[0] if table.groups else None)
        return table

    return read


KINDS = {
    "mdoc": Kind(
        mdoc_and_doses,
        (
            "mdocfile/tests/test_data/tilt_series.mdoc", "mdocfile/tests/test_data/frame_set_single.mdoc",
            "mdocfile/tests/test_data/montage_section_multiple.mdoc", "cylindra/tests/dummy.mrc.mdoc",
        ),
        lines("[ZValue = {n}]\nTiltAngle = 1\nDateTime = 01-Jan-24  10:00:00\nExposureDose = 2\n"),
    ),
    "tilt angles": Kind(
        read_tilt_angles, ("alnfile/test_data/global_no_local.tlt", b"-3 2 6.0\n0 1 3.0 # first\n"), lines("{n}e-9\n")
    ),
    "CTFFIND": Kind(
        lambda data, name: read_ctf(data, name, "CTFFIND"),
        ("cryoet-alignment/tests/data/test_CTF.txt", f"{PORTAL}/10001_input/metadata/TS_run1_ctffind4.txt"),
        lines("{n} 30000 29000 1 0 0.1 nan\n", "# header\n"),
    ),
    "Gctf": Kind(
        lambda data, name: read_ctf(data, name, "Gctf"),
        (b"% a\n1 30000 29000 45 0.1 8\n2.000 30010 29010 -45 90 0.2 inf\n",),
        lines("{n} 30000 29000 1 0.1 nan\n"),
    ),
    "IMOD defocus": Kind(
        lambda data, name: read_ctf(data, name, "IMOD"),
        (b"5 0 0. 0. 0. 3\n1 1 -60 -60 4416.1 4356.5 51.26 90\n3 4 -57 -54 4 4 5 9\n", b"1 1 -60.0 -60.0 4416.1 2\n2 2 1 2 3\n"),
        lines("{n} {n} 1 1 4000\n"),
    ),
    "tilt.com": Kind(read_tilt_com, (f"{IMOD}/tilt.com", b"EXCLUDELIST 1,3-5\nSHIFT 0 1\n"), lines("EXCLUDE {n}\n")),
    "newst.com": Kind(read_newst_com, (f"{IMOD}/newst.com",), lines("BinByFactor {n}\n")),
    "run map": Kind(
        read_run_map, (b'run_name,a,b\nTS_1,1,"x"\nTS_2,,"a, b"\n',), lines("TS_{n},1,2\n", "run_name,a,b\n")
    ),
    "pair map": Kind(read_pair_map, (b"TS_1,a\nTS_2,b\n",), lines("TS_{n},1\n")),
    "identified objects": Kind(
        read_identified_objects,
        (f"{PORTAL}/10001_input/identified_objects/identified_objects.csv",),
        lines("TS_{n},GO:0005739,mitochondrion\n", "run_name,object_id,object_name\n"),
    ),
    "csv": Kind(particles("csv"), (f"{PORTAL}/20002/annotations/points.csv", b'1,2,"3"\n'), lines("{n},2,3\n")),
    "csv with header": Kind(
        particles("csv_with_header", HEADED), (f"{PORTAL}/20002/annotations/points_with_header.csv",), lines("{n},2,3\n", "x,y,z\n")
    ),
    "csv of blanks": Kind(particles("csv", TableForm(delimiter=" ")), (b"1 2  3\n4 5 6\n",), lines("{n} 2 3\n")),
    "TARDIS": Kind(particles("tardis"), (b"ID,X,Y,Z\n0,1,2,3\n0.0,4,5,6\n",), lines("{n},1,2,3\n", "ID,X,Y,Z\n")),
    "Dynamo": Kind(particles("dynamo_tbl"), ("dynamotable/test/data/t_double.tbl",), lines("{n} 1 1" + " 0" * 32 + "\n")),
    "STOPGAP": Kind(particles("stopgap_star"), (f"{PORTAL}/20002/annotations/stopgap_star.star",), None),
    "RELION 3": Kind(particles("relion3_star"), (f"{PORTAL}/20002/annotations/relion_3_star.star",), None),
    "RELION 4": Kind(particles("relion4_star"), (TEXTS["relion4"].encode(),), lines("TS_1 {n} 2 3 10 20 30 1\n", RELION4)),
    "copick": Kind(particles("copick"), (f"{PORTAL}/20002/annotations/copick.json",), None),
    "ndjson": Kind(
        particles("ndjson"),
        (b'{"type": "point", "location": {"x": 1.5, "y": 2, "z": 3}}\n',),
        lines('{{"type": "point", "location": {{"x": {n}, "y": 2, "z": 3}}}}\n'),
    ),
    "STAR": Kind(
        every_cell,
        (f"{PORTAL}/20002/annotations/relion_3_star.star", f"{PORTAL}/20002/annotations/stopgap_star.star"),
        lines("{n} 2\n", "data_\nloop_\n_a #1\n_b #2\n"),
    ),
}  # fmt: skip

GROWING = {name: kind for name, kind in KINDS.items() if kind.rows}

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_growing_kind = pytest.mark.parametrize("kind", GROWING.values(), ids=GROWING)


@every_kind
def test_the_samples_are_sound(shared, kind):
    for data in kind.sound(shared):
        assert value_or_sentence(kind.read, data) is not None


@every_kind
@settings(max_examples=40, deadline=None)
@given(data=arbitrary)
def test_any_bytes(kind, data):
    value_or_sentence(kind.read, data)


@every_kind
@settings(max_examples=60, deadline=None)
@given(choice=st.data())
def test_damaged_files(shared, kind, choice):
    sample = choice.draw(st.sampled_from(kind.sound(shared)))
    value_or_sentence(kind.read, choice.draw(damaged(sample)))


@every_kind
def test_endless_lines(shared, kind):
    sample = kind.sound(shared)[0]
    first, _, rest = sample.partition(b"\n")
    for line in endless_lines():
        value_or_sentence(kind.read, line)
        value_or_sentence(kind.read, b"\n".join((first, line, rest)))


@every_kind
def test_real_files_of_all_other_kinds(shared, kind):
    seen = 0
    for path in sorted(shared.rglob("*")):
        if path.is_file() and path.stat().st_size < LARGEST_STRANGER:
            value_or_sentence(kind.read, path.read_bytes())
            seen += 1
    assert seen > 100


@every_growing_kind
def test_effort_grows_as_the_file(kind):
    few, many = kind.rows(1_000), kind.rows(4_000)
    assert calls(kind.read, many) < 4.5 * calls(kind.read, few)
    assert memory(kind.read, many) < 5 * memory(kind.read, few)


@every_growing_kind
def test_very_many_rows(kind):
    assert value_or_sentence(kind.read, kind.rows(VERY_MANY)) is not None
