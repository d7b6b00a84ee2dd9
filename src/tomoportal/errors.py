"""The exceptions of the package: the operation stops. Findings that do not stop it are `problems.Problem`.

PortalError                    str() is one or two sentences for the user
├─ ConfigError(ValueError)     a deposition file is wrong; .problems holds all findings
├─ UsageError(ValueError)      the command or call itself makes no sense
├─ SourceError                 a depositor's file is absent or unreadable; .where
│  └─ FormatError(ValueError)  readable bytes with the wrong content
│     └─ Absent                a sound file without what was asked of it, such as a mask label
├─ StorageError(OSError)       the source or target storage failed; .where
│  ├─ NotFound(FileNotFoundError)
│  └─ Busy                     another process holds the lease
├─ CatalogError                database missing, of another version, or broken
├─ QueryError(ValueError)      a filter or field that a reader asked for does not exist
│  └─ TooMuch                  a sound query that asks for more than the portal gives at once; .limit
├─ RemoteError                 client side: the server is unreachable or answered an error; .status
└─ Incomplete                  client side: some of several files could not be had; .errors
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tomoportal.problems import Problem

_TOLD = 10
"""So many errors of a download are told one by one."""


class PortalError(Exception):
    """Base of every error that is told to a user as a sentence, without a traceback."""


class ConfigError(PortalError, ValueError):
    """A deposition file cannot be used; `problems` says why, all of it."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class UsageError(PortalError, ValueError):
    """The command line or a call asks for something that makes no sense."""


class SourceError(PortalError):
    """A depositor's file is absent or unreadable."""

    def __init__(self, where: str, message: str, hint: str = "") -> None:
        super().__init__(f"{where}: {message}" + (f" {hint}" if hint else ""))
        self.where, self.message, self.hint = where, message, hint


class FormatError(SourceError, ValueError):
    """A file can be read, but its content is not what its format promises."""


class Absent(FormatError):
    """A sound file does not hold what was asked of it: there is nothing to publish, and nothing has gone wrong either."""


class StorageError(PortalError, OSError):
    """A storage could not be read or written."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where, self.message = where, message

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class NotFound(StorageError, FileNotFoundError):
    """There is nothing at this path."""

    def __init__(self, where: str, message: str = "there is nothing at this path") -> None:
        super().__init__(where, message)


class Busy(StorageError):
    """Another process is writing here."""


class CatalogError(PortalError):
    """The catalogue is missing, made by another version, or broken; the message names the command that repairs it."""


class QueryError(PortalError, ValueError):
    """A query names a field, comparator or relation that does not exist, or a value of the wrong type."""


class TooMuch(QueryError):
    """A sound query asks for more than the portal gives at once; `limit` names which of its limits."""

    def __init__(self, limit: Literal["cost", "depth", "time", "rows", "size", "busy"], message: str) -> None:
        super().__init__(message)
        self.limit = limit


class RemoteError(PortalError):
    """The portal could not be reached or answered with an error."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Incomplete(PortalError):
    """Some of several files or folders could not be had; `errors` says why, the first hundred of them. Everything else has come."""

    def __init__(self, errors: Sequence[PortalError], count: int) -> None:
        shown = "\n  ".join(str(error) for error in errors[:_TOLD])
        more = f"\n  … and {count - _TOLD} more" if count > _TOLD else ""
        super().__init__(
            f"{count} files or folders could not be had, everything else is here:\n  {shown}{more}"
        )
        self.errors = tuple(errors)
