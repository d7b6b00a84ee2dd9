"""The examples of the language's documentation are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tomoportal.config import load_text
from tomoportal.config.reference import reference
from tomoportal.config.sections import SECTIONS
from tomoportal.model.registry import ENTITIES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deposition.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_complete_example_has_no_problem() -> None:
    assert [str(problem) for problem in load_text(EXAMPLES[0]).problems] == []


def test_the_second_example_is_the_file_of_that_name() -> None:
    text = (ROOT / "examples" / "complete.yaml").read_text()

    assert EXAMPLES[1] == text
    assert [str(problem) for problem in load_text(text).problems] == []


@pytest.mark.parametrize("example", EXAMPLES[2:])
def test_the_other_examples_complete_a_file(example: str) -> None:
    """Those of references stand for a deposition of annotations alone, without tomograms of its own."""
    given = yaml.safe_load(example)
    whole = yaml.safe_load(EXAMPLES[0])
    if "datasets" in given:
        whole = {name: whole[name] for name in ("version", "standardization_config", "depositions")}

    problems = load_text(yaml.safe_dump({**whole, **given})).problems

    assert [str(problem) for problem in problems] == []


def test_the_reference_names_every_section_and_key() -> None:
    text = reference()

    assert all(f"| `{section}` |" in text for section in SECTIONS)
    for entity in ENTITIES:
        for field in entity.config_fields() if entity.names.section else ():
            assert f"| `{field.config}` |" in text
