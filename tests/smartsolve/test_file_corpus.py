"""Files of real writers have the right values; broken ones cost a line, and no memory."""

import os
import runpy
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from smartsolve._files import FileError, read, write

CORPUS = Path(__file__).parent / "corpus"
OTHERS = runpy.run_path(str(CORPUS / "make_others.py"))
A, Z = OTHERS["A"], OTHERS["Z"]
WITH_H5PY = "hdf5"

OCTAVE: dict[str, np.ndarray] = {
    "A": A,
    "Z": Z,
    "S": A,
    "SZ": Z,
    "B": A > 1,
    "F": A.astype(np.float32),
    "FZ": Z.astype(np.complex64),
    "v": np.array([[1.0], [2.0], [3.0]]),
    "s": np.array([[2.5]]),
    "R": np.arange(1.0, 6.0)[np.newaxis],
    "D": np.diag([1.0, 2.0, 3.0]),
    "P": np.eye(3)[:, [1, 0, 2]],
    "E": np.zeros((0, 3)),
    "ES": np.zeros((3, 2)),
    "N": np.arange(1.0, 9.0).reshape(2, 2, 2).swapaxes(1, 2),  # page by page
    "I8": A.astype(np.int8),
    "I16": A.astype(np.int16),
    "I32": A.astype(np.int32),
    "I64": A.astype(np.int64),
    "U8": A.astype(np.uint8),
    "U64": A.astype(np.uint64),
    "X": np.array([[complex(np.inf, 1), 1], [0, complex(1, -np.inf)]]),
}
OCTAVE["X"].imag[1, 1], OCTAVE["X"].real[1, 1] = 2, 1
OCTAVE["X"].imag[1, 0] = -np.inf
IN_VERSION_4 = ["A", "Z", "S", "SZ", "F", "FZ", "v", "s", "R", "D", "P", "E", "ES", "X"]
SCIPY = {"A": A / 3, "Z": Z / 3, "S": A / 3, "i": A.astype(np.int8), "t": A > 1}
SCIPY["f"] = (A / 3).astype(np.float32)


def cases() -> list[tuple[str, str | None, np.ndarray]]:
    """File, name of a variable, and what it is."""
    found: list[tuple[str, str | None, np.ndarray]] = []
    for version in ("v4", "v6", "v7", "hdf5"):
        names = IN_VERSION_4 if version == "v4" else list(OCTAVE)
        names = [name for name in names if not (version == "hdf5" and name == "FZ")]
        found += [(f"octave-{version}.mat", name, OCTAVE[name]) for name in names]
    found.append(("octave-hdf5.mat", "L", A > 1))
    for file in ("scipy-5", "scipy-5-compressed"):
        found += [(f"{file}.mat", name, values) for name, values in SCIPY.items()]
    found += [("scipy-4.mat", name, SCIPY[name]) for name in "AZSf"]
    for writer in ("scipy", "fmm"):
        for name, values in OTHERS["MATRICES"].items():
            found += [
                (f"{writer}-{name}-{layout}.mtx", None, values)
                for layout in ("array", "coordinate")
            ]
    found.append(("fmm-pattern-coordinate.mtx", None, A != 0))
    found += [(f"numpy-{version}.npy", None, A / 3) for version in (1, 2, 3)]
    found += [("numpy.npz", "A", A / 3), ("numpy.npz", "b", np.arange(3))]
    found.append(("numpy-compressed.npz", None, A / 3))
    found += [(f"scipy-{x}.npz", None, A / 3) for x in ("csr", "csc", "coo", "dia", "bsr")]
    return found


@pytest.mark.parametrize(
    ("file", "name", "expected"), cases(), ids=lambda x: x if isinstance(x, str) else ""
)
def test_values(file: str, name: str | None, expected: np.ndarray) -> None:
    if WITH_H5PY in file:
        pytest.importorskip("h5py")
    found = read(CORPUS / file, name)
    np.testing.assert_array_equal(found, expected)
    if file != "octave-v4.mat":  # whose numbers are all doubles
        assert found.dtype.kind == expected.dtype.kind or expected.dtype == bool
        assert found.dtype.itemsize >= expected.dtype.itemsize


def test_every_file_is_tested() -> None:
    tested = {file for file, _, _ in cases()} | set(REFUSED)
    formats = {".mtx", ".npy", ".npz", ".mat"}
    assert {path.name for path in CORPUS.iterdir() if path.suffix in formats} == tested


# --- what is refused, in words -------------------------------------------------------------------

REFUSED = {
    "octave-sparse-logical-v6.mat": r"variable 'whole': Octave stores sparse logical .*double\(A\)",
    "octave-sparse-logical-v7.mat": r"variable 'L': Octave stores sparse logical .*double\(A\)",
    "octave-int8-v4.mat": r"variable 'I8': 72 bytes .* 0 are there \(Octave's save -v4 leaves out",
    "octave-text.mat": r"is in Octave's text format, not in MATLAB's; use save -v7",
    "octave-binary.mat": r"is in Octave's binary format, not in MATLAB's; use save -v7",
    "octave-half-hdf5.mat": r"variable 'FZ' was not written to its end",
}


@pytest.mark.parametrize("file", REFUSED)
def test_octaves_oddities_are_named(file: str) -> None:
    """Octave 7.3 reads row indices out of its own sparse logical matrices; so does SciPy 1.17 of
    one without zeros."""
    with pytest.raises(FileError, match=REFUSED[file]):
        read(CORPUS / file)


def test_pages_come_back_as_pages(tmp_path: Path) -> None:
    stack = np.arange(24.0).reshape(4, 3, 2)
    write(tmp_path / "x.mat", stack)
    assert scipy.io.loadmat(tmp_path / "x.mat")["x"].shape == (3, 2, 4)
    np.testing.assert_array_equal(read(tmp_path / "x.mat"), stack)


# --- files that are broken -----------------------------------------------------------------------

WHOLE = sorted(
    {file for file, _, _ in cases() if WITH_H5PY not in file} | {"octave-sparse-logical-v6.mat"}
)


def name_in(file: str) -> str | None:
    return next(name for each, name, _ in [*cases(), (file, None, A)] if each == file)


def read_or_refuse(path: Path, name: str | None, size: int, measured: bool = True) -> Any:
    """The array; or one line that names the file. Neither takes memory that is not accounted for.

    Twice the file, and what Python and NumPy need for a header or a message; a result may be as
    large as its numbers make it.
    """
    if measured:
        tracemalloc.start()
    text, found = None, None
    try:
        found = read(path, name)
    except FileError as error:
        text = str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if text is not None:
        assert peak <= 2 * size + 250_000, text  # 0 where it is not measured
        assert text.startswith(str(path))
        assert "\n" not in text
    return found


@pytest.mark.parametrize("file", WHOLE)
def test_cut_off_at_every_byte(tmp_path: Path, file: str) -> None:
    """Refused, or right: what is missing may be the last line's end, or another variable."""
    content, name = (CORPUS / file).read_bytes(), name_in(file)
    whole = None if file in REFUSED else read(CORPUS / file, name)
    path = tmp_path / file
    refused = 0
    for end in range(len(content)):
        path.write_bytes(content[:end])
        found = read_or_refuse(path, name, end, measured=end % 5 == 0)
        refused += found is None
        if found is not None and file.endswith(".mtx"):
            # The last number may have lost digits, which no reader can know.
            assert found.shape == whole.shape
            assert end >= content.rstrip().rindex(b"\n")
        elif found is not None:
            np.testing.assert_array_equal(found, whole)
    assert refused >= 0.4 * len(content)


@pytest.mark.parametrize("file", WHOLE)
def test_one_byte_changed(tmp_path: Path, file: str) -> None:
    """Of a compressed file one byte is a checksum's affair; none is a traceback."""
    content, name = bytearray((CORPUS / file).read_bytes()), name_in(file)
    path = tmp_path / file
    rng = np.random.default_rng(19)
    positions = rng.permutation(len(content))[:300]
    for at in positions:
        kept = content[at]
        content[at] = kept ^ (1 << int(rng.integers(8)))
        path.write_bytes(content)
        read_or_refuse(path, name, len(content), measured=at % 2 == 0)
        content[at] = kept


def test_the_data_of_a_compressed_variable_have_a_checksum(tmp_path: Path) -> None:
    """A changed byte gave a traceback of zlib's, or other numbers."""
    content = bytearray((CORPUS / "scipy-5-compressed.mat").read_bytes())
    whole = read(CORPUS / "scipy-5-compressed.mat", "A")
    path = tmp_path / "a.mat"
    refused = 0
    for at in range(136, len(content)):
        content[at] ^= 0x10
        path.write_bytes(content)
        found = read_or_refuse(path, "A", len(content))
        refused += found is None
        assert found is None or np.array_equal(found, whole)
        content[at] ^= 0x10
    assert refused > 100


def lying_npy() -> bytes:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    padded = header.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + b"12345678"


LIES = {
    "a.mtx": b"%%MatrixMarket matrix coordinate real general\n9 9 900000000000\n1 1 1\n",
    "b.mtx": b"%%MatrixMarket matrix array real general\n9000000 9000000\n1\n",
    "c.mtx": b"%%MatrixMarket matrix array complex hermitian\n900000000 900000000\n1 0\n",
    "d.mtx": b"%%MatrixMarket matrix coordinate pattern general\n999999999999999999 1 1\n1 1\n",
    "a.npy": lying_npy(),
    "a.mat": np.array([0, 900_000_000, 900_000_000, 0, 2], "<i4").tobytes() + b"A\0",
}


@pytest.mark.parametrize("name", LIES)
def test_claimed_terabytes(tmp_path: Path, name: str) -> None:
    content = LIES[name]
    (tmp_path / name).write_bytes(content)
    assert read_or_refuse(tmp_path / name, None, len(content)) is None


def test_a_claimed_terabyte_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("A.npy", lying_npy())
    assert read_or_refuse(path, None, path.stat().st_size) is None


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    """Whatever holds objects is refused before they are made."""
    marker = tmp_path / "executed"

    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (marker,)

    objects = np.array([Evil()], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=objects)
    np.savez(tmp_path / "b.npz", format=objects, shape=np.array([1, 1]), data=objects)
    np.savez(tmp_path / "c.npz", a=np.zeros(2, [("a", "O"), ("b", "f8")]))
    for name in ("a.npy", "a.npz", "b.npz", "c.npz"):
        with pytest.raises(FileError, match=f"{name}: .*pickled objects"):
            read(tmp_path / name)
    assert not marker.exists()


def test_what_is_left_over_is_refused(tmp_path: Path) -> None:
    """Two arrays saved into one .npy, as numpy.save documents; rubbish behind a .mat."""
    with open(tmp_path / "two.npy", "wb") as file:
        np.save(file, A)
        np.save(file, A)
    with pytest.raises(FileError, match=r"two\.npy: the header says 72 bytes .* but 272 follow"):
        read(tmp_path / "two.npy")
    for name in ("octave-v4.mat", "octave-v6.mat", "octave-v7.mat"):
        (tmp_path / name).write_bytes((CORPUS / name).read_bytes() + b"rubbish and more of it")
        with pytest.raises(FileError, match=f"{name}: not a MATLAB file"):
            read(tmp_path / name, "A")


def test_an_index_of_a_sparse_matrix_is_looked_at_before_it_is_followed(tmp_path: Path) -> None:
    """SciPy's conversions trust the indices that they are given."""
    sound = scipy.sparse.csc_array(A)
    parts = {"format": b"csc", "shape": (3, 3), "data": sound.data, "indptr": sound.indptr}
    for indices in (sound.indices + 1, -1 - sound.indices):
        np.savez(tmp_path / "a.npz", indices=indices, **parts)
        with pytest.raises(FileError, match="not a sparse matrix of SciPy's"):
            read(tmp_path / "a.npz")
    content = bytearray((CORPUS / "octave-v6.mat").read_bytes())
    path = tmp_path / "a.mat"
    at = content.index(np.array([0, 1, 0, 1, 2, 1, 2], "<i4").tobytes())
    content[at] = 3
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"variable 'S': a row index .* beyond its 3 rows"):
        read(path, "S")


# --- HDF5, in its own process --------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.99])
def test_a_hdf5_file_that_is_cut_off(tmp_path: Path, share: float) -> None:
    pytest.importorskip("h5py")
    content = (CORPUS / "octave-hdf5.mat").read_bytes()
    path = tmp_path / "a.mat"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FileError, match=r"a\.mat: not a MATLAB 7\.3 or Octave HDF5 file"):
        read(path, "A")


def test_links_and_sizes_of_a_hdf5_file_are_not_followed(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    with h5py.File(path, "w") as file:
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["elsewhere"] = h5py.ExternalLink("b.mat", "/A")
        file.create_dataset("huge", (2**40,), "f8", chunks=(1024,)).attrs["MATLAB_class"] = "double"
        sparse = file.create_group("sparse")
        sparse.attrs.update(MATLAB_class="double", MATLAB_sparse=3)
        sparse.update({"jc": np.array([0, 1, 9]), "ir": [0, 1], "data": [1.0, 2.0]})
        words = file.create_dataset("words", data=["words"], dtype=h5py.string_dtype())
        words.attrs["MATLAB_class"] = "double"
    for name, words_ in {
        "dangling": "variable 'dangling' is a link that leads elsewhere",
        "elsewhere": "variable 'elsewhere' is a link that leads elsewhere",
        "huge": "claims 8,796,093,022,208 bytes, but 0 are stored",
        "sparse": "the column pointers of the sparse matrix are malformed",
        "words": "expected numbers",
        "nothing": "holds no array 'nothing', but huge, sparse",
    }.items():
        with pytest.raises(FileError, match=rf"a\.mat: .*{words_}"):
            read(path, name)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_the_death_of_the_hdf5_library_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("h5py")
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    real = subprocess.Popen

    def dies(command: list[str], **options: Any) -> Any:
        return real([sys.executable, "-c", killed], **options)

    monkeypatch.setattr("smartsolve._files.hdf5.subprocess.Popen", dies)
    with pytest.raises(FileError, match=r"the HDF5 library could not read it: it ended by SIGSEGV"):
        read(CORPUS / "octave-hdf5.mat", "A")
