"""Warning classes; their bases are SciPy's, so this module is imported when one is needed."""

import math

import numpy as np
from scipy.linalg import LinAlgWarning

__all__ = ["IllConditionedWarning", "RankDeficientWarning", "SingularMatrixWarning"]


class IllConditionedWarning(LinAlgWarning):  # type: ignore[misc]
    """The matrix is so ill-conditioned that the solution may have no correct digit.

    Issued by `smartsolve.solve` when the reciprocal condition number `rcond`
    of a matrix lies below the machine epsilon of its dtype (2.2e-16 in
    double, 1.2e-7 in single precision), at most once a call. It is a
    `scipy.linalg.LinAlgWarning`, so filters written for SciPy catch it. Its
    text names the power of ten of `rcond` alone: it repeats from call to call
    of a loop, and Python's filter shows it once a line.

    Attributes
    ----------
    rcond : float
        The reciprocal condition number, of a stack the worst; 0 for a singular
        matrix, NaN if the warning is about a rank.

    See Also
    --------
    smartsolve.errstate : Ignore it, or make it an error, in a block.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import smartsolve
    >>> a = np.array([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]])
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     x = smartsolve.solve(a, [2.0, 2.0])
    >>> caught[0].category.__name__, caught[0].message.rcond < 2.0**-52
    ('IllConditionedWarning', True)
    """

    rcond: float = math.nan


class SingularMatrixWarning(IllConditionedWarning):
    """The matrix is exactly singular, and the solution holds Inf or NaN.

    Issued by `smartsolve.mldivide` and `smartsolve.mrdivide`, where `solve`
    raises, and by `solve` on request.

    Examples
    --------
    >>> import warnings
    >>> import smartsolve
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     smartsolve.mldivide([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0])
    array([-inf,  inf])
    >>> caught[0].category.__name__
    'SingularMatrixWarning'
    """


class RankDeficientWarning(IllConditionedWarning, np.exceptions.RankWarning):
    """A rectangular matrix has less than full rank, so its least-squares solution is not unique.

    Issued by `smartsolve.mldivide` and `smartsolve.mrdivide` with the rank and
    the tolerance that it was found with. It is a
    `numpy.exceptions.RankWarning`, too.

    Examples
    --------
    >>> import warnings
    >>> import smartsolve
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     smartsolve.mldivide([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]], [3.0, 3.0, 3.0]).round(12)
    array([3., 0.])
    >>> print(caught[0].message)  # doctest: +ELLIPSIS
    Rank-deficient matrix: rank = 1 of 2, tol = 1.1538e-15 (column-pivoted QR); ...
    """
