"""The command line: each command is a separate module, which is imported only when the command is called."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn, Protocol, cast

from gamtune.cli.commands import COMMANDS, HEAVY
from gamtune.errors import InputError, StepError
from gamtune.runtime.environment import describe_disk_error, use_writable_caches
from gamtune.runtime.interrupt import interrupt_quietly
from gamtune.runtime.parent import RUN, die_with_parent


class Command(Protocol):
    """Interface of the module of a command."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command to its parser."""

    def run(self, options: argparse.Namespace) -> None:
        """Run the command with the values of its arguments.

        Raises
        ------
        InputError
            If an input of the user is invalid; the exit code is 2.
        StepError
            If the command fails for another reason; the exit code is 1.
        """


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Name and arguments of the command; by default the arguments of this process.

    Returns
    -------
    int
        Exit code: 0 for success, 2 if an input of the user is invalid or missing, 1 for other failures, and 128 plus
        the number of the signal if the command was interrupted.
    """
    if arguments is None:
        interrupt_quietly()
    if RUN in os.environ:  # a job of the workflow ends with its run
        die_with_parent(signal.SIGTERM)
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser(arguments).parse_args(arguments)
    try:
        if options.command in HEAVY and (code := _run_warm(arguments)) is not None:
            return code
        use_writable_caches()
        options.run(options)
        sys.stdout.flush()
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except StepError as error:
        print(f"gamtune {options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader has closed the pipe, as in `gamtune table CONFIG | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        problem = describe_disk_error(error)
        if problem is None:
            raise
        with suppress(OSError):  # the log may be on the same full disk
            print(f"gamtune {options.command}: {problem}", file=sys.stderr)
        return 2 if isinstance(error, FileNotFoundError) else 1
    return 0


def _run_warm(arguments: Sequence[str]) -> int | None:
    """Run a command in a child of the server of workers; return its exit code, or None if it has to run here."""
    from gamtune.runtime.warm import ONE_THREAD, run_warm

    code = run_warm(f"{__name__}:run_as_child", arguments)
    if code is None:
        os.environ |= ONE_THREAD  # as in the server, because the last digits of a sum depend on the number of threads
    elif code < 0:
        print(f"gamtune {arguments[0]}: killed by signal {-code} ({signal.Signals(-code).name})", file=sys.stderr)
        return 128 - code
    return code


def run_as_child(arguments: Sequence[str], parent: int) -> int:
    """Run a command in a process that was forked for it by the process ``parent``, and return its exit code."""
    from gamtune.runtime.child import become_child
    from gamtune.runtime.warm import VARIABLE

    become_child(parent)
    del os.environ[VARIABLE]  # otherwise `main` would send the command to the server again
    try:
        return main(arguments)
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the called command; without a known command, a parser with the names of all commands."""
    called = list(arguments[:1])
    parser = _Parser(prog="gamtune", description="Tune a deep network, and analyse which hyperparameters matter.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in called if called and called[0] in COMMANDS else COMMANDS:
        module, text = COMMANDS[name]
        one = commands.add_parser(name, help=text, description=text)
        if [name] == called:
            command = cast(Command, import_module(module))
            command.add_arguments(one)
            one.set_defaults(run=command.run)
    return parser
