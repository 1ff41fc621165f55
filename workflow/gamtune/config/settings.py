"""The settings of a network and its training, with type, range, default and description."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gamtune.errors import InvalidValue
from gamtune.numbers import compact
from gamtune.spec import Spec


class SettingError(InvalidValue):
    """A setting has an invalid value.

    Attributes
    ----------
    name : str
        Name of the setting.
    value : object
        The invalid value.
    expected : str
        Description of the valid values.
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"got {value!r}, expected {expected}")
        self.name = name
        self.value = value
        self.expected = expected


LARGEST = sys.float_info.max  # excludes infinities and whole numbers that overflow float64
LARGEST_WHOLE = 10**18  # fits into 64 bits
LARGEST_INDEX = 2**31 - 1  # TensorFlow counts samples and units with 32 bits
MOST_THREADS = 4096


@dataclass(frozen=True)
class Setting:
    """A setting of the network or its training, with its valid values.

    Attributes
    ----------
    kind : type
        ``int``, ``float`` or ``str``.
    default : object
        Default value; None if it depends on other settings.
    description : str
        Description for the config reference.
    low, high : float
        Bounds of a number.
    open_low, open_high : bool
        Whether the bound itself is excluded.
    choices : tuple of str
        Valid values of a text.
    per_layer : bool
        Whether the setting is one value for all hidden layers or a list with one value per layer.
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
        """Description of the valid values for messages."""
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
        """Return whether a number lies within the bounds."""
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below

    def parse(self, name: str, value: Any) -> Any:
        """Return a value converted to `kind`.

        Raises
        ------
        SettingError
            If the value has another type or lies outside the bounds. A float without a fractional part is accepted as
            an integer; text is not accepted as a number.
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
        # adding 0.0 turns -0.0 into 0.0, so that both have the same trial id
        return int(value) if self.kind is int else float(value) + 0.0


# The settings of each optimizer with their defaults; a spec does not contain the settings of other optimizers.
# Sources: Zeiler 2012 (ADADELTA has no learning rate, which is equivalent to 1), Kingma and Ba 2015 (Adam),
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
OPTIMIZER_SETTINGS = tuple(dict.fromkeys(name for defaults in KERAS_OPTIMIZERS.values() for name in defaults))


def _defaults(name: str) -> str:
    """Return the default of a setting for each optimizer, with that of H2O in brackets if it differs."""
    texts = []
    for optimizer, defaults in KERAS_OPTIMIZERS.items():
        if name in defaults:
            h2o_default = H2O_OPTIMIZERS.get(optimizer, defaults)[name]
            text = f"{compact(defaults[name], 6)} for {optimizer}"
            texts.append(f"{text} (h2o: {compact(h2o_default, 6)})" if h2o_default != defaults[name] else text)
    return f" By default {', '.join(texts)}."


SETTINGS: dict[str, Setting] = {
    "network": Setting(
        str, "keras", "Library whose conventions for initial weights, dropout, penalties and updates are used.",
        choices=tuple(NETWORKS),
    ),
    "depth": Setting(
        int, None, "Number of hidden layers. By default the length of the list neurons or hidden_dropout, or 2.",
        low=1, high=100,
    ),
    "neurons": Setting(
        int, 200, "Number of neurons per hidden layer, or a list with one number per layer.", low=1, high=LARGEST_INDEX,
        per_layer=True,
    ),
    "activation": Setting(
        str, "relu", "Activation function of the hidden layers.", choices=("relu", "tanh", "elu", "maxout")
    ),
    "input_dropout": Setting(float, 0.0, "Dropout rate of the inputs.", low=0, high=1, open_high=True),
    "hidden_dropout": Setting(
        float, 0.0, "Dropout rate of the hidden layers, or a list with one rate per layer.",
        low=0, high=1, open_high=True, per_layer=True,
    ),
    "l1": Setting(float, 0.0, "L1 penalty on the kernel weights (h2o: also on the biases).", low=0),
    "l2": Setting(
        float, 0.0, "L2 penalty on the kernel weights (h2o: also on the biases, with half the factor).", low=0
    ),
    "label_smoothing": Setting(
        float, 0.0, "Fraction of the label of each sample that is spread evenly over all classes. Not valid for a "
        "regression.", low=0, high=1, open_high=True,
    ),
    "optimizer": Setting(str, "adadelta", "Optimiser of the weights.", choices=tuple(KERAS_OPTIMIZERS)),
    "learning_rate": Setting(float, None, f"Learning rate.{_defaults('learning_rate')}", low=0, open_low=True),
    "rho": Setting(
        float, None, f"Decay rate of the moving averages of ADADELTA.{_defaults('rho')}",
        low=0, high=1, open_low=True, open_high=True,
    ),
    "epsilon": Setting(
        float, None, f"Constant that keeps the denominator of the update away from 0.{_defaults('epsilon')}",
        low=0, open_low=True,
    ),
    "momentum": Setting(float, None, f"Momentum of SGD.{_defaults('momentum')}", low=0, high=1, open_high=True),
    "rate_annealing": Setting(
        float, None, "Annealing of the learning rate of SGD, which is learning_rate / (1 + rate_annealing n) after "
        "n samples."
        f"{_defaults('rate_annealing')}", low=0,
    ),
    "beta_1": Setting(
        float, None, f"Decay rate of the mean gradient of Adam.{_defaults('beta_1')}", low=0, high=1, open_high=True
    ),
    "beta_2": Setting(
        float, None, f"Decay rate of the mean squared gradient of Adam.{_defaults('beta_2')}",
        low=0, high=1, open_high=True,
    ),
    "batch_size": Setting(int, 32, "Number of samples per training step.", low=1, high=LARGEST_INDEX),
    "epochs": Setting(int, 25, "Maximum number of passes over the training samples.", low=1, high=LARGEST_WHOLE),
    "patience": Setting(
        int, None, "Number of epochs without improvement of the validation log loss, or of the validation MSE of a "
        "regression, before training stops.",
        low=1, high=LARGEST_WHOLE,
    ),
    "min_delta": Setting(
        float,
        0.0,
        "Smallest decrease of the validation log loss, or of the validation MSE of the standardised target of a "
        "regression, that counts as an improvement.",
        low=0,
    ),
    "threads": Setting(
        int, 1, "Number of threads per trial. It changes the last digits of the results.", low=1, high=MOST_THREADS
    ),
}  # fmt: skip

PER_LAYER = tuple(name for name, setting in SETTINGS.items() if setting.per_layer)
PLAIN = tuple(name for name in SETTINGS if name not in ("depth", *PER_LAYER))
DEFAULTS = {name: SETTINGS[name].default for name in PLAIN if SETTINGS[name].default is not None}
NOTHING: Mapping[str, Any] = {}


def make_spec(settings: Mapping[str, Any], weight_seed: int, checked: Mapping[str, Any] = NOTHING) -> Spec:
    """Return the spec of a trial: the given settings, completed with the defaults.

    Parameters
    ----------
    settings : mapping
        Values by the names of `SETTINGS`; a missing value or None is replaced by the default. A single value of a
        per-layer setting is used for every layer. Settings of other optimizers are ignored, and so is ``min_delta``
        without ``patience``.
    weight_seed : int
        Seed of the initial weights, the order of the samples and the dropout masks, at least 0.
    checked : mapping
        Parsed values that are used for settings that ``settings`` does not contain. Large tables are faster if these
        are parsed only once.

    Raises
    ------
    SettingError
        If a name is unknown, a value is not valid, or the length of a list differs from the depth.

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
        expected = f"one of {', '.join(optimizers)} for network {values['network']}"
        raise SettingError("optimizer", values["optimizer"], expected)
    defaults = optimizers[values["optimizer"]]
    for name in OPTIMIZER_SETTINGS:
        values[name] = values.get(name, defaults[name]) if name in defaults else None
    if values.get("patience") is None:
        values["min_delta"] = None
    return Spec(**values, weight_seed=int(weight_seed))


def _depth(given: Mapping[str, Any]) -> int:
    """Return the number of hidden layers."""
    if "depth" in given:
        return int(SETTINGS["depth"].parse("depth", given["depth"]))
    for name in PER_LAYER:
        if isinstance(given.get(name), list | tuple) and given[name]:
            return int(SETTINGS["depth"].parse("depth", len(given[name])))
    return 2


def _layers(name: str, value: Any, depth: int) -> tuple[Any, ...]:
    """Return a per-layer setting with one value per layer."""
    setting = SETTINGS[name]
    if not isinstance(value, list | tuple):
        return (setting.parse(name, value),) * depth
    if not value:
        raise SettingError(name, list(value), "at least one hidden layer")
    if len(value) != depth:
        raise SettingError(name, list(value), f"one value for each of the {depth} hidden layers")
    return tuple(setting.parse(name, item) for item in value)
