#!/usr/bin/env bash
# Every entry of the table of innermost loops against plain loops, in each of its element types and
# instruction sets (tests/native), without Python: here, or, as
#
#     tests/lanes.sh aarch64
#
# cross-compiled and run by qemu-user. Debian's packages for that: g++-aarch64-linux-gnu, qemu-user.
# All loops are compiled for it, some two minutes of processor time;
#
#     tests/lanes.sh --of build/cp311-cp311-linux_x86_64
#
# links those that an installation left in its build directory. Of another processor, so:
#
#     CXX=aarch64-linux-gnu-g++ tests/lanes.sh --of build qemu-aarch64 -L /usr/aarch64-linux-gnu
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

if [ "${1:-}" = --of ]; then
    native=smartsolve/_native
    objects=("$2"/*/smartsolve/CMakeFiles/{lanes,loops,fronts}_*.dir/*/*.o)
    "${CXX:-c++}" -std=c++20 -O1 -Wall -Wextra -I "$native" -I "$(echo "$2"/*/smartsolve)" tests/native/lanes.cpp \
        "$native/lanes/dispatch.cpp" "${objects[@]}" -o "$build/check_lanes"
    "${@:3}" "$build/check_lanes"
    exit
fi
target=${1:-$(uname -m)}

options=(-DSMARTSOLVE_CHECK_LANES=ON)
emulator=()
if [ "$target" != "$(uname -m)" ]; then
    options+=(-DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=$target")
    options+=("-DCMAKE_CXX_COMPILER=$target-linux-gnu-g++" -DCMAKE_EXE_LINKER_FLAGS=-static)
    emulator=("qemu-$target")
fi
cmake -S . -B "$build" "${options[@]}" >"$build/log" 2>&1 || { cat "$build/log"; exit 1; }
cmake --build "$build" --parallel "$(nproc)" >"$build/log" 2>&1 || { cat "$build/log"; exit 1; }
"${emulator[@]}" "$build/check_lanes"
