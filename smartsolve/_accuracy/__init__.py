"""Answers that prove themselves: ``accuracy="full"`` and ``accuracy="certified"``.

From the calls in `solve` the imports go down: `full` and `certified`, each a road; `refinement`,
which both take; `residues` and `multiple_precision` with `lifting`, where double-double ends; and
`posing`, the systems that all of them are given.
"""

from .solve import solve_accurately, solve_factored

__all__ = ["solve_accurately", "solve_factored"]
