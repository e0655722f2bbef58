"""The verbs that the workflow's rules call; thin shells around the package.

Each verb takes the resolved settings of its job as JSON, so that nothing depends on where it runs.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from brainuad.errors import InputError
from brainuad.training.signals import TrainingInterruptedError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Settings = Annotated[str, typer.Option(help="The job's settings as JSON, made by the workflow.")]
Name = Annotated[str, typer.Option()]
Number = Annotated[int, typer.Option()]
# What a shell reports of a program that SIGTERM ended.
INTERRUPTED = 143
File = Annotated[Path, typer.Option()]


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


def job_of(settings: str) -> dict[str, Any]:
    """What a job is asked for: its settings without the version of its stage, which only makes it run again."""
    job = json.loads(settings)
    job.pop("version")
    return job


def limit_threads(threads: int) -> None:
    """Tells the numerical libraries, before they are imported, how many threads they may use."""
    for name in ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
