"""What a program solves, where, and what it would cost otherwise.

recorder  counts, looks at and times the calls while the program runs
sparse    the same for sparse matrices
of_jax, of_torch  for their arrays
imports   tells when the program has imported a library
recording leads the names there, and back
source    finds a call in the program's text
findings  what was found, as plain data
advice    one line for each call site
text, html  what people read
report    the findings with their words
"""
