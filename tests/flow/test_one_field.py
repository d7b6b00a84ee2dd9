"""One field, one place: declared on its entity, a field is known to everything, with no other edit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    script = Path(__file__).with_name("one_field.py")
    folder = tmp_path_factory.mktemp("one-field")
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_deposition_file_is_checked_for_it(seen):
    assert seen["right"] == []
    assert len(seen["wrong"]) == 1
    assert "vitrification_temperature" in seen["wrong"][0]
    assert "150" in seen["wrong"][0]


def test_it_reaches_sidecar_and_table(seen):
    assert seen["failed"] == []
    assert seen["sidecar"] == 93.5
    assert seen["column"] == [93.5]


def test_graphql_and_client_answer_and_filter_by_it(seen):
    assert seen["graphql"] == {"data": {"datasets": [{"vitrificationTemperature": 93.5}]}}
    assert seen["client"] == [93.5]


def test_pages_and_documentation_show_it(seen):
    assert seen["page"]
    assert seen["reference"]
    assert seen["json_schema"]
