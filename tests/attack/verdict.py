"""The result of one case of an attack."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FAULTS = (
    "wrong result",  # differs from the undisturbed reference, or from an independent computation
    "lost",  # a trial, a run or a file of the reference is missing
    "duplicated",
    "incomplete file",
    "traceback",
    "unclear message",  # too long, the wrong exit code, or the fault is not named
    "process left",
    "slow",  # too much time or memory
    "not refused",  # an invalid input was accepted
    "not accepted",  # a valid input was refused
)


@dataclass(frozen=True)
class Verdict:
    """Result of one case.

    Parameters
    ----------
    case : str
        Name of the case; with the seed, it determines the case.
    fault : str
        One of `FAULTS`, or empty if the case passed.
    detail : str
        What was expected and what was found.
    tries : int
        Number of attacks within the case: kills, damaged files, mutations.
    """

    case: str
    fault: str = ""
    detail: str = ""
    tries: int = 1

    def __post_init__(self) -> None:
        if self.fault and self.fault not in FAULTS:
            raise ValueError(f"{self.fault!r} is not one of {FAULTS}")


class Failure(Exception):
    """A fault was found, so that the case does not pass.

    Parameters
    ----------
    fault : str
        One of `FAULTS`.
    detail : str
        What was expected and what was found.
    """

    def __init__(self, fault: str, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault, self.detail = fault, detail


def summary(attack: str, verdicts: Sequence[Verdict], seconds: float) -> str:
    """Return one line with the number of cases, of those that passed, and of each kind of fault."""
    tried = sum(verdict.tries for verdict in verdicts)
    passed = sum(verdict.tries for verdict in verdicts if not verdict.fault)
    kinds = Counter(verdict.fault for verdict in verdicts if verdict.fault)
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in FAULTS)
    return f"{attack}: {tried} tried, {passed} passed ({counted}) in {seconds:.0f} s"
