#!/usr/bin/env bash
# SciPy's and fast_matrix_market's mmread read Fortran's 1.5D+02 as 1.5, without an error.
#
# Matrix Market comes from a Fortran community, and a Fortran program that writes double precision
# with the D descriptor, or an exponent of three digits, gives 1.5D+02 and 1.5+102. One would expect
# the number or an error. SciPy 1.17.1 and fast_matrix_market 1.7.6 read up to the first character
# that they do not know and go on with the next line:
#
#   1.5D+02 -> 1.5    1.5+102 -> 1.5    0.25D-01 -> 0.25
#
# An array file with the two numbers of a row on one line, 1 2 / 3 4, loses every second one in the
# same way, and fails only for being short. SciPy's numbers of the same text, float("1.5D+02"), are
# a ValueError.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6 scipy==1.17.1 fast_matrix_market==1.7.6
"$folder/venv/bin/python" - <<'PYTHON'
import io

import fast_matrix_market
import scipy
from scipy.io import mmread

print("SciPy", scipy.__version__, "fast_matrix_market", fast_matrix_market.__version__)
texts = {"1.5D+02": 1.5, "1.5+102": 1.5, "0.25D-01": 0.25}
body = "".join(f"{text}\n" for text in texts)
file = f"%%MatrixMarket matrix array real general\n{len(texts)} 1\n{body}".encode()
for read in mmread, fast_matrix_market.mmread:
    found = read(io.BytesIO(file))[:, 0]
    print(read.__module__, dict(zip(texts, found.tolist())))
    assert found.tolist() == list(texts.values())
PYTHON
