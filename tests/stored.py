"""Finished studies stored in tests/golden/study, and the steps after training, which do not require TensorFlow.

Networks differ between processors in their last digits. Texts and figures that are compared with stored ones are
therefore made of stored records and predictions; ``tests/golden/study/make_studies.py`` makes these.
"""

import json
import shutil
from pathlib import Path

from project import write_mixed

GOLDEN = Path(__file__).parent / "golden" / "study"
STUDIES = ("digits", "mixed")
# Files that the steps below do not write
KEPT = (
    "table.csv", "rounds/*/slots.csv", "trials/*/record.json", "rounds/*/*/record.json", "confirm/*/*/record.json",
    "final/*/*/record.json", "data/dataset.json", "data/columns.csv", "data/warnings.json", "data/preprocessing.json",
    "optimum/record.json", "optimum/predictions.csv", "optimum/comparison.csv", "optimum/tests.csv",
    "optimum/confusion_matrix.csv",
)  # fmt: skip


def copy_study(name: str, folder: Path) -> None:
    """Copy config, data and results of a stored study into a folder, as they are before the analysis."""
    shutil.copytree(GOLDEN / name, folder / "results" / name)
    (folder / "data").mkdir()
    write_mixed(folder)
    shutil.copy(GOLDEN / f"{name}.yaml", folder / "study.yaml")


def analyse(config: str) -> str:
    """Run every step from the analysis to the report in the current folder; return the terminal output."""
    from gamtune.analysis.gam_step import run_gam
    from gamtune.analysis.summary import summarise
    from gamtune.config.load import read_raw
    from gamtune.figures.optimum_figures import write_optimum_figures
    from gamtune.figures.search_figures import write_figures
    from gamtune.plan import REPORTED, Plan
    from gamtune.report.report import write_report
    from gamtune.results.layout import RESULTS
    from gamtune.selection.candidates import write_candidates
    from gamtune.selection.finalists import write_final_slots
    from gamtune.selection.select import select
    from gamtune.selection.show import show

    plan = Plan(read_raw(config), config)
    study, analysis = Path(plan.path()), plan.config.analysis
    summarise(plan.config, study)
    columns = plan.columns, plan.log_columns
    run_gam(
        study / "summary.csv", analysis.gam, plan.response, analysis.method, study / "gam", *columns,
        skip_unfittable=True,
    )  # fmt: skip
    write_figures(study, plan.stages, *columns, study / "figures")
    write_candidates(plan.config, study / "summary.csv", study / "selection" / "candidates.csv")
    select(study, len(plan.replicates), plan.config.selection.choose)
    write_final_slots(plan.config, study)
    write_optimum_figures(study, study / "optimum" / "figures")
    write_report(study, json.loads(plan.sections(*REPORTED)), study / "report.html")
    return show(plan.config, Path(RESULTS), config)
