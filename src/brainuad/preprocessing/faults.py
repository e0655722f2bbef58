"""Faults of the machine, told from defects of a scan.

A defect is a row of the quality table and stays there. A fault (no permission, a share of the network that is gone, too
little memory) fails the job, so that the next attempt, with more memory on a cluster, does the scan again.
"""

import errno
from pathlib import Path

from brainuad.errors import InputError

# Numbers of errors that belong to the file: it is not there, or its header leads to a place where nothing can be.
# What the readers themselves find wrong with the content has no number.
OF_THE_FILE = (
    *(None, 0, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
    *(errno.EINVAL, errno.EOVERFLOW),
)


def read_first_byte(path: Path) -> None:
    """Opens and reads a file, so that a fault shows as the `OSError` that it is.

    nibabel drops that error while it looks for the format, and says that the format is unknown.
    """
    with path.open("rb") as file:
        file.read(1)


def refuse_fault(error: BaseException, path: Path) -> None:
    """Raises an `InputError` if it is the machine's fault that reading `path` failed; else nothing happens."""
    if isinstance(error, MemoryError):
        raise InputError(
            f"{path}: not enough memory to read it. Give the job more (mem_mb), and run again."
        ) from error
    if isinstance(error, OSError) and error.errno not in OF_THE_FILE:
        raise InputError(
            f"{path}: cannot be read now ({error.strerror}). The scan is not excluded for that: correct the "
            "permissions or the disk, and run again."
        ) from error
