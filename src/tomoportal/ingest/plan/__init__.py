"""Found items and what is published already → tasks. Decides everything, writes nothing.

    make_plan(found, ledgers, standing, fingerprint, selection=…, deposited=…) → Plan

What lies in the portal, and the fingerprint of a source file, are asked for by callbacks, so that nothing here touches a storage.
"""

from __future__ import annotations

from tomoportal.ingest.plan.make import make_plan
from tomoportal.ingest.plan.plans import (
    FILES_ALONE,
    METADATA_CHANGED,
    UNCHANGED,
    DatasetPlan,
    Plan,
    RunPlan,
    sidecar_path,
)

__all__ = [
    "FILES_ALONE",
    "METADATA_CHANGED",
    "UNCHANGED",
    "DatasetPlan",
    "Plan",
    "RunPlan",
    "make_plan",
    "sidecar_path",
]
