"""The published JSON Schema is well formed and accepts what the checker accepts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tomoportal.config import json_schema, load_config


def _schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ()), schema.get("items")):
        if isinstance(inner, dict):
            yield from _schemas(inner)


def _accepts(schema: dict[str, Any], data: Any) -> str | None:
    """A small reading of the keywords that the schema uses: what is wrong with `data`, None when nothing is."""
    if "anyOf" in schema:
        faults = [_accepts(choice, data) for choice in schema["anyOf"]]
        return None if None in faults else faults[0]
    if "enum" in schema and data not in schema["enum"]:
        return f"{data!r} is none of {schema['enum']}"
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
             "null": type(None)}  # fmt: skip
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(isinstance(data, kinds[kind]) for kind in wanted):
        return f"{data!r} is no {wanted}"
    if isinstance(data, dict):
        unknown = set(data) - set(schema["properties"]) if schema.get("properties") else set()
        missing = set(schema.get("required", ())) - set(data)
        given = sum(set(choice["required"]) <= set(data) for choice in schema.get("oneOf", ()))
        if unknown or missing or ("oneOf" in schema and given != 1):
            return f"unknown {unknown}, missing {missing}, {given} of the choices"
        inside = ((schema["properties"][key], value) for key, value in data.items() if "properties" in schema)
    else:
        inside = (
            ((schema["items"], item) for item in data if "items" in schema)
            if isinstance(data, list)
            else iter(())
        )
    return next((fault for inner, value in inside if (fault := _accepts(inner, value))), None)


def test_objects_are_closed_and_their_required_keys_exist() -> None:
    for schema in _schemas(json_schema()):
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert set(schema.get("required", ())) <= set(schema["properties"])
            for choice in schema.get("oneOf", ()):
                assert set(choice["required"]) <= set(schema["properties"])


def test_the_real_configs_pass(real_configs: list[Path]) -> None:
    schema = json_schema()
    for path in real_configs:
        if load_config(path).config:
            assert _accepts(schema, yaml.safe_load(path.read_text())) is None, path.name


def test_wrong_files_do_not_pass() -> None:
    schema = json_schema()

    assert _accepts(schema, {"version": "1.3.0"})
    assert _accepts(schema, {"versoin": "1.3.0"})
