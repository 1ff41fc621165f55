"""``python -m gamtune`` is the command line."""

import sys

if __name__ == "__main__":
    try:
        from gamtune.runtime.interrupt import interrupt_quietly

        interrupt_quietly()  # before anything else is imported
    except KeyboardInterrupt:
        sys.exit(130)  # as after this signal, whose module may not have been imported

    from gamtune.cli.main import main

    sys.exit(main())
