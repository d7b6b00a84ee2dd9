"""Starting a deposition file: what is known is written down, what is not is marked with its meaning.

    compose("dataset", Draft(metadata={…}, globs={…})) → text

Keys, levels, units and sentences come from the declarations that `check` reads, so that nothing is said twice.
"""

from __future__ import annotations

from tomoportal.config.authoring.compose import KINDS, Draft, Pattern, compose, patterns_of, split_annotation
from tomoportal.config.authoring.places import STANDARDIZED, put
from tomoportal.config.authoring.proposals import Proposals, propose
from tomoportal.config.authoring.text import FILL_IN

__all__ = [
    "FILL_IN",
    "KINDS",
    "STANDARDIZED",
    "Draft",
    "Pattern",
    "Proposals",
    "compose",
    "patterns_of",
    "propose",
    "put",
    "split_annotation",
]
