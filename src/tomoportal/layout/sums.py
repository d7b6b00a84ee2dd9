"""CRC-32 of the many files inside of a published folder such as an OME-Zarr, made when they were written, so that whoever downloads
them can compare. One small private file a folder, with a line for each file: `1a2b3c4d 0/3/1/2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tomoportal.errors import NotFound, StorageError
from tomoportal.layout.paths import PRIVATE

if TYPE_CHECKING:
    from tomoportal.storage.protocol import Storage


def sums_path(home: str) -> str:
    """Where the checksums of the files in the folder `home` of the layout are kept."""
    return f"{PRIVATE}/sums/{home}.crc32"


def sums_bytes(sums: Mapping[str, int]) -> bytes:
    """As they are kept: in the order of the paths, which are relative to the folder."""
    return "".join(f"{value:08x} {path}\n" for path, value in sorted(sums.items())).encode()


def read_sums(storage: Storage, home: str) -> dict[str, str]:
    """Path below `home` → eight hexadecimal digits; empty where none were kept. Raises `StorageError` for a damaged file."""
    try:
        lines = storage.read(sums_path(home)).decode().splitlines()
    except NotFound:
        return {}
    except UnicodeDecodeError as error:
        raise StorageError(
            sums_path(home), "these checksums are damaged; ingest again with --force"
        ) from error
    return {line[9:]: line[:8] for line in lines}
