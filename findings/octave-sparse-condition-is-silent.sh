#!/usr/bin/env bash
# Octave's \ warns of an ill-conditioned matrix if it is dense, and says nothing of the same one, sparse.
#
# One would expect sparse and full to differ in speed. Octave 7.3.0 (Debian 12) prints rcond for the
# dense one; sparse, four structures of condition 1e17 and more are solved without a word, by CHOLMOD,
# UMFPACK, LAPACK's tridiagonal code and substitution. Only what is found to be exactly singular warns.
#
#   Hilbert 12, its unsymmetric neighbour, a tridiagonal one: dense rcond = 1e-17, sparse nothing
#   [1 1; 0 1e-20]:                                           dense rcond = 5e-21, sparse nothing
#
# Needs octave-cli 7.3 on the PATH (Debian 12: apt-get install octave).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
octave-cli --version | head -1 | tee version
grep -q "version 7\.3" version
cat >solve.m <<'OCTAVE'
1;
function said(name, a)
    lastwarn("");
    a \ ones(rows(a), 1);
    printf("%s: [%s]\n", name, lastwarn());
endfunction
definite = hilb(12);
general = hilb(12);
general(1, 2) *= 1 + 1e-10;
tridiagonal = full(spdiags(ones(20, 1) * [-1 2 -1], -1:1, 20, 20));
tridiagonal(1, 1) = 1 + 1e-15;
tridiagonal(20, 20) = 1;
for name = {"definite", "general", "tridiagonal"}
    said(["dense " name{1}], eval(name{1}));
    said(["sparse " name{1}], sparse(eval(name{1})));
endfor
said("dense triangular", [1 1; 0 1e-20]);
said("sparse triangular", sparse([1 1; 0 1e-20]));
OCTAVE
octave-cli solve.m 2>/dev/null | tee said
for name in definite general tridiagonal triangular; do
    grep -q "^dense $name: \[matrix singular to machine precision, rcond = " said
    grep -qxF "sparse $name: []" said
done
