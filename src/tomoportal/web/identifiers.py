"""Identifiers that people write (DOIs, database entries, ontology terms, ORCID iDs) → addresses of their pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Link:
    """A text, and the address it leads to (empty when there is none)."""

    text: str
    href: str = ""


_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), address)
    for pattern, address in (
        (r"(?:doi:)?(10\.\d{4,9}/\S+)", "https://doi.org/{0}"),
        (r"EMPIAR-(\d+)", "https://www.ebi.ac.uk/empiar/EMPIAR-{0}/"),
        (r"EMD-(\d+)", "https://www.ebi.ac.uk/emdb/EMD-{0}"),
        (r"PDB-([0-9a-zA-Z]{4,8})", "https://www.rcsb.org/structure/{0}"),
        (r"GO:(\d{7})", "https://amigo.geneontology.org/amigo/term/GO:{0}"),
        (r"UniProtKB:(\w+)", "https://www.uniprot.org/uniprotkb/{0}"),
        (r"NCBITaxon:(\d+)", "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id={0}"),
        (r"CVCL_(\w+)", "https://www.cellosaurus.org/CVCL_{0}"),
        (r"(WBStrain\d{8})", "https://wormbase.org/species/c_elegans/strain/{0}"),
        (r"((?:CHEBI|UBERON|CL|EFO|BTO|MONDO|PATO|ZFA|WBbt|FBbt|HsapDv|MmusDv|ZFS|FBdv|WBls):\d+)", "obo"),
        (r"(https?://\S+)", "{0}"),
    )
)


def link(identifier: str) -> Link:
    """The identifier with the address of its page, if it is of a known kind."""
    text = identifier.strip()
    for pattern, address in _PATTERNS:
        found = pattern.fullmatch(text)
        if found and address == "obo":
            return Link(text, f"http://purl.obolibrary.org/obo/{found[1].replace(':', '_')}")
        if found:
            return Link(text, address.format(found[1]))
    return Link(text)


def links(comma_separated: str | None) -> tuple[Link, ...]:
    """The items of a list such as `10.1038/x, EMPIAR-10301`."""
    items = (item.strip() for item in (comma_separated or "").split(","))
    return tuple(link(item) for item in items if item)


def taxon(taxid: int) -> Link:
    """A species of the NCBI taxonomy."""
    return Link(f"NCBI:{taxid}", link(f"NCBITaxon:{taxid}").href)


def orcid(identifier: str) -> Link:
    """A person."""
    return Link(identifier, f"https://orcid.org/{identifier}")


def kaggle(name: str) -> Link:
    """A person at Kaggle."""
    return Link(name, f"https://www.kaggle.com/{quote(name.strip(), safe='')}")
