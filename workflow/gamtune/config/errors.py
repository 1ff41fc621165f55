"""What a person reads when a config is wrong: one line a fault, naming the key, the value and what was expected."""

import difflib
from collections.abc import Iterable


class ConfigError(ValueError):
    """A config that cannot be used. ``lines`` holds one message a fault, each beginning with its key."""

    def __init__(self, lines: Iterable[str], source: str = "") -> None:
        self.lines = list(lines)
        self.source = source
        super().__init__("\n".join(f"{source}: {line}" if source else line for line in self.lines))

    def within(self, source: str) -> "ConfigError":
        """The same faults, said of the file they were found in."""
        return ConfigError(self.lines, source)


def unknown(name: str, known: Iterable[str], noun: str = "key") -> str:
    """Say that a name is unknown and which known one it resembles, if any.

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
