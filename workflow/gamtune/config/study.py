"""The whole config as typed models: every key with its type, its default and its description.

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

from gamtune.config.data_section import Data
from gamtune.config.distributions import Distribution
from gamtune.config.search import Search, parse_search
from gamtune.config.section import Section
from gamtune.config.settings import LARGEST_WHOLE, SETTINGS, Setting
from gamtune.config.space_section import parse_space

BY_HAND_NOTES = ("who", "figures")  # beside the settings of a candidate by hand: who chose it, from which figures
LONGEST_FORMULA = 4000  # letters; all columns of a table in terms of their own take a tenth of them
RESERVED = ("store", "mlartifacts", "mlflow.db")  # beside the studies in results/


class EarlyStopping(Section):
    """Stop when the validation logloss no longer falls, and keep the best epoch's weights."""

    patience: int = Field(5, ge=1, le=LARGEST_WHOLE, description=SETTINGS["patience"].description)
    min_delta: float = Field(0.0, ge=0, description=SETTINGS["min_delta"].description)


def _setting_field(setting_name: str, setting: Setting) -> tuple[Any, Any]:
    """A setting of `SETTINGS` as a pydantic field; its own parser checks it."""

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
    """JSON schema of a setting's values."""
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
        EarlyStopping(), description="null: train all the epochs, keep the last"
    )
    seed: int = Field(
        1,
        ge=0,
        lt=1_000_000,
        description="weight seed of the first replicate, from 0 to 999999; the next ones count up",
    )
    keep_models: Literal["all", "none"] = Field(
        "all",
        description="whether the models of trials and confirmations stay on disk (some 100 kB to 10 MB each); the "
        "optimum's does. One that is asked for later is trained again",
    )

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Every setting of `SETTINGS` as this section fixes it."""
        stopping = self.early_stopping.model_dump() if self.early_stopping else {}
        return {name: stopping.get(name, getattr(self, name, None)) for name in SETTINGS}


Training = create_model(
    "Training",
    __base__=_Training,
    __doc__="The network and its training, wherever the space does not vary it.",
    **{name: _setting_field(name, s) for name, s in SETTINGS.items() if name not in ("patience", "min_delta")},
)  # type: ignore[call-overload]


class Analysis(Section):
    """What the error is explained with."""

    response: Literal["mse", "log(mse)"] = Field("mse", description="the validation error that the GAM explains")
    gam: str | None = Field(
        None,
        max_length=LONGEST_FORMULA,
        description="Formula of the additive model as in R's mgcv, over the columns of table.csv: s(), te(), ti(), f() "
        "for levels, or a column for a straight line. log(column) models a column on a logarithmic scale, which suits "
        "a log-uniform prior. By default no model is fitted.",
        examples=["s(log(l1), k=4) + s(rho, k=4) + te(depth, sum_neurons, k=4)"],
    )
    method: Literal["REML", "GCV"] = Field("REML", description="criterion that chooses the smoothing parameters")

    @property
    def summary_response(self) -> str:
        """The response as an expression of the summary's columns."""
        return self.response.replace("mse", "validation_mse")


class Confirm(Section):
    """How candidates are compared."""

    top: int = Field(
        5,
        ge=1,
        le=100,
        description="best rows observed that are trained again; all confirmations together serve best with about a "
        "fifth of the search's trainings",
    )
    replicates: int = Field(3, ge=1, le=100, description="fresh weight seeds, the same for every candidate")


class Final(Section):
    """How the chosen settings are trained once more before their one look at the test rows."""

    train_on: Literal["train", "train+validation"] = Field(
        "train",
        description="the rows that the final trainings learn from; train+validation: all but the test's, for as many "
        "epochs as the confirmations' best had in the median, since no row is left to stop by",
    )
    replicates: int = Field(
        3, ge=1, le=100, description="weight seeds that no choice has seen; the first one's network is exported"
    )


class SelectionSettings(Section):
    """How the optimum is chosen."""

    rules: list[Literal["best_observed", "gam_optimum", "one_standard_error", "by_hand", "default"]] = Field(
        ["best_observed", "gam_optimum", "default"],
        min_length=1,
        description="sources of candidates: best rows; lowest point of the GAM inside the observed range; smallest "
        "network within one standard error of the best row; by_hand; the network that section training gives alone. "
        "The best row, those by hand and the default meet the optimum on the test rows",
    )
    by_hand: dict[str, dict[str, Any]] = Field(
        {},
        max_length=100,
        description="candidates of yours by name, each with settings of the network and its training, and as a record "
        "who chose them (who) and from which figures (figures)",
        examples=[{"lecture": {"neurons": [500, 500, 500], "l1": 0.002, "who": "F. M.", "figures": ["gam_l1"]}}],
    )
    choose: Literal["lowest_mean", "one_standard_error"] = Field(
        "lowest_mean",
        description="which confirmed candidate wins: the one of lowest mean error, or the smallest network within one "
        "standard error of it",
    )
    confirm: Confirm = Field(Confirm(), description="retraining of the candidates")
    final: Final = Field(Final(), description="the optimum's own trainings")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.rules)) < len(self.rules):
            raise ValueError("a rule is listed twice in rules")
        if bool(self.by_hand) != ("by_hand" in self.rules):
            raise ValueError("the rule by_hand and the candidates in by_hand go together; one of them is missing")
        for name in self.by_hand:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]{0,63}", name):
                raise ValueError(f"{name[:80]!r} in by_hand: a name has up to 64 letters, digits and underscores only")
            self._check_notes(name)
        return self

    def _check_notes(self, name: str) -> None:
        who, figures = (self.by_hand[name].get(note) for note in BY_HAND_NOTES)
        if who is not None and not isinstance(who, str):
            raise ValueError(f"by_hand.{name}.who: got {who!r}, expected a name")
        listed = figures is None or (isinstance(figures, list) and all(isinstance(one, str) for one in figures))
        if not listed:
            raise ValueError(f"by_hand.{name}.figures: got {figures!r}, expected a list of figures' names")


class Tracking(Section):
    """Where MLflow keeps the runs."""

    uri: str = Field(
        "sqlite:///results/mlflow.db",
        description="MLflow's tracking store; a relative SQLite path counts from the working directory",
    )

    @field_validator("uri")
    @classmethod
    def _check_uri(cls, uri: str) -> str:
        expected = "expected sqlite:///path/to/mlflow.db or https://host:port"
        if not uri.startswith(("sqlite:///", "http://", "https://")):
            kind = uri.partition(":")[0][:20]  # all that is shown: the rest may hold a password
            raise ValueError(f"got an address that begins with {kind!r}, {expected}")
        if not uri.startswith("sqlite:") and re.search("[@?#]", uri):
            raise ValueError(
                f"got an address with a login or a query, {expected}; a login belongs in the environment variables "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return uri


class Execution(Section):
    """How the trainings of one machine share it; changes no result, and means nothing to a cluster."""

    workers: Literal["warm", "process"] = Field(
        "warm",
        description="fork trainings and the steps after them from one process that has imported TensorFlow, where "
        "each training would import it anew for 5 seconds; Linux only",
    )
    trials_per_gpu: int = Field(
        4, ge=1, le=1000, description="trainings at a time on one GPU; where none is visible, unused"
    )


class Study(Section):
    """One study: data, space, search, training, analysis and selection."""

    study: str = Field(
        description="its name: folder of its results, experiment and model in MLflow; up to 64 letters, digits, '_' or "
        "'-', with a letter or digit first"
    )
    data: Data = Field(description=str(Data.__doc__))
    search: SerializeAsAny[Search] = Field(description=str(Search.__doc__))
    space: dict[str, SerializeAsAny[Distribution]] = Field(
        {}, description="the hyper-parameters and their distributions; any setting of the network and its training"
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
            raise ValueError("expected a name of up to 64 letters, digits, '_' or '-', with a letter or digit first")
        if name in RESERVED:
            raise ValueError("expected another name: results/ already holds a folder or file of this one")
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
            raise ValueError(f"space is missing: the strategy {self.search.strategy!r} needs one")
        self.search.check_study(self)
        if self.search.stages and self.data.validation.folds:
            raise ValueError(f"data.validation.folds: the strategy {self.search.strategy!r} compares single trainings")
        if self.data.selection == "test" and self.selection.final.train_on == "train+validation":
            raise ValueError(
                "selection.final.train_on: not valid with data.selection test, which has no validation samples"
            )
        if self.data.task == "regression":
            for section, smoothed in (
                ("space", "label_smoothing" in self.space), ("training", self.training.settings["label_smoothing"] > 0),
            ):  # fmt: skip
                if smoothed:
                    raise ValueError(f"{section}.label_smoothing: a regression has no classes to smooth")
        return self

    def stage_settings(self, stage: int) -> dict[str, Any]:
        """Return the settings that all trials of a stage share, where 0 is the initial table."""
        return self.search.stage_settings(int(self.training.settings["epochs"]), stage)
