"""Dates of acquisition, in the ways in which SerialEM, Tomography and Windows in other languages write them."""

from __future__ import annotations

import re
from datetime import datetime

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janv janvier ene enero gen gennaio",
            "feb february februar fév févr février febr febbraio febrero",
            "mar march mär märz mrz mars mrt maart marzo",
            "apr april avr avril abr abril aprile",
            "may mai mei mayo mag maggio",
            "jun june juni juin junio giu giugno",
            "jul july juli juil juillet julio lug luglio",
            "aug august aoû août ago agosto augustus",
            "sep sept september septembre septiembre set settembre",
            "oct october okt oktober octobre octubre ott ottobre",
            "nov november novembre noviembre",
            "dec december dez dezember déc décembre dic diciembre dicembre",
        ),
        start=1,
    )
    for name in names.split()
}
_DATE = re.compile(
    r"(\d{1,2})-([^\W\d_]{3,10})\.?-(\d{2}|\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,6}))?(?:\s*([AP]M))?",
    re.IGNORECASE,
)
_LONGEST = 60


def parse_date(text: str) -> datetime | None:
    """`30-Nov-15  15:21:38` or an ISO date; else None.

    The month may be written out, and in English, German, French, Dutch, Spanish or Italian; two digits for the year
    mean 20xx; the clock may have fractions of a second, and AM or PM. Dates all in numbers are taken only in ISO form,
    because 03-04-15 is April in one country and March in another. A zone is left out: one microscope keeps one clock.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    found = _DATE.fullmatch(text)
    try:
        return _serialem(*found.groups()) if found else datetime.fromisoformat(text).replace(tzinfo=None)
    except (ValueError, KeyError):
        return None


def _serialem(
    day: str,
    month: str,
    year: str,
    hour: str,
    minute: str,
    second: str,
    fraction: str | None,
    half: str | None,
) -> datetime:
    full_year = int(year) + (2000 if len(year) == 2 else 0)
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError("no hour of a clock with AM and PM")
        hours = hours % 12 + (12 if half.upper() == "PM" else 0)
    microseconds = int((fraction or "").ljust(6, "0"))
    return datetime(
        full_year, _MONTHS[month.lower()], int(day), hours, int(minute), int(second), microseconds
    )
