"""What there is to remark on the tables of an export, for the page of the cohort: the warnings, kept as a table."""

import logging
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from pathlib import Path

import pandas as pd

from brainuad.storage import write_table


@contextmanager
def warnings_of(logger: logging.Logger) -> Iterator[list[logging.LogRecord]]:
    """A list of the warnings that `logger` and those below it give meanwhile; they are printed as ever."""
    handler = MemoryHandler(capacity=sys.maxsize, flushLevel=logging.CRITICAL + 1)
    handler.setLevel(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield handler.buffer
    finally:
        logger.removeHandler(handler)


def write_remarks(warned: Collection[logging.LogRecord], files: Collection[Path], path: Path) -> None:
    """Writes the column `remark`: each warning, with the names of `files` where it has their paths.

    A folder may be named after a patient or a project, and the page of the cohort is shown to others.
    """
    remarks = []
    for record in warned:
        text = record.getMessage()
        for file in files:
            text = text.replace(str(file), file.name)
        remarks.append(text)
    write_table(pd.DataFrame({"remark": remarks}, dtype=object), path)
