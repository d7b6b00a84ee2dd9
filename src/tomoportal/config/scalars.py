"""One YAML scalar → the value its declaration wants, or the sentence that says why not.

Where text is wanted the text of the file counts, not what YAML 1.1 makes of it (`0001` stays `0001`, `1.0` stays `1.0`). What
the reference system's schema tolerates (numbers and truth values written as text) is a warning here, not an error.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import ScalarNode

from tomoportal.config.document import TAG
from tomoportal.config.identifiers import check_digit, described
from tomoportal.config.placeholders import template_fault
from tomoportal.config.shapes import PLACEHOLDER, Form, Scalar
from tomoportal.model.fields import Kind
from tomoportal.model.terms import ORCID
from tomoportal.problems import Severity

_CONSTRUCTOR = SafeConstructor()
_PICTURE_SCHEMES = ("https", "http", "s3", "gs", "az")
_TRUTH = dict.fromkeys(("true", "yes", "on", "t", "y", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "f", "n", "0"), False
)
_KINDS = {
    f"{TAG}bool": "a truth value",
    f"{TAG}int": "a whole number",
    f"{TAG}float": "a number",
    f"{TAG}timestamp": "a date",
    f"{TAG}null": "nothing",
    f"{TAG}str": "the text",
}


_EXAMPLES = {
    "V": "300000", "mm": "2.7", "°": "3", "e⁻/Å²": "120", "e⁻/Å²/s": "2.5", "Å/px": "1.35", "Å": "10", "px": "960", "%": "90",
}  # fmt: skip
"""A likely value in each unit."""
_PROGRAMS = {
    "etomo": "IMOD", "aretomo": "ARETOMO3", "aretomo2": "ARETOMO3", "relion4": "RELION", "relion5": "RELION",
    "warptools": "WARP", "m": "WARP",
}  # fmt: skip
"""Programs that write what others are the word for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value. A warning still gives the value."""

    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR


Read = tuple[Any, Fault | None]


def is_null(node: ScalarNode) -> bool:
    """Whether the scalar says nothing (`null`, `~` or an empty place)."""
    return node.tag == f"{TAG}null"


def plain(node: ScalarNode) -> Any:
    """The value as YAML 1.1 gives it; dates as ISO text. Raises `ValueError` for an impossible date or number."""
    match node.tag.removeprefix(TAG):
        case "null":
            return None
        case "bool":
            return _CONSTRUCTOR.construct_yaml_bool(node)
        case "int":
            return _CONSTRUCTOR.construct_yaml_int(node)
        case "float":
            return _CONSTRUCTOR.construct_yaml_float(node)
        case "timestamp":
            return _CONSTRUCTOR.construct_yaml_timestamp(node).isoformat()
        case "str" | "value":
            return node.value
    raise ValueError(f"the tag {node.tag} is not known")


def read_scalar(node: ScalarNode, shape: Scalar) -> Read:
    """The value of a scalar that is not null, and what is wrong with it."""
    try:
        value = plain(node)
    except (ValueError, ConstructorError) as error:
        return None, Fault(
            "value", f"{node.value!r} cannot be read: {error}", "Quote the value if it is text."
        )
    if shape.form is Form.ANY:
        return value, None
    if shape.rule.placeholder and isinstance(value, str) and PLACEHOLDER.match(value):
        return _placeholder(value, shape)
    match shape.kind:
        case Kind.INT | Kind.FLOAT:
            read = _number(value, node, shape)
        case Kind.BOOL:
            read = _truth(value, node)
        case Kind.DATE:
            read = _date(value, node)
        case _:
            read = _text(value, node, shape)
    if read[1] and read[1].severity is Severity.ERROR:
        return read
    return read[0], _against_rule(read[0], shape) or read[1]


def found(node: ScalarNode) -> str:
    """How a message names what stands in the file."""
    kind = _KINDS.get(node.tag, "the value")
    return kind if is_null(node) else f"{kind} '{_short(node.value)}'"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _placeholder(value: str, shape: Scalar) -> Read:
    kind = PLACEHOLDER.match(value)[1]  # type: ignore[index]
    if shape.kind in (Kind.INT, Kind.FLOAT) and kind is None and shape.form is not Form.NAME:
        word = "int" if shape.kind is Kind.INT else "float"
        return value, Fault(
            "placeholder", f"found the placeholder '{value.strip()}' for text, expected one for a number",
            f"Write '{word} {value.strip()}'.",
        )  # fmt: skip
    fault = template_fault(value)
    return value, Fault("placeholder", fault) if fault else None


def _number(value: Any, node: ScalarNode, shape: Scalar) -> Read:
    whole = shape.kind is Kind.INT
    wanted, warning = _wanted(shape), None
    if isinstance(value, str):
        number = _number_in(value)
        if number is not None:
            warning = Fault("number-as-text", f"found the text '{_short(value)}', which is read as a number",
                            "Write it without quotes (and 1e5 as 1.0e+5).", Severity.WARNING)  # fmt: skip
        value = number
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"found {found(node)}, expected {wanted}{_or_placeholder(shape)}"
        return None, Fault("number", message, _number_meant(node.value, shape))
    if not math.isfinite(value):
        return None, Fault("number", f"found {found(node)}, expected a finite number")
    if whole and value != int(value):
        return None, Fault("number", f"found {found(node)}, expected {wanted}")
    return (int(value) if whole else value), warning


def _wanted(shape: Scalar) -> str:
    """What number is expected, with its unit."""
    number = "a whole number" if shape.kind is Kind.INT else "a number"
    example = _EXAMPLES.get(shape.unit)
    return f"{number} of {shape.unit}{f' such as {example}' if example else ''}" if shape.unit else number


def _number_meant(text: str, shape: Scalar) -> str:
    """What to write for text that begins with a number."""
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", text) and shape.kind is Kind.INT:
        return f"Write {text.replace(',', '')} without commas."
    if re.fullmatch(r"[+-]?\d+,\d+", text) and shape.kind is Kind.FLOAT:
        return f"Write {text.replace(',', '.')} with a point."
    if re.match(r"[+-]?\d+(\.\d+)?\s*(?![eE][+-]?\d)[^\d\s.,:+-]", text) and shape.unit:
        return f"Write the number alone; it counts as {shape.unit}."
    return ""


def _or_placeholder(shape: Scalar) -> str:
    word = "int" if shape.kind is Kind.INT else "float"
    return f" or a placeholder such as '{word} {{column}}'" if shape.rule.placeholder else ""


def _number_in(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if "_" in text or not math.isfinite(number):
        return None
    return int(text) if re.fullmatch(r"\s*[+-]?\d+\s*", text) else number


def _truth(value: Any, node: ScalarNode) -> Read:
    if isinstance(value, bool):
        return value, None
    word = str(value).strip().lower()
    if word in _TRUTH:
        meant = str(_TRUTH[word]).lower()
        return _TRUTH[word], Fault("truth-as-text", f"found {found(node)}, which is read as {meant}",
                                   f"Write {meant} without quotes.", Severity.WARNING)  # fmt: skip
    return None, Fault("truth", f"found {found(node)}, expected true or false")


def _date(value: Any, node: ScalarNode) -> Read:
    text = str(value)
    try:
        day = date.fromisoformat(text)
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
    except ValueError:
        return None, Fault("date", f"found {found(node)}, expected a date such as 2025-01-31")
    return day.isoformat(), None


def _text(value: Any, node: ScalarNode, shape: Scalar) -> Read:
    if isinstance(value, str) and node.tag != f"{TAG}timestamp":
        return value, None
    if isinstance(value, bool):
        hint = f"Quote it: '{node.value}'. Without quotes YAML reads yes, no, on and off as true and false."
        return None, Fault("text", f"found {found(node)}, expected text", hint)
    hint = f"Quote it: '{node.value}'."
    return node.value, Fault(
        "text-unquoted", f"found {found(node)}, which is read as text", hint, Severity.WARNING
    )


def _against_rule(value: Any, shape: Scalar) -> Fault | None:
    if isinstance(value, str):
        return _text_fault(value, shape)
    rule = shape.rule
    low = rule.minimum is not None and value < rule.minimum
    too_low = low or (rule.above is not None and value <= rule.above)
    too_high = rule.maximum is not None and value > rule.maximum
    if isinstance(value, bool) or not (too_low or too_high):
        return None
    unit = f" {shape.unit}" if shape.unit else ""
    return Fault("bounds", f"found {value:g}{unit}, expected {bounds(shape)}{unit}", _in_volts(value, shape))


def _in_volts(value: float, shape: Scalar) -> str:
    meant = shape.unit == "V" and _against_rule(value * 1000, shape) is None
    return f"{value * 1000:g}? The value is in volts." if meant else ""


def checked(value: Any, shape: Scalar) -> tuple[Any, str | None]:
    """A value that came out of a placeholder, in the type of its declaration, and what is wrong with it. Words count
    whatever their case."""
    if shape.kind in (Kind.INT, Kind.FLOAT) and isinstance(value, str):
        number = _number_in(value)
        if number is None or (shape.kind is Kind.INT and number != int(number)):
            return None, f"found '{_short(value)}', expected {_wanted(shape)}"
        value = number
    if shape.kind is Kind.INT and isinstance(value, float) and value == int(value):
        value = int(value)
    if shape.kind is Kind.STR and not isinstance(value, str):
        value = str(value)
    if shape.kind is Kind.BOOL and isinstance(value, str):
        value = _TRUTH.get(value.strip().lower(), value)
    if shape.words:
        value = next((word for word in shape.words if word.lower() == value.strip().lower()), value)
    fault = _against_rule(value, shape)
    return value, fault.message if fault and fault.severity is Severity.ERROR else None


def bounds(shape: Scalar) -> str:
    """The accepted range in words."""
    rule = shape.rule
    parts = [f"more than {rule.above:g}"] if rule.above is not None else []
    parts += [f"at least {rule.minimum:g}"] if rule.minimum is not None else []
    parts += [f"at most {rule.maximum:g}"] if rule.maximum is not None else []
    return " and ".join(parts)


def _text_fault(value: str, shape: Scalar) -> Fault | None:
    if shape.form in (Form.REGEX, Form.NAME_REGEX):
        return _regex_fault(value, shape.form)
    if shape.form is Form.GLOB:
        return _path_fault(value) or _template_fault(value)
    if shape.form is Form.PATH:
        return _path_fault(value)
    if shape.form is Form.PICTURE:
        return _picture_fault(value)
    if shape.words and value not in shape.words:
        near = _same_program(value, shape.words) or nearest(value, shape.words)
        expected = shape.words[0] if len(shape.words) == 1 else f"one of {', '.join(shape.words)}"
        return Fault("word", f"found '{_short(value)}', expected {expected}",
                     f"Did you mean '{near}'?" if near else "")  # fmt: skip
    return _pattern_fault(value, shape)


def _same_program(value: str, words: tuple[str, ...]) -> str | None:
    word = _PROGRAMS.get(value.strip().lower())
    return word if word in words else None


def _pattern_fault(value: str, shape: Scalar) -> Fault | None:
    rule = shape.rule
    if not rule.pattern:
        return None
    parts = value.split(",") if rule.comma_list else [value]
    for part in (part.strip() for part in parts):
        if (part or not rule.comma_list) and not compiled(rule.pattern).search(part):
            which = f"'{_short(part)}' in the list" if len(parts) > 1 else f"'{_short(part)}'"
            return Fault("pattern", f"found {which}, expected {described(rule.pattern)}",
                         "Separate several by commas." if rule.comma_list else "")  # fmt: skip
        if rule.pattern == ORCID and check_digit(part) != part[-1]:
            return Fault("orcid", f"the last sign of the ORCID iD '{part}' does not go with the others",
                         "Look for a mistyped digit.", Severity.WARNING)  # fmt: skip
    return None


def _regex_fault(value: str, form: Form) -> Fault | None:
    try:
        groups = re.compile(value).groups
    except (re.error, OverflowError, RecursionError) as error:
        return Fault("regex", f"'{_short(value)}' is not a regular expression: {error}")
    if form is Form.NAME_REGEX and not groups:
        return Fault("regex-group", f"'{_short(value)}' has no group, so it gives no name",
                     "Put parentheses around the part that is the name.")  # fmt: skip
    return None


def _picture_fault(value: str) -> Fault | None:
    scheme, mark, rest = value.partition("://")
    if not mark:
        return _path_fault(value)
    if scheme.lower() not in _PICTURE_SCHEMES or not rest.strip("/"):
        return Fault("address", f"found '{_short(value)}', expected the address of a picture",
                     f"Addresses begin with {', '.join(f'{known}://' for known in _PICTURE_SCHEMES)}.")  # fmt: skip
    return None


def _path_fault(value: str) -> Fault | None:
    if value.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]", value):
        return Fault("outside", f"'{_short(value)}' is not below the source",
                     "Paths are relative to the source and its source_prefix.")  # fmt: skip
    if ".." in re.split(r"[/\\]", value):
        return Fault("outside", f"'{_short(value)}' leads out of the source with '..'",
                     "Paths must stay below the source and its source_prefix.")  # fmt: skip
    if "\0" in value:
        return Fault("outside", "a NUL character stands in this path")
    return None


def _template_fault(value: str) -> Fault | None:
    fault = template_fault(value)
    return Fault("placeholder", fault, "Double literal braces: {{ and }}.") if fault else None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A compiled regular expression."""
    return re.compile(pattern)


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The known word that looks most like `word`, ignoring case."""
    lower = {known_word.lower(): known_word for known_word in known}
    near = get_close_matches(word.lower(), list(lower), 1, 0.6)
    return lower[near[0]] if near else None
