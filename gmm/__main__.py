"""``python -m gmm``: the 2010 experiment."""

import sys

from gmm.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
