"""Matrices from files, and the commands that solve and explain them."""

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse

import smartsolve
from smartsolve._cli.main import main
from smartsolve._files import FileError, read, write

A = np.array([[4.0, 1.0, 0.0], [2.0, 5.0, 1.0], [0.0, 1.0, 3.0]])
B = np.array([1.0, 2.0, 3.0])
Z = A + 1j * np.eye(3)


# --- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mtx", ".npy", ".npz", ".mat"])
@pytest.mark.parametrize("x", [A, Z, A / 3, np.array([[1e-300], [np.pi]])], ids=range(4))
def test_every_format_keeps_every_digit(tmp_path: Path, suffix: str, x: Any) -> None:
    path = tmp_path / f"x{suffix}"
    write(path, x)
    found = read(path)
    assert found.dtype == x.dtype
    assert np.array_equal(found, x)


@pytest.mark.parametrize(("suffix", "shape"), [(".mtx", (3, 1)), (".mat", (3, 1)), (".npy", (3,))])
def test_a_vector_is_a_column_where_there_are_only_matrices(
    tmp_path: Path, suffix: str, shape: tuple[int, ...]
) -> None:
    write(tmp_path / f"x{suffix}", B)
    assert read(tmp_path / f"x{suffix}").shape == shape


MATRIX_MARKET = {
    "coordinate real general\n2 2 3\n1 1 2\n2 1 3\n2 2 4": [[2, 0], [3, 4]],
    "coordinate real symmetric\n2 2 3\n1 1 2\n2 1 3\n2 2 4": [[2, 3], [3, 4]],
    "coordinate real skew-symmetric\n2 2 1\n2 1 3": [[0, -3], [3, 0]],
    "coordinate complex hermitian\n2 2 2\n1 1 2 0\n2 1 3 1": [[2, 3 - 1j], [3 + 1j, 0]],
    "coordinate pattern general\n2 2 1\n2 1": [[0, 0], [1, 0]],
    "coordinate integer general\n2 2 1\n% comment\n2 1 7": [[0, 0], [7, 0]],
    "array real symmetric\n2 2\n1\n2\n3": [[1, 2], [2, 3]],
    "array real general\n2 2\n1\n2\n3\n4": [[1, 3], [2, 4]],
}


@pytest.mark.parametrize("text", MATRIX_MARKET)
def test_matrix_market(tmp_path: Path, text: str) -> None:
    """The format's own examples of each symmetry (NIST, Matrix Market exchange formats)."""
    path = tmp_path / "a.mtx"
    lines = text.replace("% comment\n", "")
    path.write_text(f"%%MatrixMarket matrix {lines}\n")
    assert np.array_equal(read(path), MATRIX_MARKET[text])


def test_sparse_arrays_are_filled_up(tmp_path: Path) -> None:
    scipy.sparse.save_npz(tmp_path / "a.npz", scipy.sparse.csr_array(A))
    assert np.array_equal(read(tmp_path / "a.npz"), A)
    scipy.io.savemat(tmp_path / "a.mat", {"A": scipy.sparse.csc_array(A)})
    assert np.array_equal(read(tmp_path / "a.mat"), A)


def test_a_sparse_matrix_too_large_to_fill_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mtx"
    n = 10_000_000
    path.write_text(f"%%MatrixMarket matrix coordinate real general\n{n} {n} 1\n1 1 1\n")
    with pytest.raises(FileError, match=r"a\.mtx: is sparse, .* would take 8e\+05 GB"):
        read(path)


def test_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", A=A, b=B)
    scipy.io.savemat(tmp_path / "a.mat", {"A": A, "b": B, "note": "words are not numbers"})
    for path in (tmp_path / "a.npz", tmp_path / "a.mat"):
        assert np.array_equal(read(path, "A"), A)
        with pytest.raises(FileError, match="holds several arrays, A, b: choose one"):
            read(path)
        with pytest.raises(FileError, match="holds no array 'C', but A, b"):
            read(path, "C")
    np.save(tmp_path / "a.npy", A)
    with pytest.raises(FileError, match="one array without a name"):
        read(tmp_path / "a.npy", "A")


def matlab_73(path: Path) -> None:
    """As MATLAB R2023b's ``save -v7.3`` lays them out: see the module's docstring."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:

        def put(name: str, value: Any, kind: str, **attributes: Any) -> None:
            item = file.create_dataset(name, data=value)
            item.attrs["MATLAB_class"] = np.bytes_(kind)
            item.attrs.update(attributes)

        put("A", A.T, "double")
        pairs = np.empty((3, 3), dtype=[("real", "f8"), ("imag", "f8")])
        pairs["real"], pairs["imag"] = Z.real.T, Z.imag.T
        put("Z", pairs, "double")
        put("nothing", np.array([0, 3], dtype=np.uint64), "double", MATLAB_empty=np.uint8(1))
        put("words", np.array([[72, 105]], dtype=np.uint16), "char")
        sparse = scipy.sparse.csc_array(A)
        for name, held in (("S", sparse), ("O", scipy.sparse.csc_array((3, 2)))):
            group = file.create_group(name)
            group.attrs["MATLAB_class"] = np.bytes_("double")
            group.attrs["MATLAB_sparse"] = np.uint64(3)
            group["jc"] = held.indptr.astype(np.uint64)
            if held.nnz:
                group["ir"], group["data"] = held.indices.astype(np.uint64), held.data
    with open(path, "r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def test_matlab_73(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    matlab_73(path)
    for name, expected in {"A": A, "Z": Z, "S": A, "O": np.zeros((3, 2))}.items():
        assert np.array_equal(read(path, name), expected)
    assert read(path, "nothing").shape == (0, 3)
    with pytest.raises(FileError, match="holds no array 'words'"):
        read(path, "words")


def test_matlab_73_without_h5py_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matlab_73(tmp_path / "a.mat")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(FileError, match=r'pip install "smartsolve\[matlab\]"'):
        read(tmp_path / "a.mat", "A")


# --- what is wrong with a file -------------------------------------------------------------------

HEAD = "%%MatrixMarket matrix coordinate real general\n"
BAD: dict[str, tuple[str, bytes, str]] = {
    "no header": ("a.mtx", b"1 2 3\n", r"a\.mtx, line 1: .*banner"),
    "a word": ("a.mtx", f"{HEAD}3 3 2\n1 1 2.0\nx 2 3\n".encode(), r"a\.mtx, line 4: "),
    "out of range": ("a.mtx", f"{HEAD}3 3 1\n4 1 2.0\n".encode(), r"a\.mtx, line 3: Row index"),
    "sizes": ("a.mtx", f"{HEAD}% words\n3 x 2\n".encode(), r"a\.mtx, line 3: "),
    "truncated": ("a.mtx", f"{HEAD}3 3 9\n1 1 2.0\n".encode(), r"a\.mtx, line 3: Truncated"),
    "empty": ("a.mtx", b"", r"a\.mtx, line 1"),
    "not npy": ("a.npy", b"words", r"a\.npy: not a \.npy file"),
    "empty npy": ("a.npy", b"", r"a\.npy: not a \.npy file"),
    "not npz": ("a.npz", b"words", r"a\.npz: not a \.npz archive"),
    "not mat": ("a.mat", b"words, and more words than any header has" * 9, r"a\.mat: not a MATLAB"),
    "empty mat": ("a.mat", b"", r"a\.mat: not a MATLAB"),
    "suffix": ("a.txt", b"1 2\n3 4\n", r"a\.txt: the name must end in \.mtx, \.npy"),
}


@pytest.mark.parametrize("case", BAD)
def test_one_line_names_the_file_and_its_line(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, words = BAD[case]
    (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "b.npy", B)
    with pytest.raises(FileError, match=words):
        read(tmp_path / name)
    assert main(["solve", str(tmp_path / name), str(tmp_path / "b.npy")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"smartsolve: {tmp_path / name}")


def test_objects_and_words_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "words.npy", np.array(["words"]))
    with pytest.raises(FileError, match=r"a\.npy: not a \.npy file of numbers"):
        read(tmp_path / "a.npy")
    with pytest.raises(FileError, match=r"words\.npy: holds <U5; expected numbers"):
        read(tmp_path / "words.npy")


def test_a_file_is_written_entirely_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.npy"
    write(path, A)

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="No space"):
        write(path, B)
    assert np.array_equal(np.load(path), A)
    assert os.listdir(tmp_path) == ["x.npy"]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """A pipe would be waited for, a device read without end."""
    os.mkfifo(tmp_path / "a.mtx")
    (tmp_path / "b.npy").symlink_to("/dev/zero")
    for name in ("a.mtx", "b.npy"):
        with pytest.raises(FileError, match=f"{name}: is no regular file"):
            read(tmp_path / name)
        with pytest.raises(FileError, match=f"{name}: cannot be written"):
            write(tmp_path / name, A)
    (tmp_path / "c.mat").mkdir()
    with pytest.raises(FileError, match=r"c\.mat: is a directory"):
        read(tmp_path / "c.mat")


@pytest.mark.parametrize("suffix", [".mtx", ".npy", ".npz", ".mat"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "does not fit into memory"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
    ids=["memory", "input"],
)
def test_what_the_system_says_gets_the_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, error: Exception, words: str
) -> None:
    path = tmp_path / f"a{suffix}"
    write(path, A)

    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("smartsolve._files.matrix_market._core.read_entries", fails)
    monkeypatch.setattr("smartsolve._files.numpy_formats._array", fails)
    monkeypatch.setattr("smartsolve._files.matlab5._value", fails)
    with pytest.raises(FileError, match=rf"a{suffix}: {words}"):
        read(path)


def test_a_full_disk_is_said_of_the_file_that_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", A)
    np.save(tmp_path / "b.npy", B)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "chmod", full)
    names = [str(tmp_path / name) for name in ("a.npy", "b.npy", "x.npy")]
    assert main(["solve", names[0], names[1], "-o", names[2]]) == 1
    assert capsys.readouterr().err == f"smartsolve: {names[2]}: No space left on device\n"
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy"]


# --- the commands --------------------------------------------------------------------------------

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """The commands in a directory with some files."""
    monkeypatch.chdir(tmp_path)
    scipy.io.mmwrite("A.mtx", scipy.sparse.coo_array(A))
    np.save("b.npy", B)
    np.savez("system.npz", A=A, b=B)
    np.save("singular.npy", np.ones((3, 3)))
    np.save("tall.npy", np.vander(np.arange(5.0), 2))
    np.save("five.npy", np.arange(5.0) * 2 + 1)
    np.save("hilbert.npy", 1 / (np.arange(12)[:, None] + np.arange(12) + 1))
    np.save("twelve.npy", np.ones(12))

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(arguments)
        except SystemExit as error:
            status = int(str(error.code))
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_solve_into_a_file(shell: Shell) -> None:
    status, out, err = shell("solve", "A.mtx", "b.npy", "-o", "x.mtx")
    assert (status, out) == (0, "")
    assert np.array_equal(read(Path("x.mtx"))[:, 0], smartsolve.solve(A, B))
    assert "structure" in err
    assert "tridiagonal" in err
    assert sorted(os.listdir()).count("x.mtx") == 1
    assert not [name for name in os.listdir() if name.startswith(".")]


def test_solve_prints_numbers_that_can_be_read_back(shell: Shell) -> None:
    status, out, _ = shell("solve", "system.npz", "system.npz", "--name", "A", "--rhs-name", "b")
    assert status == 0
    assert np.array_equal([float(line) for line in out.splitlines()], smartsolve.solve(A, B))


def test_least_squares_of_what_is_not_square(shell: Shell) -> None:
    status, out, err = shell("solve", "tall.npy", "five.npy")
    assert status == 0
    np.testing.assert_allclose([float(line) for line in out.splitlines()], [2.0, 1.0])
    assert "rank" in err


def test_an_ill_conditioned_matrix_is_solved_and_said_to_be(shell: Shell) -> None:
    status, out, err = shell("solve", "hilbert.npy", "twelve.npy")
    assert status == 0
    assert len(out.splitlines()) == 12
    assert err.startswith("smartsolve: hilbert.npy: Ill-conditioned matrix: rcond = ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("solve singular.npy b.npy", "singular.npy, b.npy: Singular matrix"),
        ("solve A.mtx five.npy", "A.mtx, five.npy: b has shape (5,)"),
        ("solve nowhere.mtx b.npy", "nowhere.mtx: No such file or directory"),
        ("solve system.npz b.npy", "system.npz: holds several arrays, A, b"),
        ("solve A.mtx b.npy -o x.pdf", "x.pdf: the name must end in"),
        ("solve A.mtx b.npy -o no/where/x.npy", "no/where/x.npy: cannot be written"),
        ("solve A.mtx", "the following arguments are required: RHS"),
        ("solve A.mtx b.npy --nonsense", "--nonsense"),
        ("solve . b.npy", "the name must end in"),
        ("explain nowhere.mat", "nowhere.mat: No such file or directory"),
        ("explain b.npy", "b.npy: "),
        ("bench --nonsense", "--nonsense"),
    ],
)
def test_errors_are_one_line(shell: Shell, arguments: str, words: str) -> None:
    before = sorted(os.listdir())
    status, out, err = shell(*arguments.split())
    assert status in (1, 2)
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("smartsolve: ")
    assert words in err
    assert sorted(os.listdir()) == before


def test_explain_is_what_explain_says(shell: Shell) -> None:
    status, out, err = shell("explain", "A.mtx")
    assert (status, err) == (0, "")
    assert out == f"{smartsolve.explain(A)}\n"
    status, out, _ = shell("explain", "system.npz", "system.npz", "--name=A", "--rhs-name=b")
    assert out == f"{smartsolve.explain(A, B)}\n"


def test_a_singular_matrix_in_the_shell(shell: Shell) -> None:
    """The advice names options of the shell, and they do what it says."""
    status, out, err = shell("solve", "singular.npy", "b.npy")
    assert (status, out) == (1, "")
    assert "Use --minimum-norm for a least-squares solution" in err
    assert "--on-singular nan to have NaN in its place" in err
    assert "smartsolve." not in err
    status, out, _ = shell("solve", "singular.npy", "b.npy", "--minimum-norm")
    assert status == 0
    np.testing.assert_allclose([float(line) for line in out.split()], np.full(3, 2 / 3))
    status, out, err = shell("solve", "singular.npy", "b.npy", "--on-singular", "nan")
    assert (status, out.split()) == (0, ["nan"] * 3)
    status, out, err = shell("solve", "singular.npy", "b.npy", "--on-singular", "warn")
    assert "Singular matrix" in err
    assert "--minimum-norm gives a least-squares solution" in err
    np.save("deficient.npy", np.ones((3, 2)))
    status, _, err = shell("solve", "deficient.npy", "b.npy")
    assert status == 0
    assert "--minimum-norm gives the shortest" in err


@pytest.mark.parametrize("command", ["solve", "explain"])
def test_which_of_several_arrays_an_option_tells(shell: Shell, command: str) -> None:
    for arguments, option in (((), "--name"), (("--name", "A"), "--rhs-name")):
        status, out, err = shell(command, "system.npz", "system.npz", *arguments)
        assert (status, out) == (1, "")
        assert err.startswith("smartsolve: system.npz: holds several arrays, A, b: ")
        assert err.endswith(f"choose one with {option} NAME\n")


def test_json(shell: Shell) -> None:
    status, out, err = shell("solve", "A.mtx", "b.npy", "--json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert np.array_equal(document["x"], smartsolve.solve(A, B))
    assert document["info"]["structure"] == "tridiagonal"
    assert document["warnings"] == []
    status, out, err = shell("solve", "hilbert.npy", "twelve.npy", "--json", "-o", "x.npy")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert "x" not in document
    assert document["warnings"][0].startswith("Ill-conditioned matrix")
    np.save("z.npy", Z)
    document = json.loads(shell("solve", "z.npy", "b.npy", "--json")[1])
    np.testing.assert_array_equal(np.array(document["x"]) @ [1, 1j], smartsolve.solve(Z, B))
    out = shell("solve", "singular.npy", "b.npy", "--json", "--on-singular", "nan")[1]
    assert json.loads(out)["x"] == ["nan"] * 3
    plan = json.loads(shell("explain", "A.mtx", "b.npy", "--json")[1])
    assert plan == json.loads(json.dumps(smartsolve.explain(A, B).to_dict()))


@pytest.mark.parametrize("output", ["A.npy", "b.npy", "./A.npy", "link.npy", "hard.npy"])
def test_an_input_is_not_overwritten(shell: Shell, output: str) -> None:
    np.save("A.npy", A)
    os.symlink("A.npy", "link.npy")
    os.link("A.npy", "hard.npy")
    status, out, err = shell("solve", "A.npy", "b.npy", "-o", output)
    assert (status, out) == (1, "")
    assert err == (
        f"smartsolve: {Path(output)}: is {'b' if output == 'b.npy' else 'A'}.npy, which is read; "
        "choose another name for the result\n"
    )
    assert np.array_equal(np.load("A.npy"), A)
    assert np.array_equal(np.load("b.npy"), B)


def test_memory_that_a_solve_does_not_find(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(smartsolve, "solve", fails)
    status, out, err = shell("solve", "A.mtx", "b.npy")
    assert (status, out) == (1, "")
    assert err == "smartsolve: A.mtx, b.npy: not enough memory for (3, 3) and (3,)\n"


@pytest.mark.parametrize("command", ["", "run", "profile", "solve", "explain", "bench"])
def test_help_is_complete(shell: Shell, command: str) -> None:
    status, out, _ = shell(*command.split(), "--help")
    assert status == 0
    assert f"python -m smartsolve {command}".strip() in out
    assert max(map(len, out.splitlines())) <= 100
    assert "SUPPRESS" not in out


def test_bench_measures_what_it_prints(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short version: the ratios are those of the times, in their order."""
    from smartsolve._cli import bench

    small = [("a diagonal", np.eye(3), np.ones(3)), ("a full one", A, B)]
    monkeypatch.setattr(bench, "systems", lambda: iter(small))
    monkeypatch.setattr(bench, "_TURN", 1e-5)
    status, out, _ = shell("bench", "--json")
    assert status == 0
    rows = json.loads(out)["rows"]
    assert [row["system"] for row in rows] == ["a diagonal", "a full one"]
    for row in rows:
        for peer in ("numpy", "scipy"):
            low, median, high = row["ratios"][peer]
            assert 0 < low <= median <= high
            assert row["seconds"][peer] > 0
    status, out, _ = shell("bench")
    assert "against NumPy" in out
    assert max(map(len, out.splitlines()[2:])) <= 105


def test_the_rows_of_bench_are_well_conditioned_and_what_they_say() -> None:
    from smartsolve._cli import bench

    for name, a, b in bench.systems():
        if a.shape[-1] <= 128 and a.ndim == 2:
            assert np.linalg.cond(a) < 100, name
        assert b.shape in (a.shape[-1:], (*a.shape[:-1], 1))
        kinds = set(np.ravel(smartsolve.inspect(a[:10] if a.ndim == 3 else a).kind))
        word = name.split()[0]
        assert word in ("stack", "positive") or any(word in kind for kind in kinds)


def test_a_reader_that_has_gone_is_no_error(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None: ...

        def fileno(self) -> int:
            return handle

    read_end, handle = os.pipe()
    with contextlib.ExitStack() as ends:
        ends.callback(os.close, read_end)
        ends.callback(os.close, handle)
        monkeypatch.setattr(sys, "stdout", Gone())
        assert main(["solve", "A.mtx", "b.npy"]) == 1
