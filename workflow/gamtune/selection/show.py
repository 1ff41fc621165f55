"""The summary of a study that `gamtune show` prints."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gamtune.config.study import Study
from gamtune.errors import StepError
from gamtune.files import check_folder
from gamtune.numbers import NOT_AVAILABLE, compact, rmse_note, significant, with_spread
from gamtune.results.comparison import Comparison
from gamtune.results.data_warnings import DataWarnings
from gamtune.results.layout import Results
from gamtune.results.selection import Compared, Selection
from gamtune.results.trial_table import OK, TrialScore


def show(study: Study, results: Path, config: str) -> str:
    """Return the summary of a finished study: the best configuration, the optimum, its test scores and the report.

    Parameters
    ----------
    study : Study
        The config.
    results : Path
        The folder ``results``.
    config : str
        Path of the config file, for the command that opens the MLflow UI.

    Raises
    ------
    DamagedError
        If a file of the analysis, the selection or the optimum is damaged.
    StepError
        If the study has not finished.
    """
    folder = Results(results).study(study.study)
    for checked in folder.with_checksums():
        check_folder(checked)
    try:
        selection = Selection.read(folder.selection)
        test = Comparison.read(folder.optimum.comparison).test
        trials = TrialScore.read(folder.summary)
        warnings = DataWarnings.read(folder.data.warnings).warnings
    except FileNotFoundError as error:
        raise StepError(f"{error.filename} is missing: the study has not finished; run it to the end first") from None
    finished = [trial for trial in trials if trial.status == OK]
    name, observed = _best(selection.candidates, finished)
    optimum = selection.selected
    part = selection.selected_on
    regression = "accuracy" not in test
    mean = _score(optimum.score) if optimum.sd is None else with_spread(optimum.score, optimum.sd)
    seeds = f"{optimum.n} fresh seed{'s' if optimum.n > 1 else ''}"
    confirmed = f"{part} MSE {mean}{rmse_note(optimum.score, regression=regression)} over {seeds}"
    best = _score(observed) + rmse_note(observed, regression=regression)
    lines = [
        ("Trials", f"{len(trials)} ({len(trials) - len(finished)} failed)"),
        ("Best (search)", f"{name}, {part} MSE {best}"),
        ("Optimum", f"{optimum.candidate} ({optimum.source}), {confirmed}"),
        ("", _settings(selection.spec)),
        ("Test set", f"MSE {_score(test['mse'])}, {_second(test)} ({_when(part)})"),
        *(("Data warning", warning.message) for warning in warnings),
        ("Report", str(folder.report)),
        ("MLflow UI", _ui_command(config)),
    ]
    return "\n".join(f"{name:<16} {text}" for name, text in lines)


def _second(test: Mapping[str, float | None]) -> str:
    """Return the metrics that are printed beside the MSE; R2 is empty if all test targets are equal."""
    if "accuracy" in test:
        return f"accuracy {_score(test['accuracy'])}"
    return f"RMSE {_score(test['rmse'])}, R2 {_score(test['r2'])}"


def _score(value: float | None) -> str:
    """Return a metric with four decimals, or with as many as three significant digits need."""
    if value is None:
        return NOT_AVAILABLE
    return significant(value, 4 if abs(value) >= 0.1 else 3)


def _when(selected_on: str) -> str:
    return "also used for the selection" if selected_on == "test" else "scored once, after the selection"


def _best(candidates: list[Compared], finished: list[TrialScore]) -> tuple[str, float]:
    """Return name and error of the best configuration: that of the first candidate, or else of the best trial."""
    for candidate in candidates:
        if candidate.candidate == "observed_1" and candidate.observed is not None:
            return candidate.source.removeprefix("configuration "), candidate.observed
    scored = [(trial.name, trial.validation_mse) for trial in finished if trial.validation_mse is not None]
    return min(scored, key=lambda one: one[1])


def _ui_command(config: str) -> str:
    """Return the command that opens the MLflow UI: a target of make if there is a Makefile, or gamtune itself."""
    if not Path("Makefile").exists():
        return f"gamtune ui {shlex.quote(config)}"
    return "make ui" if config == "config/config.yaml" else f"make ui CONFIG={shlex.quote(config)}"


def _settings(spec: dict[str, Any]) -> str:
    """Return the hyperparameters on one line, without those that do not affect the network."""
    shown = {name: value for name, value in spec.items() if name not in ("threads", "min_delta")}
    return ", ".join(f"{name} {_short(value)}" for name, value in shown.items())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(map(_short, value))
    return compact(value, 4)
