import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_limits

from gamtune.config.data_section import Data
from gamtune.data.arrays import Prepared
from gamtune.data.prepare import prepare, prepare_refit
from gamtune.data.preprocessing import Preprocessing
from gamtune.data.rows import Rows
from gamtune.data.split import split_rows
from gamtune.errors import InputError


@pytest.fixture
def iris(tmp_path):
    frame = load_iris(as_frame=True).frame.rename(columns=lambda name: name.replace(" (cm)", "").replace(" ", "_"))
    frame["species"] = frame.pop("target").map(dict(enumerate(["setosa", "versicolor", "virginica"])))
    frame["always_1"] = 1
    file = tmp_path / "iris.csv"
    frame.to_csv(file, index=False)
    return file


def table(file, **more):
    return Data(source="table", path=str(file), target="species", **more)


def test_every_sample_is_in_one_part_and_classes_are_stratified(digits):
    data = Prepared.open(digits)
    parts = {name: data.part(name) for name in ("train", "validation", "test")}
    assert sum(len(part.y) for part in parts.values()) == 1797
    assert [len(parts[name].y) for name in parts] == [1079, 359, 359]
    for part in parts.values():
        assert np.bincount(part.y).min() / len(part.y) > 0.09
    split = pd.read_csv(digits.parent / "split.csv")
    assert (split.groupby("part").size()["train"], len(split)) == (1079, 1797)


def test_inputs_are_standardised_with_training_statistics(digits):
    train = Prepared.open(digits).part("train").x
    assert np.abs(train.mean(axis=0)).max() < 1e-5
    assert np.abs(train.std(axis=0, ddof=1) - 1).max() < 1e-4
    validation = Prepared.open(digits).part("validation").x
    assert np.abs(validation.mean(axis=0)).max() > 0.01


def test_the_split_depends_on_the_seed_only(tmp_path, digits):
    prepare(Data(source="digits"), tmp_path / "again")
    prepare(Data(source="digits", seed=2), tmp_path / "other")
    first, again, other = (
        Prepared.open(f / "dataset.json") for f in (digits.parent, tmp_path / "again", tmp_path / "other")
    )
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_csv_and_parquet_files_with_equal_cells_give_equal_data(tmp_path, iris):
    frame = pd.read_csv(iris)
    frame.to_parquet(tmp_path / "iris.parquet")
    prepare(table(iris), tmp_path / "csv")
    prepare(table(tmp_path / "iris.parquet"), tmp_path / "parquet")
    assert (
        Prepared.open(tmp_path / "csv/dataset.json").fingerprint
        == Prepared.open(tmp_path / "parquet/dataset.json").fingerprint
    )


def test_the_preprocessing_file_describes_every_transformation(tmp_path, iris):
    prepare(table(iris, drop=["petal_width"]), tmp_path / "data")
    description = json.loads((tmp_path / "data/preprocessing.json").read_text())
    assert description["features"] == ["sepal_length", "sepal_width", "petal_length"]
    assert description["constant"] == ["always_1"]
    assert description["classes"] == ["setosa", "versicolor", "virginica"]
    split = pd.read_csv(tmp_path / "data/split.csv")
    raw = pd.read_csv(iris)[description["features"]][(split["part"] == "test").to_numpy()]
    expected = (raw - description["mean"]) / description["sd"]
    assert Prepared.open(tmp_path / "data/dataset.json").part("test").x == pytest.approx(expected.to_numpy(), abs=1e-6)


COLUMN = "other cells of the column are; correct it, or list the column in data.categorical or data.drop"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: f.assign(sepal_width=f["sepal_width"].astype(object).where(f.index != 117, "n/a")),
         f"row 118, column 'sepal_width': 'n/a' is not a number, but {COLUMN}"),
        (lambda f: f.assign(sepal_width=f["sepal_width"].where(f.index != 0, np.inf)),
         "row 1, column 'sepal_width': 'inf' is not a finite number"),
        (lambda f: f.assign(sepal_width=np.nan), "all cells of column 'sepal_width' are missing; list it in data.drop"),
        (lambda f: f.assign(name=[f"flower {row}" for row in f.index] * 1).pipe(lambda g: pd.concat([g] * 8)).assign(
            name=[f"flower {row}" for row in range(1200)]), "column 'name' has 1200 distinct texts, expected at most"),
        (lambda f: f.assign(species=f["species"].where(f.index != 5)), "row 6, column 'species': the target is missing"),
        (lambda f: f.assign(species="setosa"), "column 'species' has a single value"),
        (lambda f: f.iloc[:0], "no rows"),
        (lambda f: f.iloc[:51], "class 'versicolor' has 1 of the 51 samples, expected at least 3"),
        (lambda f: f.iloc[:2].assign(species=["a", "b"]), "class 'a' has 1 of the 2 samples"),
        (lambda f: f[["species"]], "no input columns are left"),
        (lambda f: f[["species", "always_1"]], "all inputs are constant"),
    ],
)  # fmt: skip
def test_unusable_data_are_reported_in_one_line_without_output_files(tmp_path, iris, edit, message):
    edit(pd.read_csv(iris)).to_csv(iris, index=False)
    with pytest.raises(InputError) as caught:
        prepare(table(iris), tmp_path / "data")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"task": "regression"}, "row 1, column 'species': 'setosa' is not a number, but data.task is regression"),
        (
            {"group": "always_1"},
            "data.test: holds out 1 of 1 groups of 'always_1', so that no training samples are left",
        ),
        (
            {"group": "site", "validation": {"groups": 4}},
            "data.validation: holds out 4 of the 4 remaining groups of 'site'",
        ),
        ({"group": "species"}, "of 'species' has 50 samples, none of them in train"),
        ({"validation": {"folds": 60}}, "data.validation.folds: n_splits=60 cannot be greater than"),
        ({"validation": {"column": "site"}}, "row 1, column 'site': got 'A', expected train, validation or test"),
        (
            {"validation": {"column": "part"}},
            "row 1, column 'part': got 'test', but data.test.column is not set to this column",
        ),
    ],
)
def test_an_impossible_split_is_reported_in_one_line(tmp_path, iris, more, message):
    rows = pd.read_csv(iris)
    rows.assign(site=[*"ABCDE"] * 30, part=["test", "train", "validation"] * 50).to_csv(iris, index=False)
    if more.get("group") == "species":  # a copy, since the config must not use the target itself
        pd.read_csv(iris).assign(kind=rows["species"]).to_csv(iris, index=False)
        more = {"group": "kind"}
    with pytest.raises(InputError) as caught:
        prepare(table(iris, **more), tmp_path / "data")
    assert message.split(" of 'species'")[-1] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()


@pytest.fixture
def people(tmp_path):
    """Return 200 samples of 20 persons with numbers, text and missing values."""
    generator = np.random.default_rng(1)
    rows = pd.DataFrame(
        {
            "person": np.repeat(np.arange(20), 10),
            "age": generator.integers(20, 70, 200).astype(float),
            "job": generator.choice(["baker", "smith", "clerk"], 200),
            "code": generator.integers(1, 4, 200),
            "height": generator.normal(170, 10, 200).round(1),
        }
    )
    rows["pay"] = (
        rows["age"] * 30 + rows["job"].map({"baker": 100, "smith": 900, "clerk": 0}) + generator.normal(size=200)
    )
    rows.loc[generator.random(200) < 0.2, "age"] = np.nan
    rows.loc[generator.random(200) < 0.2, "job"] = None
    file = tmp_path / "people.csv"
    rows.to_csv(file, index=False, na_rep="NA")
    return file


def test_text_is_encoded_as_levels_and_missing_values_are_imputed_and_flagged(tmp_path, people):
    data = Data(source="table", path=str(people), target="pay", group="person", categorical=["code"])
    prepare(data, tmp_path / "data")
    description = Preprocessing.read(tmp_path / "data/preprocessing.json")
    assert description.features[:3] == ["age", "height", "age is missing"]
    assert description.features[3:] == [
        "job=baker",
        "job=clerk",
        "job=smith",
        "job=(missing)",
        "code=1",
        "code=2",
        "code=3",
    ]
    assert description.levels == {"job": ["baker", "clerk", "smith", "(missing)"], "code": ["1", "2", "3"]}
    split = pd.read_csv(tmp_path / "data/split.csv")
    raw = pd.read_csv(people)[(split["part"] == "train").to_numpy()]
    assert description.fill == {"age": pytest.approx(raw["age"].mean())}
    assert description.mean[:2] == pytest.approx([raw["age"].mean(), raw["height"].mean()])
    assert description.sd[0] == pytest.approx(raw["age"].fillna(raw["age"].mean()).std())
    assert (description.task, description.classes) == ("regression", None)
    assert description.target_mean == pytest.approx(raw["pay"].mean())
    train = Prepared.open(tmp_path / "data/dataset.json").part("train")
    assert (train.x[:, 2] == raw["age"].isna()).all()
    assert (train.x[:, 6] == raw["job"].isna()).all()
    assert train.y == pytest.approx(raw["pay"])
    assert split.groupby("group")["part"].nunique().max() == 1


def test_whitened_training_inputs_are_uncorrelated_with_variance_1(tmp_path, people):
    data = Data(source="table", path=str(people), target="pay", categorical=["code"], whiten=0.99)
    prepare(data, tmp_path / "data")
    prepare(data.model_copy(update={"whiten": 0.5}), tmp_path / "fewer")
    train, fewer = (Prepared.open(tmp_path / name / "dataset.json") for name in ("data", "fewer"))
    assert np.cov(train.part("train").x.T) == pytest.approx(np.eye(train.inputs), abs=1e-5)
    assert train.part("train").x[:, : fewer.inputs] == pytest.approx(fewer.part("train").x, abs=1e-6)
    description = Preprocessing.read(tmp_path / "data/preprocessing.json")
    assert (
        fewer.inputs < train.inputs == description.inputs < len(description.features)
    )  # the levels of a text add up to 1
    rows = pd.read_csv(people, dtype={"code": str})[
        (pd.read_csv(tmp_path / "data/split.csv")["part"] == "test").to_numpy()
    ]
    assert description.apply(rows) == pytest.approx(train.part("test").x, abs=1e-6)
    plain = Data(source="table", path=str(people), target="pay", categorical=["code"])
    prepare(plain, tmp_path / "plain")
    held = Prepared.open(tmp_path / "plain/dataset.json").part("train").x.var(axis=0, ddof=1).sum()
    kept = sum(1 / np.sum(np.square(description.components), axis=1))  # variance of each component
    assert 0.99 <= kept / held < 1


def test_whitening_does_not_depend_on_the_number_of_cores(tmp_path):
    random = np.random.default_rng(1)
    columns = random.normal(size=(1000, 200)) @ random.normal(size=(200, 200))
    rows = pd.DataFrame(columns).add_prefix("column_").assign(species=random.integers(0, 2, 1000))
    rows.to_parquet(tmp_path / "wide.parquet")
    fingerprints = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            prepare(table(tmp_path / "wide.parquet", whiten=0.9999), tmp_path / str(threads))
        fingerprints.add(Prepared.open(tmp_path / str(threads) / "dataset.json").fingerprint)
    assert len(fingerprints) == 1


def test_values_unseen_in_training_become_the_mean_or_the_missing_level(tmp_path, people):
    rows = pd.read_csv(people)
    prepare(Data(source="table", path=str(people), target="pay"), tmp_path / "data")
    description = Preprocessing.read(tmp_path / "data/preprocessing.json")
    new = pd.DataFrame({"person": [1.0], "age": [np.nan], "job": ["astronaut"], "code": [1.0], "height": [np.nan]})
    inputs = dict(zip(description.features, description.apply(new)[0], strict=True))
    assert (inputs["age"], inputs["age is missing"], inputs["height"]) == (0, 1, 0)
    assert [inputs[f"job={level}"] for level in description.levels["job"]] == [0, 0, 0, 1]
    complete = rows.dropna()
    prepare(Data(source="table", path=str(_csv(complete, tmp_path)), target="pay"), tmp_path / "complete")
    description = Preprocessing.read(tmp_path / "complete/preprocessing.json")
    assert description.apply(new)[
        0, [description.features.index(f"job={level}") for level in description.levels["job"]]
    ].tolist() == [
        0,
        0,
        0,
    ]


def _csv(rows, folder):
    rows.to_csv(folder / "complete.csv", index=False)
    return folder / "complete.csv"


@pytest.mark.parametrize(
    ("values", "task", "expected"),
    [
        ([1, 2, 3], None, "classification"),
        (list(range(31)), None, "regression"),
        ([0.5, 1.0, 2.0], None, "regression"),
        (["a", "b", "c"], None, "classification"),
        ([True, False], None, "classification"),
        ([1, 2, 3], "regression", "regression"),
        (list(range(31)), "classification", "classification"),
    ],
)
def test_the_task_is_inferred_from_the_target_by_default(tmp_path, values, task, expected):
    rows = pd.DataFrame({"x": np.arange(310.0), "y": (values * 310)[:310]})
    prepare(Data(source="table", path=str(_csv(rows, tmp_path)), target="y", task=task), tmp_path / "data")
    description = json.loads((tmp_path / "data/dataset.json").read_text())
    assert description["task"] == expected
    assert (description["classes"] is None) == (expected == "regression")


def parts_of(folder):
    return pd.read_csv(folder / "split.csv")["part"].to_numpy()


def test_separate_files_define_the_split(tmp_path, iris):
    rows = pd.read_csv(iris).sample(frac=1, random_state=1)
    pieces = {"train": rows[:100], "validation": rows[100:120], "test": rows[120:]}
    for name, piece in pieces.items():
        piece.to_parquet(tmp_path / f"{name}.parquet")
    files = {name: str(tmp_path / f"{name}.parquet") for name in pieces}
    prepare(Data(source="table", path=files, target="species"), tmp_path / "all")
    assert parts_of(tmp_path / "all").tolist() == ["train"] * 100 + ["validation"] * 20 + ["test"] * 30
    del files["validation"]
    prepare(Data(source="table", path=files, target="species"), tmp_path / "drawn")
    assert (parts_of(tmp_path / "drawn")[100:] == "test").all()
    assert (parts_of(tmp_path / "drawn")[:100] == "validation").sum() == 20
    pieces["test"].drop(columns="sepal_width").to_parquet(tmp_path / "test.parquet")
    with pytest.raises(InputError, match=r"test.parquet has no column 'sepal_width', which .*train.parquet has"):
        prepare(Data(source="table", path=files, target="species"), tmp_path / "missing")


def test_a_column_can_define_the_split(tmp_path, iris):
    words = np.random.default_rng(1).choice(["train", "Validation", "test"], 150)
    pd.read_csv(iris).assign(part=words).to_csv(iris, index=False)
    prepare(table(iris, validation={"column": "part"}, test={"column": "part"}), tmp_path / "data")
    assert parts_of(tmp_path / "data").tolist() == [word.lower() for word in words]
    assert "part" not in json.loads((tmp_path / "data/preprocessing.json").read_text())["columns"]


@pytest.mark.parametrize("group", [None, "site"])
def test_each_fold_is_a_separate_data_set(tmp_path, iris, group):
    pd.read_csv(iris).assign(site=[*"ABCDEFGHIJ"] * 15).to_csv(iris, index=False)
    prepare(table(iris, group=group, validation={"folds": 4}), tmp_path / "data")
    split = pd.read_csv(tmp_path / "data/split.csv")
    assert (split.loc[split["part"] == "test", "fold"] == 0).all()
    rest = split[split["part"] != "test"]
    assert sorted(rest["fold"].unique()) == [1, 2, 3, 4]
    folds = [Prepared.open(tmp_path / f"data/fold_{number}/dataset.json") for number in range(1, 5)]
    assert [len(fold.part("validation").y) for fold in folds] == rest.groupby("fold").size().tolist()
    assert all(len(fold.part("train").y) + len(fold.part("validation").y) == len(rest) for fold in folds)
    for fold in folds:
        assert np.abs(fold.part("train").x[:, :4].mean(axis=0)).max() < 1e-6
    if group:
        assert rest.groupby("group")["fold"].nunique().max() == 1
    else:
        assert (rest.groupby(["fold", "class"]).size() == 10).all()
    common = json.loads((tmp_path / "data/dataset.json").read_text())
    assert common["fingerprint"] not in {fold.fingerprint for fold in folds}
    assert common["folds"] == 4


@pytest.mark.parametrize("whiten", [None, 0.99])
@pytest.mark.parametrize("validation", [{"folds": 3}, {"fraction": 0.3}])
def test_refit_data_are_all_samples_except_the_test_set_with_own_statistics(tmp_path, iris, validation, whiten):
    data = table(iris, validation=validation, whiten=whiten)
    prepare(data, tmp_path / "parts")
    prepare_refit(data, tmp_path / "refit")
    part = Prepared.open(tmp_path / "parts" / ("fold_1" if "folds" in validation else "") / "dataset.json")
    refit = Prepared.open(tmp_path / "refit" / "dataset.json")
    assert (refit.part("test").y == part.part("test").y).all()
    assert len(refit.part("train").y) == len(part.part("train").y) + len(part.part("validation").y)
    assert (refit.part("train").x == refit.part("validation").x).all()
    for fitted in (refit.part("train").x, part.part("train").x):
        assert np.abs(fitted[:, :4].mean(axis=0)).max() < 1e-6
        if whiten:
            assert np.cov(fitted.T) == pytest.approx(np.eye(3), abs=1e-5)
    assert refit.fingerprint != part.fingerprint


def test_selection_on_the_test_set_trains_on_all_other_samples(tmp_path, iris):
    prepare(table(iris), tmp_path / "data", "test")
    data = Prepared.open(tmp_path / "data/dataset.json")
    assert (data.part("validation").x == data.part("test").x).all()
    assert len(data.part("train").y) == 120


@given(
    groups=st.integers(3, 12), share=st.floats(0.05, 0.6), seed=st.integers(0, 1000), stratify=st.booleans(),
    folds=st.none() | st.integers(2, 4), grouped=st.booleans(),
)  # fmt: skip
def test_every_sample_is_in_one_part_and_groups_are_not_split(groups, share, seed, stratify, folds, grouped):
    size = groups * 12
    rows = Rows(
        pd.DataFrame({"x": np.arange(size)}), np.arange(size) % 2, "y", ["a", "b"],
        groups=pd.Series(np.arange(size) % groups, name="g") if grouped else None,
    )  # fmt: skip
    validation = {"folds": folds} if folds else {"fraction": min(share, 0.3), "stratify": stratify}
    data = Data(source="digits", validation=validation, test={"fraction": min(share, 0.3)}, seed=seed)
    refused = None
    try:
        split, again = split_rows(data, rows), split_rows(data, rows)
    except InputError as error:
        refused = str(error)
    if refused is not None:
        assert re.search("training samples are left|none of them in train|n_splits", refused)
        return
    assert (split.parts == again.parts).all()
    for fold in range(1, folds + 1) if folds else [None]:
        parts = split.of_fold(fold) if fold else split.parts
        assert set(parts) == {"train", "validation", "test"}
        if grouped:
            assert pd.DataFrame({"g": rows.groups, "part": parts}).groupby("g")["part"].nunique().max() == 1
    if folds:
        assert ((split.folds > 0) == (split.parts == "train")).all()
