"""Expected improvement under a Gaussian process, as a sampler of Optuna's.

Optuna's own needs PyTorch, which is larger than all of this project's packages together; scikit-learn's regression,
which is here anyway, does for the few hundred rows of a study. Sources: Snoek, Larochelle and Adams 2012 (Matern 5/2,
a length scale a coordinate, noise, points under way); Ginsbourger et al. 2010 (those at their expected value: "kriging
believer").
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from gamtune.config.distributions import FloatArray

SPREAD, NEAR_BEST = 2000, 200  # candidates all over the cube, and around each of the best rows
BEST_ROWS = 5
STEPS = (0.02, 0.1)  # standard deviations of the candidates around a row
ABSENT = 0.5  # of a coordinate that a row does not have: a layer beyond its depth, a condition it does not meet


class GaussianProcessSampler(optuna.samplers.BaseSampler):
    """Proposes the point of the largest expected improvement.

    Parameters
    ----------
    seed : int
        Equal trials and seeds give equal proposals.
    coordinates : mapping
        All that a trial may be asked for.
    is_new : callable
        Whether a point stands for a row that was not tried before: of whole numbers and choices, many points are one
        row, and the best of them may be an old one for ever.
    fewest : int
        Number of finished rows; with fewer there is nothing to model.
    """

    def __init__(
        self,
        seed: int,
        coordinates: Mapping[str, BaseDistribution],
        is_new: Callable[[dict[str, Any]], bool],
        fewest: int,
    ) -> None:
        self._fewest = fewest
        self._coordinates = dict(coordinates)
        self._is_new = is_new
        self._random = np.random.default_rng(seed)
        self._independent = optuna.samplers.RandomSampler(seed=seed)
        self._used_up = False
        self._fitted: tuple[int, Any] = (0, None)  # rows that the kernel was chosen for, and the kernel

    def infer_relative_search_space(  # noqa: D102
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._coordinates

    def sample_relative(  # noqa: D102
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        finished = [other for other in others if other.state == TrialState.COMPLETE]
        if self._used_up or len(finished) < self._fewest:
            return {}
        from threadpoolctl import threadpool_limits

        failed = [other for other in others if other.state == TrialState.FAIL]
        under_way = [other for other in others if other.state == TrialState.RUNNING]
        errors = [float(other.value or 0) for other in finished]
        targets = _standardised(errors + [max(errors)] * len(failed))  # where a training failed is no place to go
        with threadpool_limits(1):  # the same sums, hence the same proposals, on every number of cores
            told = _matrix([*finished, *failed], search_space)
            candidates = self._candidates(told[np.argsort(targets, kind="stable")[:BEST_ROWS]], search_space)
            gains = self._expected_improvement(told, targets, _matrix(under_way, search_space), candidates)
        points = (_params(candidates[place], search_space) for place in np.argsort(-gains, kind="stable"))
        chosen = next(filter(self._is_new, points), None)
        self._used_up = chosen is None
        return chosen or {}  # where none is new, points at random

    def sample_independent(  # noqa: D102
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def _candidates(self, best: FloatArray, space: Mapping[str, BaseDistribution]) -> FloatArray:
        """Points to choose from: anywhere, and near the best rows with some coordinates changed."""
        width = best.shape[1]
        found = [self._random.random((SPREAD, width))]
        for row in best:
            for step in STEPS:
                moved = row + step * self._random.standard_normal((NEAR_BEST, width))
                kept = self._random.random((NEAR_BEST, width)) < 0.5
                found.append(np.where(kept, row, moved).clip(0, 1))
        return _whole(np.concatenate(found), space)

    def _expected_improvement(
        self, told: FloatArray, targets: FloatArray, under_way: FloatArray, candidates: FloatArray
    ) -> FloatArray:
        """Of the candidates, over the lowest expected value of a row told: with noise, its own may be luck."""
        from scipy.special import ndtr
        from sklearn.gaussian_process import GaussianProcessRegressor

        kernel = self._kernel(told, targets)
        model = GaussianProcessRegressor(kernel, optimizer=None).fit(told, targets)
        if len(under_way):
            believed = np.concatenate([targets, model.predict(under_way)])
            model = model.fit(np.concatenate([told, under_way]), believed)
        lowest = model.predict(told).min()
        mean, deviation = model.predict(candidates, return_std=True)
        noise = kernel.k2.noise_level
        deviation = np.sqrt(np.maximum(deviation**2 - noise, 1e-12))  # of the mean, without a training's own noise
        z = (lowest - mean) / deviation
        density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return np.asarray((lowest - mean) * ndtr(z) + deviation * density)

    def _kernel(self, told: FloatArray, targets: FloatArray) -> Any:
        """The kernel of the largest marginal likelihood, chosen once for all proposals of a round."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        if self._fitted[0] != len(targets):
            scales = Matern(np.full(told.shape[1], 0.5), (0.05, 20.0), nu=2.5)
            start = ConstantKernel(1.0, (0.05, 20.0)) * scales + WhiteKernel(0.1, (1e-4, 1.0))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale at its bound: it does not matter
                seed = int(self._random.integers(2**31))
                model = GaussianProcessRegressor(start, n_restarts_optimizer=1, random_state=seed).fit(told, targets)
            self._fitted = (len(targets), model.kernel_)
        return self._fitted[1]


def _standardised(errors: Sequence[float]) -> FloatArray:
    """Mean 0, standard deviation 1; of logarithms where all are above 0, since errors are skewed."""
    values = np.array(errors)
    values = np.log(values) if (values > 0).all() else values
    return np.asarray((values - values.mean()) / (values.std() or 1.0))


def _columns(space: Mapping[str, BaseDistribution]) -> dict[str, slice]:
    """Where each coordinate stands in a row: one column, or one a value where they are in no order."""
    columns, begin = {}, 0
    for name, distribution in space.items():
        width = len(distribution.choices) if isinstance(distribution, CategoricalDistribution) else 1
        columns[name] = slice(begin, begin + width)
        begin += width
    return columns


def _width(column: slice) -> int:
    return int(column.stop - column.start)


def _matrix(trials: Sequence[FrozenTrial], space: Mapping[str, BaseDistribution]) -> FloatArray:
    """One row a trial."""
    columns = _columns(space)
    rows = np.full((len(trials), sum(map(_width, columns.values()))), ABSENT)
    for row, trial in zip(rows, trials, strict=True):
        for name, value in trial.params.items():
            width = _width(columns[name])
            row[columns[name]] = value if width == 1 else np.arange(width) == value
    return rows


def _whole(points: FloatArray, space: Mapping[str, BaseDistribution]) -> FloatArray:
    """Points in which exactly one value of each coordinate without order is chosen."""
    for column in _columns(space).values():
        if _width(column) > 1:
            points[:, column] = np.arange(_width(column)) == points[:, column].argmax(axis=1)[:, None]
    return points


def _params(point: FloatArray, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    columns = _columns(space).items()
    return {n: float(point[c][0]) if _width(c) == 1 else int(point[c].argmax()) for n, c in columns}
