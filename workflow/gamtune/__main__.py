"""``python -m gamtune`` is the command line."""

import signal
import sys

if __name__ == "__main__":
    try:
        from gamtune.cli.main import main

        code = main()
    except KeyboardInterrupt:  # while the program starts
        code = 128 + signal.SIGINT
    sys.exit(code)
