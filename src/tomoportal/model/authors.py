"""What all author rows have in common."""

from __future__ import annotations

from tomoportal.model import terms
from tomoportal.model.fields import Bool, Int, Level, Rule, Str


class AuthorFields:
    """A person in the author list of a deposition, dataset, tomogram or annotation."""

    author_list_order = Int("position in the author list, from 1", nullable=False, sidecar="@position")
    orcid = Str(
        "ORCID iD",
        label="ORCID",
        config="ORCID",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.ORCID),
        searched="author",
    )
    kaggle_id = Str("Kaggle user name", label="Kaggle ID", config="kaggle_id", searched="author")
    name = Str("full name", nullable=False, config="name", rule=Rule(level=Level.REQUIRED), searched="author")
    email = Str("e-mail address", label="E-mail", config="email")
    affiliation_name = Str(
        "institution; several are separated by commas", config="affiliation_name", searched="author"
    )
    affiliation_address = Str("postal address of the institution", config="affiliation_address")
    affiliation_identifier = Str(
        "ROR identifier of the institution",
        config="affiliation_identifier",
        rule=Rule(level=Level.RECOMMENDED),
    )
    corresponding_author_status = Bool(
        "whether to write to this author", config="corresponding_author_status", default=False
    )
    primary_author_status = Bool(
        "whether this is a primary author", config="primary_author_status", default=False
    )
