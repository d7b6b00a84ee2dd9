"""How messages describe the identifiers that the model's patterns accept."""

from __future__ import annotations

from tomoportal.model import terms

EXAMPLES: dict[str, tuple[str, tuple[str, ...]]] = {
    terms.ORCID: ("an ORCID iD", ("0000-0002-1825-0097",)),
    terms.DOI: ("a DOI", ("10.1038/s41592-022-01746-2",)),
    terms.EMPIAR: ("an EMPIAR entry", ("EMPIAR-10304",)),
    terms.DATABASE_ENTRY: ("a database entry", ("EMPIAR-10304", "EMD-1234", "PDB-1ABC")),
    terms.PUBLICATION: ("a DOI or database entry", ("10.1038/s41592-022-01746-2", "EMD-1234")),
    terms.GO: ("a GO identifier", ("GO:0016020",)),
    terms.EFO: ("an EFO identifier", ("EFO:0002909",)),
    terms.OBJECT_ID: ("an identifier", ("GO:0016020", "UniProtKB:P00722", "CHEBI:15986", "PDB-1ABC")),
    terms.TISSUE_ID: ("an identifier", ("UBERON:0000955", "BTO:0000142", "CL:0000255")),
    terms.CELL_TYPE_ID: ("an identifier", ("CL:0000255", "UBERON:0000955")),
    terms.CELL_STRAIN_ID: ("an identifier", ("CVCL_0045", "NCBITaxon:9606", "CC-3994", "WBStrain00000001")),
    terms.STAGE_ID: ("an identifier", ("unknown", "HsapDv:0000262", "WBls:0000003")),
    terms.DISEASE_ID: ("an identifier", ("PATO:0000461", "MONDO:0005131")),
}
"""Pattern → what it stands for, and examples."""


def described(pattern: str) -> str:
    """What a text must be, in words."""
    if pattern not in EXAMPLES:
        return f"a text that matches {pattern}"
    kind, examples = EXAMPLES[pattern]
    *first, last = examples
    return f"{kind} such as {', '.join(first)} or {last}" if first else f"{kind} such as {last}"


def check_digit(orcid: str) -> str:
    """The last sign that an ORCID iD must have by its 15 other digits: ISO 7064 MOD 11-2, as ORCID describes it for its iDs."""
    total = 0
    for digit in orcid.replace("-", "")[:15]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]
