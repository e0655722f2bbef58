"""Files that are either whole or absent: each is written under a temporary name and renamed."""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainuad.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

# What `secrets.token_hex(6)` gives, as a pattern of file names.
TOKEN = "[0-9a-f]" * 12


@contextmanager
def atomic_path(path: Path, alone: bool = False) -> Iterator[Path]:
    """A temporary path beside `path`, with the same suffixes, that is renamed to `path` on success.

    On an exception the temporary file is removed and `path` keeps what it held before. `alone` says that no other
    process writes the file: temporary ones that are there are of processes that were killed, and are removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{TOKEN}.{escape(path.name)}") if alone else ():
        left.unlink(missing_ok=True)
    # Processes on several machines may write the same file, and their numbers may be equal.
    temporary = path.with_name(f".{secrets.token_hex(6)}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Writes `text` as UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: Any, path: Path) -> None:
    """Writes `value` as indented JSON."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:
    """The value in a JSON file; an unreadable file is an `InputError` that names it."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable JSON file ({error}). Delete it and run again.") from error


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Writes a table as tab-separated values without its row index."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False)


def read_table(path: Path, needs: Iterable[str] = (), **options: Any) -> "pd.DataFrame":
    """A tab-separated table; every column is text (empty where missing) unless `dtype` says otherwise.

    A file that is no such table, or lacks a column that it `needs`, is an `InputError` that names it.
    """
    import pandas as pd

    options.setdefault("dtype", str)
    if options["dtype"] is str:
        options.setdefault("keep_default_na", False)
    try:
        table = pd.read_csv(path, sep="\t", **options)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable table of tab-separated values ({error}).") from error
    if missing := [column for column in needs if column not in table]:
        raise InputError(f"{path}: the columns {', '.join(missing)} are missing. Delete it and run again.")
    return table
