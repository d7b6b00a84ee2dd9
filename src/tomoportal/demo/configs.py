"""The demo's deposition files: templates beside this module, completed with the numbers of the simulation.

A template is a deposition file in which @name@ stands for a number or a shared passage. Gives text, writes nothing.
"""

from __future__ import annotations

import re
from importlib.resources import files

from tomoportal.demo.phantom import Lattice

DEPOSITION_ID = 10900


def config_text(dataset: str, source_prefix: str, lattice: Lattice, precision: float, recall: float) -> str:
    """The deposition file of a dataset. `precision` and `recall` in percent are those of its predicted picks."""
    x, y, z = lattice.extent
    fine, coarse = f"{lattice.spacing:.3f}", f"{2 * lattice.spacing:.3f}"
    values = {
        "deposition": _template("deposition").rstrip("\n"),
        "deposition_id": str(DEPOSITION_ID),
        "dataset_id": dataset,
        "prefix": source_prefix,
        "fine": fine,
        "coarse": coarse,
        "only_fine": f"'^{re.escape(fine)}$'",
        "only_coarse": f"'^{re.escape(coarse)}$'",
        "x": f"{x:.3f}",
        "y": f"{y:.3f}",
        "z": f"{z:.3f}",
        "precision": str(precision),
        "recall": str(recall),
        "per_angstrom": f"{1 / lattice.spacing:.9f}",
    }
    return re.sub(r"@(\w+)@", lambda match: values[match[1]], _template(source_prefix))


def _template(name: str) -> str:
    return (files("tomoportal.demo") / "templates" / f"{name}.yaml").read_text(encoding="utf-8")
