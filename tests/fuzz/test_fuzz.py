"""A minute of the fuzzer: the same systems every time; tests/fuzz/run.py goes on from there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import smartsolve

from . import full, least_squares, patched, promotion
from .cases import make
from .oracles import complaints

SHARES = 24
EACH = 50


@pytest.mark.parametrize("share", range(SHARES))
def test_systems(share: int) -> None:
    found = {}
    for seed in range(share * EACH, (share + 1) * EACH):
        case = make(seed, largest=seed % 10 == 0)
        wrong = complaints(case)
        if wrong:
            found[str(case)] = wrong
    assert not found


@pytest.mark.parametrize("share", range(8))
def test_all_digits_of_hostile_systems(share: int) -> None:
    found = {}
    for seed in range(share * 30, (share + 1) * 30):
        a, b, story = full.draw(seed)
        wrong = list(full.wrong(a, b))
        if wrong:
            found[f"seed {seed}: {story}"] = wrong
    assert not found


@pytest.mark.parametrize("seed", [102849, 105843, 109366, 202210, 302445])
def test_hostile_systems_that_were_wrong_once(seed: int) -> None:
    """Components that rested while others moved; an inverse of 1e57 without a small pivot."""
    assert not list(full.wrong(*full.draw(seed)[:2]))


@pytest.mark.parametrize("share", range(4))
@pytest.mark.parametrize("fuzzer", [least_squares, promotion, patched])
def test_other_calls(fuzzer: Any, share: int) -> None:
    found = {}
    for seed in range(share * 50, (share + 1) * 50):
        case = fuzzer.make(seed)
        wrong = fuzzer.complaints(case)
        if wrong:
            found[str(case)] = wrong
    assert not found


def _off(x: Any) -> Any:
    """Wrong in the sixth digit, or in a tenth of the bits of single precision."""
    return x * x.dtype.type(1 + 2.0**-18)


REAL = smartsolve.solve


@pytest.mark.parametrize(
    ("fuzzer", "name"),
    [
        (least_squares, "mldivide"),
        (least_squares, "mrdivide"),
        (promotion, "solve"),
        (promotion, "mldivide"),
        (patched, "solve"),
    ],
)
@pytest.mark.parametrize("fault", ["digits", "type"])
def test_faults_that_are_planted_in_other_calls_are_found(
    monkeypatch: pytest.MonkeyPatch, fuzzer: Any, name: str, fault: str
) -> None:
    real = getattr(smartsolve, name)

    def wrong(*operands: Any, **options: Any) -> Any:
        solved = real(*operands, **options)
        x = solved[0] if isinstance(solved, tuple) else solved
        x = x * x.dtype.type(1.01) if fault == "digits" else x.astype(np.complex128)
        return (x, *solved[1:]) if isinstance(solved, tuple) else x

    if fuzzer is patched:
        found_in = "smartsolve._patch.of_numpy"
        monkeypatch.setattr(f"{found_in}.solve", wrong, raising=False)
    monkeypatch.setattr(smartsolve, name, wrong)
    assert any(fuzzer.complaints(fuzzer.make(seed)) for seed in range(300))


def slightly_wrong(a: Any, b: Any, **options: Any) -> Any:
    x = REAL(a, b, **options)
    return (_off(x[0]), x[1]) if options.get("return_info") else _off(x)


def changes_its_input(a: Any, b: Any, **options: Any) -> Any:
    x = REAL(a, b, **options)
    if b.flags.writeable and b.size:
        b[...] = 0
    return x


def other_bits_with_information(a: Any, b: Any, **options: Any) -> Any:
    x = REAL(a, b, **options)
    return (_off(x[0]), x[1]) if options.get("return_info") else x


def depends_on_its_workers(a: Any, b: Any, **options: Any) -> Any:
    x = REAL(a, b, **options)
    return _off(x) if options.get("workers", 1) > 1 else x


def another_type(a: Any, b: Any, **options: Any) -> Any:
    x = REAL(a, b, **options)
    return x if isinstance(x, tuple) else x.astype(np.complex128)


def spoils_what_overlaps(a: Any, b: Any, **options: Any) -> Any:
    if options.get("overwrite_a") and np.shares_memory(a, b) and a.flags.writeable:
        a[0] = 1
    return REAL(a, b, **options)


def doubtful_condition(a: Any, b: Any, **options: Any) -> Any:
    x = REAL(a, b, **options)
    if options.get("return_info"):
        object.__setattr__(x[1], "rcond", 1e-3 * x[1].rcond)
    return x


@pytest.mark.parametrize(
    ("solve", "oracle"),
    [
        (slightly_wrong, "residual"),
        (slightly_wrong, "exact_solution"),
        (changes_its_input, "inputs_are_kept"),
        (other_bits_with_information, "the_same_call_again: with return_info"),
        (depends_on_its_workers, "the_same_call_again: with 3 workers"),
        (another_type, "numpys_shape_and_type"),
        (spoils_what_overlaps, "overlapping"),
        (doubtful_condition, "what_it_says_of_itself"),
    ],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_faults_that_are_planted_are_found(
    monkeypatch: pytest.MonkeyPatch, solve: Callable[..., Any], oracle: str
) -> None:
    monkeypatch.setattr(smartsolve, "solve", solve)
    for seed in range(2000):
        case = make(seed, largest=False)
        if case.entry != "solve" or case.a.size > 2000:
            continue
        if any(what.startswith(oracle) for what in complaints(case)):
            return
    pytest.fail(f"{oracle} has found nothing in 2000 systems")
