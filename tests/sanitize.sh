#!/usr/bin/env bash
# The tests of the native code under the address and undefined-behaviour sanitizers, once for each
# instruction set of this machine, with an instrumented module in an environment of its own.
# Arguments go to pytest: tests/sanitize.sh -k banded
set -euo pipefail
cd "$(dirname "$0")/.."
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python=$environment/bin/python

python3 -m venv "$environment"
"$python" -m pip install --quiet -C cmake.define.SMARTSOLVE_SANITIZE=ON -C install.strip=false ".[test]"

# The interpreter is not instrumented: the runtimes are loaded before it, and what it still holds
# at its exit counts as no leak.
export LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so) $(g++ -print-file-name=libstdc++.so)"
# Tests ask for more memory than there is, and expect a MemoryError.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

for isa in $("$python" -P -c "from smartsolve import _core; print(*_core.instruction_sets())"); do
    printf '\n=== %s\n' "$isa"
    SMARTSOLVE_ISA=$isa "$environment/bin/pytest" -q tests/smartsolve tests/gmm/test_power_sums.py "$@"
done
