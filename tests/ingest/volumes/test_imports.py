"""What every command would wait for is not imported before it is needed."""

import subprocess
import sys


def test_ingestion_starts_without_scipy() -> None:
    program = "import sys, tomoportal.ingest.run; print('scipy' in sys.modules, 'zarr' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
