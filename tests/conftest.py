"""One BLAS thread, unless the environment says otherwise; no time limits for hypothesis.

The tests make thousands of small matrices; where other processes want the cores too, OpenBLAS'
threads wait for each other far longer than they work. This must stand before NumPy's import.
"""

import os

from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
