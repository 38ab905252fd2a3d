"""The other files here, by the writers that their names tell; run in their directory.

With NumPy 2.4.6, SciPy 1.17.1, fast_matrix_market 1.7.6.
"""

import numpy as np
import scipy.io
import scipy.sparse

A = np.array([[4.0, 1.0, 0.0], [2.0, 5.0, 1.0], [0.0, 1.0, 3.0]])
Z = A + 1j * np.eye(3)
H = Z @ Z.conj().T
SYMMETRIC = A + A.T
MATRICES = {
    "real": A / 3,
    "complex": Z / 3,
    "integer": A.astype(np.int64),
    "symmetric": SYMMETRIC / 3,
    "skew-symmetric": np.triu(A, 1) - np.triu(A, 1).T,
    "hermitian": H / 3,
}

if __name__ == "__main__":
    import fast_matrix_market

    for name, a in MATRICES.items():
        for writer, write in (("scipy", scipy.io.mmwrite), ("fmm", fast_matrix_market.mmwrite)):
            # precision=None: SciPy's as many digits as are needed, both read back exactly
            write(f"{writer}-{name}-array.mtx", a)
            write(f"{writer}-{name}-coordinate.mtx", scipy.sparse.coo_array(a))
    pattern = scipy.sparse.coo_array((A != 0).astype(float))
    fast_matrix_market.mmwrite("fmm-pattern-coordinate.mtx", pattern, field="pattern")
    for version in (1, 2, 3):
        with open(f"numpy-{version}.npy", "wb") as file:
            np.lib.format.write_array(file, np.asfortranarray(A / 3), version=(version, 0))
    np.savez("numpy.npz", A=A / 3, b=np.arange(3))
    np.savez_compressed("numpy-compressed.npz", A=A / 3)
    for layout in ("csr", "csc", "coo", "dia", "bsr"):
        scipy.sparse.save_npz(f"scipy-{layout}.npz", scipy.sparse.coo_array(A / 3).asformat(layout))
    variables = {"A": A / 3, "Z": Z / 3, "S": scipy.sparse.csc_array(A / 3), "i": A.astype(np.int8)}
    variables |= {"f": (A / 3).astype(np.float32), "words": "words", "t": A > 1, "r": {"x": A}}
    scipy.io.savemat("scipy-5.mat", variables)
    scipy.io.savemat("scipy-5-compressed.mat", variables, do_compression=True)
    four = {name: variables[name] for name in ("A", "Z", "S", "f", "words")}
    scipy.io.savemat("scipy-4.mat", four, format="4")
