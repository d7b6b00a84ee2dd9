"""The language follows the model: a field added to an entity is accepted, checked, published and documented."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tomoportal.config import json_schema, load_text
from tomoportal.config.from_model import metadata_shape
from tomoportal.config.reference import reference
from tomoportal.config.sections import SECTIONS
from tomoportal.config.shapes import Object, Scalar
from tomoportal.model.acquisition import TiltSeries
from tomoportal.model.entity import Entity
from tomoportal.model.fields import Float, Level, Rule
from tomoportal.model.registry import ENTITIES

WHERE = "tiltseries[0].metadata.stage.humidity"


@pytest.fixture
def humidity() -> Iterator[None]:
    """A new required field of tilt series."""
    field = Float(
        "humidity of the stage",
        unit="%",
        config="stage.humidity",
        rule=Rule(level=Level.REQUIRED, maximum=100),
    )
    field.__set_name__(TiltSeries, "stage_humidity")
    TiltSeries.fields["stage_humidity"] = field
    yield
    del TiltSeries.fields["stage_humidity"]


def _problems(value: str) -> dict[str, str]:
    text = f"tiltseries:\n- metadata:\n    stage: {value}\n"
    return {p.where: p.message for p in load_text(text).problems}


@pytest.mark.usefixtures("humidity")
def test_a_field_added_to_an_entity_is_checked() -> None:
    assert WHERE not in _problems("{humidity: 40}")
    assert "at most 100 %" in _problems("{humidity: 400}")[WHERE]
    assert "'humidity' is missing" in _problems("{}")[WHERE]


@pytest.mark.usefixtures("humidity")
def test_a_field_added_to_an_entity_is_published() -> None:
    metadata = json_schema()["properties"]["tiltseries"]["anyOf"][0]["items"]["properties"]["metadata"]

    stage = metadata["anyOf"][0]["properties"]["stage"]["anyOf"][0]
    assert stage["properties"]["humidity"] == {
        "description": "humidity of the stage (%)", "type": "number", "maximum": 100,
    }  # fmt: skip
    assert "| `stage.humidity` | required | number %, at most 100 | humidity of the stage |" in reference()


def test_without_the_field_it_is_unknown() -> None:
    assert "not a known key" in _problems("{humidity: 40}")["tiltseries[0].metadata.stage"]


@pytest.mark.parametrize("entity", [e for e in ENTITIES if e.names.section], ids=lambda e: e.__name__)
def test_every_config_place_of_the_model_is_a_key(entity: type[Entity]) -> None:
    shape = metadata_shape(entity.names.section)

    assert entity.names.section in SECTIONS
    for field in entity.config_fields():
        here: object = shape
        for step in (field.config or "").split("."):
            assert isinstance(here, Object)
            here = here.keys[step].shape
        assert not isinstance(here, Scalar) or here.description == field.description
