"""The content of the MLflow runs of a study: one run per record, and one with the files of the study."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, TypeGuard

from gamtune.config.settings import PER_LAYER
from gamtune.files import check_file, sha256_of
from gamtune.results.layout import ROUNDS, RUNGS, StudyFolder
from gamtune.results.records import Record
from gamtune.tracking.records import RunRecord, read_selection
from gamtune.tracking.study import TrackedStudy

# MLflow's plots have linear axes only (3.17), so the logarithm of these hyperparameters is logged for every prior
LOGARITHMIC = ("learning_rate", "epsilon", "l1", "l2")

RESPONSE, LOG_RESPONSE = "validation_mse", "log10_validation_mse"  # metrics that rank and colour the trials
NOTE = "mlflow.note.content"  # tag of the description of a run or experiment
LONGEST_REASON = 1000  # characters; MLflow cuts tags of more than 8000 characters without a warning


@dataclass(frozen=True)
class Point:
    """One value of a metric; ``time`` is in milliseconds."""

    metric: str
    value: float
    time: int
    step: int


@dataclass(frozen=True)
class RunContent:
    """The content of a run; writing it repeatedly gives the same run.

    Attributes
    ----------
    role, key, name : str
        Role of the run, its identity within the study, and its name.
    fingerprint : str
        Hexadecimal SHA-256 of the files that the run was made from.
    status : {"FINISHED", "FAILED"}
        Status in MLflow.
    start, end : int
        Time in milliseconds since 1970.
    params, tags : dict
        Parameters and tags in MLflow.
    points : list of Point
        Values of the metrics.
    artifacts : list of (Path, str)
        Files, each with its folder among the artifacts of the run.
    data : str
        Fingerprint of the data that the trial was trained on.
    """

    role: str
    key: str
    name: str
    fingerprint: str
    status: str
    start: int
    end: int
    params: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: list[tuple[Path, str]] = field(default_factory=list)
    data: str = ""


def record_content(record: RunRecord, study: TrackedStudy, varying: frozenset[str], study_link: str) -> RunContent:
    """Return the run of a trial.

    Parameters
    ----------
    record : RunRecord
        The record of the trial.
    study : TrackedStudy
        The study.
    varying : frozenset of str
        Hyperparameters that become parameters of the run; the others become tags.
    study_link : str
        Link to the run of the study.
    """
    place, content = record.place, record.content
    spec = content.spec
    failed = content.status == "failed"
    reason = (content.reason or "no reason recorded")[:LONGEST_REASON]
    note = f"Specified in `{place.specified_in}`, which is an artifact of [the run of the study]({study_link})."
    constants = {name: _text(value) for name, value in spec.items() if name not in varying and name not in PER_LAYER}
    tags = {
        **constants,
        **{"gamtune.trial": content.trial, "gamtune.data": content.data, "gamtune.code": content.code},
        **{f"system.{name}": str(value) for name, value in content.system.items()},
        **{f"version.{name}": value for name, value in content.versions.items()},
        **_stage(place.specified_in),
        "gamtune.specified_in": place.specified_in,
        "gamtune.strategy": study.strategy,
        NOTE: f"Failed: {reason}\n\n{note}" if failed else note,
    }
    if failed:
        tags["gamtune.reason"] = reason
    return RunContent(
        role=place.role,
        key=place.key,
        name=place.name,
        fingerprint=record.fingerprint,
        status="FAILED" if failed else "FINISHED",
        start=_milliseconds(content.started),
        end=_milliseconds(content.finished),
        params={**_layer_params(spec), **_setting_params(spec, varying, {*LOGARITHMIC, *study.logarithmic})},
        points=[*_curves(content.history), *_finals(content)],
        tags=tags,
        artifacts=[(place.path, "")],
        data=content.data,
    )


def _stage(specified_in: str) -> dict[str, str]:
    """Return the tag with the number of the round or rung that proposed a trial, if one did."""
    kind, _, rest = specified_in.partition("/")
    return {f"gamtune.{kind.removesuffix('s')}": rest.partition("/")[0]} if kind in (ROUNDS, RUNGS) else {}


def study_content(study: TrackedStudy) -> RunContent | None:
    """Return the run of the study itself, which holds its tables, figures and report; None if there are none yet.

    Raises
    ------
    DamagedError
        If one of the files does not match its checksum.
    """
    folder = study.layout
    files = folder.tracked_files()
    if not files:
        return None
    total = hashlib.sha256()
    for path in files:
        check_file(path)
        total.update(f"{folder.relative(path)} {sha256_of(path)}\n".encode())
    changed = _milliseconds(max(path.stat().st_mtime for path in files))
    return RunContent(
        role="study",
        key="study",
        name=study.name,
        fingerprint=total.hexdigest(),
        status="FINISHED",
        start=changed,
        end=changed,
        tags=_selection_tags(folder),
        artifacts=[(path, folder.relative(path.parent).removeprefix(".")) for path in files],
    )


def _selection_tags(folder: StudyFolder) -> dict[str, str]:
    """Return tags with the selected candidate and the reason, if the selection has been made."""
    selection = read_selection(folder)
    return {"gamtune.optimum": selection.optimum, NOTE: selection.why} if selection else {}


def _layer_params(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return vectors as one parameter per layer.

    A missing layer is left out, because the text "None" would make the axis of a plot categorical.
    """
    neurons, dropout = spec["neurons"], spec["hidden_dropout"]
    return {
        "neurons": "-".join(map(str, neurons)),
        "n_layers": str(len(neurons)),
        "sum_neurons": str(sum(neurons)),
        "mean_hidden_dropout": str(fmean(dropout)),
        **{f"{name}_{layer}": str(value) for name in PER_LAYER for layer, value in enumerate(spec[name], start=1)},
    }


def _setting_params(spec: Mapping[str, Any], varying: frozenset[str], logarithmic: set[str]) -> dict[str, str]:
    used = {name: value for name, value in spec.items() if name in varying and name not in PER_LAYER}
    logarithms = {
        f"log10_{name}": f"{math.log10(value):.6g}" for name, value in used.items() if name in logarithmic and value > 0
    }
    return {name: _text(value) for name, value in used.items()} | logarithms


def _curves(history: Mapping[str, list[Any]]) -> Iterator[Point]:
    """Yield the learning curves; `train_mse` becomes `train/mse`, so that each part has a section of charts."""
    epochs, times = history.get("epoch", []), history.get("time", [])
    for name, values in history.items():
        if name in ("epoch", "time"):
            continue
        for epoch, time, value in zip(epochs, times, values, strict=False):
            if _is_number(value):
                yield Point(name.replace("_", "/", 1), float(value), _milliseconds(time), int(epoch))


def _finals(content: Record) -> Iterator[Point]:
    """Yield the final metrics at step 0, which MLflow draws as one bar per run."""
    values: dict[str, float | None]
    values = {"seconds": content.seconds, "epochs_run": content.epochs_run, "best_epoch": content.best_epoch}
    for part, metrics in (content.metrics or {}).items():
        values |= {f"{part}_{name}": value for name, value in metrics.items()}
    error = values.get(RESPONSE)
    if _is_number(error) and error > 0:
        values[LOG_RESPONSE] = math.log10(error)  # otherwise one bad trial would give all others the same colour
    for name, value in values.items():
        if _is_number(value):
            yield Point(name, float(value), _milliseconds(content.finished), 0)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
