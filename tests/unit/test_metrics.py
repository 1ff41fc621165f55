"""Metrics compared with H2O's definitions, published results and scikit-learn."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, recall_score
from sklearn.metrics import log_loss as sklearn_log_loss

from gamtune.cli.main import main
from gamtune.metrics.h2o import (
    MAX_LOG_LOSS,
    classification_metrics,
    confusion_matrix,
    log_loss,
    log_softmax,
    mean_per_class_error,
    regression_metrics,
)

PUBLISHED = np.array(
    [
        [482, 1, 13, 0, 0, 0],
        [12, 445, 13, 0, 1, 0],
        [4, 22, 394, 0, 0, 0],
        [0, 2, 0, 445, 43, 1],
        [0, 0, 0, 51, 481, 0],
        [0, 0, 0, 0, 14, 523],
    ]
)


def test_the_published_confusion_matrix_gives_the_published_mean_per_class_error():
    assert mean_per_class_error(PUBLISHED) == pytest.approx(0.06015901, abs=5e-9)
    assert PUBLISHED.trace() / PUBLISHED.sum() == pytest.approx(0.939939, abs=5e-7)


def test_an_absent_class_has_error_zero():
    assert mean_per_class_error(np.array([[1, 1, 0], [0, 2, 0], [0, 0, 0]])) == pytest.approx(0.5 / 3)


def test_a_saturated_wrong_prediction_has_the_capped_log_loss_of_h2o():
    scored = log_softmax(np.array([[1000.0, 0.0]], dtype=np.float32))
    assert log_loss(scored, np.array([1])) == MAX_LOG_LOSS == pytest.approx(34.538776)
    with np.errstate(divide="ignore"):
        assert log_loss(np.log(np.array([[1.0, 0.0]])), np.array([1])) == MAX_LOG_LOSS


def test_mse_uses_the_probability_of_the_true_class():
    metrics = classification_metrics(np.log([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]), np.array([0, 1]))
    assert metrics["mse"] == pytest.approx((0.3**2 + 0.7**2) / 2)
    assert metrics["rmse"] == pytest.approx(math.sqrt(metrics["mse"]))
    assert metrics["r2"] == pytest.approx(1 - metrics["mse"] / 0.25)
    assert metrics["accuracy"] == 0.5


@pytest.mark.parametrize("value", [0.3, 2.0, 1e-200])
def test_r2_is_nan_if_all_targets_are_equal(value):
    assert math.isnan(regression_metrics(np.full(10, 0.2), np.full(10, value))["r2"])


def test_r2_is_nan_if_only_one_class_occurs():
    assert math.isnan(classification_metrics(np.log([[0.5, 0.5]]), np.array([1]))["r2"])


logits = arrays(np.float32, st.tuples(st.integers(2, 30), st.integers(2, 6)), elements=st.floats(-16, 16, width=32))


@given(logits, st.integers(0, 2**32 - 1))
def test_metrics_agree_with_scikit_learn(outputs, seed):
    labels = np.random.default_rng(seed).integers(outputs.shape[1], size=len(outputs))
    scored = log_softmax(outputs)
    metrics = classification_metrics(scored, labels)
    every = range(outputs.shape[1])
    assert np.exp(scored).sum(axis=1) == pytest.approx(1)
    assert metrics["logloss"] == pytest.approx(
        sklearn_log_loss(labels, np.exp(scored), labels=every), rel=1e-6, abs=1e-9
    )
    assert metrics["accuracy"] == pytest.approx(accuracy_score(labels, scored.argmax(axis=1)))
    recalls = recall_score(labels, scored.argmax(axis=1), labels=every, average=None, zero_division=1)
    assert metrics["mean_per_class_error"] == pytest.approx(1 - recalls.mean())
    assert confusion_matrix(scored, labels).sum() == len(labels)


@given(logits, st.integers(0, 2**32 - 1), st.floats(-50, 50))
def test_metrics_do_not_depend_on_the_order_of_samples_or_a_shift_of_the_logits(outputs, seed, shift):
    generator = np.random.default_rng(seed)
    labels = generator.integers(outputs.shape[1], size=len(outputs))
    order = generator.permutation(len(labels))
    plain = classification_metrics(log_softmax(outputs), labels)
    shifted = classification_metrics(log_softmax((outputs.astype(float) + shift)[order]), labels[order])
    for metric in ("mse", "logloss"):  # because of rounding, the shift may turn a near tie into a tie
        assert plain[metric] == pytest.approx(shifted[metric], rel=1e-9, abs=1e-9)
    assert plain == pytest.approx(classification_metrics(log_softmax(outputs[order]), labels[order]), nan_ok=True)


@pytest.mark.parametrize(
    ("scored", "labels"),
    [
        ([[0.0, -1.0]], [2]),
        ([[0.0, -1.0]], [-1]),
        ([[math.nan, -1.0]], [0]),
        ([[0.5, -1.0]], [0]),
        ([[0.0, -1.0]], [0, 1]),
    ],
)
def test_invalid_predictions_are_refused(scored, labels):
    with pytest.raises(ValueError, match=r"labels|log-probabilities|expected as many"):
        classification_metrics(np.array(scored), np.array(labels))


def test_the_command_scores_a_file_of_predictions(tmp_path, capsys):
    file = tmp_path / "p.csv"
    file.write_text("actual,predicted,p_a,p_b\na,a,0.88,0.12\nb,a,1,0\n")
    assert main(["metrics", str(file)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["logloss"] == pytest.approx((-math.log(0.88) + MAX_LOG_LOSS) / 2)
    assert printed["confusion_matrix"] == [[1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("actual,p_a,p_b\nc,1,0\n", "row 1, column 'actual': there is no column p_c"),
        ("actual,p_a,p_b\na,x,0\n", "row 1, column 'p_a': got 'x', expected a probability"),
        ("actual,p_a,p_b\na,2,0\n", "row 1, column 'p_a': got '2', expected a probability"),
        ("actual,p_a\na,1\n", "expected actual and at least two columns p_<class>"),
        ("actual,p_a,p_b\n", "no rows"),
    ],
)
def test_an_invalid_file_of_predictions_is_reported_in_one_line_with_exit_code_2(tmp_path, capsys, content, message):
    file = tmp_path / "p.csv"
    file.write_text(content)
    assert main(["metrics", str(file)]) == 2
    stderr = capsys.readouterr().err
    assert message in stderr
    assert stderr.count("\n") == 1
