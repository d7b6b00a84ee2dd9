"""The real deposition files of the reference system are accepted, its drafts are not."""

from __future__ import annotations

from pathlib import Path

from tomoportal.config import load_config
from tomoportal.problems import Severity

FAULTY = {"10011_draft.yaml", "10311_draft.yaml", "template.yaml"}


def test_only_the_drafts_and_the_template_are_faulty(real_configs: list[Path]) -> None:
    faulty = {path.name for path in real_configs if load_config(path).config is None}

    assert len(real_configs) > 55
    assert faulty == FAULTY


def test_the_others_have_nothing_but_what_is_not_supported_yet(real_configs: list[Path]) -> None:
    for path in real_configs:
        if path.name not in FAULTY:
            problems = load_config(path).problems
            remarks = {p.code for p in problems if p.severity is not Severity.UNSUPPORTED}
            assert remarks <= ({"matrix-row"} if path.name == "10002.yaml" else set())
