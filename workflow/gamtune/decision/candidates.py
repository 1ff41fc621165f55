"""The candidates: settings that the decision rules propose, one slot each, to be confirmed on fresh seeds."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gamtune.analysis.comparable import averaged, last_rung, modelled_rows
from gamtune.analysis.gam import fit_gam
from gamtune.config.study import Study
from gamtune.decision.gam_optimum import gam_optimum
from gamtune.decision.slots import COLUMNS, Slot, slots
from gamtune.files import write_text
from gamtune.space.proposals import proposed_rows
from gamtune.space.table import build_table, complete
from gamtune.spec import Spec

RESPONSE = "validation_mse"


@dataclass(frozen=True)
class Proposal:
    """What a slot holds: the training to confirm, or why there is none."""

    source: str
    spec: Spec | None = None
    observed: float | None = None
    predicted: float | None = None
    reason: str = ""


def write_candidates(study: Study, summary: Path, out: Path) -> None:
    """Write ``candidates.csv``, one row for each slot of the decision.

    Parameters
    ----------
    study : Study
        The config.
    summary : Path
        ``summary.csv`` of the study, in the folder of its results.
    out : Path
        The file to write.

    Raises
    ------
    ValueError
        If no trial finished.
    """
    finished = finished_rows(summary)
    rows = [*build_table(study), *(row for row, _ in proposed_rows(summary.parent, study.search.stages))]
    ranked = _ranked(last_rung(finished), {row.spec.trial: row.spec for row in rows})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    seen: dict[str, str] = {}
    for slot in slots(study.decision):
        proposal = _propose(slot, study, finished, ranked)
        setting = proposal.spec.without_seed() if proposal.spec else ""
        if setting and setting in seen:
            proposal = Proposal(proposal.source, reason=f"the same settings as {seen[setting]}")
            setting = ""
        seen.setdefault(setting, slot.name)
        spec = proposal.spec.to_json() if proposal.spec else ""
        cells = (proposal.source, proposal.observed, proposal.predicted, proposal.reason, spec)
        writer.writerow([slot.name, slot.rule, *cells])
    write_text(out, text.getvalue())


def finished_rows(summary: Path) -> pd.DataFrame:
    """The finished rows of a summary, in its order, each the mean of its trainings.

    Raises
    ------
    ValueError
        If there is none.
    """
    rows = averaged(pd.read_csv(summary, dtype={"trial": str, "name": str}))
    finished = rows[rows["status"] == "ok"]
    if finished.empty:
        raise ValueError(f"{summary}: none of the {len(rows)} trials finished; their reasons are in its column reason")
    return finished


def _propose(slot: Slot, study: Study, finished: pd.DataFrame, ranked: list[Proposal]) -> Proposal:
    if slot.rule == "by_hand":
        spec = complete(study, study.decision.by_hand[slot.key], 1, f"decision.by_hand.{slot.key}")
        return Proposal("by hand", spec)
    if slot.rule == "gam_optimum":
        return _from_gam(study, finished, ranked[0])
    if slot.rank > len(ranked):
        return Proposal("best observed", reason=f"only {len(ranked)} settings finished")
    return ranked[slot.rank - 1]


def _ranked(finished: pd.DataFrame, specs: dict[str, Spec]) -> list[Proposal]:
    """The rows by their mean error: the luckiest of a row's trainings would flatter it."""
    repeats = finished["trainings"] if "trainings" in finished else [1] * len(finished)
    proposals = []
    for trial, name, error, trainings in zip(
        finished["trial"], finished["name"], finished[RESPONSE], repeats, strict=True
    ):
        source = f"row {name}" + (f", mean of {trainings} trainings" if trainings > 1 else "")
        proposals.append(Proposal(source, specs[trial], float(error)))
    return sorted(proposals, key=lambda proposal: float(proposal.observed or 0))


def _from_gam(study: Study, finished: pd.DataFrame, best: Proposal) -> Proposal:
    analysis = study.analysis
    if analysis.gam is None:
        return Proposal("GAM", reason="the config has no formula (analysis.gam)")
    assert best.spec is not None  # an observed row has one
    try:
        rows = modelled_rows(finished, analysis.gam)
        fitted = fit_gam(analysis.gam, rows, analysis.summary_response, analysis.method)
        settings, predicted = gam_optimum(fitted, best.spec)
    except ValueError as error:
        return Proposal("GAM", reason=str(error))
    return Proposal("lowest point of the GAM", complete(study, settings, 1, "GAM optimum"), predicted=predicted)
