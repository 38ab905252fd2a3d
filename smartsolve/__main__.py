"""``python -m smartsolve``: run and profile scripts, solve and explain files, bench."""

import sys

from smartsolve._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
