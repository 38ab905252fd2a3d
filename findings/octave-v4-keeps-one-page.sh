#!/usr/bin/env bash
# Octave's save -v4 keeps the first page of an array of three axes, and the names of integers only.
#
# Version 4 of MATLAB's format has matrices of doubles. One would expect an error or a conversion for
# what it cannot hold. Octave 7.3.0 (Debian 12) saves reshape(1:8, 2, 2, 2) without a word as
# [1 3; 2 4]; of int8([1 2; 3 4]) it warns "wrong type argument 'int8 matrix'", exits with 0, and has
# written the header that announces four doubles, and none of them: 22 bytes that no program reads.
#
#   2 2 2 -> 2 2, without a warning;  int8 -> 22 bytes
#
# Needs octave-cli 7.3 on the PATH (Debian 12: apt-get install octave).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
octave-cli --version | head -1 | tee version
grep -q "version 7\.3" version
octave-cli --eval 'x = reshape(1:8, 2, 2, 2); lastwarn(""); save -v4 x.mat x
    printf("warning: [%s]\n", lastwarn()); clear x; load x.mat; disp(mat2str(size(x))); disp(mat2str(x))' | tee said
grep -qF "warning: []" said
grep -qxF "[2 2]" said
grep -qxF "[1 3;2 4]" said
octave-cli --eval 'i = int8([1 2; 3 4]); save -v4 i.mat i' 2>&1 | tee warned || true
grep -q "wrong type argument 'int8 matrix'" warned
stat -c "int8: %s bytes" i.mat | tee size
grep -qx "int8: 22 bytes" size
