"""One BLAS thread, unless the environment says otherwise.

The tests make thousands of small matrices; where other processes want the cores too, OpenBLAS'
threads wait for each other far longer than they work. This must stand before NumPy's import.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
