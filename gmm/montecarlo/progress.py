"""A line that says how far a long run has come."""

import sys
import time


class Progress:
    """Report blocks on stderr: a live line on a terminal, else a line every ten seconds.

    A run of less than a second says nothing. `enabled=None` means only on a terminal.
    """

    def __init__(self, label: str, *, enabled: bool | None) -> None:
        self._label = label
        self._enabled = sys.stderr.isatty() if enabled is None else enabled
        self._live = self._enabled and sys.stderr.isatty()
        self._interval = 0.2 if self._live else 10.0
        self._shown = False
        self._total = self._done = self._first = 0

    def start(self, total: int, done: int = 0) -> None:
        """Begin; `done` of the `total` are finished already."""
        self._total, self._done, self._first = total, done, done
        self._began = time.monotonic()
        self._next = self._began + (1.0 if self._live else self._interval)

    def advance(self) -> None:
        """Count one more, and say so if it is time."""
        self._done += 1
        now = time.monotonic()
        if not self._enabled or now < self._next:
            return
        self._next = now + self._interval
        left = (now - self._began) / (self._done - self._first) * (self._total - self._done)
        line = f"{self._label}: {self._done} of {self._total} blocks, about {left:.0f} s left"
        sys.stderr.write(f"\r\033[K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()
        self._shown = True

    def finish(self) -> None:
        """Clear the live line."""
        if self._shown and self._live:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
