"""What a notebook shows of a structure and of factors: tables with what their repr says."""

import html
import re
from typing import Any

import numpy as np
import pytest

from smartsolve import factorize, inspect

TRIDIAGONAL = 2 * np.eye(300) - np.eye(300, k=1) - np.eye(300, k=-1)
SHUFFLE = np.random.default_rng(1).permutation(300)
BLOCKS = np.kron(np.eye(30), np.arange(1.0, 101.0).reshape(10, 10) + 99 * np.eye(10))[SHUFFLE]


def cells(shown: Any) -> dict[str, str]:
    """Labels and texts of a table."""
    table = shown._repr_html_()
    pairs = re.findall("<tr><th.*?>(.*?)</th><td.*?>(.*?)</td></tr>", table)
    assert table.count("<tr>") == len(pairs)
    return {html.unescape(label): html.unescape(text) for label, text in pairs}


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        (
            TRIDIAGONAL,
            {
                "structure": "spd tridiagonal, 300 x 300, float64",
                "bandwidths": "1 below, 1 above",
                "symmetry": "symmetric and hermitian",
            },
        ),
        (
            BLOCKS,
            {"blocks": "30, of order 10, 10, 10, 10, 10, 10, 10, 10, ...", "symmetry": "none"},
        ),
        (
            np.stack([np.eye(2), np.ones((2, 2)), np.eye(2)]),
            {"stack": "3 matrices, 2 x 2, float64", "2 slices": "diagonal"},
        ),
    ],
    ids=["one", "blocks", "stack"],
)
def test_structure(a: np.ndarray, expected: dict[str, str]) -> None:
    shown = cells(inspect(a))
    assert expected.items() <= shown.items()


def test_factorization() -> None:
    one = factorize(TRIDIAGONAL)
    assert cells(one) == {
        "factors of": "300 x 300, float64",
        "structure": f"spd tridiagonal: {one.method}",
        "rcond": f"{one.rcond:.3g}",
    }
    shown = cells(factorize(np.stack([np.eye(2), [[1.0, 2], [3, 5]], np.eye(2)])))
    assert shown["factors of"] == "3 matrices, 2 x 2, float64"
    assert shown["2 slices"].startswith("diagonal: ")
    assert shown["1 slice"].startswith("general: ")
