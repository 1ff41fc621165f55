"""What one training is: its values, their canonical JSON and the id made of it. The ground floor: imports nothing.

Two trials with equal specs, on equal data and with equal code, have equal metrics; the id of a trial is the hash of its
spec. `gamtune.config.settings` defines the settings with their ranges and defaults; a change there retrains nothing.
"""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Spec:
    """All settings of one trial; unset ones are not used. `gamtune.config.settings.make_spec` makes one."""

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
        """A setting by its name in the config; None where this training does not use it."""
        return getattr(self, name)

    def settings(self) -> dict[str, Any]:
        """Every setting that this training uses, by its name in the config; weight seed and fold are none."""
        values = {name: getattr(self, name) for name in SETTINGS}
        used = {name: value for name, value in values.items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in used.items()}

    def without_seed(self) -> str:
        """Canonical JSON of the settings: equal for replicates and folds."""
        return canonical_json(self.settings())

    def repeated(self, weight_seed: int, fold: int | None) -> "Spec":
        """The same settings on another weight seed and fold."""
        return replace(self, weight_seed=weight_seed, fold=fold)

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, builtin types, no spaces; what has its default here is absent."""
        return self._json

    @cached_property
    def _json(self) -> str:
        values = self.__dict__  # a table of ten thousand rows asks each for it
        return canonical_json({name: values[name] for name in FIELDS if values[name] != UNSET[name]})

    @classmethod
    def from_json(cls, text: str) -> "Spec":
        """The spec that `to_json` wrote."""
        values = json.loads(text)
        unknown = set(values) - set(FIELDS)
        if unknown:
            raise ValueError(f"a spec has no {sorted(unknown)[0]!r}")
        settings: dict[str, Any] = {
            n: tuple(value) if isinstance(value, list) else value for n, value in values.items()
        }
        return cls(**settings)

    @cached_property
    def trial(self) -> str:
        """The trial's id: 12 hex digits of the canonical JSON's sha256."""
        return digest(self.to_json())[:12]


CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
UNSET = {field.name: field.default for field in fields(Spec)}  # a setting that came later left every id as it was
FIELDS = tuple(UNSET)
SETTINGS = tuple(name for name in FIELDS if name not in ("weight_seed", "fold"))


def canonical_json(value: Any) -> str:
    """JSON that equal values spell equally."""
    return CANONICAL.encode(value)


def digest(text: str) -> str:
    """Hexadecimal sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
