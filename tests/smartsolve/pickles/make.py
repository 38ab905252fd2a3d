"""Write format-N.pickle, N the format of today: run once, when the format changes."""

import pickle
from pathlib import Path

import numpy as np

import smartsolve
from smartsolve import _factorization

rng = np.random.default_rng(2010)
a = rng.standard_normal((3, 5, 5))
a[1] = a[1] + a[1].T
a[2] = np.diag(np.arange(1.0, 6.0))
b = rng.standard_normal((5, 2))
f = smartsolve.factorize(a)
path = Path(__file__).with_name(f"format-{_factorization._FORMAT}.pickle")
path.write_bytes(pickle.dumps((f, b, f.solve(b)), protocol=4))
