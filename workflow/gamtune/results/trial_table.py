"""The files with one row per trial, ``table.csv`` and ``summary.csv``: the columns that every study has.

The other columns are the hyperparameters and the columns derived from them, and in ``summary.csv`` the metrics
``<part>_<metric>``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gamtune.config.settings import SETTINGS
from gamtune.errors import DamagedError
from gamtune.results.artefacts import read_artefact, read_lines
from gamtune.results.csv_rows import CsvRow

if TYPE_CHECKING:
    import pandas as pd

TRIAL, NAME, REPLICATE, CONFIGURATION = "trial", "name", "replicate", "configuration"
IDENTITY = (TRIAL, NAME, REPLICATE, CONFIGURATION)
FOLD, RUNG = "fold", "rung"  # only in studies with folds or rungs
STATUS, REASON, SECONDS, EPOCHS_RUN = "status", "reason", "seconds", "epochs_run"
OUTCOME = (STATUS, REASON, SECONDS, EPOCHS_RUN)  # the first columns of ``summary.csv`` after those of ``table.csv``
OK, FAILED = "ok", "failed"  # values of the column `STATUS`
SELECTED_ON = "selected_on"  # only in studies whose validation samples are the test samples


@dataclass(frozen=True)
class TrialTable:
    """The content of ``table.csv``.

    Attributes
    ----------
    columns : list of str
        The columns; without a file there are none.
    rows : list of dict of str to str
        The text of each cell by its column, one row per trial.
    """

    columns: list[str]
    rows: list[dict[str, str]]

    @classmethod
    def read(cls, path: Path) -> "TrialTable":
        """Read the file and compare it with its checksum.

        Raises
        ------
        DamagedError
            If the file is damaged, or lacks the column of the ids or that of the names.
        FileNotFoundError
            If there is no such file.
        """
        columns, *lines = read_lines(path)
        for name in (TRIAL, NAME):
            if name not in columns:
                raise DamagedError(path, f"it has no column {name!r}")
        return cls(columns, [dict(zip(columns, line, strict=True)) for line in lines])

    @property
    def hyperparameters(self) -> list[str]:
        """The columns that are hyperparameters."""
        return [name for name in self.columns if name in SETTINGS]


@dataclass(frozen=True)
class SearchTrial:
    """A trial of the search: a row of ``table.csv``, or a trial of a stage with the same columns.

    Attributes
    ----------
    cells : dict of str to str
        The text of each cell by its column.
    record : Path
        The file of its record.
    """

    cells: dict[str, str]
    record: Path

    @property
    def trial(self) -> str:
        """Id of the trial."""
        return self.cells[TRIAL]

    @property
    def name(self) -> str:
        """Name of its configuration."""
        return self.cells[NAME]


@dataclass(frozen=True)
class TrialScore(CsvRow):
    """The columns of ``summary.csv`` that `gamtune show` needs.

    Attributes
    ----------
    name : str
        Name of the configuration.
    status : str
        `OK` or `FAILED`.
    validation_mse : float, optional
        Mean squared error on the validation samples.
    """

    name: str
    status: str
    validation_mse: float | None


@dataclass(frozen=True)
class TrialId(CsvRow):
    """The column of ``table.csv`` and ``summary.csv`` with the id of each trial."""

    trial: str


def read_summary(path: Path) -> "pd.DataFrame":
    """Read ``summary.csv`` with one row per trial; ids and names are text, even if they look like numbers.

    Raises
    ------
    DamagedError
        If the file is damaged, or lacks the column of the ids or that of the names.
    FileNotFoundError
        If there is no such file.
    """
    return read_artefact(path, text=(TRIAL, NAME))
