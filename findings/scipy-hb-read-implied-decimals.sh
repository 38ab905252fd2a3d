#!/usr/bin/env bash
# scipy.io.hb_read reads 15 where Fortran, and the file's own format, read 1.5.
#
# A Harwell-Boeing file says by a Fortran format how its numbers are laid out. In Fortran's E8.1 a number
# without a point has one digit behind it: "15" is 1.5. SciPy 1.17.1 takes the width from the format
# and leaves the decimals, without a word; fortranformat 2.0.3, a reader of such formats, does not:
#
#   (2E8.1)  "      15      20"   SciPy 15 and 20; fortranformat 1.5 and 2.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 scipy==1.17.1 fortranformat==2.0.3
venv/bin/python - <<'PYTHON'
import io
import warnings

import scipy
from fortranformat import FortranRecordReader
from scipy.io import hb_read

print("SciPy", scipy.__version__)
lines = [
    "Two elements".ljust(72) + "KEY".ljust(8),
    "".join(f"{n:14d}" for n in (3, 1, 1, 1, 0)),
    "RUA".ljust(14) + "".join(f"{n:14d}" for n in (2, 2, 2, 0)),
    "(3I4)".ljust(16) + "(2I4)".ljust(16) + "(2E8.1)".ljust(20),
    "   1   2   3",
    "   1   2",
    "      15      20",
]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    a = hb_read(io.StringIO("\n".join(lines) + "\n")).toarray()
print(a.tolist(), FortranRecordReader("(2E8.1)").read(lines[-1]))
assert FortranRecordReader("(2E8.1)").read(lines[-1]) == [1.5, 2.0]
assert a.tolist() == [[15, 0], [0, 20]]
PYTHON
