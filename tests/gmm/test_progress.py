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


def report(clock: Clock, seconds_a_block: float, enabled: bool | None) -> None:
    line = Progress("A", enabled=enabled)
    line.start(40, done=10)
    for _ in range(30):
        clock.now += seconds_a_block
        line.advance()
    line.finish()


def test_no_terminal_no_report_unless_asked(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    report(clock, 3.0, None)
    assert capsys.readouterr().err == ""
    report(clock, 3.0, True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "A: 14 of 40 blocks, about 78 s left"
    assert len(lines) < 10


def test_a_terminal_has_one_live_line(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    report(clock, 0.5, None)
    assert "\n" not in terminal.getvalue()
    assert "A: 12 of 40 blocks" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")


def test_a_short_run_says_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    report(clock, 0.01, None)
    assert terminal.getvalue() == ""
