"""Progress of a long loop: a bar on a terminal, a short line now and then elsewhere."""

import logging
import sys
import time

from tqdm import tqdm

log = logging.getLogger(__name__)


class Progress:
    """Reports training progress on standard error."""

    def __init__(self, total: int, start: int = 0, enabled: bool = True) -> None:
        self.total = total
        self.done = start
        self.enabled = enabled
        self.lines_at = {round(total * tenth / 10) for tenth in range(1, 11)}
        self.started = time.monotonic()
        self.first = start
        terminal = enabled and sys.stderr.isatty()
        self.bar = tqdm(total=total, initial=start, unit="it", desc="train") if terminal else None

    def advance(self, loss: float, best: float) -> None:
        """One more iteration is done."""
        self.done += 1
        if self.bar is not None:
            self.bar.update()
            self.bar.set_postfix(loss=f"{loss:.4g}", best=f"{best:.4g}", refresh=False)
        elif self.enabled and self.done in self.lines_at:
            rate = (self.done - self.first) / max(1e-9, time.monotonic() - self.started)
            log.info(
                "step %d of %d, loss %.4g, best validation %.4g, %.2f it/s",
                *(self.done, self.total, loss, best, rate),
            )

    def close(self) -> None:
        """Ends the bar."""
        if self.bar is not None:
            self.bar.close()
