"""The verbs that the workflow's rules call; thin shells around the package.

Each verb takes the resolved settings of its job as JSON, so that nothing depends on where it runs.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel

from brainuad.errors import InputError
from brainuad.training.signals import TrainingInterruptedError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

HELP = "The job's settings as JSON, made by the workflow; `-` reads them from standard input."
Settings = Annotated[str, typer.Option(help=HELP)]
Name = Annotated[str, typer.Option()]
Number = Annotated[int, typer.Option()]
# What a shell reports of a program that SIGTERM ended.
INTERRUPTED = 143
FROM_WORKFLOW = "The workflow makes these settings; `snakemake -n -p` shows those of each job."
File = Annotated[Path, typer.Option()]
OptionalFile = Annotated[str, typer.Option(help="A file; none by default.")]

Chosen = TypeVar("Chosen", bound=BaseModel)


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Registers a verb; errors meant for the user are printed without a traceback."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        try:
            function(*args, **kwargs)
        except InputError as error:
            print(f"Error: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except TrainingInterruptedError as stopped:
            print(stopped, file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None

    return app.command()(run)


class Job(dict[str, Any]):
    """What a job is asked for; a key that it lacks is an `InputError`."""

    def __missing__(self, key: str) -> Any:
        raise InputError(f"--settings: the key {key!r} is missing. {FROM_WORKFLOW}")


def settings_of(settings: str) -> Job:
    """The settings of a job from their JSON, with the version of its stage.

    `-` stands for standard input: Linux takes no word of a command that is longer than 128 KiB.
    """
    try:
        content = json.loads(sys.stdin.read() if settings == "-" else settings)
    except (ValueError, RecursionError) as error:
        raise InputError(f"--settings: not readable as JSON ({error}). {FROM_WORKFLOW}") from error
    if not isinstance(content, dict):
        raise InputError(f"--settings: expected keys and values in braces. {FROM_WORKFLOW}")
    return Job(content)


def job_of(settings: str) -> Job:
    """What a job is asked for that keeps nothing of earlier runs: the version of its stage only makes it run again."""
    job = settings_of(settings)
    job.pop("version", None)
    return job


def validated(kind: Any, content: Any, key: str = "") -> Any:
    """`content`, what stands at `key` of a job's settings, as a settings class, a dataclass or a union of these.

    What does not fit is an `InputError` with a line for each fault.
    """
    from pydantic import TypeAdapter, ValidationError

    from brainuad.config_errors import ConfigError, explain, unknown_name

    where = f"--settings: {key}" if key else "--settings"
    known = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    if is_dataclass(kind) and isinstance(content, dict) and (unknown := sorted(content.keys() - known)):
        raise ConfigError(f"{where}: unknown key; {name!r} {unknown_name(name, known)}" for name in unknown)
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise ConfigError([*explain(error, where, kind), FROM_WORKFLOW]) from error


def settings_under(settings: str, key: str, kind: type[Chosen]) -> Chosen:
    """The settings under a key of a job that a user may have written, or the defaults."""
    chosen: Chosen = validated(kind, settings_of(settings).get(key, {}), key)
    return chosen


def limit_threads(threads: int) -> None:
    """Tells the numerical libraries, before they are imported, how many threads they may use."""
    for name in ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
