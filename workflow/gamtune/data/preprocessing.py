"""The preprocessing of raw columns into network inputs, fitted to the training samples only.

It is stored with the exported model. A scikit-learn pipeline is not used, because its pickles depend on the version of
scikit-learn and its errors do not contain the row of a cell.
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
# In standard deviations from the mean. Beyond this distance the training values are not distinguishable in float64, and
# the squared error of a prediction overflows float32.
FARTHEST = 1e15
VERSION = 1  # format of the file; increased when the meaning of an attribute changes
SMALLEST_SD = 1e-150  # the squares of smaller values are subnormal in float64


@dataclass(frozen=True)
class Preprocessing:
    """The transformation of raw columns into network inputs.

    1. A categorical column becomes one 0/1 input per level, named ``column=level``. If the training samples have
       missing cells, these are an additional level, which also represents unseen levels (as in H2O); otherwise all
       inputs of the column are 0 for them.
    2. A missing number is replaced by the training mean. If the training samples have missing cells, the input
       ``column is missing`` is 1 for missing cells and 0 otherwise.
    3. Inputs that are constant in training are removed. The others, ``features``, are standardised with ``mean`` and
       ``sd``, the sample standard deviation (n - 1) as in R and H2O. For 0/1 inputs these are 0 and 1.
    4. With whitening, ``centre`` is subtracted, and each row of ``components`` defines an input: a principal component
       with variance 1 in training (sklearn.decomposition.PCA).

    Attributes
    ----------
    columns : list of str
        Names of the raw columns in order.
    levels : mapping of str to list of str
        Levels of each categorical column.
    fill : mapping
        Training mean of each numeric column that has missing cells in training.
    features, mean, sd : lists of equal length
        Names of the inputs in order, with the means and standard deviations used to standardise them.
    constant : list of str
        Names of the inputs that are constant in training and therefore removed.
    target : str
        Name of the target column.
    task : str
        ``classification`` or ``regression``.
    classes : list, optional
        The classes in the order of the network outputs; None for a regression.
    target_mean, target_sd : float, optional
        Mean and standard deviation with which the target of a regression is standardised for training. The exported
        model returns values in the units of the target.
    missing : sequence of str
        Words in text columns that stand for a missing value.
    csv : mapping of str to str
        Format of CSV files: the declared values of separator, decimal and encoding.
    centre, components : (p,) and (k, p) lists, optional
        Centre and components of the k principal components of the p features; None without whitening.
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
        """Fit the preprocessing to the training samples.

        Parameters
        ----------
        rows : Rows
            All samples.
        training : (n,) bool
            Mask of the training samples.
        whiten : float, optional
            Fraction of the variance that the principal components must explain; None for no whitening.

        Raises
        ------
        InputError
            If no input varies, two inputs have the same name, or the standard deviation of a column is too small.
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
            raise InputError([f"data: two inputs have the name {twice[0]!r}; rename one of their columns"])
        varies = (encoded.max() > encoded.min()).to_numpy()
        kept = encoded.loc[:, varies]
        if kept.shape[1] == 0:
            raise InputError(["data: all inputs are constant in the training samples; add a column that varies"])
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
            If the file is damaged or does not contain a preprocessing.
        FileNotFoundError
            If the file does not exist.
        """
        text = json.dumps(read_json(path, version=VERSION))
        try:
            preprocessing = TypeAdapter(cls).validate_json(text, strict=True)
        except ValidationError:
            preprocessing = None
        if preprocessing is None or not preprocessing._is_consistent():
            raise DamagedError(path, "it does not contain a preprocessing")
        return preprocessing

    def _is_consistent(self) -> bool:
        """Return whether the attributes are consistent with each other."""
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
            and self.csv.keys() <= {attribute.name for attribute in fields(Dialect)}
        )

    @property
    def dialect(self) -> Dialect:
        """Format of CSV files."""
        return Dialect(**self.csv)

    @property
    def inputs(self) -> int:
        """Number of inputs of the network."""
        return len(self.features if self.components is None else self.components)

    def apply(self, features: pd.DataFrame) -> FloatArray:
        """Return the (n, inputs) float32 inputs of the network for n raw samples."""
        values = self._standardised(features)
        if self.components is not None:
            with threadpool_limits(limits=1, user_api="blas"):
                values = (values - np.array(self.centre)) @ np.array(self.components).T
        inputs: FloatArray = values.astype(np.float32, order="C")  # contiguous rows, which are shared without a copy
        return inputs

    def check(self, features: pd.DataFrame, place: Callable[[int], str] = row_number) -> None:
        """Check that all raw numbers can be standardised in single precision.

        Parameters
        ----------
        features : (n, p) data frame
            Raw samples, with numeric columns as float64.
        place : callable
            Return file and row number of a sample by its position, for messages.

        Raises
        ------
        InputError
            If a cell is too far from the training mean; the message contains its row and column.
        """
        for name, mean, sd in zip(self.features, self.mean, self.sd, strict=True):
            if name in features and name not in self.levels:
                _check_distance(features[name].to_numpy(float), name, mean, sd, place)

    def check_target(self, rows: Rows) -> None:
        """Check that the targets of a regression can be standardised in single precision; see `check`."""
        if self.target_mean is not None and self.target_sd is not None:
            _check_distance(rows.target, rows.target_name, self.target_mean, self.target_sd, rows.place)

    def _standardised(self, features: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the (n, features) standardised inputs before whitening."""
        raw = _encoded(features[self.columns], self.levels, self.fill)[self.features].to_numpy(dtype=float)
        values: npt.NDArray[np.float64] = (raw - np.array(self.mean)) / np.array(self.sd)
        values[np.isnan(values)] = 0.0  # a missing number in a column without missing cells in training
        return values

    def _whitened(self, training: pd.DataFrame, share: float) -> "Preprocessing":
        """Return this preprocessing with whitening by the principal components that explain this share of variance."""
        from sklearn.decomposition import PCA  # imported here because it takes 1 s and most jobs do not need it

        with threadpool_limits(limits=1, user_api="blas"):  # makes the result independent of the number of cores
            fitted = PCA(share).fit(self._standardised(training))
        scaled = fitted.components_ / np.sqrt(fitted.explained_variance_)[:, np.newaxis]
        return replace(self, centre=fitted.mean_.tolist(), components=scaled.tolist())

    def write(self, path: Path) -> None:
        """Write ``preprocessing.json`` with a checksum."""
        write_text(path, json.dumps({"version": VERSION} | asdict(self), indent=1) + "\n")


def _check_spread(training: "pd.Series[Any]", sd: float, place: Callable[[int], str]) -> None:
    """Refuse a column of the training samples whose standard deviation underflows."""
    if sd >= SMALLEST_SD:
        return
    largest = int(training.abs().argmax())
    where = f"{place(training.index[largest])}, column {training.name!r}: {compact(float(training.iloc[largest]), 6)}"
    problem = f"the standard deviation of the training samples, {compact(sd)}, is too small to standardise the column"
    raise InputError([f"{where}: {problem}; use a larger unit"])


def _check_distance(values: npt.NDArray[Any], column: str, mean: float, sd: float, place: Callable[[int], str]) -> None:
    """Refuse a cell that is more than `FARTHEST` standard deviations away from the mean."""
    with np.errstate(over="ignore"):
        distances = np.abs(values - mean) / sd
    far = np.flatnonzero(distances > FARTHEST)
    if len(far):
        cell, distance = float(values[far[0]]), compact(float(distances[far[0]]))
        problem = f"{distance} standard deviations from the mean of the training samples, expected at most {FARTHEST:g}"
        raise InputError(
            [f"{place(int(far[0]))}, column {column!r}: {compact(cell, 6)} is {problem}; correct the cell"]
        )


def _levels(column: "pd.Series[Any]") -> list[str]:
    """Return the sorted levels of the training samples, with the level of missing cells last."""
    if (column == MISSING_LEVEL).any():
        raise InputError(
            [f"data: column {column.name!r} contains {MISSING_LEVEL!r}, which is reserved for missing cells; rename it"]
        )
    return sorted(column.dropna().unique()) + ([MISSING_LEVEL] if column.isna().any() else [])


def _encoded(features: pd.DataFrame, levels: Mapping[str, list[str]], fill: Mapping[str, float]) -> pd.DataFrame:
    """Return all inputs of the raw columns: numbers, indicators of missing numbers, and indicators of levels."""
    numbers = features.drop(columns=list(levels)).fillna(dict(fill))
    gaps = features[list(fill)].isna().astype(float).add_suffix(" is missing")
    if not levels:
        return pd.concat([numbers, gaps], axis=1)
    from sklearn.preprocessing import OneHotEncoder  # see `Preprocessing._whitened`

    encodable = {name: features[name].where(features[name].isin(levels[name]), MISSING_LEVEL) for name in levels}
    encoder = OneHotEncoder(categories=list(levels.values()), handle_unknown="ignore", sparse_output=False)
    names = [f"{name}={level}" for name in levels for level in levels[name]]
    one_hot = pd.DataFrame(encoder.fit_transform(pd.DataFrame(encodable)), columns=names, index=features.index)
    return pd.concat([numbers, gaps, one_hot], axis=1)
