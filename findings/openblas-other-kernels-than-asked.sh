#!/usr/bin/env bash
# OpenBLAS tells names of kernels that are not those asked for, and says nothing.
#
# OPENBLAS_CORETYPE names kernels, and threadpoolctl tells which run: one would expect the same name, or
# a warning. In NumPy 2.4.6 (OpenBLAS 0.3.31.188.0 of its wheel; threadpoolctl 3.8.0; x86-64) Zen is
# told as Haswell, and Prescott as Katmai, which was a processor without SSE2: of names that share
# kernels the first in a list is told. Cooperlake and SapphireRapids become SkylakeX, as the wheel has
# no others of AVX-512; a Zen 4 with bfloat16 instructions, for which OpenBLAS' source has Cooperlake,
# runs SkylakeX as well. So names do not compare; instruction sets do.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q numpy==2.4.6 threadpoolctl==3.8.0

ask() {
    OPENBLAS_CORETYPE=$1 "$place/venv/bin/python" -c '
import numpy.linalg, threadpoolctl
print(*{library["architecture"] for library in threadpoolctl.threadpool_info()})'
}
expect() {
    told=$(ask "$1")
    echo "$1 -> $told"
    [ "$told" = "$2" ]
}
expect Zen Haswell
expect Prescott Katmai
if grep -qw avx512bw /proc/cpuinfo; then
    expect Cooperlake SkylakeX
    expect SapphireRapids SkylakeX
fi
