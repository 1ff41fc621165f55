"""``python -m gamtune``: how the rules call the library, installed or not."""

import sys

from gamtune.cli import main

if __name__ == "__main__":
    sys.exit(main())
