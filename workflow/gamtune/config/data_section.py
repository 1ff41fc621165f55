"""The section `data` of a config: what is learned, and which rows are set aside."""

from typing import Literal, Self

from pydantic import Field, model_validator

from gamtune.config.section import LARGEST_SEED, Section
from gamtune.tables.dialect import MISSING, Dialect

PUBLIC = ("mnist", "har")  # downloaded, with a test set of their own
HAR_GROUP = "subject"
WAYS = ("fraction", "groups", "folds", "column")
Part = Literal["train", "validation", "test"]


class Aside(Section):
    """Rows set aside."""

    fraction: float | None = Field(
        None, gt=0, lt=1, description="share of all rows, or of all groups; 0.2 unless the rows are named another way"
    )
    stratify: bool = Field(True, description="the classes in equal proportion on both sides; false: at random")
    by_group: str | None = Field(None, description="data.group, named here")
    groups: int | None = Field(None, ge=1, description="number of groups set aside, drawn at random")
    column: str | None = Field(
        None, description="table: column whose cells say train, validation or test; it is no input"
    )

    @property
    def ways(self) -> list[str]:
        """The keys given that say which rows; they exclude each other."""
        return [name for name in WAYS if getattr(self, name, None) is not None]

    @property
    def share(self) -> float | None:
        """Share of the rows or groups to draw; None where another key says which."""
        return self.fraction if self.ways else 0.2

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.ways) > 1:
            raise ValueError(f"{' and '.join(self.ways)} exclude each other")
        return self


class Validation(Aside):
    """Rows that early stopping and every choice look at."""

    folds: int | None = Field(
        None,
        ge=2,
        le=100,
        description="cross-validation: the rows in so many parts; every row of the table is trained once for each, "
        "validated on that part and trained on the others, and counts with the mean of its errors",
    )


class Csv(Section):
    """How the cells of CSV files are written."""

    separator: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="character between two cells; by default comma, semicolon, tab or pipe is recognised",
        examples=[";"],
    )
    decimal: Literal[".", ","] = Field(".", description="decimal point of numbers")
    encoding: str | None = Field(
        None,
        description="encoding of the text, such as latin-1; by default UTF-8, or UTF-16 if the file begins with a byte "
        "order mark",
        examples=["latin-1"],
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.separator is not None and (
            self.separator.isalnum() or self.separator in "\"\r\n.+-'" or not self.separator.isascii()
        ):
            raise ValueError(f"separator {self.separator!r} is not possible, expected a character such as ';'")
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except (LookupError, UnicodeError):
                raise ValueError(f"encoding {self.encoding!r} is unknown, expected a name such as latin-1") from None
        return self


class Data(Section):
    """What is learned."""

    source: Literal["digits", "mnist", "har", "table"] = Field(
        description="digits: 1797 images of 8x8 pixels from scikit-learn; mnist: 70,000 of 28x28; har: 10,299 windows "
        "of a phone's motion in 561 features, six activities, 30 subjects (both downloaded, with test sets of their "
        "own); table: CSV or Parquet files of yours"
    )
    path: str | dict[Part, str] | None = Field(
        None,
        description="table: the file, relative to the working directory, or files for train, validation and test",
        examples=["data/rows.csv", {"train": "data/train.parquet", "test": "data/test.parquet"}],
    )
    target: str | None = Field(None, description="table: the column to predict")
    task: Literal["classification", "regression"] | None = Field(
        None,
        description="table: unless given, text and whole numbers of at most 30 different values are classes, "
        "other numbers a regression's",
    )
    drop: list[str] = Field([], description="table: columns to leave out")
    categorical: list[str] = Field(
        [],
        description="table: columns whose values are names, although they look like numbers or dates: a code, a "
        "postcode, numbered classes",
    )
    missing: list[str] = Field(
        list(MISSING),
        description="table: words in a text column that stand for a missing value, without surrounding spaces",
    )
    csv: Csv = Field(Csv(), description="table: how the cells of CSV files are written")
    group: str | None = Field(
        None,
        description="table: column whose equal values stay together in every split, as the rows of a subject, a site, "
        "a day must; it is no input. har has subject",
    )
    whiten: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="inputs without correlations: the principal components of the standardised columns, each scaled to "
        "variance 1, as many as hold this share of the variance (0.9999, say); unless given, the columns themselves",
    )
    mirror: str | None = Field(
        None,
        description="mnist, har: folder that holds the files, or address to load them from; unless given, the folder "
        "that the variable GAMTUNE_DATA names, and without that the data set's home",
    )
    selection: Literal["validation", "test"] = Field(
        "validation",
        description="test: no rows are set aside for validation, every choice looks at the test rows, and so every "
        "figure and table says that its errors flatter",
    )
    validation: Validation = Field(Validation(), description="rows that early stopping and every choice look at")
    test: Aside = Field(Aside(), description="rows that only the optimum is scored on, once")
    seed: int = Field(1, ge=0, le=LARGEST_SEED, description="of the split, from 0 to 4294967295")

    @property
    def paths(self) -> dict[Part, str]:
        """Files of a `table` source by part; one file alone is ``train``."""
        if self.path is None:
            return {}
        return {"train": self.path} if isinstance(self.path, str) else self.path

    @property
    def missing_words(self) -> list[str]:
        """Words that stand for a missing value, without surrounding spaces."""
        return [word.strip() for word in self.missing]

    @property
    def dialect(self) -> Dialect:
        """How the cells of CSV files are written."""
        return Dialect(**self.csv.model_dump(), key="data.csv")

    @property
    def group_column(self) -> str | None:
        """Column whose equal values stay together."""
        if self.source == "har":
            return HAR_GROUP
        return self.group or self.validation.by_group or self.test.by_group

    @property
    def split_column(self) -> str | None:
        """Column that says which part a row belongs to."""
        return self.validation.column or self.test.column

    @property
    def folds(self) -> list[int | None]:
        """Numbers of the folds; None alone where there are none."""
        return list(range(1, self.validation.folds + 1)) if self.validation.folds else [None]

    @property
    def has_test(self) -> bool:
        """Whether the source says which rows are the test's."""
        return self.source in PUBLIC or "test" in self.paths

    @property
    def has_validation(self) -> bool:
        """Whether no rows have to be drawn for validation."""
        return "validation" in self.paths or self.selection == "test"

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_source()
        self._check_columns()
        for name, given, why in (
            ("test", self.has_test and self.test != Aside(), "the source has a test set"),
            ("validation", "validation" in self.paths and self.validation != Validation(), "path names its file"),
            ("validation", self.selection == "test" and self.validation != Validation(), "selection is test"),
        ):
            if given:
                raise ValueError(f"{name} means nothing where {why}")
        if self.selection == "test" and "validation" in self.paths:
            raise ValueError("path.validation means nothing where selection is test")
        shares = [0.0 if self.has_test else self.test.share, 0.0 if self.has_validation else self.validation.share]
        if sum(share or 0 for share in shares) >= 1:
            raise ValueError("validation and test leave no row to train on: their fractions must sum to less than 1")
        return self

    def _check_source(self) -> None:
        defaults = type(self).model_fields
        if self.source == "table":
            for name in ("path", "target"):
                if getattr(self, name) is None:
                    raise ValueError(f"{name} is missing: the source 'table' needs it")
            if "train" not in self.paths:
                raise ValueError("path.train is missing: there is nothing to learn from")
        else:
            for name in ("path", "target", "task", "drop", "categorical", "missing", "csv", "group"):
                if getattr(self, name) != defaults[name].default:
                    raise ValueError(f"{name} means nothing to the source {self.source!r}; did you mean source: table?")
            if self.split_column is not None:
                raise ValueError(f"column means nothing to the source {self.source!r}")
        if self.mirror is not None and self.source not in PUBLIC:
            raise ValueError(f"mirror means nothing to the source {self.source!r}: it is not downloaded")

    def _check_columns(self) -> None:
        group = self.group_column
        for name, aside in (("validation", self.validation), ("test", self.test)):
            if aside.by_group not in (None, group):
                raise ValueError(f"{name}.by_group is {aside.by_group!r}, but groups are told apart by {group!r}")
            if aside.groups is not None and group is None:
                raise ValueError(f"{name}.groups: by_group or data.group must name the column")
        if None not in (self.validation.column, self.test.column) and self.validation.column != self.test.column:
            raise ValueError("validation.column and test.column must be one column")
        roles = {"target": self.target, "group": group, "column": self.split_column}
        if self.target in self.drop:
            raise ValueError(f"drop lists the target {self.target!r}: there would be nothing to learn")
        if self.target in self.categorical and self.task == "regression":
            raise ValueError(f"categorical lists the target {self.target!r}, but task is regression")
        named = [name for name in roles.values() if name is not None]
        for role, column in roles.items():
            texts = self.categorical if role == "column" else []
            if column is not None and (named.count(column) > 1 or column in [*self.drop, *texts]):
                raise ValueError(f"{column!r} is the {role} and something else; a column has one role")
