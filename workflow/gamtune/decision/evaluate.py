"""The optimum's only look at the test set, and all that is exported with it."""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from gamtune.data.arrays import Prepared
from gamtune.decision.slots import confirmation_records, read_candidates
from gamtune.files import replacing, write_text
from gamtune.space.proposals import lines_with_records
from gamtune.spec import Spec
from gamtune.training.metrics import METRICS, FloatArray, IntArray, classification_metrics, confusion_matrix
from gamtune.training.model_file import load_logits
from gamtune.training.record import MODEL, RECORD
from gamtune.training.scoring import log_probabilities

COLUMNS = ("what", "part", "n", "mse", "mse_sd", *METRICS[1:])


def evaluate(study: Path, stages: Sequence[str] = ()) -> None:
    """Score the exported model on the test rows and write what belongs to it.

    Writes ``predictions.csv``, ``confusion_matrix.csv``, ``comparison.csv``, ``preprocessing.json`` and
    ``weights/<variable>.csv`` into ``optimum/``, which holds ``record.json`` and ``model.keras``.

    Parameters
    ----------
    study : Path
        The study's folder of results, the decision made.
    stages : sequence of str
        Folders of the study's rounds or rungs.

    Raises
    ------
    ValueError
        If the optimum's training failed.
    """
    folder = study / "optimum"
    record = _record(folder)
    if record["status"] != "ok":
        raise ValueError(f"the optimum's training failed: {record['reason']}")
    data = Prepared.open(study / "data" / "digest.json")
    test = data.part("test")
    logits = load_logits(folder / MODEL)
    scored = log_probabilities(logits, test)
    write_text(folder / "predictions.csv", _predictions(scored, test.y, data.classes))
    write_text(folder / "confusion_matrix.csv", confusion_csv(confusion_matrix(scored, test.y), data.classes))
    optimum = record["metrics"] | {"test": classification_metrics(scored, test.y)}
    rows = [*_on_validation(study, stages)]
    rows += [{"what": "optimum", "part": part, "n": 1, **figures} for part, figures in optimum.items()]
    write_text(folder / "comparison.csv", _csv(COLUMNS, ([row.get(name) for name in COLUMNS] for row in rows)))
    with replacing(folder / "preprocessing.json") as part:
        shutil.copyfile(data.folder / "preprocessing.json", part)
    _write_weights(logits, folder / "weights")


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
    return _csv(("actual", *classes, "error", "rate"), lines)


def _error(wrong: int, rows: int) -> tuple[float, str]:
    return (float(wrong / rows) if rows else 0.0, f"{wrong} / {rows}")


def _predictions(scored: FloatArray, labels: IntArray, classes: list[Any]) -> str:
    """Each test row's true class, predicted class and probabilities; ``gamtune metrics`` reads it."""
    header = ("actual", "predicted", *(f"p_{name}" for name in classes))
    chosen = scored.argmax(axis=1)
    probabilities = np.exp(scored)
    return _csv(
        header,
        ((classes[t], classes[p], *row) for t, p, row in zip(labels, chosen, probabilities.tolist(), strict=True)),
    )


def _on_validation(study: Path, stages: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The best row as tried and as trained again, and the winner."""
    decision = json.loads((study / "decision" / "decision.json").read_text(encoding="utf-8"))
    replicates = {entry["candidate"]: entry["n"] for entry in decision["candidates"]}
    best, winner = read_candidates(study / "decision" / "candidates.csv").get("observed_1"), decision["winner"]
    if best is not None and best.spec is not None:
        yield {"what": f"best row tried ({best.source})", **_means(_tried(study, best.spec, stages))}
        if replicates[best.name] and best.name != winner:
            yield {"what": "best row on fresh seeds", **_fresh(study, best.name, replicates[best.name])}
    yield {"what": f"winner on fresh seeds ({winner})", **_fresh(study, winner, replicates[winner])}


def _fresh(study: Path, candidate: str, replicates: int) -> dict[str, Any]:
    """Mean validation metrics over a candidate's replicates."""
    return _means(confirmation_records(study, candidate, replicates))


def _tried(study: Path, spec: Spec, stages: Sequence[str]) -> list[dict[str, Any]]:
    """The finished trials with these settings, whatever their weight seeds."""
    records = [_record(path.parent) for _, path in lines_with_records(study, stages)]
    finished = [record for record in records if record["status"] == "ok"]
    wanted = spec.without_seed()
    return [r for r in finished if Spec.from_json(json.dumps(r["spec"])).without_seed() == wanted]


def _means(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean validation metrics of some trainings; R2 is left out where it is no number."""
    figures = [record["metrics"]["validation"] for record in records]
    means = {m: fmean(figure[m] for figure in figures) for m in METRICS if all(f[m] is not None for f in figures)}
    spread = stdev(figure["mse"] for figure in figures) if len(figures) > 1 else None
    return {"part": "validation", "n": len(figures), "mse_sd": spread, **means}


def _record(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return record


def _write_weights(model: Any, folder: Path) -> None:
    """Every kernel and bias as a CSV file without header: rows are inputs, columns neurons, 9 digits (float32)."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.csv"):
        old.unlink()
    for variable in model.variables:
        values = np.atleast_2d(np.asarray(variable))
        if variable.path.endswith(("kernel", "bias")):
            with replacing(folder / f"{variable.path.replace('/', '_')}.csv") as part:
                np.savetxt(part, values, fmt="%.9g", delimiter=",")


def _csv(header: Any, rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
