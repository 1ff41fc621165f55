"""PED-ANOVA: importance of hyperparameters for being among the best tenth of the configurations, through Optuna.

Source: Watanabe, Bansal and Hutter (2023), PED-ANOVA, IJCAI; for hyperparameters that only some configurations have:
conditional PED-ANOVA (KDD 2026), as implemented in Optuna 5.
"""

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, create_trial


class PedAnova:
    """Importance of each column for being among the best configurations.

    Parameters
    ----------
    rows : data frame
        Finished configurations, one per row. A missing value means that the configuration does not have the
        hyperparameter.
    columns : sequence of str
        Columns with numbers or text; constant columns are left out.
    log_columns : collection of str
        Columns that span orders of magnitude, which are modelled on a logarithmic scale.
    """

    def __init__(self, rows: pd.DataFrame, columns: Sequence[str], log_columns: Collection[str]) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._distributions = {
            name: _distribution(rows[name].dropna(), name in log_columns)
            for name in columns
            if len(rows[name].dropna().unique()) > 1
        }
        self._settings = [
            {name: _builtin(row[name]) for name in self._distributions if pd.notna(row[name])}
            for row in rows[list(self._distributions)].to_dict(orient="records")
        ]

    def __call__(self, places: Sequence[int], errors: Sequence[float]) -> Mapping[str, float]:
        """Return the importance of each column, as shares that sum to 1; all are 0 if no column has any importance.

        Parameters
        ----------
        places : sequence of int
            Positions of the configurations in the table; they may repeat.
        errors : sequence of float
            Errors of these configurations.
        """
        study = optuna.create_study()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna marks this evaluator as experimental
            study.add_trials([self._trial(place, error) for place, error in zip(places, errors, strict=True)])
            found = PedAnovaImportanceEvaluator().evaluate(study)
        total = sum(found.values())
        return {name: found.get(name, 0.0) / total if total else 0.0 for name in self._distributions}

    def _trial(self, place: int, error: float) -> FrozenTrial:
        settings = self._settings[place]
        return create_trial(
            params=settings, distributions={name: self._distributions[name] for name in settings}, value=error
        )


def _distribution(values: "pd.Series[Any]", logarithmic: bool) -> BaseDistribution:
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return CategoricalDistribution(sorted({str(value) for value in values}))
    low, high = float(values.min()), float(values.max())
    return FloatDistribution(low, high, log=logarithmic and low > 0)


def _builtin(value: Any) -> float | str:
    return value if isinstance(value, str) else str(value) if isinstance(value, bool) else float(value)
