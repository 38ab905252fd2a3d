"""For code that cannot be changed: NumPy's and SciPy's names led to `smartsolve.solve`."""

import copy
import copyreg
import functools
import inspect
import operator
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ContextDecorator, ExitStack
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType, MethodType, ModuleType, TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.linalg import LinAlgError

from ._condition import IllConditioned, errstate, geterr
from ._core import solve
from ._sparse import is_sparse
from ._types import StructureName

__all__ = [
    "Function",
    "Replacement",
    "function",
    "numpy_inv",
    "numpy_solve",
    "patch_numpy",
    "scipy_solve",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Replacement:
    """A callable that stands for another function, and passes for it.

    It has the function's name, documentation and attributes, pickles by its name, binds as a
    method, and equals it: libraries keep tables of functions for ``__array_function__``, and one
    that is imported while a name is replaced must find the same entry later. So does Numba in its
    table of what it compiles, whose keys are weak references where there can be any: to NumPy's
    function there can be none, and so to this there is none either.
    """

    __slots__ = ("__dict__",)

    def __init__(
        self, original: Callable[..., Any], ill_conditioned: IllConditioned | None = None
    ) -> None:
        self._original = original
        self._ill_conditioned = ill_conditioned  # None: as `errstate` wants it
        functools.update_wrapper(self, original)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._ill_conditioned is None:
            return self._call(*args, **kwargs)
        with errstate(ill_conditioned=self._ill_conditioned):
            return self._call(*args, **kwargs)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        return self._original(*args, **kwargs)

    def _instead(self, refusal: Exception, *args: Any) -> Any:
        """What the original makes of what `smartsolve.solve` refuses.

        A warning that the program's filters turn into an exception is such a refusal, and so is a
        matrix that is singular by one order of operations and by the other, rounded, is not: a
        program must not stop where it did not stop before, unless it asks for that.
        """
        is_singular = isinstance(refusal, LinAlgError) and _is_square(args[0])
        if is_singular and geterr()["ill_conditioned"] == "raise":
            raise refusal
        try:
            return self._original(*args)
        except Exception as error:
            if is_singular and isinstance(error, LinAlgError):  # both say so, and ours says more
                raise refusal from None
            error.__context__ = None  # the refusal is no part of the original's story
            raise

    def __getattr__(self, name: str) -> Any:
        if name == "_original":  # not yet set, while it is being copied
            raise AttributeError(name)
        return getattr(self._original, name)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Replacement):
            other = other._original
        return other is self._original

    def __hash__(self) -> int:
        return hash(self._original)

    def __reduce__(self) -> str:
        return str(self._original.__name__)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in place of {self._original!r}>"


class _NumpySolve(Replacement):
    """`smartsolve.solve`, and NumPy's own for whatever that refuses.

    NumPy takes no sparse matrix, and says so.
    """

    __slots__ = ()

    def _call(self, a: Any, b: Any) -> Any:
        if is_sparse(a) or is_sparse(b):
            return self._original(a, b)
        try:
            return solve(a, b)
        except (TypeError, ValueError, Warning) as refusal:
            return self._instead(refusal, a, b)


class _NumpyInv(Replacement):
    """The inverse as `smartsolve.solve` of the identity, as NumPy has it, and NumPy's own as above.

    NumPy's own also for matrices and other subclasses, which it returns as what they are.
    """

    __slots__ = ()

    def _call(self, a: Any) -> Any:
        if type(a) not in (np.ndarray, list, tuple):
            return self._original(a)
        try:
            matrix = np.asarray(a)
            kind = matrix.dtype if matrix.dtype.char in "fdFD" else np.float64
            return solve(matrix, np.eye(matrix.shape[-1] if matrix.ndim else 0, dtype=kind))
        except (TypeError, ValueError, Warning) as refusal:
            return self._instead(refusal, a)


class _ScipySolve(Replacement):
    """The same for SciPy's signature.

    `overwrite_a` and `overwrite_b` are not passed on: what `smartsolve.solve` refuses must reach
    SciPy intact.
    """

    __slots__ = ()

    def _call(
        self,
        a: Any,
        b: Any,
        lower: bool = False,
        overwrite_a: bool = False,
        overwrite_b: bool = False,
        check_finite: bool = True,
        assume_a: StructureName | None = None,
        transposed: bool = False,
    ) -> Any:
        options = (lower, overwrite_a, overwrite_b, check_finite, assume_a, transposed)
        if _is_plain(a) and _is_plain(b):
            try:
                x = solve(
                    a,
                    b,
                    assume_a=assume_a,
                    lower=lower,
                    transposed=transposed,
                    check_finite=check_finite,
                )
                return _kept_in(b, x) if overwrite_b else x
            except (TypeError, ValueError, Warning) as refusal:
                return self._instead(refusal, a, b, *options)
        return self._original(a, b, *options)


def _is_plain(array: Any) -> bool:
    """Whether SciPy has the same rules for it: it has others for subclasses and integers."""
    return type(array) is np.ndarray and array.dtype.char in "fdFD"


def _kept_in(b: Any, x: Any) -> Any:
    """The solution in the memory of b, where SciPy puts it there."""
    if b.flags.writeable and b.flags.f_contiguous and (b.shape, b.dtype) == (x.shape, x.dtype):
        b[...] = x
        return b
    return x


def _is_square(a: Any) -> bool:
    shape = np.shape(a)
    return len(shape) >= 2 and shape[-1] == shape[-2]


class Function:
    """A function of another package, the names that lead to it, and where they lead now.

    Requests may overlap and end in any order. The highest rank, and of equals the latest, decides;
    when the last has ended, every name leads where it led before the first.
    """

    _lock = threading.RLock()  # one for all: an import may be under way in another thread

    def __init__(self, module: str, name: str) -> None:
        self._name = name
        self.original: Callable[..., Any] = getattr(import_module(module), name)
        # Where it says it is defined as well: there pickle looks for it.
        modules = dict.fromkeys([module, self.original.__module__])
        self._homes = [home for each in modules if name in (home := vars(import_module(each)))]
        self._requests: list[_Request] = []
        self._reset()

    def _reset(self) -> None:
        self._found = [home[self._name] for home in self._homes]
        self._modules_then = set(sys.modules)
        self._used: list[Replacement] = []
        self._is_everywhere = False

    def replace(
        self, replacement: Replacement, *, everywhere: bool = False, rank: int = 0
    ) -> Callable[[], None]:
        """Lead the names to a replacement; what is returned ends it.

        With `everywhere` also the names that other modules have bound to the function.
        """
        request = _Request(replacement, everywhere, rank)
        with self._lock:
            if not self._requests:
                self._reset()
                self._pickle_by_name(True)
            self._used.append(replacement)
            self._requests.append(request)
            self._settle()
        return functools.partial(self._end, request)

    def _end(self, request: "_Request") -> None:
        with self._lock:
            self._requests.remove(request)
            self._settle()
            if not self._requests:
                self._pickle_by_name(False)

    def _settle(self) -> None:
        """Bind the names as the requests say."""
        ranked = sorted(self._requests, key=lambda request: request.rank)  # stable: latest last
        replacement = ranked[-1].replacement if ranked else None
        for home, found in zip(self._homes, self._found, strict=True):
            # A name that somebody else has set meanwhile is left to him.
            if home[self._name] is found or _is_among(home[self._name], self._used):
                home[self._name] = found if replacement is None else replacement

        everywhere = any(request.everywhere for request in self._requests)
        if everywhere:
            self._rebind([self.original, *self._used], replacement)
        elif self._is_everywhere:
            self._rebind(self._used, self.original)
        elif replacement is None:
            # A module imported meanwhile may have bound the replacement to a name of its own.
            self._rebind(self._used, self.original, passing_over=self._modules_then)
        self._is_everywhere = everywhere

    def _rebind(self, these: list[Any], to: Any, passing_over: Collection[str] = ()) -> None:
        wanted = set(map(id, these)) - {id(to)}
        homes = set(map(id, self._homes))
        for name, namespace in _namespaces():
            if name in passing_over or id(namespace) in homes:
                continue
            for key, value in list(namespace.items()):
                if id(value) in wanted:
                    namespace[key] = to

    def _pickle_by_name(self, replaced: bool) -> None:
        """Let the original be pickled although its name leads elsewhere."""
        if isinstance(self.original, FunctionType):
            return  # pickle does not ask; it finds the name bound to another object
        if replaced:
            copyreg.pickle(type(self.original), self._reduce)
        else:
            copyreg.dispatch_table.pop(type(self.original), None)

    def _reduce(self, function: Any) -> Any:
        current = self._homes[0][self._name]
        if function is self.original and isinstance(current, Replacement):
            # Whatever the name means where it is loaded.
            return operator.itemgetter(0), ((current,),)
        return function.__reduce__()


@dataclass(frozen=True, eq=False)
class _Request:
    replacement: Replacement
    everywhere: bool
    rank: int


def _is_among(value: object, candidates: Iterable[object]) -> bool:
    return any(value is candidate for candidate in candidates)


def _namespaces() -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and contents of all modules but this package's, without waking lazy ones."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.partition(".")[0] != __package__:
            yield name, object.__getattribute__(module, "__dict__")


@functools.cache
def function(module: str, name: str) -> Function:
    """The one `Function` of a name."""
    return Function(module, name)


@functools.cache
def numpy_solve(ill_conditioned: IllConditioned | None = None) -> tuple[Function, Replacement]:
    """`numpy.linalg.solve`, and what stands for it."""
    solve = function("numpy.linalg", "solve")
    return solve, _NumpySolve(solve.original, ill_conditioned)


@functools.cache
def numpy_inv(ill_conditioned: IllConditioned | None = None) -> tuple[Function, Replacement]:
    """`numpy.linalg.inv`, and what stands for it."""
    inv = function("numpy.linalg", "inv")
    return inv, _NumpyInv(inv.original, ill_conditioned)


@functools.cache
def scipy_solve(ill_conditioned: IllConditioned | None = None) -> tuple[Function, Replacement]:
    """`scipy.linalg.solve`, and what stands for it."""
    solve = function("scipy.linalg", "solve")
    return solve, _ScipySolve(solve.original, ill_conditioned)


def replacements(
    ill_conditioned: IllConditioned | None = None, *, scipy: bool, inv: bool
) -> list[tuple[Function, Replacement]]:
    """All functions that are replaced, and what stands for them."""
    pairs = [numpy_solve(ill_conditioned)]
    if inv:
        pairs.append(numpy_inv(ill_conditioned))
    if scipy:
        from ._sparse.patch import sparse_solvers

        pairs += [scipy_solve(ill_conditioned), *sparse_solvers(ill_conditioned)]
    return pairs


class Patch(ContextDecorator):
    """Contexts, which nest, in which functions are replaced; each tells which in `_pairs`."""

    _name: str  # for messages

    def __init__(self, *, everywhere: bool = False) -> None:
        self._everywhere = everywhere
        self._ends: list[ExitStack] = []

    def _pairs(self) -> Iterable[tuple[Function, Replacement]]:
        raise NotImplementedError

    def _recreate_cm(self) -> Self:
        again = copy.copy(self)
        again._ends = []
        return again

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            for solver, replacement in self._pairs():
                ends.callback(solver.replace(replacement, everywhere=self._everywhere))
            self._ends.append(ends.pop_all())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ends.pop().close()

    def __call__(self, func: _Function) -> _Function:
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            raise TypeError(
                f"{func.__qualname__} is a generator function, whose body would run after the "
                f"decorator's context has ended; use 'with {self._name}():' inside"
            )
        if not inspect.iscoroutinefunction(func):
            return super().__call__(func)

        @functools.wraps(func)
        async def patched(*args: Any, **kwargs: Any) -> Any:
            with self._recreate_cm():
                return await func(*args, **kwargs)

        return patched  # type: ignore[return-value]


class patch_numpy(Patch):
    """Context in which ``numpy.linalg.solve`` is `smartsolve.solve`.

    Parameters
    ----------
    scipy : bool, default False
        Replace ``scipy.linalg.solve`` as well, and ``spsolve``, ``factorized``
        and, without options, ``splu`` of ``scipy.sparse.linalg``.
    inv : bool, default False
        Replace ``numpy.linalg.inv`` as well, by `solve` with the identity.
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
    singular value decomposition whatever the structure. ``torch.linalg.solve``
    and ``jnp.linalg.solve`` are led here by ``smartsolve.torch.patch`` and
    ``smartsolve.jax.patch``.

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
        everywhere: bool = False,
        ill_conditioned: IllConditioned | None = None,
    ) -> None:
        super().__init__(everywhere=everywhere)
        errstate(ill_conditioned=ill_conditioned)  # refuses what it does not know
        self._scipy = scipy
        self._inv = inv
        self._ill_conditioned = ill_conditioned

    def _pairs(self) -> Iterable[tuple[Function, Replacement]]:
        return replacements(self._ill_conditioned, scipy=self._scipy, inv=self._inv)
