"""Licences of data by their SPDX identifiers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Licence:
    """`id`: SPDX identifier, empty for terms of the site's own; `name`: as people read it; `url`: its text."""

    id: str
    name: str
    url: str

    @property
    def told(self) -> str:
        """The identifier, or else the address."""
        return self.id or self.url


_KNOWN = (
    ("CC0-1.0", "Creative Commons Zero 1.0 (public domain)", "https://creativecommons.org/publicdomain/zero/1.0/"),
    ("CC-BY-4.0", "Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    ("CC-BY-SA-4.0", "Creative Commons Attribution-ShareAlike 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    ("CC-BY-NC-4.0", "Creative Commons Attribution-NonCommercial 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
    ("CC-BY-NC-SA-4.0", "Creative Commons Attribution-NonCommercial-ShareAlike 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
    ("ODC-By-1.0", "Open Data Commons Attribution 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    ("ODbL-1.0", "Open Data Commons Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    ("PDDL-1.0", "Open Data Commons Public Domain Dedication 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
)  # fmt: skip

LICENCES = {id: Licence(id, name, url) for id, name, url in _KNOWN}


def licence_of(told: str) -> Licence:
    """The licence of an SPDX identifier or an address."""
    if "://" in told:
        return Licence("", told, told)
    return LICENCES.get(told) or Licence(told, told, f"https://spdx.org/licenses/{told}.html")
