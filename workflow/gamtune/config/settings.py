"""Every setting of a network and its training: type, range, default and description; and the spec that they make."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gamtune.numbers import compact
from gamtune.spec import Spec


class SettingError(ValueError):
    """A setting whose value no training can have: ``name`` says which, the message says what was expected."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"got {value!r}, expected {expected}")
        self.name = name
        self.value = value
        self.expected = expected


LARGEST = sys.float_info.max  # keeps out infinities and whole numbers that no float can hold
LARGEST_WHOLE = 10**18  # bounds what no one means, and fits the 64 bits of most programs
LARGEST_INDEX = 2**31 - 1  # TensorFlow counts rows and columns of a batch with 32 bits
MOST_THREADS = 4096


@dataclass(frozen=True)
class Setting:
    """One setting of the network or its training: what values it may take.

    ``kind`` is the type, ``low`` and ``high`` the closed bounds unless ``open_low`` or ``open_high`` excludes them,
    ``choices`` the only values of a text; a ``per_layer`` setting is one value for all hidden layers or a list of them.
    """

    kind: type
    default: Any
    description: str
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    per_layer: bool = False

    @property
    def expected(self) -> str:
        """The admissible values, in words for a message."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        noun = {int: "a whole number", float: "a number"}[self.kind]
        bounds = []
        if math.isfinite(self.low):
            bounds.append(f"above {compact(self.low, 6)}" if self.open_low else f"of at least {compact(self.low, 6)}")
        if math.isfinite(self.high):
            bounds.append(
                f"below {compact(self.high, 6)}" if self.open_high else f"of at most {compact(self.high, 10)}"
            )
        return " ".join([noun, " and ".join(bounds)]).strip()

    def contains(self, number: float) -> bool:
        """Whether a number lies within the bounds."""
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below

    def parse(self, name: str, value: Any) -> Any:
        """The value as the setting's own type.

        Raises
        ------
        SettingError
            If it has another type (a whole float counts as an int, text as no number) or lies outside the bounds.
        """
        if self.kind is str:
            if value not in self.choices:
                raise SettingError(name, value, self.expected)
            return str(value)
        number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
        if not (number and self.contains(value)):
            raise SettingError(name, value, self.expected)
        if self.kind is int and value != int(value):
            raise SettingError(name, value, self.expected)
        # + 0.0 makes -0.0 the 0.0 it equals, so that both have one id
        return int(value) if self.kind is int else float(value) + 0.0


# What each optimizer reads, with its default; a row keeps no setting that its optimizer does not know.
# Sources: Zeiler 2012 (ADADELTA has no learning rate: 1 leaves its step alone), Kingma and Ba 2015 (Adam),
# hex.deeplearning.DeepLearningModel.DeepLearningParameters (rel-3.46).
KERAS_OPTIMIZERS: dict[str, dict[str, float]] = {
    "adadelta": {"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-6},
    "sgd": {"learning_rate": 0.01, "momentum": 0.0, "rate_annealing": 0.0},
    "adam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
}
H2O_OPTIMIZERS: dict[str, dict[str, float]] = {
    "adadelta": {"learning_rate": 1.0, "rho": 0.99, "epsilon": 1e-8},
    "sgd": {"learning_rate": 0.005, "momentum": 0.0, "rate_annealing": 1e-6},
}
NETWORKS = {"keras": KERAS_OPTIMIZERS, "h2o": H2O_OPTIMIZERS}
OPTIMIZER_SETTINGS = tuple(dict.fromkeys(name for known in KERAS_OPTIMIZERS.values() for name in known))


def _defaults(name: str) -> str:
    """Each optimizer's default of a setting, H2O's in brackets where it differs."""
    said = []
    for optimizer, known in KERAS_OPTIMIZERS.items():
        if name in known:
            other = H2O_OPTIMIZERS.get(optimizer, known)[name]
            said.append(
                f"{optimizer} {compact(known[name], 6)}"
                + (f" (h2o {compact(other, 6)})" if other != known[name] else "")
            )
    return "; unless given: " + ", ".join(said)


SETTINGS: dict[str, Setting] = {
    "network": Setting(
        str, "keras", "conventions of initial weights, dropout, penalties and updates: Keras' or H2O's",
        choices=tuple(NETWORKS),
    ),
    "depth": Setting(int, None, "hidden layers; unless given, as many as neurons lists, or 2", low=1, high=100),
    "neurons": Setting(
        int, 200, "neurons a hidden layer, or a list with one value a layer", low=1, high=LARGEST_INDEX,
        per_layer=True,
    ),
    "activation": Setting(str, "relu", "of the hidden layers", choices=("relu", "tanh", "elu", "maxout")),
    "input_dropout": Setting(float, 0.0, "share of inputs dropped a step", low=0, high=1, open_high=True),
    "hidden_dropout": Setting(
        float, 0.0, "share of a layer's outputs dropped a step, or a list",
        low=0, high=1, open_high=True, per_layer=True,
    ),
    "l1": Setting(float, 0.0, "weight of the sum of absolute weights in the loss", low=0),
    "l2": Setting(float, 0.0, "weight of the sum of squared weights in the loss", low=0),
    "label_smoothing": Setting(
        float, 0.0, "of classes: share of a row's label that is spread over all classes alike, so that no output "
        "grows ever surer", low=0, high=1, open_high=True,
    ),
    "optimizer": Setting(str, "adadelta", "rule of the weight updates", choices=tuple(KERAS_OPTIMIZERS)),
    "learning_rate": Setting(float, None, f"step size{_defaults('learning_rate')}", low=0, open_low=True),
    "rho": Setting(
        float, None, f"decay of ADADELTA's averages{_defaults('rho')}", low=0, high=1, open_low=True, open_high=True
    ),
    "epsilon": Setting(float, None, f"smallest denominator of the step{_defaults('epsilon')}", low=0, open_low=True),
    "momentum": Setting(float, None, f"of SGD{_defaults('momentum')}", low=0, high=1, open_high=True),
    "rate_annealing": Setting(
        float, None, "of SGD: after n rows the step size is learning_rate / (1 + rate_annealing n)"
        f"{_defaults('rate_annealing')}", low=0,
    ),
    "beta_1": Setting(float, None, f"decay, Adam's mean gradient{_defaults('beta_1')}", low=0, high=1, open_high=True),
    "beta_2": Setting(float, None, f"decay, Adam's mean square{_defaults('beta_2')}", low=0, high=1, open_high=True),
    "batch_size": Setting(int, 32, "rows a step", low=1, high=LARGEST_INDEX),
    "epochs": Setting(int, 25, "passes over the training rows, at most", low=1, high=LARGEST_WHOLE),
    "patience": Setting(
        int, None, "epochs without a better validation logloss, or MSE of a regression, before training stops",
        low=1, high=LARGEST_WHOLE,
    ),
    "min_delta": Setting(
        float,
        0.0,
        "decrease of the validation logloss, or of the MSE of a regression's standardised target, that counts as an "
        "improvement",
        low=0,
    ),
    "threads": Setting(int, 1, "of one training; changes the last bits of its result", low=1, high=MOST_THREADS),
}  # fmt: skip

PER_LAYER = tuple(name for name, setting in SETTINGS.items() if setting.per_layer)
PLAIN = tuple(name for name in SETTINGS if name not in ("depth", *PER_LAYER))
DEFAULTS = {name: SETTINGS[name].default for name in PLAIN if SETTINGS[name].default is not None}
NOTHING: Mapping[str, Any] = {}


def make_spec(settings: Mapping[str, Any], weight_seed: int, checked: Mapping[str, Any] = NOTHING) -> Spec:
    """Complete the given settings with the defaults to one training.

    Parameters
    ----------
    settings : mapping
        Names of `SETTINGS`; None and absent mean the default. A single value of a per-layer setting serves every
        layer. Settings of other optimizers than the one chosen, and a threshold without patience, are left out.
    weight_seed : int
        At least 0: seeds initial weights, row order and dropout masks.
    checked : mapping
        Settings that hold where ``settings`` says nothing, parsed already: a table has ten thousand rows of them.

    Raises
    ------
    SettingError
        If a name is unknown, a value is not admissible, or a list has another length than the depth.

    Examples
    --------
    >>> make_spec({"depth": 2, "neurons": 64}, weight_seed=1).neurons
    (64, 64)
    """
    for name in settings:
        if name not in SETTINGS:
            raise SettingError(name, settings[name], "one of " + ", ".join(SETTINGS))
    given = {name: value for name, value in settings.items() if value is not None}
    fixed = {name: value for name, value in checked.items() if value is not None}
    depth = _depth(fixed | given)
    values = DEFAULTS | fixed
    values |= {name: SETTINGS[name].parse(name, value) for name, value in given.items() if name in PLAIN}
    for name in PER_LAYER:
        values[name] = _layers(name, given.get(name, values.get(name, SETTINGS[name].default)), depth)
    values.pop("depth", None)
    optimizers = NETWORKS[values["network"]]
    if values["optimizer"] not in optimizers:
        expected = f"one of {', '.join(optimizers)} in the network {values['network']}"
        raise SettingError("optimizer", values["optimizer"], expected)
    known = optimizers[values["optimizer"]]
    for name in OPTIMIZER_SETTINGS:
        values[name] = values.get(name, known[name]) if name in known else None
    if values.get("patience") is None:
        values["min_delta"] = None
    return Spec(**values, weight_seed=int(weight_seed))


def _depth(given: Mapping[str, Any]) -> int:
    """Layers that the settings ask for."""
    if "depth" in given:
        return int(SETTINGS["depth"].parse("depth", given["depth"]))
    for name in PER_LAYER:
        if isinstance(given.get(name), list | tuple) and given[name]:
            return int(SETTINGS["depth"].parse("depth", len(given[name])))
    return 2


def _layers(name: str, value: Any, depth: int) -> tuple[Any, ...]:
    """A per-layer setting as one value a layer."""
    setting = SETTINGS[name]
    if not isinstance(value, list | tuple):
        return (setting.parse(name, value),) * depth
    if not value:
        raise SettingError(name, list(value), "at least one hidden layer")
    if len(value) != depth:
        raise SettingError(name, list(value), f"one value for each of the {depth} hidden layers")
    return tuple(setting.parse(name, item) for item in value)
