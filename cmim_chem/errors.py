"""The few errors a user can meet, each with a message that names the place and the remedy.

Everything the package raises on purpose is a `CmimError`, so that the command line and the app can
turn it into one sentence. Programming mistakes stay ordinary Python exceptions.
"""

from __future__ import annotations


class CmimError(Exception):
    """Any trouble a user can do something about."""


class InputError(CmimError):
    """Input that cannot be read, or a request that makes no sense for it."""


class ArtifactError(CmimError):
    """Weights, a probe or an index that is missing, damaged or made for another encoder."""


class DataError(CmimError):
    """A data table or corpus that is missing or is not the one expected."""


class OutputError(CmimError):
    """A result that cannot be written, as when the disk is full."""


class WorkerError(CmimError):
    """Work that was lost: a process that died, a cluster that cannot be reached."""
