#!/usr/bin/env bash
# The tests of the native code under the address and undefined-behaviour sanitizers, with an
# instrumented module in an environment of its own: once for each instruction set of this machine,
# side by side. Arguments go to pytest: tests/sanitize.sh -k banded
#
# tests/sanitize.sh thread: the tests of threads that share what they solve with, under the thread
# sanitizer. BLAS and interpreter are not instrumented: it sees this project's own accesses, and the
# locks of all.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python=$environment/bin/python
sanitizers=ON
if [ "${1:-}" = thread ]; then
    sanitizers=thread
    shift
fi

python3 -m venv "$environment"
"$python" -m pip install --quiet -C cmake.define.SMARTSOLVE_SANITIZE=$sanitizers -C install.strip=false ".[test]"

if [ "$sanitizers" = thread ]; then
    export LD_PRELOAD="$(g++ -print-file-name=libtsan.so) $(g++ -print-file-name=libstdc++.so)"
    export TSAN_OPTIONS=exitcode=66:log_path=$environment/report OPENBLAS_NUM_THREADS=1
    status=0
    "$environment/bin/pytest" -q -p no:cacheprovider tests/smartsolve/test_threads.py "$@" || status=$?
    cat "$environment"/report* 2>/dev/null || true
    exit $status
fi

# The interpreter is not instrumented: the runtimes are loaded before it, and what it still holds
# at its exit counts as no leak.
export LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so) $(g++ -print-file-name=libstdc++.so)"
# Tests ask for more memory than there is, and expect a MemoryError. What a sanitizer says goes to
# files, for pytest would keep it, and be aborted.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:log_path=$environment/report
export UBSAN_OPTIONS=print_stacktrace=1:log_path=$environment/report

# Not what starts other programs, looks at Python alone, or leaves no memory to the sanitizer itself.
tests=(tests/smartsolve tests/gmm/data/test_power_sums.py)
for file in cli_programs fault_injection file_corpus files instruction_sets magic no_memory patch peer_suites profile; do
    tests+=("--ignore=tests/smartsolve/test_$file.py")
done

sets=$("$python" -P -c "from smartsolve import _core; print(*_core.instruction_sets())")
declare -A running
for isa in $sets; do
    SMARTSOLVE_ISA=$isa "$environment/bin/pytest" -q -p no:cacheprovider "${tests[@]}" "$@" \
        >"$environment/$isa" 2>&1 &
    running[$isa]=$!
done
status=0
for isa in $sets; do
    wait "${running[$isa]}" || status=1
    printf '\n=== %s\n' "$isa"
    cat "$environment/$isa"
done
cat "$environment"/report* 2>/dev/null || true
exit $status
