"""A line that says how far a long run has come."""

import sys
import time

_BAR = 20


class Progress:
    """Report replications on stderr: a live bar on a terminal, else a line every ten seconds.

    A run of less than a second says nothing. `enabled=None` means only on a terminal.
    """

    def __init__(self, label: str, *, enabled: bool | None) -> None:
        self._label = label
        self._enabled = sys.stderr.isatty() if enabled is None else enabled
        self._live = self._enabled and sys.stderr.isatty()
        self._interval = 0.2 if self._live else 10.0
        self._shown = False
        self._total = self._done = self._first = self._failed = 0

    def start(self, total: int, done: int = 0) -> None:
        """Begin; `done` of the `total` are finished already."""
        self._total, self._done, self._first, self._failed = total, done, done, 0
        self._began = time.monotonic()
        self._next = self._began + (1.0 if self._live else self._interval)

    def advance(self, count: int = 1, failed: int = 0) -> None:
        """Count some more, and say so if it is time."""
        self._done += count
        self._failed += failed
        now = time.monotonic()
        if not self._enabled or now < self._next:
            return
        self._next = now + self._interval
        line = self._line(now - self._began)
        sys.stderr.write(f"\r\033[K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()
        self._shown = True

    def finish(self) -> None:
        """Clear the live line."""
        if self._shown and self._live:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def _line(self, elapsed: float) -> str:
        rate = (self._done - self._first) / elapsed
        left = (self._total - self._done) / rate
        full = _BAR * self._done // self._total
        bar = f"[{'#' * full}{'.' * (_BAR - full)}] " if self._live else ""
        failed = f", {self._failed:,} failed" if self._failed else ""
        return (
            f"{self._label}: {bar}{self._done:,} of {self._total:,} replications, "
            f"{_three_digits(rate)} a second{failed}, about {_duration(left)} left"
        )


def _three_digits(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 3:
        return f"{seconds:.0f} s"
    if minutes < 180:
        return f"{minutes} min"
    return f"{minutes / 60:.1f} h"
