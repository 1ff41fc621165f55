"""The section `data` of a config: the data source and the split into training, validation and test samples."""

from typing import Literal, Self

from pydantic import Field, model_validator

from gamtune.config.section import LARGEST_SEED, Section
from gamtune.errors import InputError, InvalidValue
from gamtune.tables.dialect import MISSING, Dialect

PUBLIC = ("mnist", "har")  # sources that are downloaded and come with a test set
HAR_GROUP = "subject"
METHODS = ("fraction", "groups", "folds", "column")  # keys that choose the samples; only one of them is allowed
Part = Literal["train", "validation", "test"]
SelectedOn = Literal["validation", "test"]  # the part that is used for early stopping and model selection


class HeldOut(Section):
    """Samples that are held out from training."""

    fraction: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Fraction of the samples, or of the groups, that is held out. By default 0.2, if no other key "
        "chooses the samples.",
    )
    stratify: bool = Field(
        True,
        description="Whether the classes have the same proportions in all parts. If false, samples are drawn without "
        "regard to their class.",
    )
    by_group: str | None = Field(None, description="Column with the groups; an alias of data.group.")
    groups: int | None = Field(None, ge=1, description="Number of groups that are held out, drawn at random.")
    column: str | None = Field(
        None,
        description="Column whose cells are train, validation or test; it is not an input. Only for source table.",
    )

    @property
    def methods(self) -> list[str]:
        """The keys among `METHODS` that are set."""
        return [name for name in METHODS if getattr(self, name, None) is not None]

    @property
    def drawn_fraction(self) -> float | None:
        """Fraction of the samples or groups to draw; None if another key chooses them."""
        return self.fraction if self.methods else 0.2

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.methods) > 1:
            raise InvalidValue(f"{' and '.join(self.methods)} cannot be combined; keep one of them")
        return self


class Validation(HeldOut):
    """Samples that are used for early stopping and model selection."""

    folds: int | None = Field(
        None,
        ge=2,
        le=100,
        description="Number of folds of a cross-validation. Each configuration is trained once per fold and is scored "
        "by its mean error over the folds. By default one validation set is held out.",
    )


class Csv(Section):
    """Format of the cells of CSV files."""

    separator: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="Character between two cells. By default comma, semicolon, tab and pipe are detected.",
        examples=[";"],
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal separator of numbers.")
    encoding: str | None = Field(
        None,
        description="Character encoding, such as latin-1. By default UTF-8, or UTF-16 or UTF-32 if the file begins "
        "with a byte order mark.",
        examples=["latin-1"],
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.separator is not None and (
            self.separator.isalnum() or self.separator in "\"\r\n.+-'" or not self.separator.isascii()
        ):
            raise InvalidValue(f"separator {self.separator!r} is not valid; use another character, such as ';'")
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except (LookupError, UnicodeError):
                raise InvalidValue(f"unknown encoding {self.encoding!r}; use a name such as latin-1") from None
        return self


class Data(Section):
    """The data source, and the split into training, validation and test samples."""

    source: Literal["digits", "mnist", "har", "table"] = Field(
        description="Data source. digits: 1797 images of 8x8 pixels from scikit-learn. mnist: 70,000 images of 28x28 "
        "pixels. har: 10,299 windows of smartphone motion data with 561 features, 6 activities and 30 subjects. table: "
        "your CSV or Parquet files. mnist and har are downloaded and come with a test set."
    )
    path: str | dict[Part, str] | None = Field(
        None,
        description="Path of the data file, relative to the working directory, or one path each for train, validation "
        "and test. Only for source table.",
        examples=["data/rows.csv", {"train": "data/train.parquet", "test": "data/test.parquet"}],
    )
    target: str | None = Field(None, description="Column to predict. Only for source table.")
    task: Literal["classification", "regression"] | None = Field(
        None,
        description="Learning task. By default classification if the target is text or has at most 30 distinct whole "
        "numbers, otherwise regression. Only for source table.",
    )
    drop: list[str] = Field([], description="Columns to ignore. Only for source table.")
    categorical: list[str] = Field(
        [],
        description="Columns that hold categories although their cells look like numbers or dates, such as codes, "
        "postcodes or numbered classes. Only for source table.",
    )
    missing: list[str] = Field(
        list(MISSING),
        description="Words that stand for a missing value, without surrounding spaces. Only for source table.",
    )
    csv: Csv = Field(Csv(), description="Format of the cells of CSV files. Only for source table.")
    group: str | None = Field(
        None,
        description="Column with the groups, such as subjects, sites or days: all samples of a group stay in the same "
        "part. It is not an input. Only for source table; har is always grouped by subject.",
    )
    whiten: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Fraction of the variance, such as 0.9999, that is kept when the standardised columns are replaced "
        "by their principal components, each scaled to variance 1. By default the inputs are not whitened.",
    )
    mirror: str | None = Field(
        None,
        description="Folder with the files, or URL to download them from. By default the folder in the environment "
        "variable GAMTUNE_DATA, or if that is not set, the website of the data set. Only for mnist and har.",
    )
    validation: Validation = Field(
        Validation(), description="Samples that are used for early stopping and model selection."
    )
    test: HeldOut = Field(HeldOut(), description="Samples that are used once, to score the finalists.")
    seed: int = Field(1, ge=0, le=LARGEST_SEED, description="Random seed of the split, from 0 to 4294967295.")

    @property
    def paths(self) -> dict[Part, str]:
        """Paths of the files of source `table` by part; a single file is ``train``."""
        if self.path is None:
            return {}
        return {"train": self.path} if isinstance(self.path, str) else self.path

    @property
    def missing_words(self) -> list[str]:
        """Words that stand for a missing value, without surrounding spaces."""
        return [word.strip() for word in self.missing]

    @property
    def dialect(self) -> Dialect:
        """Format of the cells of CSV files."""
        return Dialect(**self.csv.model_dump(), key="data.csv")

    @property
    def group_column(self) -> str | None:
        """Column with the groups; None if there are none."""
        if self.source == "har":
            return HAR_GROUP
        return self.group or self.validation.by_group or self.test.by_group

    @property
    def split_column(self) -> str | None:
        """Column that assigns samples to parts; None if there is none."""
        return self.validation.column or self.test.column

    @property
    def folds(self) -> list[int | None]:
        """Numbers of the folds, from 1; ``[None]`` without cross-validation."""
        return list(range(1, self.validation.folds + 1)) if self.validation.folds else [None]

    @property
    def has_test(self) -> bool:
        """Whether the source comes with test samples."""
        return self.source in PUBLIC or "test" in self.paths

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_source()
        self._check_columns()
        for name, is_set, context in (
            ("test", self.has_test and self.test != HeldOut(), "a source with a test set"),
            ("validation", "validation" in self.paths and self.validation != Validation(), "a path with validation"),
        ):
            if is_set:
                raise InvalidValue(f"{name} is not valid for {context}; remove it")
        return self

    def draws_validation(self, selected_on: SelectedOn) -> bool:
        """Return whether validation samples have to be drawn."""
        return selected_on == "validation" and "validation" not in self.paths

    def check_selected_on(self, selected_on: SelectedOn) -> None:
        """Check that the split holds out the samples that are used for selection.

        Parameters
        ----------
        selected_on : {"validation", "test"}
            Value of the key ``selection.on``.

        Raises
        ------
        InputError
            If validation samples are set although the test set is used for selection, or no training samples are left.
        """
        for key, is_set in (
            ("data.validation", self.validation != Validation()), ("data.path.validation", "validation" in self.paths),
        ):  # fmt: skip
            if is_set and selected_on == "test":
                raise InputError([f"{key}: not valid for selection.on 'test', which uses the test set; remove it"])
        fractions = [
            0.0 if self.has_test else self.test.drawn_fraction,
            self.validation.drawn_fraction if self.draws_validation(selected_on) else 0.0,
        ]
        if sum(fraction or 0 for fraction in fractions) >= 1:
            problem = "no training samples are left; validation.fraction and test.fraction must sum to below 1"
            raise InputError([f"data: {problem}"])

    def _check_source(self) -> None:
        defaults = type(self).model_fields
        if self.source == "table":
            for name in ("path", "target"):
                if getattr(self, name) is None:
                    raise InvalidValue(f"{name} is missing; source 'table' requires it")
            if "train" not in self.paths:
                raise InvalidValue("path.train is missing; add the file with the training samples")
        else:
            for name in ("path", "target", "task", "drop", "categorical", "missing", "csv", "group"):
                if getattr(self, name) != defaults[name].default:
                    raise InvalidValue(f"{name} is not valid for source {self.source!r}; did you mean source: table?")
            if self.split_column is not None:
                raise InvalidValue(f"column is not valid for source {self.source!r}; it belongs to source: table")
        if self.mirror is not None and self.source not in PUBLIC:
            raise InvalidValue(f"mirror is not valid for source {self.source!r}, which is not downloaded; remove it")

    def _check_columns(self) -> None:
        group = self.group_column
        for name, held_out in (("validation", self.validation), ("test", self.test)):
            if held_out.by_group not in (None, group):
                raise InvalidValue(f"{name}.by_group is {held_out.by_group!r}, but the group column is {group!r}")
            if held_out.groups is not None and group is None:
                raise InvalidValue(f"{name}.groups requires a column with groups; set data.group")
        if None not in (self.validation.column, self.test.column) and self.validation.column != self.test.column:
            raise InvalidValue("validation.column and test.column must be the same column")
        roles = {"target": self.target, "group": group, "column": self.split_column}
        if self.target in self.drop:
            raise InvalidValue(f"drop lists the target {self.target!r}; remove it from drop")
        if self.target in self.categorical and self.task == "regression":
            raise InvalidValue(
                f"categorical lists the target {self.target!r}, but task is regression; change one of them"
            )
        used = [name for name in roles.values() if name is not None]
        for role, column in roles.items():
            categories = self.categorical if role == "column" else []
            if column is not None and (used.count(column) > 1 or column in [*self.drop, *categories]):
                raise InvalidValue(f"column {column!r} is used as {role} and in another role; a column has one role")
