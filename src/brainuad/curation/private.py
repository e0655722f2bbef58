"""Files about patients: readable for their owner alone from the moment they exist."""

import os
from pathlib import Path

import pandas as pd

from brainuad.storage import atomic_path

OWNER_ONLY = 0o600


def write_private_text(text: str, path: Path) -> None:
    """Writes `text` as UTF-8."""
    with atomic_path(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def write_private_table(table: pd.DataFrame, path: Path) -> None:
    """Writes a table as tab-separated values without its row index."""
    write_private_text(table.to_csv(sep="\t", index=False), path)
