"""For code that cannot be changed: the names of other packages led to `smartsolve.solve`."""

from collections.abc import Iterator
from importlib import import_module

from .._condition import IllConditioned, errstate
from .context import Patch
from .function import Function, Replacement
from .of_numpy import numpy_inv, numpy_solve

__all__ = ["patch_numpy"]

# By the option that asks for it: the module, imported then, whose `replacements` are made.
_LIBRARIES = {"scipy": ".of_scipy", "jax": "..jax._patch", "torch": "..torch._patch"}


class patch_numpy(Patch):
    """Context in which ``numpy.linalg.solve`` is `smartsolve.solve`.

    Parameters
    ----------
    scipy : bool, default False
        Replace ``scipy.linalg.solve`` as well, and ``spsolve``, ``factorized``
        and, without options, ``splu`` of ``scipy.sparse.linalg``.
    inv : bool, default False
        Replace ``numpy.linalg.inv`` as well, by `solve` with the identity.
    jax : bool, default False
        Replace ``jax.numpy.linalg.solve`` as well, as `smartsolve.jax.patch`
        does.
    torch : bool, default False
        Replace ``torch.linalg.solve`` as well, as `smartsolve.torch.patch` does.
    everywhere : bool, default False
        Replace also the names that modules imported so far have bound, as
        ``from numpy.linalg import solve`` does. Names in modules are found;
        references in containers, closures, classes and default arguments are
        not.
    ill_conditioned : {"ignore", "warn", "raise"}, optional
        What an ill-conditioned matrix does in the replaced functions, whatever
        `errstate` says around them; by default what that says. With "raise" the
        branch of ``try: solve(a, b)`` / ``except LinAlgError`` is taken for a
        matrix that NumPy's rounding happened to call singular, and for every
        other that cannot be told from a singular one.

    Raises
    ------
    ValueError
        If `ill_conditioned` is none of the above.
    ImportError
        If a library is asked for that is not installed.

    Warns
    -----
    IllConditionedWarning
        As `solve` does, where NumPy says nothing.

    Notes
    -----
    The names are the process's: all its threads see them replaced, which is
    why `errstate`, and not this, is a context variable. Contexts nest, and may
    overlap and end in any order; when the last has ended, each name is bound
    to what it was bound to before, also in modules imported meanwhile. A name
    that the program itself sets meanwhile is left alone. Also a decorator, of
    coroutine functions too.

    What `solve` refuses for its type or shape is handed to the original, and
    so are arrays of other libraries and whatever SciPy converts by rules of
    its own: nothing is refused that NumPy or SciPy accepts, and their errors
    are their own. So is a matrix that only rounding keeps from being singular
    in NumPy; one that is singular for both raises `numpy.linalg.LinAlgError`
    with this package's message. An ill-conditioned one warns; where a filter
    (``-W error``) makes an exception of the warning, the original solves the
    system instead, since a program must not stop where it did not stop before.
    To stop there, use ``ill_conditioned="raise"``. Results differ
    from the original's by rounding; single precision is solved in single
    precision, where NumPy computes in double and rounds.

    Of sparse solvers SciPy's shapes stay: `spsolve` makes a vector of a column,
    and a sparse solution of a sparse right-hand side. What is singular is left
    to SciPy, with its warning or error. What `splu` returns solves with this
    package's factors; ``L``, ``U``, ``perm_r``, ``perm_c`` and ``nnz`` are
    SuperLU's own, computed when they are asked for.

    ``lstsq`` is not replaced: it returns rank and singular values, which cost a
    singular value decomposition whatever the structure. JAX and PyTorch are
    imported only if they are asked for.

    See Also
    --------
    solve : What is called instead.
    errstate : What ill-conditioned and singular matrices do.

    Examples
    --------
    >>> import numpy as np
    >>> import smartsolve
    >>> hilbert = 1 / (np.arange(12)[:, None] + np.arange(12) + 1)
    >>> def an_old_function():
    ...     return np.linalg.solve(hilbert, hilbert.sum(axis=1))
    >>> x = an_old_function()  # says nothing, whatever it is worth
    >>> with smartsolve.patch_numpy(), smartsolve.errstate(ill_conditioned="raise"):
    ...     an_old_function()
    Traceback (most recent call last):
        ...
    numpy.linalg.LinAlgError: Ill-conditioned matrix: rcond = 1e-17 < 2.22e-16 (small Cholesky); the solution may have no correct digit. accuracy='full' gives all digits.

    A program that tells singular matrices from others goes on to do so, also
    where no pivot is exactly zero:

    >>> singular = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
    >>> with smartsolve.patch_numpy(ill_conditioned="raise"):
    ...     try:
    ...         np.linalg.solve(singular, [1.0, 1.0, 1.0])
    ...     except np.linalg.LinAlgError:
    ...         print("another way")
    another way
    """  # noqa: E501

    _name = "smartsolve.patch_numpy"

    def __init__(
        self,
        *,
        scipy: bool = False,
        inv: bool = False,
        jax: bool = False,
        torch: bool = False,
        everywhere: bool = False,
        ill_conditioned: IllConditioned | None = None,
    ) -> None:
        super().__init__(everywhere=everywhere)
        errstate(ill_conditioned=ill_conditioned)  # refuses what it does not know
        asked = {"scipy": scipy, "jax": jax, "torch": torch}
        self._modules = [module for word, module in _LIBRARIES.items() if asked[word]]
        self._inv = inv
        self._ill_conditioned = ill_conditioned

    def _pairs(self) -> Iterator[tuple[Function, Replacement]]:
        for module in self._modules:
            found = import_module(module, __package__)
            yield from found.replacements(self._ill_conditioned)
        yield numpy_solve(self._ill_conditioned)
        if self._inv:
            yield numpy_inv(self._ill_conditioned)
