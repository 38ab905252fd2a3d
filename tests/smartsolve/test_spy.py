"""The pictures of a matrix show what is there, in the order that was found."""

import base64
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import smartsolve
from smartsolve import _spy
from smartsolve.__main__ import main


@settings(max_examples=30, deadline=None)
@given(
    m=st.integers(1, 700), n=st.integers(1, 700), count=st.integers(0, 50), seed=st.integers(0, 99)
)
def test_every_nonzero_is_seen_and_nothing_else(m: int, n: int, count: int, seed: int) -> None:
    """Fullness times the elements of a point adds up to the nonzeros; no point is darker than 1."""
    rng = np.random.default_rng(seed)
    rows, columns = np.unique(np.stack([rng.integers(m, size=count), rng.integers(n, size=count)]),
                              axis=1)  # fmt: skip
    (view,) = _spy.views(rows, columns, (m, n), None)
    high, wide = view.fullness.shape
    assert max(high, wide) <= 320
    assert view.fullness.max(initial=0) <= 1
    area = np.outer(
        np.bincount(np.arange(m) * high // m, minlength=high),
        np.bincount(np.arange(n) * wide // n, minlength=wide),
    )
    assert np.isclose((view.fullness * area).sum(), len(rows))
    assert (view.fullness > 0).sum() <= len(rows)


def test_the_order_found_is_drawn() -> None:
    """A shuffled triangle is one in the second picture."""
    rng = np.random.default_rng(1)
    triangle = np.tril(rng.random((40, 40))) + np.eye(40)
    shuffled = triangle[rng.permutation(40)][:, rng.permutation(40)]
    given_view, ordered = _spy.of(shuffled, smartsolve.inspect)
    assert np.array_equal(given_view.fullness > 0, shuffled != 0)
    assert np.array_equal(ordered.fullness > 0, triangle != 0)


def test_a_sparse_matrix_is_drawn_without_filling_it_up() -> None:
    """Of order 10^5, where a dense copy would take 80 GB."""
    n, rng = 100_000, np.random.default_rng(3)
    below = scipy.sparse.csr_array((np.ones(n - 1), (np.arange(1, n), np.arange(n - 1))), (n, n))
    triangle = (scipy.sparse.eye_array(n) + below).tocsr()
    as_given, ordered = _spy.of(
        triangle[rng.permutation(n)][:, rng.permutation(n)], smartsolve.inspect
    )
    assert as_given.fullness.shape == (320, 320)
    assert not np.triu(ordered.fullness, 1).any()
    assert np.triu(as_given.fullness, 1).any()


def test_blocks_are_outlined() -> None:
    rng = np.random.default_rng(2)
    blocks = scipy.linalg.block_diag(*rng.random((4, 40, 40)))
    a = blocks[rng.permutation(160)][:, rng.permutation(160)]
    assert smartsolve.inspect(a).kind == "block diagonal"
    _, ordered = _spy.of(a, smartsolve.inspect)
    assert ordered.block_ends == tuple(range(40, 161, 40))
    inside = np.kron(np.eye(4), np.ones((40, 40))) > 0
    assert not (ordered.fullness[~inside] > 0).any()


def test_the_picture_is_a_valid_png() -> None:
    """Read back by the format's own rules: checksums, size, a filter byte a line."""
    plan = smartsolve.explain(np.diag([1.0, 2.0, 3.0]))
    (data,) = re.findall(r'data:image/png;base64,([^"]+)"', plan.to_html())
    png = base64.b64decode(data)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (
            zlib.crc32(kind + content),
        )
        chunks[kind] = content
        at += 12 + length
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (3, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(3, 10)
    assert not lines[:, 0].any()
    pixels = lines[:, 1:].reshape(3, 3, 3)
    dark = pixels.sum(axis=2) < 500
    assert np.array_equal(dark, np.eye(3, dtype=bool))


@pytest.mark.parametrize(
    "a",
    [
        np.zeros((0, 0)),
        np.zeros((0, 3, 3)),
        np.ones((3, 5)),
        np.ones((2, 2, 4, 4)),
        scipy.sparse.csc_array(np.zeros((4, 4))),
        scipy.sparse.random_array((30, 20), density=0.1, random_state=1, format="coo"),
    ],
    ids=lambda a: f"{type(a).__name__}{a.shape}",
)
def test_any_matrix_has_a_page(a: object) -> None:
    page = smartsolve.explain(a).to_html()
    assert page.count("<svg") >= 1
    assert "nan" not in page.lower().partition("<table")[0]


def test_plot() -> None:
    pytest.importorskip("matplotlib")
    a = np.tril(np.ones((6, 6)))[::-1]
    figure = smartsolve.explain(a).plot()
    assert [axis.get_title() for axis in figure.axes] == [
        "as given, 21 nonzeros",
        "in the order found",
    ]


def test_explain_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "a.npy", np.triu(np.ones((5, 5))))
    assert main(["explain", str(tmp_path / "a.npy"), "--html", str(tmp_path / "a.html")]) == 0
    page = (tmp_path / "a.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "upper triangular" in page
    assert "upper triangular" in capsys.readouterr().out
    assert main(["explain", str(tmp_path / "a.npy"), "--html", str(tmp_path / "a.txt")]) == 2
    assert "ends in .html" in capsys.readouterr().err
