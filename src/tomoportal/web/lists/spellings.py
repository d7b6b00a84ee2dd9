"""What people write for identifiers and names, brought into one form; None when it makes no sense."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tomoportal.model.query import Compare, Condition

_ORCID = re.compile(r"(?:https?://orcid\.org/)?([0-9]{4}(?:-[0-9]{0,4}){0,3}[0-9Xx]?)")
_TERM = re.compile(r"([A-Za-z]+)[:_-]([A-Za-z0-9_.-]+)")
_ONTOLOGIES = {
    word.casefold(): word
    for word in ("GO", "UniProtKB", "CHEBI", "UBERON", "CDPO", "CL", "PDB", "NCBITaxon", "PR", "EMDB")
}


def numbered(*prefixes: str) -> Callable[[str], str | None]:
    """Reads `10301`, `DS-10301`, `ds 10301`, `DS10301` → `10301`."""
    pattern = re.compile(rf"(?:(?:{'|'.join(prefixes)})[-_:\s]?)?([0-9]{{1,9}})", re.IGNORECASE)

    def read(text: str) -> str | None:
        found = pattern.fullmatch(text.strip())
        return str(int(found[1])) if found else None

    return read


def orcid(text: str) -> str | None:
    """`https://orcid.org/0000-0002-1825-009x` → `0000-0002-1825-009X`; the beginning of one will do."""
    found = _ORCID.fullmatch(text.strip())
    return found[1].upper() if found else None


def term(text: str) -> str | None:
    """`go_0005840` → `GO:0005840`, `PDB-7xyz` → `PDB-7xyz`: the identifier of an object in an ontology or database."""
    found = _TERM.fullmatch(text.strip())
    if found is None:
        return None
    ontology = _ONTOLOGIES.get(found[1].casefold(), found[1])
    return f"{ontology}-{found[2]}" if ontology == "PDB" else f"{ontology}:{found[2]}"


def containing(field: str, text: str) -> Condition:
    """The field holds the text somewhere, in any case, every letter meant as it stands."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Compare(field, "ilike", f"%{escaped}%")


def listed(field: str, prefix: str, numbers: Iterable[str]) -> Condition:
    """The field, entries with commas between, holds exactly one of these entries."""
    return Compare(field, "iregex", rf"(^|[,;\s]){prefix}-0*({'|'.join(numbers)})($|[,;\s])")
