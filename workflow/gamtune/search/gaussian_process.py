"""Expected improvement under a Gaussian process, as an Optuna sampler.

Optuna's own Gaussian process sampler requires PyTorch, which is larger than all other dependencies together.
scikit-learn's regression is a dependency already and is fast enough for the few hundred configurations of a study.

Sources: Snoek, Larochelle and Adams (2012) for the Matern 5/2 kernel with one length scale per coordinate, the noise
and the running trials; Ginsbourger et al. (2010) for setting the latter to their expected values ("kriging believer").
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

SPREAD, NEAR_BEST = 2000, 200  # number of points in the whole cube, and around each of the best trials
BEST_TRIALS = 5
STEPS = (0.02, 0.1)  # standard deviations of the points around a trial
ABSENT = 0.5  # value of a coordinate that a trial does not use: a layer beyond its depth, or a condition not met


class GaussianProcessSampler(optuna.samplers.BaseSampler):
    """Propose the point with the largest expected improvement.

    Parameters
    ----------
    seed : int
        Equal trials and seeds give equal proposals.
    coordinates : mapping
        All coordinates of the unit cube.
    is_new : callable
        Returns whether a point maps to a configuration that was not tried before. With whole numbers and choices many
        points map to one configuration, so that the point with the largest improvement may be an earlier one.
    fewest : int
        Number of finished trials below which points are drawn at random.
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
        self._exhausted = False
        self._fitted: tuple[int, Any] = (0, None)  # number of trials that the kernel was fitted to, and the kernel

    def infer_relative_search_space(  # noqa: D102
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._coordinates

    def sample_relative(  # noqa: D102
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        finished = [other for other in others if other.state == TrialState.COMPLETE]
        if self._exhausted or len(finished) < self._fewest:
            return {}
        from threadpoolctl import threadpool_limits

        failed = [other for other in others if other.state == TrialState.FAIL]
        running = [other for other in others if other.state == TrialState.RUNNING]
        errors = [float(other.value or 0) for other in finished]
        targets = _standardised(errors + [max(errors)] * len(failed))  # a failed trial counts as the worst one
        with threadpool_limits(1):  # equal sums, hence equal proposals, for any number of cores
            tried = _matrix([*finished, *failed], search_space)
            points = self._random_points(tried[np.argsort(targets, kind="stable")[:BEST_TRIALS]], search_space)
            gains = self._expected_improvement(tried, targets, _matrix(running, search_space), points)
        ranked = (_params(points[place], search_space) for place in np.argsort(-gains, kind="stable"))
        chosen = next(filter(self._is_new, ranked), None)
        self._exhausted = chosen is None
        return chosen or {}  # if no point is new, Optuna draws the coordinates independently

    def sample_independent(  # noqa: D102
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def _random_points(self, best: FloatArray, space: Mapping[str, BaseDistribution]) -> FloatArray:
        """Return random points: in the whole cube, and near the best trials with some coordinates changed."""
        width = best.shape[1]
        found = [self._random.random((SPREAD, width))]
        for point in best:
            for step in STEPS:
                moved = point + step * self._random.standard_normal((NEAR_BEST, width))
                kept = self._random.random((NEAR_BEST, width)) < 0.5
                found.append(np.where(kept, point, moved).clip(0, 1))
        return _one_hot(np.concatenate(found), space)

    def _expected_improvement(
        self, tried: FloatArray, targets: FloatArray, running: FloatArray, points: FloatArray
    ) -> FloatArray:
        """Return the expected improvement of points over the lowest predicted value of a trial.

        The observed values are not used, because the lowest of them is biased by the noise.
        """
        from scipy.special import ndtr
        from sklearn.gaussian_process import GaussianProcessRegressor

        kernel = self._kernel(tried, targets)
        model = GaussianProcessRegressor(kernel, optimizer=None).fit(tried, targets)
        if len(running):
            believed = np.concatenate([targets, model.predict(running)])
            model = model.fit(np.concatenate([tried, running]), believed)
        lowest = model.predict(tried).min()
        mean, deviation = model.predict(points, return_std=True)
        noise = kernel.k2.noise_level
        deviation = np.sqrt(np.maximum(deviation**2 - noise, 1e-12))  # of the mean, without the noise of one trial
        z = (lowest - mean) / deviation
        density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
        return np.asarray((lowest - mean) * ndtr(z) + deviation * density)

    def _kernel(self, tried: FloatArray, targets: FloatArray) -> Any:
        """Return the kernel with the largest marginal likelihood; it is fitted once for all proposals of a round."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        if self._fitted[0] != len(targets):
            scales = Matern(np.full(tried.shape[1], 0.5), (0.05, 20.0), nu=2.5)
            start = ConstantKernel(1.0, (0.05, 20.0)) * scales + WhiteKernel(0.1, (1e-4, 1.0))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale at its bound does no harm
                seed = int(self._random.integers(2**31))
                model = GaussianProcessRegressor(start, n_restarts_optimizer=1, random_state=seed).fit(tried, targets)
            self._fitted = (len(targets), model.kernel_)
        return self._fitted[1]


def _standardised(errors: Sequence[float]) -> FloatArray:
    """Return errors with mean 0 and standard deviation 1.

    Positive errors are replaced by their logarithms, since their distribution is skewed.
    """
    values = np.array(errors)
    values = np.log(values) if (values > 0).all() else values
    return np.asarray((values - values.mean()) / (values.std() or 1.0))


def _columns(space: Mapping[str, BaseDistribution]) -> dict[str, slice]:
    """Return the columns of each coordinate in a matrix: one, or one per value if the values have no order."""
    columns, begin = {}, 0
    for name, distribution in space.items():
        width = len(distribution.choices) if isinstance(distribution, CategoricalDistribution) else 1
        columns[name] = slice(begin, begin + width)
        begin += width
    return columns


def _width(column: slice) -> int:
    return int(column.stop - column.start)


def _matrix(trials: Sequence[FrozenTrial], space: Mapping[str, BaseDistribution]) -> FloatArray:
    """Return the coordinates of trials as a matrix with one row per trial."""
    columns = _columns(space)
    points = np.full((len(trials), sum(map(_width, columns.values()))), ABSENT)
    for point, trial in zip(points, trials, strict=True):
        for name, value in trial.params.items():
            width = _width(columns[name])
            point[columns[name]] = value if width == 1 else np.arange(width) == value
    return points


def _one_hot(points: FloatArray, space: Mapping[str, BaseDistribution]) -> FloatArray:
    """Encode each coordinate with unordered values as 0 and 1: the largest number is the chosen value."""
    for column in _columns(space).values():
        if _width(column) > 1:
            points[:, column] = np.arange(_width(column)) == points[:, column].argmax(axis=1)[:, None]
    return points


def _params(point: FloatArray, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    columns = _columns(space).items()
    return {n: float(point[c][0]) if _width(c) == 1 else int(point[c].argmax()) for n, c in columns}
