"""Typed rows of CSV files: the columns of a file are the fields of a dataclass, in their order.

The files whose columns depend on the study are described in `gamtune.results.trial_table` and
`gamtune.results.comparison`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any, Self, get_args, get_type_hints

from gamtune.errors import DamagedError
from gamtune.files import write_text
from gamtune.gam.rows import ModelRow, TermRow
from gamtune.results.artefacts import artefact_text, read_rows
from gamtune.spec import Spec

PARSERS: dict[type, Callable[[str], Any]] = {int: int, float: float, str: str, Spec: Spec.from_json}
WORDS = {int: "a whole number", float: "a number", str: "text", Spec: "the specification of a trial"}


@dataclass(frozen=True)
class CsvRow:
    """A row of a CSV file.

    A subclass is a dataclass. The type of a field is one of `PARSERS` or a union of them, which are tried in their
    order. An empty cell is None if the field is optional.
    """

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the columns of the file."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def read(cls, path: Path) -> list[Self]:
        """Read the rows of a file and compare it with its checksum.

        Raises
        ------
        DamagedError
            If the file is damaged, lacks a column, or has a cell of another type.
        FileNotFoundError
            If there is no such file.
        """
        hints = get_type_hints(cls)
        types = {name: get_args(hints[name]) or (hints[name],) for name in cls.columns()}
        rows = []
        for number, cells in enumerate(read_rows(path, *types), start=1):
            try:
                rows.append(cls(**{name: _parsed(name, cells[name], allowed) for name, allowed in types.items()}))
            except ValueError as error:
                raise DamagedError(path, f"row {number}: {error}") from None
        return rows

    @classmethod
    def write(cls, rows: Iterable[Self], path: Path) -> None:
        """Write a file with one line per row, and its checksum."""
        names = cls.columns()
        lines = ([_cell(getattr(row, name)) for name in names] for row in rows)
        write_text(path, artefact_text(names, lines))


def _parsed(column: str, cell: str, types: tuple[type, ...]) -> Any:
    """Return the value of a cell.

    Raises
    ------
    ValueError
        If the cell has none of the types.
    """
    if not cell and NoneType in types:
        return None
    for parse in (PARSERS[one] for one in types if one is not NoneType):
        try:
            return parse(cell)
        except (ValueError, TypeError, AttributeError):  # JSON may be of another type than an object
            continue
    expected = " or ".join(WORDS[one] for one in types if one is not NoneType)
    raise ValueError(f"column {column!r} is {cell[:40]!r}, expected {expected}")


def _cell(value: Any) -> Any:
    return value.to_json() if isinstance(value, Spec) else value


@dataclass(frozen=True)
class Candidate(CsvRow):
    """A row of ``candidates.csv``: a candidate, or the reason why its slot is empty.

    Attributes
    ----------
    candidate : str
        Name of the candidate.
    rule : str
        Selection rule that proposes it.
    source : str
        Where the configuration comes from, in words.
    observed, predicted : float, optional
        Validation MSE in the search, and the response that the GAM predicts.
    nearest, usual : float, optional
        Distance to the nearest configuration tried, and the median distance between neighbours in the search (see
        `gamtune.selection.support.distances`).
    reason : str, optional
        Why the slot is empty.
    spec : Spec, optional
        The configuration; None if the slot is empty.
    """

    candidate: str
    rule: str
    source: str
    observed: float | None
    predicted: float | None
    nearest: float | None
    usual: float | None
    reason: str | None
    spec: Spec | None

    @classmethod
    def by_name(cls, path: Path) -> dict[str, Self]:
        """Read the candidates by their names, in the order of the file; it raises the errors of `read`."""
        return {row.candidate: row for row in cls.read(path)}


@dataclass(frozen=True)
class Support(CsvRow):
    """A row of ``support.csv``: a hyperparameter of a candidate, compared with the configurations tried.

    Attributes
    ----------
    candidate : str
        Name of the candidate.
    parameter : str
        Name of the hyperparameter or derived column.
    value : float or str
        Value of the candidate.
    low, high : float, optional
        Lowest and highest value tried; None for text.
    quantile : float, optional
        Share of the configurations tried with at most this value, 0 to 1; None for text.
    warning : str
        Why the value is outside the range; empty otherwise.
    """

    candidate: str
    parameter: str
    value: float | str
    low: float | None
    high: float | None
    quantile: float | None
    warning: str


@dataclass(frozen=True)
class FinalistTest(CsvRow):
    """A row of ``tests.csv``: the optimum compared with another finalist on the test set.

    Attributes
    ----------
    against : str
        Name of the other finalist.
    n : int
        Number of final trials of each.
    difference : float
        Mean test MSE of the other finalist minus that of the optimum.
    low, high, p : float, optional
        95 % interval of the paired difference and two-sided p-value; None for a single trial.
    only_optimum_right, only_other_right : int, optional
        Number of test samples that only one of the two classifies correctly; None for a regression.
    mcnemar_p : float, optional
        p-value of McNemar's test; None for a regression.
    """

    against: str
    n: int
    difference: float
    low: float | None
    high: float | None
    p: float | None
    only_optimum_right: int | None
    only_other_right: int | None
    mcnemar_p: float | None


@dataclass(frozen=True)
class ColumnUse(CsvRow):
    """A row of ``columns.csv``: the interpretation of a column of the user's files.

    Attributes
    ----------
    name : str
        Name of the column.
    kind : str
        ``number``, ``boolean`` or ``category``.
    use : str
        ``input``, ``target (classes)``, ``target (values)``, ``group``, ``split`` or ``left out (data.drop)``.
    missing : int
        Number of missing cells.
    distinct : int
        Number of distinct values.
    example : str
        The first value that is not missing.
    """

    name: str
    kind: str
    use: str
    missing: int
    distinct: int
    example: str


@dataclass(frozen=True)
class GamTerm(CsvRow, TermRow):
    """A row of ``terms.csv``."""


@dataclass(frozen=True)
class GamModel(CsvRow, ModelRow):
    """The row of ``model.csv``."""


@dataclass(frozen=True)
class Importance(CsvRow):
    """A row of ``importance.csv``: the importance of a term or hyperparameter by a measure.

    Attributes
    ----------
    measure : str
        ``deviance_share``, ``permutation`` or ``ped_anova``.
    name : str
        Term or hyperparameter.
    importance : float
        Its importance.
    low, high : float
        95 % bootstrap interval.
    null_high : float
        95 % quantile of the importance for permuted errors.
    rank : int
        Rank, 1 for the most important.
    rank_low, rank_high : int
        95 % bootstrap interval of the rank.
    first : float
        Share of the bootstrap samples in which it ranks first.
    """

    measure: str
    name: str
    importance: float
    low: float
    high: float
    null_high: float
    rank: int
    rank_low: int
    rank_high: int
    first: float
