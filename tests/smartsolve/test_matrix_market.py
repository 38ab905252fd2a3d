"""Matrix Market, to the last character: what Fortran and C write is read, all else is refused."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartsolve._cli.main import main
from smartsolve._files import FileError, read

REAL = "%%MatrixMarket matrix coordinate real general\n"


def numbers(tmp_path: Path, banner: str, body: str) -> Any:
    path = tmp_path / "a.mtx"
    path.write_text(f"%%MatrixMarket matrix {banner}\n{body}")
    return read(path)


NUMBERS = {
    "1.5D+02": 150.0,
    "1.5d2": 150.0,
    "1.5D-02": 0.015,
    "1.5+102": 1.5e102,  # Fortran has no room for the letter where the exponent has three digits
    "-1.5-102": -1.5e-102,
    "0.1Q+01": 1.0,
    "+1.5": 1.5,
    "+.5": 0.5,
    "-.5E0": -0.5,
    "5.": 5.0,
    "7": 7.0,
    "1e5": 1e5,
    "Inf": np.inf,
    "-inf": -np.inf,
    "+Infinity": np.inf,
    "NaN": np.nan,
    "4.9e-324": 5e-324,
    "1e-999": 0.0,
    "1.7976931348623157e308": 1.7976931348623157e308,
    "0.1000000000000000055511151231257827021181583404541015625": 0.1,
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(tmp_path: Path, text: str) -> None:
    """SciPy 1.17.1 and 1.18.1 and fast_matrix_market 1.7.6 stop at the first character that they do
    not understand, and read 1.5 of the first five."""
    value = NUMBERS[text]
    assert np.array_equal(
        numbers(tmp_path, "array real general", f"1 1\n{text}\n"), [[value]], True
    )
    found = numbers(tmp_path, "coordinate real general", f"1 1 1\n1 1 {text}")
    assert np.array_equal(found, [[value]], equal_nan=True)
    found = numbers(tmp_path, "coordinate complex general", f"1 1 1\n1 1 1 {text}\r\n")
    assert np.array_equal(found.imag, [[value]], equal_nan=True)


@pytest.mark.parametrize(
    "text",
    [
        "1,5",
        "0x10",
        "1_000",
        "1.5e",
        "1.5D",
        "1.5+",
        "1.5D+02D",
        "1.5D+0.2",
        "e5",
        "D5",
        ".",
        "+",
        "-",
        "++1",
        "+-1",
        "--1",
        "*****",
        "1.5%",
        "1.5;",
        "(1.5)",
        "1.5f",
        "infinite",
        "nano",
        "1e999",
        "-1D400",
        "1" * 400,
        "\u0661",
        "1.5\x00",
    ],
)
@pytest.mark.parametrize("field", ["real", "complex", "integer"])
def test_everything_else_is_refused_with_its_line(tmp_path: Path, field: str, text: str) -> None:
    entry = f"0 {text}" if field == "complex" else text
    body = f"2 2 2\n1 1 {'0 ' * (field == 'complex')}1\n2 2 {entry}\n"
    with pytest.raises(FileError, match=r"a\.mtx, line 4: "):
        numbers(tmp_path, f"coordinate {field} general", body)
    with pytest.raises(FileError, match=r"a\.mtx, line 3: "):
        numbers(tmp_path, f"array {field} general", f"1 1\n{entry}\n")


REFUSED = {
    "a number left over": (
        "coordinate real general",
        "1 1 1\n1 1 1.5 2\n",
        3,
        "the end of the line after 3",
    ),
    "a comment behind a number": (
        "coordinate real general",
        "1 1 1\n1 1 1 % one\n",
        3,
        "found '%'",
    ),
    "two on a line": (
        "array real general",
        "2 2\n1 2\n3 4\n5\n6\n",
        3,
        "after 1 number, but found '2'",
    ),
    "complex under real": ("array real general", "1 1\n1.0 2.0\n", 3, "found '2.0'"),
    "real under complex": ("array complex general", "2 1\n1.0\n2.0\n", 3, "the line ends"),
    "a value in a pattern": ("coordinate pattern general", "1 1 1\n1 1 1\n", 3, "after 2 numbers"),
    "a half": ("coordinate integer general", "1 1 1\n1 1 3.5\n", 3, "an integer, but found '3.5'"),
    "too large for 64 bits": ("array integer general", "1 1\n9223372036854775808\n", 3, "64 bits"),
    "a negative one": ("array unsigned-integer general", "1 1\n-1\n", 3, "an integer"),
    "row 0": ("coordinate real general", "2 2 1\n0 1 1\n", 3, "Row index 0 .* expected 1 to 2"),
    "column 3": ("coordinate real general", "2 2 1\n1 3 1\n", 3, "Column index 3"),
    "a fraction of a row": ("coordinate real general", "2 2 1\n1.5 1 1\n", 3, "a whole number"),
    "a row without value": ("coordinate real general", "2 2 2\n1 1\n2 2 1.0\n", 3, "the line ends"),
    "more than announced": ("coordinate real general", "2 2 1\n1 1 1\n2 2 1\n", 4, "beyond the 1"),
    "fewer": (
        "coordinate real general",
        "2 2 2\n1 1 1.000000000\n",
        3,
        "Truncated: the file ends after 1",
    ),
    "far fewer": ("array real general", "900000 900000\n1\n", 3, "Truncated"),
    "no sizes": ("coordinate real general", "% only comments\n", 2, "Truncated"),
    "sizes of the other kind": (
        "array real general",
        "2 2 4\n1\n2\n3\n4\n",
        2,
        "rows, columns as whole",
    ),
    "negative sizes": ("coordinate real general", "-2 2 1\n1 1 1\n", 2, "as whole numbers"),
    "sizes beyond counting": (
        "coordinate real general",
        "9999999999999999999 2 1\n1 1 1\n",
        2,
        "whole",
    ),
    "no square": (
        "array real symmetric",
        "2 3\n1\n2\n3\n4\n5\n",
        2,
        "is square; the sizes are 2 x 3",
    ),
    "a dense pattern": ("array pattern general", "1 1\n1\n", 1, "no array pattern general"),
    "a skew pattern": (
        "coordinate pattern skew-symmetric",
        "2 2 1\n2 1\n",
        1,
        "no coordinate pattern",
    ),
    "an unknown field": (
        "coordinate quaternion general",
        "1 1 1\n",
        1,
        "'quaternion' in the banner",
    ),
    "an unknown symmetry": ("coordinate real diagonal", "1 1 1\n", 1, "'diagonal' in the banner"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    banner, body, line, words = REFUSED[case]
    with pytest.raises(FileError, match=rf"a\.mtx, line {line}: .*{words}"):
        numbers(tmp_path, banner, body)


@pytest.mark.parametrize(
    ("banner", "body", "words"),
    [
        ("coordinate real symmetric", "2 2 2\n2 1 5\n1 2 7\n", r"\(2, 1\) and \(1, 2\)"),
        ("coordinate real skew-symmetric", "2 2 1\n1 1 5\n", "diagonal of a skew-symmetric"),
        ("coordinate complex hermitian", "1 1 1\n1 1 5 1\n", "diagonal of a Hermitian"),
        ("array complex hermitian", "1 1\n5 1\n", "diagonal of a Hermitian"),
    ],
)
def test_what_contradicts_the_symmetry(tmp_path: Path, banner: str, body: str, words: str) -> None:
    """SciPy 1.17 adds the two, or hands on a Hermitian matrix that is none."""
    with pytest.raises(FileError, match=words):
        numbers(tmp_path, banner, body)


SYMMETRIC: dict[str, Any] = {
    "array real symmetric\n3 3\n1\n2\n3\n4\n5\n6": [[1, 2, 3], [2, 4, 5], [3, 5, 6]],
    "array real skew-symmetric\n3 3\n1\n2\n3": [[0, -1, -2], [1, 0, -3], [2, 3, 0]],
    "array complex hermitian\n2 2\n1 0\n2 3\n4 0": [[1, 2 - 3j], [2 + 3j, 4]],
    "array complex symmetric\n2 2\n1 0\n2 3\n4 0": [[1, 2 + 3j], [2 + 3j, 4]],
    "array integer symmetric\n2 2\n1\n-2\n3": [[1, -2], [-2, 3]],
    "coordinate real symmetric\n3 3 2\n1 3 5\n2 2 1": [[0, 0, 5], [0, 1, 0], [5, 0, 0]],
    "coordinate complex skew-symmetric\n2 2 1\n2 1 1 2": [[0, -1 - 2j], [1 + 2j, 0]],
    "coordinate complex hermitian\n2 2 2\n1 1 1 0\n2 1 1 2": [[1, 1 - 2j], [1 + 2j, 0]],
    "coordinate pattern symmetric\n2 2 2\n1 1\n2 1": [[1, 1], [1, 0]],
    "coordinate integer general\n2 2 3\n1 1 2\n1 1 3\n+2 1 +7": [[5, 0], [7, 0]],
    "coordinate unsigned-integer general\n1 1 1\n1 1 18446744073709551615": [
        [18446744073709551615]
    ],
}


@pytest.mark.parametrize("text", SYMMETRIC)
def test_symmetries(tmp_path: Path, text: str) -> None:
    banner, _, body = text.partition("\n")
    assert np.array_equal(numbers(tmp_path, banner, body), SYMMETRIC[text])


def test_blank_lines_comments_and_ends_of_lines(tmp_path: Path) -> None:
    body = "%\n\n% words\n\t2  2 \t2\n\n 1 1\t1.5 \n% between\n\n2 2 2\n\n%\n"
    for text in (body, body.replace("\n", "\r\n"), body.rstrip("\n%")):
        found = numbers(tmp_path, "COORDINATE Real general", text)
        assert np.array_equal(found, np.diag([1.5, 2.0]))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_values_are_rounded_once(tmp_path: Path, data: st.DataObject) -> None:
    """Any decimal text: the double nearest to it, by rational arithmetic."""
    digits = data.draw(st.text("0123456789", min_size=1, max_size=30))
    point = data.draw(st.integers(0, len(digits)))
    exponent = data.draw(st.integers(-340, 300))
    sign = data.draw(st.sampled_from(["", "+", "-"]))
    letter = data.draw(st.sampled_from(["e", "E", "d", "D", ""]))
    shown = f"{exponent:+d}" if letter == "" else str(exponent)
    text = f"{sign}{digits[:point]}.{digits[point:]}{letter}{shown}"
    exact = Fraction(f"{sign}{digits[:point] or '0'}.{digits[point:] or '0'}e{exponent}")
    try:
        expected = float(exact)
    except OverflowError:
        return
    assert numbers(tmp_path, "array real general", f"1 1\n{text}\n")[0, 0] == expected


@pytest.mark.parametrize("name", ["fs_183_1", "bcsstk"])
def test_a_large_one_is_scipys(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(len(name))
    a = scipy.sparse.random_array((300, 200), density=0.05, rng=rng)
    if name == "bcsstk":
        a = (a.T @ a).tocoo()
    scipy.io.mmwrite(tmp_path / "a.mtx", a)
    expected = scipy.io.mmread(tmp_path / "a.mtx", spmatrix=False)
    assert np.array_equal(read(tmp_path / "a.mtx"), expected.toarray())


def test_the_shell_solves_what_fortran_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gave 2 and 0.5, with backward error 0 and exit code 0."""
    a, b = tmp_path / "a.mtx", tmp_path / "b.mtx"
    a.write_text(f"{REAL}2 2 2\n1 1 1.5D+02\n2 2 4.0D-01\n")
    b.write_text("%%MatrixMarket matrix array real general\n2 1\n3\n2\n")
    assert main(["solve", str(a), str(b)]) == 0
    assert list(map(float, capsys.readouterr().out.split())) == [0.02, 5.0]
    assert main(["explain", str(a)]) == 0
    capsys.readouterr()
    a.write_text(f"{REAL}2 2 2\n1 1 1,5\n2 2 4\n")
    for arguments in (["solve", str(a), str(b)], ["explain", str(a)]):
        assert main(arguments) == 1
        out, err = capsys.readouterr()
        assert (out, err) == ("", f"smartsolve: {a}, line 3: expected a number, but found '1,5'; "
                              "decimals are set off by a point, numbers by blanks\n")  # fmt: skip


def test_any_bytes_are_read_or_refused(tmp_path: Path) -> None:
    """Characters of a sound file changed, doubled and left out."""
    rng = np.random.default_rng(1)
    sound = (f"{REAL}% words\n3 3 4\n1 1 2.5\n2 2 -1e3\n3 3 4\n1 3 7\n").encode()
    path = tmp_path / "a.mtx"
    alphabet = np.frombuffer(b"0123456789+-.eEdD \t\r\n%,xN\x00\xff", np.uint8)
    refused = 0
    for _ in range(3000):
        content = bytearray(sound)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(content)))
            content[at : at + int(rng.integers(2))] = rng.choice(
                alphabet, rng.integers(2)
            ).tobytes()
        path.write_bytes(content)
        try:
            assert read(path).size < 10**6
        except FileError:
            refused += 1
    assert 500 < refused < 3000
