"""What a study came to, in a few lines for the terminal."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gamtune.config.study import Study
from gamtune.errors import StepError
from gamtune.files import check_folder
from gamtune.numbers import NOT_AVAILABLE, compact, rmse_note, significant, with_spread
from gamtune.results.artefacts import read_rows
from gamtune.results.comparison import Comparison
from gamtune.results.data_warnings import DataWarnings
from gamtune.results.layout import Results
from gamtune.results.selection import Compared, Selection


def show(study: Study, results: Path, config: str) -> str:
    """Best row, confirmed optimum, warnings about the data, report and the command that opens the MLflow UI.

    Raises
    ------
    DamagedError
        If a file of the analysis, the selection or the optimum is damaged.
    StepError
        If the study has not finished.
    """
    folder = Results(results).study(study.study)
    for place in folder.with_checksums():
        check_folder(place)
    try:
        selection = Selection.read(folder.selection)
        test = Comparison.read(folder.optimum.comparison).test
        trials = read_rows(folder.summary, "status", "name", "validation_mse")
        warnings = DataWarnings.read(folder.data.warnings).warnings
    except FileNotFoundError as error:
        raise StepError(f"{error.filename} is not there: the study has not finished") from None
    finished = [row for row in trials if row["status"] == "ok"]
    name, observed = _best(selection.candidates, finished)
    winner = selection.selected
    part = selection.selection
    regression = "accuracy" not in test
    mean = _score(winner.score) if winner.sd is None else with_spread(winner.score, winner.sd)
    confirmed = f"{part} MSE {mean}{rmse_note(winner.score, regression=regression)} on {winner.n} fresh seeds"
    best = _score(observed) + rmse_note(observed, regression=regression)
    lines = [
        ("Trials", f"{len(trials)}, of which {len(trials) - len(finished)} failed"),
        ("Best row tried", f"{name}, {part} MSE {best} in the training it was chosen by"),
        ("Optimum", f"{winner.candidate} ({winner.source}), {confirmed}"),
        ("", _settings(selection.spec)),
        (
            "On the test set",
            f"MSE {_score(test['mse'])}, {_second(test)}, {_when(part)}",
        ),
        *(("Data warning", warning.message) for warning in warnings),
        ("Report", str(folder.report)),
        ("MLflow UI", _ui_command(config)),
    ]
    return "\n".join(f"{name:<16} {text}" for name, text in lines)


def _second(test: Mapping[str, float | None]) -> str:
    """Return the metrics that are printed beside the MSE; R2 is empty where the test targets are all equal."""
    if "accuracy" in test:
        return f"accuracy {_score(test['accuracy'])}"
    return f"RMSE {_score(test['rmse'])}, R2 {_score(test['r2'])}"


def _score(value: float | None) -> str:
    """Return a metric with four decimals, or with as many as three significant digits need."""
    if value is None:
        return NOT_AVAILABLE
    return significant(value, 4 if abs(value) >= 0.1 else 3)


def _when(selection: str) -> str:
    return "which every choice looked at" if selection == "test" else "scored after every choice"


def _best(candidates: list[Compared], finished: list[dict[str, str]]) -> tuple[str, float]:
    """Name and error of the best row: as the selection ranked it, or where it did not look at rows, the lowest."""
    for candidate in candidates:
        if candidate.candidate == "observed_1" and candidate.observed is not None:
            return candidate.source.removeprefix("row "), candidate.observed
    best = min(finished, key=lambda row: float(row["validation_mse"]))
    return best["name"], float(best["validation_mse"])


def _ui_command(config: str) -> str:
    """What opens the UI from here: make where its file is, otherwise the command itself."""
    if not Path("Makefile").exists():
        return f"gamtune ui {shlex.quote(config)}"
    return "make ui" if config == "config/config.yaml" else f"make ui CONFIG={shlex.quote(config)}"


def _settings(spec: dict[str, Any]) -> str:
    """The settings that matter, shortly."""
    shown = {name: value for name, value in spec.items() if name not in ("threads", "min_delta")}
    return ", ".join(f"{name} {_short(value)}" for name, value in shown.items())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(map(_short, value))
    return compact(value, 4)
