"""What is declared for editors is what the model says, and type checkers see it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import tomoportal
from tomoportal import Client, Dataset, Frame, Run, TiltSeries, Tomogram
from tomoportal.client import CLASSES, classes
from tomoportal.client.document import camel
from tomoportal.client.relations import Many, One, OneOrNone
from tomoportal.client.renames import OLD_NAMES
from tomoportal.model.registry import ENTITIES

CLIENT = Client("http://127.0.0.1:1")


def _said(entity, relation) -> str:
    if relation.many:
        return "Many"
    return "OneOrNone" if entity.fields[relation.key].nullable else "One"


def test_every_entity_has_its_class_with_the_relations_of_the_model():
    declared = {
        node.name: {one.target.id: ast.unparse(one.annotation) for one in node.body if isinstance(one, ast.AnnAssign)}
        for node in ast.parse(Path(classes.__file__).read_text()).body
        if isinstance(node, ast.ClassDef)
    }  # fmt: skip
    assert declared == {
        entity.__name__: {
            name: f"{_said(entity, relation)}[{relation.target}]"
            for name, relation in entity.relations.items()
        }
        for entity in ENTITIES
    }
    assert list(declared) == list(CLASSES) == [entity.__name__ for entity in ENTITIES]


def test_the_package_declares_the_same_names():
    source = ast.parse(Path(tomoportal.__file__).read_text())
    imported = {
        name.asname for node in ast.walk(source) if isinstance(node, ast.ImportFrom) for name in node.names
    }
    assert {"Client", *CLASSES} <= imported


def test_classes_can_be_introspected():
    assert Run.__annotations__["name"] is str
    assert Run.__annotations__["tomograms"] == "Tomogram"
    kinds = [type(vars(Run)["tomograms"]), type(vars(Run)["dataset"]), type(vars(Tomogram)["run"])]
    assert kinds == [Many, One, OneOrNone]
    assert not {"folder_path", "columns"} & set(dir(Run(CLIENT, id=1)))


def test_an_entity_is_made_from_the_names_of_graphql_or_ours():
    values = {camel(name): None for name in Tomogram.fields} | {
        "id": 5,
        "sizeX": 3,
        "scale0Dimensions": "1,2,3",
    }
    values["releaseDate"] = "2025-01-31T00:00:00+00:00"
    made = Tomogram(CLIENT, **values)
    assert (made.id, made.size_x, made.scale_0_dimensions) == (5, 3, "1,2,3")
    assert made.release_date.year == 2025
    assert made.to_dict().keys() == Tomogram.fields.keys()
    assert made.to_dict(json_ready=True)["release_date"] == "2025-01-31T00:00:00+00:00"
    assert made == Tomogram(CLIENT, id=5) != Tomogram(CLIENT, id=6)
    assert len({made, Tomogram(CLIENT, id=5), Run(CLIENT, id=5)}) == 2
    with pytest.raises(TypeError, match="Tomogram has no sizeQ"):
        Tomogram(CLIENT, sizeQ=3)
    with pytest.raises(AttributeError, match="'size_x': it was not given"):
        _ = Tomogram(CLIENT, id=5).size_x


def test_repr_is_short():
    assert repr(Dataset(CLIENT, id=7, title="Yeast")) == "Dataset(id=7, 'Yeast')"


def test_old_names_lead_to_fields_that_exist():
    for old in OLD_NAMES:
        if old.path:
            with pytest.warns(
                DeprecationWarning, match=f"{old.owner}.{old.old} is called {old.owner}.{old.path} now"
            ):
                getattr(CLASSES[old.owner], old.old)
        else:
            with pytest.raises(AttributeError, match=f"{old.owner}.{old.old} is gone: "):
                getattr(CLASSES[old.owner], old.old)


def test_old_names_of_instances_and_in_filters():
    series = TiltSeries(CLIENT, httpsMrcFile="http://a/b.mrc")
    with pytest.warns(DeprecationWarning, match="https_mrc_file"):
        assert series.https_mrc_bin1 == "http://a/b.mrc"
    with pytest.warns(DeprecationWarning, match="related_database_entries"):
        condition = Dataset.related_database_links == "EMD-1"
    assert condition == (Dataset.related_database_entries == "EMD-1")
    with pytest.raises(AttributeError, match="use exposure_dose"):
        _ = Frame(CLIENT, id=1).dose
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "https_mrc_bin1" not in dir(series)


def test_the_guide_lists_the_old_names():
    guide = (Path(__file__).parents[2] / "docs" / "client.md").read_text().partition("**Old names**")[2]
    for old in OLD_NAMES:
        assert f"`{old.owner}.{old.old}`" in guide or f"`.{old.old}`" in guide, old


TYPED = '''
from datetime import date, datetime
from tomoportal import Client, Dataset, Run, Tomogram

client = Client("http://127.0.0.1:8000")
reveal_type(Tomogram.size_x > 900)
reveal_type(Tomogram.name == "TS_026")
reveal_type(Run.tomogram_voxel_spacings.tomograms.size_x > 900)
tomograms = Tomogram.find(client, query_filters=[Tomogram.release_date > date(2025, 1, 1)], order_by="-id", limit=3)
tomogram = tomograms[0]
reveal_type(tomogram.size_x)
reveal_type(tomogram.name)
reveal_type(tomogram.release_date)
reveal_type(tomogram.is_portal_standard)
reveal_type(tomograms[:2])
reveal_type(tomogram.run)
reveal_type(tomogram.deposition.title)
for run in Dataset.iterate(client, Dataset.runs.any(Run.name == "a"), prefetch=("runs", Dataset.runs.tomograms)):
    reveal_type(run.runs[0].tomograms[0].voxel_spacing)
reveal_type(Run.get_by_id(client, 3))
reveal_type(Run.count(client))
reveal_type(client.find_one(Run, Run.name == "a"))
reveal_type(tomogram.open(level=1).voxel_size)
tomogram.no_such_thing
Run.tomograms.no_such_thing
'''  # fmt: skip
REVEALED = [
    "query.Condition", "query.Condition", "query.Condition", "int", "str | None", "datetime.datetime | None", "bool | None",
    "Results[Tomogram]", "Run | None", "str", "float", "Run | None", "int", "Run | None", "tuple[float, float, float]",
]  # fmt: skip


def test_a_strict_type_checker_knows_classes_and_instances(tmp_path):
    (tmp_path / "typed.py").write_text(TYPED)
    source = Path(tomoportal.__file__).parents[1]
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-site-packages"]
    command += [f"--cache-dir={tmp_path / 'cache'}", "--config-file=", "typed.py"]
    environment = {**os.environ, "MYPYPATH": str(source)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    lines = done.stdout.splitlines()
    revealed = [line.partition('Revealed type is "')[2].rstrip('"') for line in lines if "Revealed" in line]
    short = [
        text.replace("tomoportal.client.classes.", "").replace("tomoportal.client.results.", "")
        for text in revealed
    ]
    assert [text.replace("builtins.", "").replace("tomoportal.model.", "") for text in short] == REVEALED
    errors = [line.partition("error: ")[2] for line in lines if "error:" in line]
    assert len(errors) == 2, done.stdout
    assert all("no_such_thing" in error for error in errors)
