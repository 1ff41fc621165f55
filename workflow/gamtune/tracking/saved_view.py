"""The saved view of the trials of a study in MLflow: its charts, columns and order.

MLflow stores a saved view as a tag of the experiment. The format is not documented and may change with any version, so
the view is written only for the versions that it has been tested with.
"""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from gamtune.config.settings import PER_LAYER
from gamtune.errors import DamagedError
from gamtune.results.csv_rows import Importance
from gamtune.results.layout import StudyFolder
from gamtune.tracking.run_content import LOG_RESPONSE, RESPONSE, RunContent

TAG = "mlflow.sharedViewState.gamtune"
KNOWN = ("3.17",)  # tested versions of MLflow (major.minor)
MOST_AXES = 4  # axes of hyperparameters; with more, their names overlap
SECTION = "gamtune-study"
ROLE = "tags.`gamtune.role` = '{}'"
FILTER = ROLE.format("trial")

QUERY = f"workflowType=machine_learning&compareRunsMode=CHART&viewStateShareKey={TAG.rpartition('.')[2]}"
# Without the saved view, MLflow opens an experiment on a page for language models; this query shows the ranked trials
PLAIN_QUERY = (
    f"workflowType=machine_learning&orderByKey={quote(f'metrics.`{RESPONSE}`')}&orderByAsc=true"
    f"&searchFilter={quote(FILTER)}"
)


def study_link(experiment_id: str) -> str:
    """Return the relative link to the run of the study itself, for texts that MLflow's UI shows."""
    wanted = quote(ROLE.format("study"))
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&searchFilter={wanted}"


def saved_view(study: str, trials: Sequence[RunContent], folder: StudyFolder) -> str | None:
    """Return the value of the tag `TAG`, or None if there are no trials; the same trials give the same value.

    Parameters
    ----------
    study : str
        Name of the study.
    trials : sequence of RunContent
        Runs of the trials.
    folder : StudyFolder
        Results of the study; the ranking of its analysis determines the order of the axes.
    """
    if not trials:
        return None
    axes = _axes(trials, folder)
    columns = [f"params.`{name}`" for name in axes]
    metrics = [f"metrics.`{name}`" for name in (RESPONSE, "train_mse", "validation_accuracy", "epochs_run", "seconds")]
    state = {
        "searchFilter": FILTER,
        "orderByKey": f"metrics.`{RESPONSE}`",
        "orderByAsc": True,
        "selectedColumns": [*metrics, *columns],
        "runsHiddenMode": "SHOW_ALL",
        "hideEmptyCharts": True,
        "compareRunCharts": [
            {"uuid": f"gamtune-{number}", "metricSectionId": SECTION, "deleted": False, "isGenerated": False} | chart
            for number, chart in enumerate(_charts(axes, trials), start=1)
        ],
        "compareRunSections": [{"uuid": SECTION, "name": f"Study {study}", "display": True, "isReordered": True}],
        "isAccordionReordered": True,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode(), 9)).decode()
    stamps = {"createdAt": min(run.start for run in trials), "updatedAt": max(run.end for run in trials)}
    return json.dumps({"name": f"Study {study}", **stamps, "state": f"deflate;{packed}"})


def _axes(trials: Sequence[RunContent], folder: StudyFolder) -> list[str]:
    """Return the hyperparameters that vary and that every trial has, the most important first.

    MLflow's charts omit trials that lack one of the axes. Only the logarithm is kept if there is one, and layers are
    represented by their number, sum and mean.
    """
    shared = set.intersection(*(set(run.params) for run in trials)) - {"weight_seed", "neurons"}
    single = {name for name in shared if not name.startswith(tuple(f"{vector}_" for vector in PER_LAYER))}
    varying = {name for name in single if len({run.params[name] for run in trials}) > 1}
    varying -= {name.removeprefix("log10_") for name in varying if name.startswith("log10_")}
    ranks = _ranks(folder)
    order = [name for name in trials[0].params if name in varying]
    return sorted(order, key=lambda name: ranks.get(_column(name), len(ranks)))


def _column(param: str) -> str:
    """Return the name of a parameter of a run in the table of the study."""
    return "depth" if param == "n_layers" else param.removeprefix("log10_")


def _ranks(folder: StudyFolder) -> dict[str, int]:
    try:
        ranking = Importance.read(folder.gam.importance)
    except (OSError, DamagedError):
        return {}
    return {row.name: row.rank for row in ranking if row.measure == "ped_anova"}


def _charts(axes: list[str], trials: Sequence[RunContent]) -> Iterator[dict[str, Any]]:
    error = {"key": LOG_RESPONSE, "type": "METRIC"}
    numbers = [{"key": name, "type": "PARAM"} for name in axes if all(_is_number(run.params[name]) for run in trials)]
    if axes:
        shown = {"selectedParams": axes[:MOST_AXES], "selectedMetrics": [LOG_RESPONSE], "showAllRuns": True}
        yield {"type": "PARALLEL"} | shown
    if len(numbers) > 1:
        yield {"type": "CONTOUR", "xaxis": numbers[0], "yaxis": numbers[1], "zaxis": error}
    for number in numbers[:2]:
        yield {"type": "SCATTER", "xaxis": number, "yaxis": error, "runsCountToCompare": len(trials)}
    yield {"type": "BAR", "metricKey": RESPONSE, "runsCountToCompare": 20}
    yield {
        "type": "LINE",
        "metricKey": "validation/mse",
        "selectedMetricKeys": ["validation/mse"],
        "scaleType": "log",
        "lineSmoothness": 0,
        "runsCountToCompare": 20,
    }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
