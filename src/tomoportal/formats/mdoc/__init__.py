"""SerialEM's metadata files (.mdoc): what was recorded, at which angle, when, with how much dose.

    read_mdoc(data, name) → Mdoc with its sections in file order
    section_doses(sections) → order of acquisition and dose of each

Own parser, because files from the field hold what the mdocfile package refuses (commas in lists of numbers, byte order
marks). Format: https://bio3d.colorado.edu/SerialEM/hlp/html/about_formats.htm
"""

from __future__ import annotations

from tomoportal.formats.mdoc.dates import parse_date
from tomoportal.formats.mdoc.doses import SectionDose, acquisition_order, section_doses
from tomoportal.formats.mdoc.read import read_mdoc
from tomoportal.formats.mdoc.section import IMAGE_SECTIONS, Mdoc, MdocSection

__all__ = [
    "IMAGE_SECTIONS",
    "Mdoc",
    "MdocSection",
    "SectionDose",
    "acquisition_order",
    "parse_date",
    "read_mdoc",
    "section_doses",
]
