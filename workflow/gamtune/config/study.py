"""The config of a study as pydantic models: every key with its type, default and description.

The JSON schema and the reference in config/README.md are generated from these models.
"""

import math
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)

from gamtune.config.data_section import Data, SelectedOn
from gamtune.config.distributions import Distribution
from gamtune.config.search import Search, parse_search
from gamtune.config.section import Section
from gamtune.config.settings import LARGEST_WHOLE, SETTINGS, Setting
from gamtune.config.space_section import parse_space
from gamtune.errors import InvalidValue

BY_HAND_NOTES = ("who", "figures")  # notes on a listed candidate: who chose it, and from which figures
LONGEST_FORMULA = 4000  # characters; a formula with one term per column of the table needs about 400
RESERVED = ("store", "mlartifacts", "mlflow.db")  # other folders and files in results/


class EarlyStopping(Section):
    """Stop training when the validation loss stops improving, and restore the weights of the best epoch."""

    patience: int = Field(5, ge=1, le=LARGEST_WHOLE, description=SETTINGS["patience"].description)
    min_delta: float = Field(0.0, ge=0, description=SETTINGS["min_delta"].description)


def _setting_field(setting_name: str, setting: Setting) -> tuple[Any, Any]:
    """Return a setting of `SETTINGS` as a pydantic field that is validated by `Setting.parse`."""

    def parse(value: Any) -> Any:
        if value is None and setting.default is None:
            return None
        if setting.per_layer and isinstance(value, list | tuple) and value:
            return [setting.parse(setting_name, item) for item in value]
        return setting.parse(setting_name, value)

    return (
        Annotated[Any, BeforeValidator(parse), WithJsonSchema(_setting_schema(setting))],
        Field(setting.default, description=setting.description),
    )


def _setting_schema(setting: Setting) -> dict[str, Any]:
    """Return the JSON schema of the values of a setting."""
    if setting.choices:
        return {"enum": list(setting.choices)}
    schema: dict[str, Any] = {"type": {int: "integer", float: "number"}[setting.kind]}
    if math.isfinite(setting.low):
        schema["exclusiveMinimum" if setting.open_low else "minimum"] = setting.low
    if math.isfinite(setting.high):
        schema["exclusiveMaximum" if setting.open_high else "maximum"] = setting.high
    kinds = [schema]
    if setting.per_layer:
        kinds.append({"type": "array", "items": schema, "minItems": 1})
    if setting.default is None:
        kinds.append({"type": "null"})
    return schema if len(kinds) == 1 else {"anyOf": kinds}


class _Training(Section):
    early_stopping: EarlyStopping | None = Field(
        EarlyStopping(),
        description="Early stopping, which restores the weights of the best epoch. null: train for all epochs and "
        "keep the weights of the last one.",
    )
    seed: int = Field(
        1,
        ge=0,
        lt=1_000_000,
        description="Weight seed of the first replicate, from 0 to 999999; further replicates use the next numbers.",
    )
    keep_models: Literal["all", "none"] = Field(
        "all",
        description="Models of trials and confirmations that are kept on disk (about 100 kB to 10 MB each). The model "
        "of the optimum is always kept. A model that was not kept is trained again when it is needed.",
    )

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The value of every setting of `SETTINGS` in this section."""
        stopping = self.early_stopping.model_dump() if self.early_stopping else {}
        return {name: stopping.get(name, getattr(self, name, None)) for name in SETTINGS}


Training = create_model(
    "Training",
    __base__=_Training,
    __doc__="Settings of the network and its training that the space does not vary.",
    **{name: _setting_field(name, s) for name, s in SETTINGS.items() if name not in ("patience", "min_delta")},
)  # type: ignore[call-overload]


class Analysis(Section):
    """The additive model that explains the validation error by the hyperparameters."""

    response: Literal["mse", "log(mse)"] = Field(
        "mse", description="Validation error that the additive model explains."
    )
    gam: str | None = Field(
        None,
        max_length=LONGEST_FORMULA,
        description="Formula of the generalised additive model (GAM), with the syntax of R's mgcv, over the columns of "
        "table.csv: s(), te(), ti(), f() for levels, or the name of a column for a linear term. log(column) models a "
        "column on a logarithmic scale, which suits a log-uniform prior. By default no model is fitted.",
        examples=["s(log(l1), k=4) + s(rho, k=4) + te(depth, sum_neurons, k=4)"],
    )
    method: Literal["REML", "GCV"] = Field("REML", description="Criterion that selects the smoothing parameters.")

    @property
    def summary_response(self) -> str:
        """The response as an expression of the columns of summary.csv."""
        return self.response.replace("mse", "validation_mse")


class Confirm(Section):
    """Confirmation: retraining of the candidates on fresh seeds."""

    top: int = Field(
        5,
        ge=1,
        le=100,
        description="Number of the best observed configurations that become candidates. The confirmations should use "
        "about a fifth of the number of trials of the search.",
    )
    replicates: int = Field(
        3, ge=1, le=100, description="Number of fresh weight seeds per candidate; all candidates use the same seeds."
    )


class Final(Section):
    """Refit of the selected configuration before it is scored on the test set."""

    train_on: Literal["train", "train+validation"] = Field(
        "train",
        description="Samples used for the refit. train+validation: all samples except the test samples. Since no "
        "samples are left for early stopping, the number of epochs is then the median of the best epochs of the "
        "confirmations.",
    )
    replicates: int = Field(
        3,
        ge=1,
        le=100,
        description="Number of weight seeds of the refit, which differ from all earlier seeds. The network of the "
        "first seed is exported.",
    )


class SelectionSettings(Section):
    """Selection of the optimum among confirmed candidates."""

    on: SelectedOn = Field(
        "validation",
        description="Samples that are used for early stopping and model selection. test: no validation samples are "
        "held out and the test set is used instead, so that all scores are optimistically biased; every figure and "
        "table states this.",
    )
    rules: list[Literal["best_observed", "gam_optimum", "one_standard_error", "by_hand", "default"]] = Field(
        ["best_observed", "gam_optimum", "default"],
        min_length=1,
        description="Rules that propose candidates. best_observed: the best configurations of the search. gam_optimum: "
        "the minimum of the GAM within the observed range. one_standard_error: the smallest network within one "
        "standard error of the best configuration. by_hand: the configurations in by_hand. default: the settings of "
        "the section training. The best observed configuration, those in by_hand and the default are also scored on "
        "the test set, next to the optimum.",
    )
    by_hand: dict[str, dict[str, Any]] = Field(
        {},
        max_length=100,
        description="Candidates that are set by hand: a name, and settings of the network and its training. The keys "
        "who and figures record who chose the candidate and from which figures.",
        examples=[{"lecture": {"neurons": [500, 500, 500], "l1": 0.002, "who": "F. M.", "figures": ["gam_l1"]}}],
    )
    choose: Literal["lowest_mean", "one_standard_error"] = Field(
        "lowest_mean",
        description="Rule that selects the optimum among the confirmed candidates. lowest_mean: the lowest mean "
        "validation error. one_standard_error: the smallest network within one standard error of the lowest mean.",
    )
    confirm: Confirm = Field(Confirm(), description="Confirmation: retraining of the candidates on fresh seeds.")
    final: Final = Field(
        Final(), description="Refit of the selected configuration before it is scored on the test set."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.rules)) < len(self.rules):
            raise InvalidValue("rules lists a rule twice; remove one of them")
        if bool(self.by_hand) != ("by_hand" in self.rules):
            raise InvalidValue("the rule by_hand requires candidates in by_hand, and vice versa; add the missing one")
        for name in self.by_hand:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]{0,63}", name):
                raise InvalidValue(
                    f"by_hand: got the name {name[:80]!r}, expected up to 64 letters, digits or underscores"
                )
            self._check_notes(name)
        return self

    def _check_notes(self, name: str) -> None:
        who, figures = (self.by_hand[name].get(note) for note in BY_HAND_NOTES)
        if who is not None and not isinstance(who, str):
            raise InvalidValue(f"by_hand.{name}.who: got {who!r}, expected a name")
        listed = figures is None or (isinstance(figures, list) and all(isinstance(figure, str) for figure in figures))
        if not listed:
            raise InvalidValue(f"by_hand.{name}.figures: got {figures!r}, expected a list of names of figures")


class Tracking(Section):
    """Tracking store of MLflow."""

    uri: str = Field(
        "sqlite:///results/mlflow.db",
        description="URI of the tracking store of MLflow. A relative SQLite path is relative to the working directory.",
    )

    @field_validator("uri")
    @classmethod
    def _check_uri(cls, uri: str) -> str:
        expected = "expected sqlite:///path/to/mlflow.db or https://host:port"
        if not uri.startswith(("sqlite:///", "http://", "https://")):
            # the rest of the URI may contain a password, so the message shows the scheme only
            scheme = uri.partition(":")[0][:20]
            raise InvalidValue(f"got a URI that begins with {scheme!r}, {expected}")
        if not uri.startswith("sqlite:") and re.search("[@?#]", uri):
            raise InvalidValue(
                f"got a URI with a login or a query, {expected}; for a login, set the environment variables "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return uri


class Execution(Section):
    """Execution of the trials on one machine. These keys do not change the results and are not used on a cluster."""

    workers: Literal["warm", "process"] = Field(
        "warm",
        description="How trials are started. warm: workers, which are forked from one process that has imported "
        "TensorFlow, train many trials each; the steps after the trials are forked from it, too (Linux only). process: "
        "start a new process for each trial, which imports TensorFlow again (5 s).",
    )
    trials_per_gpu: int = Field(
        4, ge=1, le=1000, description="Number of concurrent trials per GPU. It is not used without a GPU."
    )


class Study(Section):
    """One study: data, space, search, training, analysis and selection."""

    study: str = Field(
        description="Name of the study, and of its folder in results/ and its experiment and model in MLflow: up to "
        "64 letters, digits, '_' or '-', with a letter or digit first."
    )
    data: Data = Field(description=str(Data.__doc__))
    search: SerializeAsAny[Search] = Field(description=str(Search.__doc__))
    space: dict[str, SerializeAsAny[Distribution]] = Field(
        {}, description="Hyperparameters with their distributions: any settings of the network and its training."
    )
    training: Training = Field(Training(), description=str(Training.__doc__))
    analysis: Analysis = Field(Analysis(), description=str(Analysis.__doc__))
    selection: SelectionSettings = Field(SelectionSettings(), description=str(SelectionSettings.__doc__))
    tracking: Tracking = Field(Tracking(), description=str(Tracking.__doc__))
    execution: Execution = Field(Execution(), description=str(Execution.__doc__))

    @field_validator("study")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):  # MLflow's models allow no dot
            raise InvalidValue("expected a name of up to 64 letters, digits, '_' or '-', with a letter or digit first")
        if name in RESERVED:
            raise InvalidValue("expected another name; this one is reserved for a folder or file in results/")
        return name

    @field_validator("search", mode="before")
    @classmethod
    def _parse_search(cls, search: Any) -> Search:
        return parse_search(search)

    @field_validator("space", mode="before")
    @classmethod
    def _parse_space(cls, space: Any) -> dict[str, Distribution]:
        return parse_space(space)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.search.needs_space and not self.space:
            raise InvalidValue(f"space: missing; strategy {self.search.strategy!r} requires it")
        self.search.check_study(self)
        if self.search.stages and self.data.validation.folds:
            raise InvalidValue(f"data.validation.folds: not valid for strategy {self.search.strategy!r}; remove it")
        self.data.check_selected_on(self.selection.on)
        if self.selection.on == "test" and self.selection.final.train_on == "train+validation":
            raise InvalidValue(
                "selection.final.train_on: 'train+validation' is not valid for selection.on 'test', which has no "
                "validation samples; use 'train'"
            )
        if self.data.task == "regression":
            for section, smoothed in (
                ("space", "label_smoothing" in self.space), ("training", self.training.settings["label_smoothing"] > 0),
            ):  # fmt: skip
                if smoothed:
                    raise InvalidValue(f"{section}.label_smoothing: not valid for a regression; remove it")
        return self

    def stage_settings(self, stage: int) -> dict[str, Any]:
        """Return the settings that all trials of a stage share, where 0 is the initial table."""
        return self.search.stage_settings(int(self.training.settings["epochs"]), stage)
