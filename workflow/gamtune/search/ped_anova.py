"""PED-ANOVA: which hyper-parameters the best tenth of the rows is picky about, through Optuna.

Source: Watanabe, Bansal and Hutter (2023), PED-ANOVA, IJCAI; parameters that only some rows have: conditional PED-ANOVA
(KDD 2026), as Optuna 5 does it.
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
    """Importance of each column for being among the best rows.

    Parameters
    ----------
    rows : data frame
        One finished row a line; a missing value is a parameter that the row has not.
    columns : sequence of str
        Numbers and texts; constant ones are left out.
    log_columns : collection of str
        Those that span orders of magnitude.
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
        """Shares of importance, summing to 1, of the rows at ``places`` with these errors; all 0 where none matters."""
        study = optuna.create_study()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna calls what is in use here experimental
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
