#!/usr/bin/env bash
# import dask.array dies where a file called sparse.py lies beside the program.
#
# dask 2026.8.0 asks at its import for the package `sparse` (pydata's), which it can do without: an
# ImportError is passed over. Whatever module of that name is found instead is imported and taken
# for it, a script of one's own beside the program as well, and then lacks a class:
#
#   AttributeError: module 'sparse' has no attribute 'SparseArray'
#
# One would expect an optional package to be left out if it is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'dask[array]==2026.8.0'
mkdir "$folder/project"
echo 'print("my own sparse.py is imported")' > "$folder/project/sparse.py"
echo 'import dask.array' > "$folder/project/program.py"
if "$folder/venv/bin/python" "$folder/project/program.py" > "$folder/output" 2>&1; then
    echo "dask.array was imported"
    exit 1
fi
tail -1 "$folder/output"
grep -q "my own sparse.py is imported" "$folder/output"
grep -q "AttributeError: module 'sparse' has no attribute 'SparseArray'" "$folder/output"
