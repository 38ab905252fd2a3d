"""Warning classes; their bases are SciPy's, so this module is imported when one is needed."""

from scipy.linalg import LinAlgWarning

__all__ = ["IllConditionedWarning"]


class IllConditionedWarning(LinAlgWarning):  # type: ignore[misc]
    """The matrix is so ill-conditioned that the solution may have no correct digit.

    Issued by `smartsolve.solve` when the reciprocal condition number `rcond`
    of a matrix lies below the machine epsilon of its dtype (2.2e-16 in
    double, 1.2e-7 in single precision), at most once a call. It is a
    `scipy.linalg.LinAlgWarning`, so filters written for SciPy catch it.

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
    >>> caught[0].category.__name__
    'IllConditionedWarning'
    """
