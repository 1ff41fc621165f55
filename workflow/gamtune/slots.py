"""A row of the parameter table, the result of its trial, and a slot of a stage."""

from dataclasses import dataclass

from gamtune.spec import Spec, fingerprint


@dataclass(frozen=True)
class Row:
    """A row of the parameter table.

    Attributes
    ----------
    name : str
        Name of the configuration.
    replicate : int
        Number of the replicate.
    spec : Spec
        Specification of the trial.
    """

    name: str
    replicate: int
    spec: Spec

    @property
    def configuration(self) -> str:
        """Id of the configuration, which is equal for its replicates and folds and does not depend on the name."""
        return (
            "c" + fingerprint(self.spec.without_seed())[:11]
        )  # begins with a letter, so that CSV readers do not parse it as a number


@dataclass(frozen=True)
class Outcome:
    """A row and the validation MSE of its trial; ``error`` is None if the trial failed."""

    row: Row
    error: float | None


@dataclass(frozen=True)
class Slot:
    """A slot of a stage, with its row or the reason why it is empty."""

    row: Row | None
    reason: str = ""
