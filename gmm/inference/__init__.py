"""What follows from estimates: intervals, tests, tables.

`estimates` are the data, `hypotheses` what a test answers with, `specification` the tests of any
model, `instrument_tests` those of linear models with instruments, `summary` the table; `results`
puts them together.
"""
