#!/usr/bin/env bash
# SciPy writes unsigned integers in a Matrix Market field that the format does not have.
#
# The fields of the format are real, complex, integer and pattern. scipy.io.mmwrite of SciPy 1.17.1
# writes uint8 and uint16 as "integer", uint32 and uint64 as "unsigned-integer", whatever the numbers
# are. SciPy reads that again; R's Matrix 1.5-3 (Debian 12) does not:
#
#   element type 'unsigned-integer' not recognized
#
# Needs Rscript and Matrix 1.5-3 (Debian 12: apt-get install r-base-core r-cran-matrix).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 scipy==1.17.1
venv/bin/python - <<'PYTHON'
import numpy as np
import scipy
from scipy.io import mmread, mmwrite

print("SciPy", scipy.__version__)
for dtype in "uint8", "uint16", "uint32", "uint64":
    mmwrite(f"{dtype}.mtx", np.array([[2, 1], [1, 3]], dtype=dtype))
    with open(f"{dtype}.mtx") as file:
        header = file.readline().strip()
    print(dtype, header)
    assert ("unsigned-integer" in header) == (dtype in ("uint32", "uint64"))
    assert mmread(f"{dtype}.mtx").tolist() == [[2, 1], [1, 3]]
PYTHON
cat >read.R <<'R'
suppressMessages(library(Matrix))
cat(R.version.string, "Matrix", as.character(packageVersion("Matrix")), "\n")
stopifnot(packageVersion("Matrix") == "1.5.3")
said <- tryCatch(readMM("sparse.mtx"), error = conditionMessage)
print(said)
stopifnot(grepl("unsigned-integer", said))
R
venv/bin/python -c "
import scipy.io, scipy.sparse, numpy
scipy.io.mmwrite('sparse.mtx', scipy.sparse.csc_array(numpy.array([[2, 1], [1, 3]], dtype='uint64')))"
Rscript read.R
