#!/usr/bin/env bash
# In Octave a zero on the diagonal is an error or none, as the matrix was made.
#
# MATLAB's diag([1 0]) \ [1; 1] warns and gives [1; Inf]. In Octave 7.3.0 (Debian 12) diag and eye make
# a type of their own, which division meets with a pseudo-inverse and without a word; a product with a
# number keeps the type, a sum does not, and inv fills the whole diagonal with Inf:
#
#   diag([1 0]) \ [1; 1]           [1; 0]            no warning
#   (0 * eye(2)) \ [1; 1]          [0; 0]            no warning
#   (diag([1 0]) + 0) \ [1; 1]     [1; 0]            "matrix singular to machine precision"
#   inv(diag([1 0]))               [Inf 0; 0 Inf]    the same warning
#
# Needs octave-cli 7.3 on the PATH (Debian 12: apt-get install octave).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
octave-cli --version | head -1 | tee version
grep -q "version 7\.3" version
cat >divide.m <<'OCTAVE'
1;
function said(name, x)
    printf("%s: %s [%s]\n", name, mat2str(full(x)), lastwarn());
    lastwarn("");
endfunction
lastwarn("");
d = diag([1 0]);
said("diag", d \ [1; 1]);
said("zero", (0 * eye(2)) \ [1; 1]);
said("sum", (d + 0) \ [1; 1]);
said("inverse", inv(d));
OCTAVE
octave-cli divide.m 2>/dev/null | tee said
grep -qxF "diag: [1;0] []" said
grep -qxF "zero: [0;0] []" said
grep -qxF "sum: [1;0] [matrix singular to machine precision]" said
grep -qxF "inverse: [Inf 0;0 Inf] [matrix singular to machine precision]" said
