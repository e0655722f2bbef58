"""Asks a running training to save and stop: SIGTERM (kill, scancel, pre-emption) and SIGUSR1 (SLURM)."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class TrainingInterruptedError(Exception):
    """The training was asked to stop; its state has been saved."""


class StopRequest:
    """Remembers the first stop signal; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)


@contextmanager
def watch_stop_signals() -> Iterator[StopRequest]:
    """A `StopRequest` that the stop signals set while the context lasts."""
    request = StopRequest()
    previous = {number: signal.signal(number, request) for number in STOP_SIGNALS}
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def ignore_stop_signals(worker: int) -> None:
    """Lets a process that only reads batches live until the training has saved its state and ends it.

    SLURM signals every process of a job, and a reader that dies would end the training at once.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
