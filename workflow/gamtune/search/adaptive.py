"""Propose configurations with a model of the results, through Optuna's ask-and-tell interface.

The models search the unit cube, in which each coordinate is uniform. Quantile functions map the coordinates to values,
so that every prior is respected.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from gamtune.config.distributions import Distribution
from gamtune.search.unit_cube import Ask, coordinates, point_of, settings_at
from gamtune.spec import Spec, fingerprint

IsNew = Callable[[Mapping[str, Any]], bool]  # whether a point maps to a configuration that was not tried before
MakeSampler = Callable[[Mapping[str, BaseDistribution], IsNew], optuna.samplers.BaseSampler]
BELOW_ONE = 1 - 2**-32  # the largest coordinate: the argument of a quantile function must be below 1


class Proposer:
    """Propose configurations one after another; earlier proposals count as running trials, so that none is repeated.

    Parameters
    ----------
    make_sampler : callable
        Returns a sampler of Optuna, given the coordinates and a function of a point (`IsNew`).
    space : mapping
        Distribution of each hyperparameter.
    tried : iterable of (Spec, float or None)
        Earlier trials and their validation errors, None for failed trials.
    depth : int, optional
        Number of hidden layers, if it is not part of the space.
    is_new : callable
        Returns whether settings are a configuration that was not tried before; the Gaussian process proposes only
        such configurations.
    """

    def __init__(
        self,
        make_sampler: MakeSampler,
        space: Mapping[str, Distribution],
        tried: Iterable[tuple[Spec, float | None]],
        depth: int | None,
        is_new: Callable[[dict[str, Any]], bool],
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._depth = space, depth
        self._coordinates = {name: _distribution(kinds) for name, kinds in coordinates(space, depth).items()}

        def makes_new(point: Mapping[str, Any]) -> bool:
            return is_new(self._settings(lambda name, _: point[name]))

        self._study = optuna.create_study(sampler=make_sampler(self._coordinates, makes_new))
        for spec, error in tried:
            self._study.add_trial(self._finished(spec, error))

    def ask(self) -> dict[str, Any]:
        """Return the settings of the next configuration."""
        trial = self._study.ask()

        def number(name: str, kinds: int) -> float:
            if kinds:
                return float(trial.suggest_categorical(name, range(kinds)))
            return trial.suggest_float(name, 0.0, 1.0)

        return self._settings(number)

    def _settings(self, number: Ask) -> dict[str, Any]:
        """Return the settings at a point; a coordinate of 1 is reduced to `BELOW_ONE`."""

        def below_one(name: str, kinds: int) -> float:
            value = number(name, kinds)
            return value if kinds else min(value, BELOW_ONE)

        return settings_at(self._space, below_one, self._depth)

    def _finished(self, spec: Spec, error: float | None) -> optuna.trial.FrozenTrial:
        # A configuration listed by hand may have more layers than the space, hence coordinates unknown to the sampler
        point = {name: value for name, value in point_of(self._space, spec).items() if name in self._coordinates}
        return create_trial(
            params=point,
            distributions={name: self._coordinates[name] for name in point},
            state=TrialState.FAIL if error is None else TrialState.COMPLETE,
            value=error,
        )


def seed_of_round(seed: int, stage: int) -> int:
    """Return the 32-bit seed of the proposals of a round."""
    return int(fingerprint(f"{seed} {stage}")[:8], 16)


def tpe_sampler(seed: int, startup: int) -> optuna.samplers.TPESampler:
    """Return Optuna's tree-structured Parzen estimator, multivariate and grouped by condition (Bergstra et al. 2011).

    Parameters
    ----------
    seed : int
        Equal results and seeds give equal proposals.
    startup : int
        Number of results below which it draws at random. The draws of the study are the random start.
    """
    with warnings.catch_warnings():  # Optuna marks these arguments as experimental; its version is pinned
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            n_startup_trials=startup, seed=seed, multivariate=True, group=True, constant_liar=True
        )


def _distribution(kinds: int) -> BaseDistribution:
    return CategoricalDistribution(range(kinds)) if kinds else FloatDistribution(0.0, 1.0)
