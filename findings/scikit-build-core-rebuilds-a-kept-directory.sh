#!/usr/bin/env bash
# scikit-build-core 0.11.6, build-dir = "build" in pyproject.toml, and `pip wheel .` twice.
#
# Guess: a build directory that is kept makes the second build incremental; pip's isolated
# environment, which is a new one each time, costs a CMake run.
# Seen: the second build compiles everything again. scikit-build-core notices that it runs from
# another environment and deletes CMakeCache.txt together with the directory CMakeFiles, which holds
# the objects of the targets of the top-level CMakeLists.txt. Objects of targets that
# add_subdirectory() adds lie in sub/CMakeFiles: they stay, and ninja takes them for what they are.
#
#     top.c: compiled again
#     sub/sub.c: kept
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
python3 -m venv venv
mkdir -p project/sub && cd project
cat >pyproject.toml <<'EOF'
[build-system]
requires = ["scikit-build-core==0.11.6", "cmake==3.31.6", "ninja==1.11.1.4"]
build-backend = "scikit_build_core.build"
[project]
name = "twice"
version = "1"
[tool.scikit-build]
build-dir = "build"
EOF
cat >CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.18)
project(twice LANGUAGES C)
add_library(top SHARED top.c)
add_subdirectory(sub)
install(TARGETS top LIBRARY DESTINATION twice)
EOF
echo 'add_library(sub SHARED sub.c)' >sub/CMakeLists.txt
echo 'int top(void) { return 1; }' >top.c
echo 'int sub(void) { return 2; }' >sub/sub.c

build() { env -u CMAKE_C_COMPILER_LAUNCHER ../venv/bin/pip wheel --quiet --no-deps -w wheels .; }
age() { stat -c %Y.%i "build/$1"; }
verdict() { [ "$1" = "$2" ] && echo kept || echo "compiled again"; }

build
top=$(age CMakeFiles/top.dir/top.c.o) sub=$(age sub/CMakeFiles/sub.dir/sub.c.o)
sleep 1.1
build
seen="top.c: $(verdict "$top" "$(age CMakeFiles/top.dir/top.c.o)")
sub/sub.c: $(verdict "$sub" "$(age sub/CMakeFiles/sub.dir/sub.c.o)")"
echo "$seen"
[ "$seen" = "top.c: compiled again
sub/sub.c: kept" ]
