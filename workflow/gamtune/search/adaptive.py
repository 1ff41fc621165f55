"""Rows that a model of the results proposes, through Optuna's ask and tell.

The models search the unit cube, so every prior holds: a coordinate is uniform, and a quantile function gives the
value.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from gamtune.config.distributions import Distribution
from gamtune.search.unit_cube import Ask, coordinates, point_of, settings_at
from gamtune.spec import Spec, digest

IsNew = Callable[[Mapping[str, Any]], bool]  # whether a point stands for a row that was not tried before
MakeSampler = Callable[[Mapping[str, BaseDistribution], IsNew], optuna.samplers.BaseSampler]
BELOW_ONE = 1 - 2**-32  # the largest number that a coordinate has: a quantile function's argument is below 1


class Proposer:
    """Proposes one row after another; those it has proposed count as under way, so that it does not repeat them.

    Parameters
    ----------
    make_sampler : callable
        Returns Optuna's sampler, from the coordinates and a function of a point (`IsNew`).
    space : mapping
        Parameter to its distribution.
    tried : iterable of (Spec, float or None)
        Trainings and their errors; None is a failed one, and told as such.
    depth : int, optional
        Hidden layers where the space does not draw their number.
    is_new : callable
        Whether settings make a row that was not tried before; the Gaussian process proposes no other.
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
            self._study.add_trial(self._told(spec, error))

    def ask(self) -> dict[str, Any]:
        """The settings of one more row."""
        trial = self._study.ask()

        def number(name: str, kinds: int) -> float:
            if kinds:
                return float(trial.suggest_categorical(name, range(kinds)))
            return trial.suggest_float(name, 0.0, 1.0)

        return self._settings(number)

    def _settings(self, number: Ask) -> dict[str, Any]:
        """The row at a point whose coordinates may be 1, as a quantile function's argument may not."""

        def below_one(name: str, kinds: int) -> float:
            at = number(name, kinds)
            return at if kinds else min(at, BELOW_ONE)

        return settings_at(self._space, below_one, self._depth)

    def _told(self, spec: Spec, error: float | None) -> optuna.trial.FrozenTrial:
        # A row by hand may be deeper than the space
        point = {name: at for name, at in point_of(self._space, spec).items() if name in self._coordinates}
        return create_trial(
            params=point,
            distributions={name: self._coordinates[name] for name in point},
            state=TrialState.FAIL if error is None else TrialState.COMPLETE,
            value=error,
        )


def seed_of_round(seed: int, stage: int) -> int:
    """Seed of a round's proposals, one of 32 bits."""
    return int(digest(f"{seed} {stage}")[:8], 16)


def tpe_sampler(seed: int, startup: int) -> optuna.samplers.TPESampler:
    """Return Optuna's tree-structured Parzen estimator, multivariate and grouped by condition (Bergstra et al. 2011).

    Parameters
    ----------
    seed : int
        Equal results and seeds give equal proposals.
    startup : int
        Number of results before which it draws at random; the study's own draws are the random start.
    """
    with warnings.catch_warnings():  # of arguments that may change: the version is pinned
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            n_startup_trials=startup, seed=seed, multivariate=True, group=True, constant_liar=True
        )


def _distribution(kinds: int) -> BaseDistribution:
    return CategoricalDistribution(range(kinds)) if kinds else FloatDistribution(0.0, 1.0)
