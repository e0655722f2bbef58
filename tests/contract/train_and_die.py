"""Trains as the contract does and kills its own process without warning in the middle of an iteration."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from brainuad.training.engine import Engine
from tests.contract.test_methods import train


def main() -> None:
    folder, kind, split, arrays = sys.argv[1:]
    update = Engine._update

    def update_and_die(engine: Engine, batch: Any) -> Any:
        numbers = update(engine, batch)
        if engine.step == 8:
            # The state of step 7 lies on the disk; step 8 is lost.
            os.kill(os.getpid(), signal.SIGKILL)
        return numbers

    Engine._update = update_and_die  # type: ignore[method-assign]
    train(
        kind,
        Path(folder),
        {"split": Path(split), "healthy": Path(arrays), "tumours": Path(arrays)},
        save_every_s=0.0,
        iterations=12,
        validate_every=5,
        log_every=1,
    )


if __name__ == "__main__":
    main()
