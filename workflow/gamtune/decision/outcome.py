"""What a study came to, in a few lines for the terminal."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any

from gamtune.config.study import Study
from gamtune.decision.slots import winner_of


def outcome(study: Study, results: Path, config: str) -> str:
    """Best row, confirmed optimum, report and the command that opens the MLflow UI.

    Raises
    ------
    ValueError
        If the study has not finished.
    """
    folder = results / study.study
    try:
        decision = json.loads((folder / "decision" / "decision.json").read_text(encoding="utf-8"))
        comparison = _rows(folder / "optimum" / "comparison.csv")
        trials = _rows(folder / "summary.csv")
    except FileNotFoundError as error:
        raise ValueError(f"{error.filename} is not there: the study has not finished") from None
    finished = [row for row in trials if row["status"] == "ok"]
    name, observed = _best(decision["candidates"], finished)
    winner = winner_of(decision)
    test = next(row for row in comparison if (row["what"], row["part"]) == ("optimum", "test"))
    part = decision["selection"]
    spread = f" ± {winner['sd']:.4f}" if winner["sd"] is not None else ""
    confirmed = f"{part} MSE {winner['mean']:.4f}{spread} on {winner['n']} fresh seeds"
    lines = [
        ("Trials", f"{len(trials)}, of which {len(trials) - len(finished)} failed"),
        ("Best row tried", f"{name}, {part} MSE {observed:.4f} in the training it was chosen by"),
        ("Optimum", f"{winner['candidate']} ({winner['source']}), {confirmed}"),
        ("", _settings(decision["spec"])),
        (
            "On the test set",
            f"MSE {float(test['mse']):.4f}, {_second(test)}, {_when(part)}",
        ),
        ("Report", str(folder / "report.html")),
        ("MLflow UI", _ui_command(config)),
    ]
    return "\n".join(f"{name:<16} {text}" for name, text in lines)


def _second(test: dict[str, str]) -> str:
    """What is told beside the MSE."""
    return f"accuracy {float(test['accuracy']):.4f}" if "accuracy" in test else f"R2 {float(test['r2']):.4f}"


def _when(selection: str) -> str:
    return "which every choice looked at" if selection == "test" else "scored after every choice"


def _best(candidates: list[dict[str, Any]], finished: list[dict[str, str]]) -> tuple[str, float]:
    """Name and error of the best row: as the decision ranked it, or where it did not look at rows, the lowest."""
    for candidate in candidates:
        if candidate["candidate"] == "observed_1":
            return candidate["source"].removeprefix("row "), candidate["observed"]
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
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
