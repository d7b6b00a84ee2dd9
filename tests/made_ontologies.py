"""Small ontologies, and one as large as the Gene Ontology, in the form of OBO files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SMALL = """\
format-version: 1.2
data-version: releases/2025-10-10
ontology: go

[Term]
id: GO:0005840
name: ribosome
namespace: cellular_component
alt_id: GO:0033279
def: "An organelle \\"with\\" two parts." [ISBN:0198506732]
synonym: "free ribosome" NARROW []
synonym: "ribosomal \\"RNA\\" particle" RELATED [NIF:1 "x]"]
is_a: GO:0043226 ! organelle

[Term]
id: GO:0016020
name: membrane {source="GOC:x"} ! the label
exact_synonym: "biological membrane" []

[Term]
id: GO:0000001
name: obsolete old membrane
is_obsolete: true
replaced_by: GO:0016020
consider: GO:0005840

[Term]
id: GO:0000002
name: twin

[Term]
id: GO:0000003
name: Twin

[Term]
id: CHEBI:15377
name: water

[Typedef]
id: part_of
name: part of
"""

TAXA = """\
format-version: 1.4
ontology: ncbitaxon

[Term]
id: NCBITaxon:4932
name: Saccharomyces cerevisiae
synonym: "baker's yeast" EXACT genbank_common_name []

[Term]
id: NCBITaxon:3055
name: Chlamydomonas reinhardtii
"""


def write_small(folder: Path) -> Path:
    """Two files: `go.obo`, whose path is given, and `taxa.obo` beside it."""
    (folder / "taxa.obo").write_text(TAXA)
    (folder / "go.obo").write_text(SMALL)
    return folder / "go.obo"


def write_large(file: Path, terms: int = 45_000) -> Path:
    """As many terms as the Gene Ontology has, with definitions, synonyms and relations."""
    with file.open("w") as out:
        out.write("format-version: 1.2\ndata-version: releases/made\nontology: go\n")
        out.writelines(_stanzas(terms))
    return file


def _stanzas(terms: int) -> Iterator[str]:
    for number in range(terms):
        yield (
            f"\n[Term]\nid: GO:{number:07}\nname: part {number} of the cell\nnamespace: cellular_component\n"
            f'def: "{"What it is and does, in words. " * 8}" [GOC:made]\n'
            f'synonym: "organelle {number}" EXACT []\nsynonym: "thing {number}" RELATED []\nsynonym: "body {number}" NARROW []\n'
            f"is_a: GO:{number // 2:07} ! part {number // 2} of the cell\nrelationship: part_of GO:{number // 3:07} ! more\n"
        )
