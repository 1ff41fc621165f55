"""A bug keeps its traceback; it is not reported as a message for users, a failed trial, a skipped model or an empty slot."""

import json
from contextlib import suppress
from pathlib import Path

import one_thread  # noqa: F401
import pytest
import yaml
from configs import CONFIG, changed
from pydantic import ValidationError

from gamtune.cli.main import main
from gamtune.config.load import parse_study
from gamtune.config.settings import make_spec
from gamtune.data.arrays import Prepared
from gamtune.errors import InputError
from gamtune.learners.trial import run_trial
from gamtune.results.records import Record
from gamtune.runtime.launch import LaunchError, launch

SPEC = make_spec({"neurons": [8], "epochs": 1}, 1)
SUMMARY = Path(__file__).parents[1] / "cases" / "52-log-terms" / "results.csv"
BUGS = [ValueError("shapes differ"), KeyError("loss"), TypeError("no number")]


def fail_with(error):
    def broken(*_, **__):
        raise error

    return broken


def tensorflow_error():
    import tensorflow as tf

    with suppress(tf.errors.InvalidArgumentError):
        tf.linalg.matmul(tf.zeros((2, 3)), tf.zeros((2, 3)))
    return tf.errors.InvalidArgumentError(None, None, "shapes differ")


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_a_bug_in_the_training_loop_is_raised_and_leaves_no_record(tmp_path, digits, monkeypatch, error):
    monkeypatch.setattr("gamtune.learners.mlp.loop.train", fail_with(error))
    with pytest.raises(type(error)):
        run_trial(SPEC, Prepared.open(digits), "code", 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_tensorflow_error_in_the_training_loop_is_raised(tmp_path, digits, monkeypatch):
    error = tensorflow_error()
    monkeypatch.setattr("gamtune.learners.mlp.loop.train", fail_with(error))
    with pytest.raises(type(error)):
        run_trial(SPEC, Prepared.open(digits), "code", 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_too_large_for_a_tensor_is_a_failed_trial(tmp_path, digits, monkeypatch):
    monkeypatch.setattr("gamtune.learners.mlp.network.build_network", fail_with(tensorflow_error()))
    run_trial(SPEC, Prepared.open(digits), "code", 1, tmp_path)
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["status"], record["reason"]) == ("failed", "ImpossibleError: shapes differ")


def test_a_bug_in_the_training_loop_fails_the_job_with_its_traceback(tmp_path, digits, monkeypatch, capfd):
    monkeypatch.setattr("gamtune.learners.mlp.loop.train", fail_with(ValueError("shapes differ")))
    record = tmp_path / "trials" / "record.json"
    with pytest.raises(LaunchError):
        launch(SPEC, digits, record, tmp_path / "store", 1, 1)
    errors = capfd.readouterr().err
    assert "Traceback (most recent call last)" in errors
    assert "ValueError: shapes differ" in errors
    assert not record.exists()
    assert list((tmp_path / "store").glob("[0-9a-f]*")) == []


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_a_bug_in_a_strategy_is_raised_and_no_slot_is_written(tmp_path, monkeypatch, error):
    monkeypatch.chdir(tmp_path)
    config = changed(CONFIG, {"search": {"strategy": "tpe", "draws": 12, "rounds": 1, "seed": 1}})
    Path("study.yaml").write_text(yaml.safe_dump(config))
    folder = Path("results", config["study"])
    folder.mkdir(parents=True)
    assert main(["table", "study.yaml", "--out", str(folder / "table.csv")]) == 0
    monkeypatch.setattr("gamtune.search.propose.Record.read", lambda *_: Record(status="failed"))
    monkeypatch.setattr("gamtune.search.strategies.rounds.Tpe.propose", fail_with(error))
    with pytest.raises(type(error)):
        main(["propose", "study.yaml", "--study", str(folder), "--stage", "1"])
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == ["table.csv"]


@pytest.mark.parametrize(
    "place", ["analysis.gam_step.fit_gam", "gam.model.build_basis", "gam.penalised_fit.Problem.choose"]
)
@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_a_bug_in_the_gam_is_raised_instead_of_skipping_the_model(tmp_path, monkeypatch, error, place):
    monkeypatch.setattr(f"gamtune.{place}", fail_with(error))
    arguments = ["--formula", "s(learning_rate, k=4)", "--out", str(tmp_path / "gam"), "--skip-unfittable"]
    with pytest.raises(type(error)):
        main(["gam", str(SUMMARY), *arguments])
    assert not (tmp_path / "gam").exists()


@pytest.mark.parametrize("method", ["check_study", "_check_draws"])
def test_a_bug_in_a_validator_of_the_config_keeps_its_traceback(monkeypatch, method):
    monkeypatch.setattr(f"gamtune.search.strategies.drawn.Random.{method}", fail_with(ValueError("shapes differ")))
    with pytest.raises(ValueError, match="shapes differ") as caught:
        parse_study(CONFIG, "study.yaml")
    assert not isinstance(caught.value, InputError | ValidationError)
