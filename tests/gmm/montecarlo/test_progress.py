"""montecarlo/progress.py: silent when short, plain lines when long and not on a terminal."""

import io
import sys

import pytest

from gmm.montecarlo import progress
from gmm.montecarlo.progress import Progress


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def report(clock: Clock, seconds_a_block: float, enabled: bool | None, failed: int = 0) -> None:
    line = Progress("A", enabled=enabled)
    line.start(40_000, done=10_000)
    for _ in range(30):
        clock.now += seconds_a_block
        line.advance(1000, failed=failed)
    line.finish()


def test_no_terminal_no_report_unless_asked(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    report(clock, 3.0, None)
    assert capsys.readouterr().err == ""
    report(clock, 3.0, True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "A: 14,000 of 40,000 replications, 333 a second, about 78 s left"
    assert len(lines) < 10


def test_a_terminal_has_one_live_line(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    report(clock, 0.5, None)
    assert "\n" not in terminal.getvalue()
    first = terminal.getvalue().split("\r\033[K")[1]
    assert first == (
        "A: [######..............] 12,000 of 40,000 replications, 2,000 a second, about 14 s left"
    )
    assert terminal.getvalue().endswith("\r\033[K")


def test_a_short_run_says_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    report(clock, 0.01, None)
    assert terminal.getvalue() == ""


def test_failures_and_long_times_are_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    report(clock, 600.0, True, failed=2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "A: 11,000 of 40,000 replications, 1.67 a second, 2 failed, about 4.8 h left"
    )
    assert lines[-2].endswith("58 failed, about 10 min left")
