"""From raw columns to the network's inputs, with the training rows' statistics alone; goes with the exported model.

It is no scikit-learn pipeline, because it is stored as JSON, which stays readable in other versions, and reports cells
by their row.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import TypeAdapter, ValidationError
from threadpoolctl import threadpool_limits

from gamtune.data.arrays import FloatArray
from gamtune.data.rows import Rows, row_number
from gamtune.errors import DamagedError, InputError
from gamtune.files import read_json, write_text
from gamtune.numbers import compact
from gamtune.tables.dialect import Dialect

MISSING_LEVEL = "(missing)"
# Standard deviations from the mean: float64 cannot tell the training values apart beside a cell that is farther away,
# and the squared error of what a network makes of it overflows float32
FARTHEST = 1e15
VERSION = 1  # of the format of the file; increased when the meaning of an attribute changes
SMALLEST_SD = 1e-150  # the squares of smaller deviations are no normal float64 numbers


@dataclass(frozen=True)
class Preprocessing:
    """How a raw row becomes the network's inputs.

    1. A column of ``levels`` becomes one input a level, 0 or 1, named ``column=level``. Where training had missing
       cells they are a level of their own, which an unseen level counts as too (as in H2O); elsewhere all are 0.
    2. A missing number becomes the training mean, and ``column is missing`` is 1 where training had missing cells.
    3. ``features`` are those of the inputs that vary in training, the others are ``constant``; each has its ``mean``
       subtracted and is divided by its ``sd``, the sample standard deviation (n - 1) as in R and H2O; 0 and 1 for the
       inputs that are 0 or 1.
    4. Where they are whitened, ``centre`` is subtracted from these, and each row of ``components`` makes an input of
       them: a principal component of variance 1 in training (sklearn.decomposition.PCA).

    Attributes
    ----------
    columns : list of str
        Raw columns, in their order.
    levels : mapping
        Of each categorical column.
    fill : mapping
        Training mean of each numeric column that has missing cells in training.
    features, mean, sd : lists of equal length
        The inputs in their order.
    constant : list of str
        Inputs that are left out.
    target : str
        Column that is predicted.
    task : str
        ``classification`` or ``regression``.
    classes : list, optional
        In the order of the network's outputs; None for a regression.
    target_mean, target_sd : float, optional
        A regression's target is trained as (value - mean) / sd; the exported model gives values.
    missing : sequence of str
        Words that stand for a missing value in text.
    csv : mapping of str to str
        How the cells of CSV files are written: separator, decimal and encoding as far as they were declared.
    centre, components : (p,) and (k, p) lists, optional
        Of the k principal components of the p features; None where these are the inputs.
    """

    columns: list[str]
    levels: Mapping[str, list[str]]
    fill: Mapping[str, float]
    features: list[str]
    mean: list[float]
    sd: list[float]
    constant: list[str]
    target: str
    task: str
    classes: list[Any] | None
    target_mean: float | None = None
    target_sd: float | None = None
    missing: Sequence[str] = ()
    centre: list[float] | None = None
    components: list[list[float]] | None = None
    csv: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def fit(cls, rows: Rows, training: Any, whiten: float | None = None) -> "Preprocessing":
        """Take the statistics of the training rows.

        Parameters
        ----------
        rows : Rows
            All rows.
        training : (n,) bool
            Which of them train.
        whiten : float, optional
            Share of the variance that the principal components hold which become the inputs.

        Raises
        ------
        InputError
            If no input varies, two would have one name, or the values of a column differ too little.
        """
        features, target = rows.features.loc[training], rows.target[training]
        texts = features.select_dtypes(exclude="number").columns
        levels = {str(name): _levels(features[name]) for name in texts}
        numeric = features.drop(columns=list(levels))
        means = numeric.mean()
        gaps = numeric.columns[numeric.isna().any() & means.notna()]
        encoded = _encoded(features, levels, {name: float(means[name]) for name in gaps})
        twice = encoded.columns[encoded.columns.duplicated()]
        if len(twice):
            raise InputError([f"data: two inputs would be named {twice[0]!r}; rename the columns they come from"])
        varies = (encoded.max() > encoded.min()).to_numpy()
        kept = encoded.loc[:, varies]
        if kept.shape[1] == 0:
            raise InputError(["data: every feature is constant in the training rows"])
        numbers = kept.columns.isin(numeric.columns)
        regression = rows.classes is None
        sd = kept.std(ddof=1).where(numbers, 1.0)
        for name, spread in sd[numbers].items():
            _check_spread(features[name], float(spread), rows.place)
        target_sd = float(target.std(ddof=1)) if regression else None
        if target_sd is not None:
            _check_spread(pd.Series(target, features.index, name=rows.target_name), target_sd, rows.place)
        plain = cls(
            columns=[str(name) for name in features],
            levels=levels,
            fill={str(name): float(means[name]) for name in gaps},
            features=[str(name) for name in kept],
            mean=np.where(numbers, kept.mean(), 0.0).tolist(),
            sd=sd.tolist(),
            constant=[str(name) for name in encoded.columns[~varies]],
            target=rows.target_name,
            task=rows.task,
            classes=rows.classes,
            target_mean=float(target.mean()) if regression else None,
            target_sd=target_sd,
            missing=rows.missing,
            csv=rows.dialect.settings,
        )
        return plain if whiten is None else plain._whitened(features, whiten)

    @classmethod
    def read(cls, path: Path) -> "Preprocessing":
        """Read ``preprocessing.json``.

        Raises
        ------
        DamagedError
            If it is damaged or is another file.
        FileNotFoundError
            If there is none.
        """
        text = json.dumps(read_json(path, version=VERSION))
        try:
            described = TypeAdapter(cls).validate_json(text, strict=True)
        except ValidationError:
            described = None
        if described is None or not described._is_consistent():
            raise DamagedError(path, "it does not describe a preprocessing")
        return described

    def _is_consistent(self) -> bool:
        """Whether the attributes fit together."""
        names = [name for name in self.columns if name not in self.levels]
        names += [f"{name} is missing" for name in self.fill]
        names += [f"{name}={level}" for name, levels in self.levels.items() for level in levels]
        count, regression = len(self.features), self.task == "regression"
        numbers = [*self.mean, *self.sd, *self.fill.values(), self.target_mean or 0.0, self.target_sd or 1.0]
        whitened = self.centre is None and self.components is None
        if self.centre is not None and self.components:
            numbers += [*self.centre, *chain(*self.components)]
            whitened = {len(self.centre), *map(len, self.components)} == {count}
        return (
            whitened
            and {len(self.mean), len(self.sd)} == {count}
            and bool(np.isfinite(numbers).all())
            and set(self.features) <= set(names)
            and {*self.levels, *self.fill} <= set(self.columns)
            and regression == (self.classes is None) == (self.target_sd is not None)
            and (regression or len(self.classes or []) > 1)
            and self.csv.keys() <= {each.name for each in fields(Dialect)}
        )

    @property
    def dialect(self) -> Dialect:
        """How the cells of CSV files are written."""
        return Dialect(**self.csv)

    @property
    def inputs(self) -> int:
        """How many inputs the network has."""
        return len(self.features if self.components is None else self.components)

    def apply(self, features: pd.DataFrame) -> FloatArray:
        """(n, inputs) float32 inputs of the network."""
        values = self._standardised(features)
        if self.components is not None:
            with threadpool_limits(limits=1, user_api="blas"):
                values = (values - np.array(self.centre)) @ np.array(self.components).T
        inputs: FloatArray = values.astype(np.float32, order="C")  # rows in one piece, to be shared unchanged
        return inputs

    def check(self, features: pd.DataFrame, place: Callable[[int], str] = row_number) -> None:
        """Check that all raw numbers can be standardised in single precision.

        Parameters
        ----------
        features : (n, p) data frame
            Raw samples of any part, numeric columns as float64.
        place : callable
            Returns the file and the row number of a sample by its position.

        Raises
        ------
        InputError
            With the place and the column of the first cell that is too far from the training mean.
        """
        for name, mean, sd in zip(self.features, self.mean, self.sd, strict=True):
            if name in features and name not in self.levels:
                _check_distance(features[name].to_numpy(float), name, mean, sd, place)

    def check_target(self, rows: Rows) -> None:
        """Check in the same way that the targets of a regression can be standardised."""
        if self.target_mean is not None and self.target_sd is not None:
            _check_distance(rows.target, rows.target_name, self.target_mean, self.target_sd, rows.place)

    def _standardised(self, features: pd.DataFrame) -> npt.NDArray[np.float64]:
        """(n, features), before any whitening."""
        raw = _encoded(features[self.columns], self.levels, self.fill)[self.features].to_numpy(dtype=float)
        values: npt.NDArray[np.float64] = (raw - np.array(self.mean)) / np.array(self.sd)
        values[np.isnan(values)] = 0.0  # a missing number where training had none: its mean
        return values

    def _whitened(self, training: pd.DataFrame, share: float) -> "Preprocessing":
        """The same followed by the training rows' principal components that hold this share of their variance."""
        from sklearn.decomposition import PCA  # a second to import, which jobs that only read do not pay

        with threadpool_limits(limits=1, user_api="blas"):  # the same sums, hence the same data, on any number of cores
            fitted = PCA(share).fit(self._standardised(training))
        scaled = fitted.components_ / np.sqrt(fitted.explained_variance_)[:, np.newaxis]
        return replace(self, centre=fitted.mean_.tolist(), components=scaled.tolist())

    def write(self, path: Path) -> None:
        """Write ``preprocessing.json``, with its checksum."""
        write_text(path, json.dumps({"version": VERSION} | asdict(self), indent=1) + "\n")


def _check_spread(training: "pd.Series[Any]", sd: float, place: Callable[[int], str]) -> None:
    """Refuse a column of the training rows, indexed by row, whose standard deviation underflows."""
    if sd >= SMALLEST_SD:
        return
    largest = int(training.abs().argmax())
    where = f"{place(training.index[largest])}, column {training.name!r}: {compact(float(training.iloc[largest]), 6)}"
    fault = f"a standard deviation of {compact(sd)} in the training rows is too small to standardise the column with"
    raise InputError([f"{where}: {fault}; use a larger unit"])


def _check_distance(values: npt.NDArray[Any], column: str, mean: float, sd: float, place: Callable[[int], str]) -> None:
    """Refuse a cell that is too many standard deviations away from the mean."""
    with np.errstate(over="ignore"):
        distances = np.abs(values - mean) / sd
    far = np.flatnonzero(distances > FARTHEST)
    if len(far):
        cell, distance = float(values[far[0]]), compact(float(distances[far[0]]))
        fault = f"{distance} standard deviations from the mean of the training rows, expected at most {FARTHEST:g}"
        raise InputError([f"{place(int(far[0]))}, column {column!r}: {compact(cell, 6)} is {fault}; correct the cell"])


def _levels(column: "pd.Series[Any]") -> list[str]:
    """Levels that occur in training, sorted, the missing one last."""
    if (column == MISSING_LEVEL).any():
        raise InputError(
            [f"data: column {column.name!r} holds {MISSING_LEVEL!r}, which stands for cells without a value"]
        )
    return sorted(column.dropna().unique()) + ([MISSING_LEVEL] if column.isna().any() else [])


def _encoded(features: pd.DataFrame, levels: Mapping[str, list[str]], fill: Mapping[str, float]) -> pd.DataFrame:
    """All inputs that stand for the raw columns: numbers, which of them are missing, and each level."""
    numbers = features.drop(columns=list(levels)).fillna(dict(fill))
    gaps = features[list(fill)].isna().astype(float).add_suffix(" is missing")
    if not levels:
        return pd.concat([numbers, gaps], axis=1)
    from sklearn.preprocessing import OneHotEncoder  # see `Preprocessing._whitened`

    known = {name: features[name].where(features[name].isin(levels[name]), MISSING_LEVEL) for name in levels}
    encoder = OneHotEncoder(categories=list(levels.values()), handle_unknown="ignore", sparse_output=False)
    names = [f"{name}={level}" for name in levels for level in levels[name]]
    one_hot = pd.DataFrame(encoder.fit_transform(pd.DataFrame(known)), columns=names, index=features.index)
    return pd.concat([numbers, gaps, one_hot], axis=1)
