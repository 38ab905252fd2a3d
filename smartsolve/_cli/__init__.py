"""The command line of ``python -m smartsolve``: one command a file."""
