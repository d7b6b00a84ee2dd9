"""A folder on this machine. Links that lead out of the root are not followed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tomoportal.errors import NotFound, StorageError
from tomoportal.storage.protocol import Entry, clean_path

TEMPORARY = ".tmp-"
"""Files whose name starts so are being written; no listing shows them."""


class LocalStorage:
    """See `Storage`. Written files appear under their name only when they are complete (temporary name, then rename)."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).expanduser().resolve()
        self.url = str(self.root)

    def __repr__(self) -> str:
        return f"LocalStorage({str(self.root)!r})"

    def __getstate__(self) -> dict:
        return {"root": self.root, "url": self.url}

    def list(self, prefix: str = "") -> Iterator[Entry]:
        folder = self._inside(prefix)
        if folder.is_dir():
            yield from self._walk(folder, prefix)

    def folders(self, prefix: str = "") -> list[str]:
        folder = self._inside(prefix)
        if not folder.is_dir():
            return []
        with os.scandir(folder) as entries:
            return sorted(
                e.name for e in entries if self._is_folder(e) and not e.name.startswith(TEMPORARY)
            )

    def stat(self, path: str) -> Entry:
        try:
            found = self._inside(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{self.url}/{path}") from None
        except OSError as error:
            raise StorageError(f"{self.url}/{path}", error.strerror or str(error)) from error
        return _entry(path, found)

    def exists(self, path: str) -> bool:
        try:
            return self._inside(path).is_file()
        except OSError:
            return False

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        try:
            with self._inside(path).open("rb") as file:
                file.seek(start)
                return file.read(-1 if length is None else length)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{self.url}/{path}") from None
        except OSError as error:
            raise StorageError(f"{self.url}/{path}", error.strerror or str(error)) from error

    def write(self, path: str, data: bytes) -> Entry:
        target = self._place(path)
        temporary = self._write_temporary(target, data)
        os.replace(temporary, target)
        return _entry(path, target.stat())

    def create(self, path: str, data: bytes) -> bool:
        target = self._place(path)
        temporary = self._write_temporary(target, data)
        try:
            os.link(temporary, target)
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary)
        return True

    def upload(self, path: str, file: Path) -> Entry:
        target = self._place(path)
        try:
            os.replace(file, target)
        except OSError:
            temporary = target.with_name(f"{TEMPORARY}{os.getpid()}-{target.name}")
            shutil.copyfile(file, temporary)
            os.replace(temporary, target)
            os.unlink(file)
        return _entry(path, target.stat())

    def delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._inside(path).unlink()

    def delete_tree(self, prefix: str) -> None:
        folder = self._inside(prefix)
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            shutil.rmtree(folder)

    def local_path(self, path: str) -> Path | None:
        return self._inside(path)

    @contextmanager
    def fetch(self, path: str) -> Iterator[Path]:
        self.stat(path)
        yield self._inside(path)

    def _walk(self, folder: Path, prefix: str) -> Iterator[Entry]:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda e: e.name + "/" if self._is_folder(e) else e.name)
        for entry in entries:
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.name.startswith(TEMPORARY):
                continue
            if self._is_folder(entry):
                yield from self._walk(Path(entry.path), path)
            elif entry.is_file() and self._stays_inside(entry):
                yield _entry(path, entry.stat())

    def _is_folder(self, entry: os.DirEntry) -> bool:
        return entry.is_dir() and self._stays_inside(entry)

    def _stays_inside(self, entry: os.DirEntry) -> bool:
        return not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(self.root)

    def _inside(self, path: str) -> Path:
        full = self.root / clean_path(path)
        if not full.resolve().is_relative_to(self.root):
            raise StorageError(f"{self.url}/{path}", "this link leads out of the storage and is not followed")
        return full

    def _place(self, path: str) -> Path:
        target = self._inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _write_temporary(self, target: Path, data: bytes) -> str:
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        return name


def _entry(path: str, found: os.stat_result) -> Entry:
    return Entry(path, found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}", found.st_mtime)
