#!/usr/bin/env bash
# R's Matrix divides by the wrong element where a sparse triangle has no diagonal element.
#
# For a singular sparse matrix solve says "cs_lu(A) failed: near-singular A". If the same matrix is
# declared triangular, Matrix 1.5-3 (R 4.2.2, Debian 12) takes the last element of a column for the
# one on the diagonal, and answers without a word:
#
#   U = [1 2 0; 0 0 5; 0 0 7], U x = (1, 1, 1): x = (1, 1/7, 1/7), but U x = (9/7, 5/7, 1)
#
# Needs Rscript and Matrix 1.5-3 (Debian 12: apt-get install r-base-core r-cran-matrix).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/solve.R" <<'R'
suppressMessages(library(Matrix))
cat(R.version.string, "Matrix", as.character(packageVersion("Matrix")), "\n")
stopifnot(packageVersion("Matrix") == "1.5.3")
options(warn = 2)
U <- sparseMatrix(i = c(1, 1, 2, 3), j = c(1, 2, 3, 3), x = c(1, 2, 5, 7), dims = c(3, 3), triangular = TRUE)
x <- as.vector(solve(U, c(1, 1, 1)))
print(x)
stopifnot(all.equal(x, c(1, 1/7, 1/7)), all.equal(as.vector(U %*% x), c(9/7, 5/7, 1)))
general <- tryCatch(solve(as(U, "generalMatrix"), c(1, 1, 1)), error = conditionMessage)
print(general)
stopifnot(grepl("near-singular", general))
R
Rscript "$folder/solve.R"
