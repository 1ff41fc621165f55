"""The public data sets, if a local folder contains them."""

import json
import os
from collections import Counter

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from gamtune.config.data_section import Data
from gamtune.data.arrays import Prepared
from gamtune.data.prepare import prepare, read_rows

DATA = os.environ.get("GAMTUNE_DATA")
pytestmark = [
    pytest.mark.tables,
    pytest.mark.skipif(DATA is None, reason="the variable GAMTUNE_DATA names no folder with har and mnist"),
]


@pytest.fixture(scope="module")
def har():
    return read_rows(Data(source="har", mirror=DATA))


def test_har_matches_its_description(har):
    assert har.features.shape == (10_299, 561)
    assert har.features.columns.is_unique
    train = har.parts == ""
    activities = Counter(np.array(har.classes)[har.target[train]].tolist())
    assert activities == {
        "WALKING": 1226, "WALKING_UPSTAIRS": 1073, "WALKING_DOWNSTAIRS": 986,
        "SITTING": 1286, "STANDING": 1374, "LAYING": 1407,
    }  # fmt: skip
    assert (train.sum(), har.groups[train].nunique(), har.groups[~train].nunique()) == (7352, 21, 9)
    assert not set(har.groups[train]) & set(har.groups[~train])


def test_linear_discriminant_analysis_reaches_its_published_accuracy_on_har(har):
    train = har.parts == ""
    fitted = LinearDiscriminantAnalysis().fit(har.features[train], har.target[train])
    assert fitted.score(har.features[~train], har.target[~train]) == pytest.approx(0.9623, abs=5e-5)


def test_har_is_validated_on_subjects_that_are_not_in_training(tmp_path):
    prepare(Data(source="har", mirror=DATA, validation={"by_group": "subject", "groups": 5}), tmp_path)
    info = json.loads((tmp_path / "dataset.json").read_text())
    assert (info["inputs"], info["rows"]["test"]) == (561, 2947)
    groups = {}
    for line in (tmp_path / "split.csv").read_text().splitlines()[1:]:
        _, part, _, subject = line.split(",")
        groups.setdefault(part, set()).add(subject)
    assert {part: len(subjects) for part, subjects in groups.items()} == {"train": 16, "validation": 5, "test": 9}
    assert not groups["train"] & groups["validation"]
    train = Prepared.open(tmp_path / "dataset.json").part("train").x
    assert np.abs(train.std(axis=0, ddof=1) - 1).max() < 1e-4


def test_mnist_matches_its_description():
    mnist = read_rows(Data(source="mnist", mirror=DATA))
    assert mnist.features.shape == (70_000, 784)
    assert mnist.features.to_numpy().max() == 255
    assert ((mnist.parts == "test").sum(), mnist.classes) == (10_000, list(range(10)))
    assert mnist.target[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(mnist.target[mnist.parts == "test"]).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
