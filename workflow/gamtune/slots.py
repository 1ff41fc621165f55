"""A row of the parameter table, a slot of a stage, and the result of a row."""

from dataclasses import dataclass

from gamtune.spec import Spec, digest


@dataclass(frozen=True)
class Row:
    """One line of the table: a name, a weight seed's number and the training they stand for."""

    name: str
    replicate: int
    spec: Spec

    @property
    def configuration(self) -> str:
        """Identifier of the settings: equal for the replicates and folds of a configuration, whatever their names."""
        return "c" + digest(self.spec.without_seed())[:11]  # with a letter first, no reader takes it for a number


@dataclass(frozen=True)
class Outcome:
    """A trained row and its result; ``error`` is the validation MSE, None if the training failed."""

    row: Row
    error: float | None


@dataclass(frozen=True)
class Slot:
    """A slot of a stage: its row, or the reason why it is empty."""

    row: Row | None
    reason: str = ""
