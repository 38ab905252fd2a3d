"""What a user writes, as mypy and pyright see it; the tests run it, too."""

from typing import assert_type

import numpy as np
import numpy.typing as npt

import gmm
import smartsolve

Array = npt.NDArray[np.float64]

rng = np.random.default_rng(1)
a: Array = rng.random((4, 4)) + 4 * np.eye(4)
b: Array = rng.random(4)

x = smartsolve.solve(a, b, assume_a="gen", on_singular="nan", workers=2)
print(x.shape, x @ b)
y, info = smartsolve.solve(a, b, return_info=True)
assert_type(info, smartsolve.SolveInfo)
print(y - x, info.structure, info.rcond)

z = smartsolve.mldivide(a[:, :2], b)
print(z.shape)
z, info = smartsolve.mldivide(a[:, :2], b, return_info=True)
assert_type(info, smartsolve.SolveInfo)
print(smartsolve.mrdivide(b, a).sum())

f = smartsolve.factorize(a, "general")
assert_type(f, smartsolve.Factorization)
print(f.solve(b), f.slogdet().logabsdet, f.rcond)

plan = smartsolve.explain(a, b)
assert_type(plan, smartsolve.Plan)
found = smartsolve.inspect(a[::-1])
if found.kind == "permuted triangular":
    print(a[found.row_permutation][:, found.column_permutation], found.block_sizes.max())
print(plan.flops, plan.to_dict()["dtype"], smartsolve.inspect(a).kind)
with smartsolve.errstate(ill_conditioned="ignore"), smartsolve.patch_numpy():
    print(np.linalg.solve(a, b))

# A word that is none is an error before the program runs, and when it does.
try:
    smartsolve.solve(a, b, assume_a="diagnol")  # type: ignore[call-overload]  # pyright: ignore
except ValueError as error:
    print(error)

n = 200
instruments = rng.normal(size=(n, 3))
u = rng.normal(size=n)
w = instruments.sum(axis=1) + u + rng.normal(size=n)
model = gmm.IV(1 + 0.5 * w + u, exog=np.ones((n, 1)), endog=w, instruments=instruments)
result = model.fit(steps=2, weights="robust")
assert_type(result, gmm.IVResult)
print(result.params[1], result.bse[1], result.conf_int(level=0.95)[1])
print(result.first_stage(), result.anderson_rubin([0.5]), result.c_test(["instr0"]))
print(result.j_test.statistic, result.wald_test(np.array([[0.0, 1.0]]), [0.5]).pvalue)
print(result.summary())
# Estimates are arrays, or have labels, and go wherever NumPy takes an array.
estimates: Array = np.asarray(result.params)
print(np.linalg.norm(result.params), (result.params - 1).max(), estimates.mean(), len(result.bse))
print(result.cov.shape, abs(result.tvalues).round(2), result.pvalues < 0.05, result.params @ [1, 2])
