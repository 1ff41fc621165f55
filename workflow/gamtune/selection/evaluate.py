"""The final trainings' only look at the test set: what the optimum scores there, and beside it its references."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from gamtune.data.arrays import Prepared
from gamtune.data.intact import open_intact, vouched_for_by
from gamtune.data.preprocessing import Preprocessing
from gamtune.errors import DamagedError, StepError
from gamtune.files import checksum_of, copy_file, matches_checksum, replacing, write_text
from gamtune.learners.mlp.model_file import load_raw
from gamtune.learners.mlp.scoring import metrics_of, predict
from gamtune.metrics.h2o import METRICS, FloatArray, IntArray, confusion_matrix
from gamtune.results.artefacts import artefact_text
from gamtune.results.comparison import TEST, Comparison, Score, final_seeds
from gamtune.results.layout import DataFolder, OptimumFolder, StudyFolder, TrialFolder
from gamtune.results.records import Record
from gamtune.results.selection import Selection
from gamtune.search.trials import lines_with_records
from gamtune.selection.finalists import OPTIMUM
from gamtune.selection.paired_tests import mcnemar, paired_t
from gamtune.selection.slots import confirmation_records, read_candidates
from gamtune.spec import Spec

TESTS = (
    "against", "n", "difference", "low", "high", "p", "only_optimum_right", "only_other_right", "mcnemar_p",
)  # fmt: skip


def evaluate(
    study: Path, finalists: Sequence[str], replicates: int, whole: bool = False, stages: Sequence[str] = ()
) -> None:
    """Score the final trainings on the test rows and export the optimum's first.

    Writes ``record.json``, ``model.keras``, ``predictions.csv``, ``comparison.csv``, ``tests.csv``,
    ``preprocessing.json``, ``weights/<variable>.csv`` and, where there are classes, ``confusion_matrix.csv`` into
    ``optimum/``.

    Parameters
    ----------
    study : Path
        The study's folder of results, the selection made.
    finalists : sequence of str
        The optimum, then those it is compared with.
    replicates : int
        How many final trainings each has.
    whole : bool
        They learned from all rows but the test's: no validation error of theirs means anything.
    stages : sequence of str
        Folders of the study's rounds or rungs.

    Raises
    ------
    StepError
        If a final training of the optimum failed.
    """
    optimum = _Finals.read(study, OPTIMUM, replicates, whole)
    for number, record in enumerate(optimum.records, start=1):
        if record.status != "ok":
            raise StepError(f"training {number} of the optimum failed: {record.reason}")
    folder, record, data = StudyFolder(study).optimum, optimum.records[0], optimum.sets[0]
    exported = optimum.folders[0]
    copy_file(exported.model, folder.model)
    copy_file(exported.record, folder.record)
    predicted, test = optimum.predictions[0], data.part("test")
    write_text(folder.predictions, _predictions(predicted, test.y, data.classes))
    if data.classes is None:
        for file in (folder.confusion, checksum_of(folder.confusion)):
            file.unlink(missing_ok=True)  # of classes that the target had before
    else:
        write_text(folder.confusion, confusion_csv(confusion_matrix(predicted, test.y), data.classes))
    metrics = METRICS["regression" if data.classes is None else "classification"]
    scored = (record.metrics or {}) | {TEST: optimum.scores[0]}
    if whole:
        del scored["validation"]
    rows = [*_compared(study, stages, metrics)]
    rows += [Score(OPTIMUM, part, 1, figures) for part, figures in scored.items()]
    others = [_Finals.read(study, name, replicates, whole) for name in finalists if name != OPTIMUM]
    for finals in (optimum, *(other for other in others if other.finished)):
        rows.append(_means(final_seeds(finals.name), TEST, finals.scores, metrics))
    Comparison(rows, folder.comparison).write(metrics)
    write_text(folder.tests, artefact_text(TESTS, (_tested(optimum, other) for other in others if other.finished)))
    source = DataFolder(data.folder)
    with vouched_for_by(source.info):
        Preprocessing.read(source.preprocessing)
    copy_file(source.preprocessing, folder.preprocessing)
    _write_weights(optimum.models[0], folder)


@dataclass(frozen=True)
class _Finals:
    """A finalist's final trainings and what they say of the test rows."""

    name: str
    folders: list[TrialFolder]
    records: list[Record]
    sets: list[Prepared]

    @classmethod
    def read(cls, study: Path, name: str, replicates: int, whole: bool) -> "_Finals":
        folders = [StudyFolder(study).final(name, number) for number in range(1, replicates + 1)]
        records = [Record.read(folder.record) for folder in folders]
        sets = [_data_of(study, record, whole) for record in records if record.status == "ok"]
        return cls(name, folders, records, sets)

    @property
    def finished(self) -> bool:
        """Whether all its trainings did: a reference that is the optimum itself, say, has none."""
        return len(self.sets) == len(self.folders)

    @cached_property
    def models(self) -> list[Any]:
        """The network of each training, with raw outputs."""
        shapes = [(data.inputs, 1 if data.classes is None else len(data.classes)) for data in self.sets]
        return [load_raw(_intact_model(folder), shape) for folder, shape in zip(self.folders, shapes, strict=True)]

    @cached_property
    def predictions(self) -> list[FloatArray]:
        """For each training, the test rows' log probabilities, (n, K), or values, (n,)."""
        return [predict(model, data.part("test").x, data) for model, data in zip(self.models, self.sets, strict=True)]

    @cached_property
    def scores(self) -> list[dict[str, Any]]:
        """The test metrics of each training."""
        return [
            dict(metrics_of(predicted, data.part("test").y, data))
            for predicted, data in zip(self.predictions, self.sets, strict=True)
        ]

    @cached_property
    def right(self) -> Any:
        """Which test rows the first training classifies rightly, (n,) bool; None of a regression."""
        data = self.sets[0]
        return None if data.classes is None else self.predictions[0].argmax(axis=1) == data.part("test").y


def _intact_model(trial: TrialFolder) -> Path:
    """Return the model of a final trial; Snakemake makes it again when its record is missing."""
    model = trial.model
    if not model.exists() or (checksum_of(model).exists() and not matches_checksum(model)):
        raise DamagedError(trial.record, f"{model.name} beside it is missing or damaged")
    return model


def _tested(optimum: _Finals, other: _Finals) -> tuple[Any, ...]:
    """A line of ``tests.csv``: the other's test MSE less the optimum's, and who is right where the other is not."""
    errors = [[figures["mse"] for figures in finals.scores] for finals in (other, optimum)]
    rows = (None,) * 3 if optimum.right is None else astuple(mcnemar(optimum.right, other.right))
    return (other.name, len(errors[0]), *astuple(paired_t(*errors)), *rows)


def confusion_csv(counts: IntArray, classes: list[Any]) -> str:
    """A confusion matrix as H2O prints it: rows true, then each row's error and its rate, totals last.

    Parameters
    ----------
    counts : (K, K) int
        Rows true, columns predicted.
    classes : list
        Names of the K classes.
    """
    totals = counts.sum(axis=0)
    lines = [
        (classes[k], *counts[k], *_error(counts[k].sum() - counts[k, k], counts[k].sum())) for k in range(len(classes))
    ]
    lines.append(("Totals", *totals, *_error(counts.sum() - np.trace(counts), counts.sum())))
    return artefact_text(("actual", *classes, "error", "rate"), lines)


def _error(wrong: int, rows: int) -> tuple[float, str]:
    return (float(wrong / rows) if rows else 0.0, f"{wrong} / {rows}")


def _predictions(predicted: FloatArray, targets: Any, classes: list[Any] | None) -> str:
    """Each test row's true and predicted value, and of classes the probabilities; ``gamtune metrics`` reads it."""
    if classes is None:
        return artefact_text(("actual", "predicted"), zip(targets.tolist(), predicted.tolist(), strict=True))
    header = ("actual", "predicted", *(f"p_{name}" for name in classes))
    chosen = predicted.argmax(axis=1)
    probabilities = np.exp(predicted).tolist()
    return artefact_text(
        header, ((classes[t], classes[p], *row) for t, p, row in zip(targets, chosen, probabilities, strict=True))
    )


def _data_of(study: Path, record: Record, whole: bool) -> Prepared:
    """The data that a final training saw."""
    data = StudyFolder(study).data
    folder = data.whole if whole else data.fold(record.fold)
    return open_intact(folder.info, ("test",))


def _compared(study: Path, stages: Sequence[str], metrics: Sequence[str]) -> Iterator[Score]:
    """The best row as tried and as trained again, and the winner on its fresh seeds."""
    selection = Selection.of(study)
    best, winner = read_candidates(StudyFolder(study).candidates).get("observed_1"), selection.winner
    validation = "test, chosen on" if selection.selection == "test" else "validation"

    def means(what: str, records: list[Record]) -> Score:
        return _means(what, validation, [(record.metrics or {})["validation"] for record in records], metrics)

    if best is not None and best.spec is not None:
        yield means(f"best row tried ({best.source})", _tried(study, best.spec, stages))
        confirmed = selection.candidate(best.name).n
        if confirmed and best.name != winner:
            yield means("best row on fresh seeds", confirmation_records(study, best.name, confirmed))
    yield means(f"winner on fresh seeds ({winner})", confirmation_records(study, winner, selection.selected.n))


def _tried(study: Path, spec: Spec, stages: Sequence[str]) -> list[Record]:
    """The finished trials with these settings, whatever their weight seeds."""
    records = [Record.read(path, cells["trial"]) for cells, path in lines_with_records(study, stages)]
    finished = [record for record in records if record.status == "ok"]
    wanted = spec.without_seed()
    return [record for record in finished if record.to_spec().without_seed() == wanted]


def _means(what: str, part: str, figures: list[dict[str, Any]], metrics: Sequence[str]) -> Score:
    """Return mean metrics of some trials; R2 is left out where it is no number, and RMSE is the root of the MSE."""
    known = [metric for metric in metrics if all(figure[metric] is not None for figure in figures)]
    means = {metric: fmean(figure[metric] for figure in figures) for metric in known}
    if metrics == METRICS["regression"]:
        means["rmse"] = sqrt(means["mse"])
    spread = stdev(figure["mse"] for figure in figures) if len(figures) > 1 else None
    return Score(what, part, len(figures), {**means, "mse_sd": spread})


def _write_weights(model: Any, folder: OptimumFolder) -> None:
    """Every kernel and bias as a CSV file without header: rows are inputs, columns neurons, 9 digits (float32)."""
    folder.weights.mkdir(parents=True, exist_ok=True)
    for old in folder.weights.glob("*.csv"):
        old.unlink()
    for variable in model.variables:
        values = np.atleast_2d(np.asarray(variable))
        if variable.path.endswith(("kernel", "bias")):
            with replacing(folder.weight(variable.path)) as part:
                np.savetxt(part, values, fmt="%.9g", delimiter=",")
