"""Making an alignment: the depositor's files as they are, and what they say in the canonical form.

`read` finds out which file is what and calls the reader of its format, `stack` looks at the tilt series that was aligned, `check`
compares the two and the deposition file, `make` writes it all down.
"""

from __future__ import annotations

from tomoportal.ingest.steps.alignment.make import make_alignment

__all__ = ["make_alignment"]
