"""Errors in configs, data files and arguments: one line per problem with the key, the value and what was expected."""

import difflib
import re
from collections.abc import Iterable, Sequence

LISTED = 10  # problems of one kind that are listed; the others are counted
MOST_LINES = 60  # lines of one error
HEAD, TAIL = 400, 80  # characters of a long line that are shown


class InputError(ValueError):
    """An invalid config, data file or argument; the command line prints it and exits with code 2.

    Attributes
    ----------
    lines : list of str
        One message per problem, which begins with the invalid key, row or column.
    source : str
        File that the messages refer to; empty if the lines contain it already.
    """

    def __init__(self, lines: Iterable[str], source: str = "") -> None:
        self.lines = list(lines)
        self.source = source
        shown = self.lines[:MOST_LINES]
        if len(self.lines) > len(shown):
            shown.append(f"{len(self.lines) - len(shown)} more lines, not shown")
        super().__init__("\n".join(_one_line(f"{source}: {line}" if source else line) for line in shown))

    def within(self, source: str) -> "InputError":
        """Return the same error with the name of the file that contains the problems."""
        return InputError(self.lines, source)


class InvalidValue(ValueError):
    """An invalid value in a section of the config, raised by its validators; a bug in them keeps its traceback.

    The message lacks the key, which `gamtune.config.messages.lines_of` adds.
    """


class StepError(Exception):
    """A command failed for a reason other than invalid input. The message has one line; the exit code is 1."""


class DamagedError(InputError):
    """A file written by gamtune is truncated, has been changed or has other content than expected.

    Parameters
    ----------
    path : str or path
        The file.
    problem : str
        What is wrong with it.
    remedy : str
        What to do.
    """

    def __init__(self, path: object, problem: str, remedy: str = "delete it and run again") -> None:
        super().__init__([f"damaged: {problem}; {remedy}"], str(path))
        self.problem = problem


def _one_line(text: str) -> str:
    """Return the text without line breaks and control characters; the middle of a long text is omitted."""
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]} ... {text[-TAIL:]}"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def unknown(name: str, known: Iterable[str], noun: str = "key") -> str:
    """Return a message that a name is unknown, with a similar valid name or the list of valid names.

    Parameters
    ----------
    name : str
        The unknown name.
    known : iterable of str
        The valid names.
    noun : str
        What the name denotes.

    Examples
    --------
    >>> unknown("trainig", ["training", "space"])
    "unknown key, did you mean 'training'?"
    """
    known = list(known)
    near = difflib.get_close_matches(str(name)[:100], known, n=1, cutoff=0.6)
    return (
        f"unknown {noun}, did you mean {near[0]!r}?" if near else f"unknown {noun}, expected one of {', '.join(known)}"
    )


def unknown_names(names: Sequence[str], known: Iterable[str], noun: str = "key") -> dict[str, str]:
    """Return the message about each unknown name; for many names a single message with an empty name as its key.

    Examples
    --------
    >>> unknown_names(["a", "spac"], ["space"])
    {'a': 'unknown key, expected one of space', 'spac': "unknown key, did you mean 'space'?"}
    >>> unknown_names([f"key{n}" for n in range(100_000)], ["space"])
    {'': '100000 unknown keys: key0, key1, key2 and 99997 more; expected one of space'}
    """
    if len(names) <= LISTED:
        return {name: unknown(name, known, noun) for name in names}
    some, nouns = ", ".join(map(str, names[:3])), re.sub(r"^\w+", r"\g<0>s", noun)
    return {"": f"{len(names)} unknown {nouns}: {some} and {len(names) - 3} more; expected one of {', '.join(known)}"}
