"""The scores of the optimum and of the models that it is compared with.

The columns of the file are its format: a file without one of the required columns is reported as damaged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gamtune.errors import DamagedError
from gamtune.files import write_text
from gamtune.results.artefacts import artefact_text, read_rows
from gamtune.results.layout import OPTIMUM

TEST = "test"


def final_seeds(name: str) -> str:
    """Return the name of the line with the mean scores of the final trials of a model."""
    return f"{name} (final seeds)"


@dataclass(frozen=True)
class Score:
    """The mean scores of some trials on a part of the samples.

    Attributes
    ----------
    what : str
        What is scored.
    part : str
        The samples that it is scored on.
    n : int
        Number of trials.
    metrics : mapping of str to float
        Mean of each metric, and ``mse_sd``, the standard deviation of the mean squared error; None if there is none.
    """

    what: str
    part: str
    n: int
    metrics: Mapping[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """The lines of ``comparison.csv``.

    Attributes
    ----------
    scores : sequence of Score
        The lines.
    path : Path
        The file.
    """

    scores: Sequence[Score]
    path: Path

    @classmethod
    def read(cls, path: Path) -> "Comparison":
        """Read the file and compare it with its checksum.

        Raises
        ------
        DamagedError
            If the file is damaged, lacks a column or has no scores of the optimum on the test samples.
        FileNotFoundError
            If there is no such file.
        """
        rows = read_rows(path, "what", "part", "n", "mse")
        try:
            comparison = cls([_score(row) for row in rows], path)
        except ValueError as error:
            raise DamagedError(path, str(error)) from None
        if not any(comparison._of_optimum()):
            raise DamagedError(path, "it has no scores of the optimum")
        return comparison

    def write(self, metrics: Sequence[str]) -> None:
        """Write the file, with its checksum.

        Parameters
        ----------
        metrics : sequence of str
            Names of the metrics in the order of the columns, ``mse`` first.
        """
        columns = ("mse", "mse_sd", *metrics[1:])
        lines = ([row.what, row.part, row.n, *map(row.metrics.get, columns)] for row in self.scores)
        write_text(self.path, artefact_text(("what", "part", "n", *columns), lines))

    @property
    def test(self) -> Mapping[str, float | None]:
        """The metrics of the exported model on the test samples."""
        return self._of_optimum()[0].metrics

    @property
    def over_seeds(self) -> Score | None:
        """The mean scores of the final trials of the optimum on the test samples; None if there is only one trial."""
        return next((row for row in self.scores if row.what == final_seeds(OPTIMUM) and row.n > 1), None)

    def _of_optimum(self) -> list[Score]:
        return [row for row in self.scores if (row.what, row.part) == (OPTIMUM, TEST)]


def _score(cells: Mapping[str, str]) -> Score:
    metrics = {name: float(cell) if cell else None for name, cell in cells.items() if name not in ("what", "part", "n")}
    return Score(cells["what"], cells["part"], int(cells["n"]), metrics)
