"""The deposition language: a curator's YAML file → a frozen `Config`, and every problem with file, line and hint.

    load_config(path)   → Loaded(config, problems)
    json_schema()       → the language as JSON Schema, for editors

The shape of every `metadata` block is made from the entity classes of `model`; `sections` declares the rest of the language,
`rules` what must hold between values. Reads one local file, writes nothing.
"""

from __future__ import annotations

from tomoportal.config.deposition import Condition, Config, Entry, Finder, Source, Standardization
from tomoportal.config.json_schema import json_schema
from tomoportal.config.load import Loaded, load_config, load_text

__all__ = [
    "Condition",
    "Config",
    "Entry",
    "Finder",
    "Loaded",
    "Source",
    "Standardization",
    "json_schema",
    "load_config",
    "load_text",
]
