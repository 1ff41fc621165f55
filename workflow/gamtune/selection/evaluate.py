"""The step `evaluate`: score the final trials of the optimum and of its references on the test set, once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from gamtune.data.arrays import Prepared
from gamtune.data.intact import invalidate_if_damaged, open_intact
from gamtune.data.preprocessing import Preprocessing
from gamtune.errors import DamagedError, StepError
from gamtune.files import checksum_of, copy_file, matches_checksum, replacing, write_text
from gamtune.learners.mlp.model_file import load_raw
from gamtune.learners.mlp.scoring import metrics_of, predict
from gamtune.metrics.h2o import METRICS, FloatArray, IntArray, confusion_matrix
from gamtune.results.artefacts import artefact_text
from gamtune.results.comparison import TEST, Comparison, Score, final_seeds
from gamtune.results.csv_rows import Candidate, FinalistTest
from gamtune.results.layout import DataFolder, OptimumFolder, StudyFolder, TrialFolder
from gamtune.results.records import Record
from gamtune.results.selection import Selection
from gamtune.search.trials import search_trials
from gamtune.selection.finalists import OPTIMUM
from gamtune.selection.paired_tests import mcnemar, paired_t
from gamtune.selection.slots import confirmation_records
from gamtune.spec import Spec


def evaluate(
    study: Path, finalists: Sequence[str], replicates: int, refit: bool = False, stages: Sequence[str] = ()
) -> None:
    """Score the final trials on the test set and export the model of the first final trial of the optimum.

    Writes ``record.json``, ``model.keras``, ``predictions.csv``, ``comparison.csv``, ``tests.csv``,
    ``preprocessing.json``, ``weights/<variable>.csv`` and, for a classification, ``confusion_matrix.csv`` into
    ``optimum/``.

    Parameters
    ----------
    study : Path
        The study's folder of results, with the selection.
    finalists : sequence of str
        The optimum, then the models that it is compared with.
    replicates : int
        Number of final trials of each finalist.
    refit : bool
        Whether the final trials were trained on training and validation samples. Their validation scores are then left
        out.
    stages : sequence of str
        Folders of the study's rounds or rungs.

    Raises
    ------
    StepError
        If a final trial of the optimum failed.
    """
    optimum = _Finals.read(study, OPTIMUM, replicates, refit)
    for number, record in enumerate(optimum.records, start=1):
        if record.status != "ok":
            raise StepError(f"final trial {number} of the optimum failed: {record.reason}")
    folder, record, data = StudyFolder(study).optimum, optimum.records[0], optimum.sets[0]
    exported = optimum.folders[0]
    copy_file(exported.model, folder.model)
    copy_file(exported.record, folder.record)
    predicted, test = optimum.predictions[0], data.part("test")
    write_text(folder.predictions, _predictions(predicted, test.y, data.classes))
    if data.classes is None:
        for file in (folder.confusion, checksum_of(folder.confusion)):
            file.unlink(missing_ok=True)  # left from a classification with the same study name
    else:
        write_text(folder.confusion, confusion_csv(confusion_matrix(predicted, test.y), data.classes))
    metrics = METRICS["regression" if data.classes is None else "classification"]
    scored = (record.metrics or {}) | {TEST: optimum.scores[0]}
    if refit:
        del scored["validation"]
    scores = [*_compared(study, stages, metrics)]
    scores += [Score(OPTIMUM, part, 1, values) for part, values in scored.items()]
    others = [_Finals.read(study, name, replicates, refit) for name in finalists if name != OPTIMUM]
    for finals in (optimum, *(other for other in others if other.finished)):
        scores.append(_means(final_seeds(finals.name), TEST, finals.scores, metrics))
    Comparison(scores, folder.comparison).write(metrics)
    FinalistTest.write((_tested(optimum, other) for other in others if other.finished), folder.tests)
    source = DataFolder(data.folder)
    with invalidate_if_damaged(source.info):
        Preprocessing.read(source.preprocessing)
    copy_file(source.preprocessing, folder.preprocessing)
    _write_weights(optimum.models[0], folder)


@dataclass(frozen=True)
class _Finals:
    """The final trials of a finalist, with their predictions and scores on the test set."""

    name: str
    folders: list[TrialFolder]
    records: list[Record]
    sets: list[Prepared]

    @classmethod
    def read(cls, study: Path, name: str, replicates: int, refit: bool) -> "_Finals":
        folders = [StudyFolder(study).final(name, number) for number in range(1, replicates + 1)]
        records = [Record.read(folder.record) for folder in folders]
        sets = [_data_of(study, record, refit) for record in records if record.status == "ok"]
        return cls(name, folders, records, sets)

    @property
    def finished(self) -> bool:
        """Whether all final trials finished; a reference that is itself the optimum has none."""
        return len(self.sets) == len(self.folders)

    @cached_property
    def models(self) -> list[Any]:
        """Network of each trial, with raw outputs."""
        shapes = [(data.inputs, 1 if data.classes is None else len(data.classes)) for data in self.sets]
        return [load_raw(_intact_model(folder), shape) for folder, shape in zip(self.folders, shapes, strict=True)]

    @cached_property
    def predictions(self) -> list[FloatArray]:
        """Predictions of each trial for the test samples: log-probabilities, (n, K), or values, (n,)."""
        return [predict(model, data.part("test").x, data) for model, data in zip(self.models, self.sets, strict=True)]

    @cached_property
    def scores(self) -> list[dict[str, Any]]:
        """Test metrics of each trial."""
        return [
            dict(metrics_of(predicted, data.part("test").y, data))
            for predicted, data in zip(self.predictions, self.sets, strict=True)
        ]

    @cached_property
    def correct(self) -> Any:
        """Which test samples the first trial classifies correctly, (n,) bool; None for a regression."""
        data = self.sets[0]
        return None if data.classes is None else self.predictions[0].argmax(axis=1) == data.part("test").y


def _intact_model(trial: TrialFolder) -> Path:
    """Return the model of a final trial; Snakemake makes the model again if its record is missing."""
    model = trial.model
    if not model.exists() or (checksum_of(model).exists() and not matches_checksum(model)):
        raise DamagedError(trial.record, f"{model.name} beside it is missing or damaged")
    return model


def _tested(optimum: _Finals, other: _Finals) -> FinalistTest:
    """Return the paired difference in test MSE, and McNemar's test of a classification."""
    errors = [[score["mse"] for score in finals.scores] for finals in (other, optimum)]
    paired = paired_t(*errors)
    mcnemars = None if optimum.correct is None else mcnemar(optimum.correct, other.correct)
    return FinalistTest(
        against=other.name,
        n=len(errors[0]),
        difference=paired.difference,
        low=paired.low,
        high=paired.high,
        p=paired.p,
        only_optimum_right=mcnemars.only_first if mcnemars else None,
        only_other_right=mcnemars.only_second if mcnemars else None,
        mcnemar_p=mcnemars.p if mcnemars else None,
    )


def confusion_csv(counts: IntArray, classes: list[Any]) -> str:
    """Return a confusion matrix as H2O prints it: one line per true class with its error and rate, then the totals.

    Parameters
    ----------
    counts : (K, K) int
        Number of samples; axis 0 is the true class, axis 1 the predicted class.
    classes : list
        Names of the K classes.
    """
    totals = counts.sum(axis=0)
    lines = [
        (classes[k], *counts[k], *_error(counts[k].sum() - counts[k, k], counts[k].sum())) for k in range(len(classes))
    ]
    lines.append(("Totals", *totals, *_error(counts.sum() - np.trace(counts), counts.sum())))
    return artefact_text(("actual", *classes, "error", "rate"), lines)


def _error(wrong: int, samples: int) -> tuple[float, str]:
    return (float(wrong / samples) if samples else 0.0, f"{wrong} / {samples}")


def _predictions(predicted: FloatArray, targets: Any, classes: list[Any] | None) -> str:
    """Return ``predictions.csv``, as `gamtune metrics` reads it: actual and predicted values, class probabilities."""
    if classes is None:
        return artefact_text(("actual", "predicted"), zip(targets.tolist(), predicted.tolist(), strict=True))
    header = ("actual", "predicted", *(f"p_{name}" for name in classes))
    labels = predicted.argmax(axis=1)
    probabilities = np.exp(predicted).tolist()
    return artefact_text(
        header, ((classes[t], classes[p], *row) for t, p, row in zip(targets, labels, probabilities, strict=True))
    )


def _data_of(study: Path, record: Record, refit: bool) -> Prepared:
    """Return the data set of a final trial."""
    data = StudyFolder(study).data
    folder = data.refit if refit else data.fold(record.fold)
    return open_intact(folder.info, ("test",))


def _compared(study: Path, stages: Sequence[str], metrics: Sequence[str]) -> Iterator[Score]:
    """Yield the scores of the best configuration in the search and on fresh seeds, and of the selected candidate."""
    selection = Selection.of(study)
    best, optimum = Candidate.by_name(StudyFolder(study).candidates).get("observed_1"), selection.optimum
    part = "test (used for selection)" if selection.selected_on == "test" else "validation"

    def means(what: str, records: list[Record]) -> Score:
        return _means(what, part, [(record.metrics or {})["validation"] for record in records], metrics)

    if best is not None and best.spec is not None:
        yield means("best configuration (search)", _tried(study, best.spec, stages))
        confirmed = selection.candidate(best.candidate).n
        if confirmed and best.candidate != optimum:
            yield means("best configuration (fresh seeds)", confirmation_records(study, best.candidate, confirmed))
    yield means("selected candidate (fresh seeds)", confirmation_records(study, optimum, selection.selected.n))


def _tried(study: Path, spec: Spec, stages: Sequence[str]) -> list[Record]:
    """Return the records of the finished trials of a configuration, with all weight seeds."""
    records = [Record.read(trial.record, trial.trial) for trial in search_trials(study, stages)]
    finished = [record for record in records if record.status == "ok"]
    wanted = spec.without_seed()
    return [record for record in finished if record.to_spec().without_seed() == wanted]


def _means(what: str, part: str, scores: list[dict[str, Any]], metrics: Sequence[str]) -> Score:
    """Return the mean metrics of trials; R2 is left out if a trial has none, and RMSE is the root of the mean MSE."""
    available = [metric for metric in metrics if all(score[metric] is not None for score in scores)]
    means = {metric: fmean(score[metric] for score in scores) for metric in available}
    if metrics == METRICS["regression"]:
        means["rmse"] = sqrt(means["mse"])
    spread = stdev(score["mse"] for score in scores) if len(scores) > 1 else None
    return Score(what, part, len(scores), {**means, "mse_sd": spread})


def _write_weights(model: Any, folder: OptimumFolder) -> None:
    """Write each kernel and bias as CSV without header: one line per input, one column per neuron, 9 digits."""
    folder.weights.mkdir(parents=True, exist_ok=True)
    for old in folder.weights.glob("*.csv"):
        old.unlink()
    for variable in model.variables:
        values = np.atleast_2d(np.asarray(variable))
        if variable.path.endswith(("kernel", "bias")):
            with replacing(folder.weight(variable.path)) as part:
                np.savetxt(part, values, fmt="%.9g", delimiter=",")  # 9 digits identify a float32
