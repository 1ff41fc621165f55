"""Errors in what a user wrote or supplied: one line per problem, naming the key, the value and what was expected."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """An invalid config, data file or argument; the command line prints it and exits with code 2.

    Attributes
    ----------
    lines : list of str
        One message per problem, each beginning with the key, row or column at fault.
    source : str
        File that the messages refer to; empty if the lines name it themselves.
    """

    def __init__(self, lines: Iterable[str], source: str = "") -> None:
        self.lines = list(lines)
        self.source = source
        super().__init__("\n".join(f"{source}: {line}" if source else line for line in self.lines))

    def within(self, source: str) -> "InputError":
        """Return the same error with the name of the file in which the problems were found."""
        return InputError(self.lines, source)


class DamagedError(InputError):
    """A file of gamtune's own that is truncated, has changed bytes or belongs to something else.

    Parameters
    ----------
    path : str or path
        The file.
    problem : str
        What is wrong with it.
    """

    def __init__(self, path: object, problem: str) -> None:
        super().__init__([f"damaged: {problem}; delete it and run again"], str(path))


def unknown(name: str, known: Iterable[str], noun: str = "key") -> str:
    """Return a message that a name is unknown, with the known name that it resembles, if any.

    Examples
    --------
    >>> unknown("trainig", ["training", "space"])
    "unknown key, did you mean 'training'?"
    """
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    return (
        f"unknown {noun}, did you mean {near[0]!r}?" if near else f"unknown {noun}, expected one of {', '.join(known)}"
    )
