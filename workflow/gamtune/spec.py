"""The specification of a trial: its settings, their canonical JSON and the trial id.

Two trials with equal specs, equal data and equal code have equal metrics. The id of a trial is the hash of its spec.
`gamtune.config.settings` defines the ranges and defaults of the settings; changing them does not retrain existing
trials.
"""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Spec:
    """All settings of one trial; None if the trial does not use one. It is created by `config.settings.make_spec`."""

    network: str
    neurons: tuple[int, ...]
    activation: str
    input_dropout: float
    hidden_dropout: tuple[float, ...]
    l1: float
    l2: float
    label_smoothing: float = 0.0
    optimizer: str
    learning_rate: float
    rho: float | None = None
    epsilon: float | None = None
    momentum: float | None = None
    rate_annealing: float | None = None
    beta_1: float | None = None
    beta_2: float | None = None
    batch_size: int
    epochs: int
    patience: int | None = None
    min_delta: float | None = None
    threads: int
    weight_seed: int
    fold: int | None = None

    @property
    def depth(self) -> int:
        """Number of hidden layers."""
        return len(self.neurons)

    def value(self, name: str) -> Any:
        """Return a setting by its name in the config; None if this trial does not use it."""
        return getattr(self, name)

    def settings(self) -> dict[str, Any]:
        """Return the settings that this trial uses by their names in the config, without weight seed and fold."""
        values = {name: getattr(self, name) for name in SETTINGS}
        used = {name: value for name, value in values.items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in used.items()}

    def without_seed(self) -> str:
        """Return the canonical JSON of the settings without weight seed and fold, which is equal for replicates."""
        return canonical_json(self.settings())

    def repeated(self, weight_seed: int, fold: int | None) -> "Spec":
        """Return the same settings with another weight seed and fold."""
        return replace(self, weight_seed=weight_seed, fold=fold)

    def to_json(self) -> str:
        """Return the spec as canonical JSON, without fields that have the default value of this class."""
        return self._json

    @cached_property
    def _json(self) -> str:
        values = self.__dict__  # faster than getattr for large tables
        return canonical_json({name: values[name] for name in FIELDS if values[name] != UNSET[name]})

    @classmethod
    def from_json(cls, text: str) -> "Spec":
        """Return the spec from the JSON of `to_json`.

        Raises
        ------
        ValueError
            If the JSON contains an unknown field.
        """
        values = json.loads(text)
        unknown = set(values) - set(FIELDS)
        if unknown:
            raise ValueError(f"unknown field {sorted(unknown)[0]!r} in a spec")
        settings: dict[str, Any] = {
            n: tuple(value) if isinstance(value, list) else value for n, value in values.items()
        }
        return cls(**settings)

    @cached_property
    def trial(self) -> str:
        """Id of the trial: the first 12 hexadecimal digits of the sha256 of the canonical JSON."""
        return fingerprint(self.to_json())[:12]


CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
UNSET = {
    field.name: field.default for field in fields(Spec)
}  # fields with these values are omitted, so that new settings do not change the ids
FIELDS = tuple(UNSET)
SETTINGS = tuple(name for name in FIELDS if name not in ("weight_seed", "fold"))


def canonical_json(value: Any) -> str:
    """Return JSON that is equal for equal values: sorted keys and no spaces."""
    return CANONICAL.encode(value)


def fingerprint(text: str) -> str:
    """Return the hexadecimal sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
